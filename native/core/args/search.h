// Arguments of binary search and of finding what is not 0.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// For each of values [outer, m] the first place in its row of `sorted` [outer, n] whose element is not below it, or
// above it with `right`; n where there is none. With a sorter [outer, n], place i stands for element sorter[i].
struct SearchArgs {
  DType dtype;
  int64_t outer, n, m;
  bool right;
  int32_t* y;
  const void* sorted;
  const void* values;
  const int32_t* sorter;  // or null
};

// The places of the nonzero elements of contiguous x, `rows` of them, as rows of ndim numbers; zeros for what is
// missing.
struct NonzeroArgs {
  DType dtype;
  int64_t n;
  int32_t ndim;
  int64_t shape[kMaxDims];
  int64_t rows;
  int32_t* y;
  const void* x;
};

}  // namespace chainrule
