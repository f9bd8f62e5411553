// Arguments of fill and arange.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// y[i] = start + i * step, or start everywhere; y is contiguous.
struct FillArgs {
  DType dtype;
  int64_t n;
  void* y;
  double start, step;
};

}  // namespace chainrule
