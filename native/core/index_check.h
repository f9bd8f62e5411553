// Checking indices before anything is read or written with them.
#pragma once
#include <cstdint>

#include "core/launch.h"

namespace chainrule {

// Whether all are in [low, n), or equal to `ignored`; if not, the place of the first that is not is kept for
// take_bad_index on this thread.
bool check_indices(const int32_t* index, int64_t count, int64_t low, int64_t n, int64_t ignored);

// Keeps the place of a bad index that the kernel found itself.
void keep_bad_index(int64_t place);

// The place of the first bad index a kernel on this thread met since the last call, or -1. Not a result of the kernel:
// a kernel may run again later, when nobody waits for one.
int64_t take_bad_index();

// Runs a kernel that checks indices and returns the place of the first bad one, or -1; while recording always -1: a
// Program looks when it runs.
template <class Args>
int64_t launch_checked(Kernel<Args> kernel, const Args& args) {
  take_bad_index();
  launch(kernel, args, true);
  return take_bad_index();
}

inline constexpr int64_t kNoneIgnored = int64_t{1} << 40;

}  // namespace chainrule
