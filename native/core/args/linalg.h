// Arguments of linear algebra: batches of contiguous row-major matrices.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// What `info` says besides LAPACK's own codes (0, or positive where a matrix has no such factors).
inline constexpr int32_t kLinalgNotFinite = -1;  // NaN or infinity where LAPACK might not come to an end
inline constexpr int32_t kLinalgNoMemory = -2;
inline constexpr int32_t kLinalgTooLarge = -3;  // workspace beyond LAPACK's 32-bit integers
inline constexpr int32_t kLinalgBadPivot = -4;

// Each function reads and writes what its comment in blas/linalg.h names.
struct LinalgArgs {
  DType dtype;  // float32 or float64
  int64_t batch, m, n, k;
  int32_t mode;
  bool upper, transposed, unit;
  double rcond;
  const void *a, *b;
  void *x, *y, *z;
  int32_t *pivots, *info;  // info [batch]
};

}  // namespace chainrule
