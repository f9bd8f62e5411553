// Checking values: whether all of a run of numbers lie in a range.
#pragma once
#include "core/dtype.h"

namespace chainrule {

struct RangeArgs {
  DType dtype;
  int64_t n;
  const void* x;
  double low, high;
};

// Keeps the place of the first element below low or above high (NaN is neither) for take_bad_index on this thread.
void check_range(const RangeArgs& args);

}  // namespace chainrule
