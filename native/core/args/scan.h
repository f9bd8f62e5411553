// Arguments of running sums and the like along the middle of contiguous [outer, n, inner].
#pragma once
#include "core/dtype.h"

namespace chainrule {

// y[k] is made of x[0..k], or of x[k..n-1] in reverse. cummax and cummin write where their value stands as well. The
// recurrence is y[k] = x[k] + a[k] y[k-1], in reverse y[k] = x[k] + a[k+1] y[k+1]; a[0] has no part in it.
struct ScanArgs {
  DType dtype;
  int64_t outer, n, inner;
  bool reverse;
  void* y;
  int32_t* places;  // cummax, cummin
  const void* x;
  const void* a;  // recurrence
};

}  // namespace chainrule
