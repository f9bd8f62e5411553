// OpenBLAS held at one thread of its own: we split products ourselves, see native/core/parallel.h.
#pragma once

namespace chainrule {

// Gives the process back its own OPENBLAS_NUM_THREADS; call once OpenBLAS has started, any number of times.
void restore_openblas_environment();

// The core whose kernels OpenBLAS chose (Haswell, Cooperlake ...).
const char* openblas_core();

}  // namespace chainrule
