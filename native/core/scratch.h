// Scratch memory of the calling thread: a stack that is kept between calls, so that kernels allocate nothing in steady
// state.
#pragma once
#include <cstddef>

namespace chainrule {

// 64-byte aligned, contents undefined. Released in the opposite order of acquiring. Kept for the next call up to 16 MB
// a thread; what exceeds that is allocated and freed each time. Ends the process when there is no memory, as new does.
void* acquire_scratch(size_t bytes);
void release_scratch(void* block);

}  // namespace chainrule
