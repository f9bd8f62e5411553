// Arguments of reading and adding at indices.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// gather and scatterAdd have an index for every element, [outer, count, inner]; indexSelect and indexAdd one for every
// row, [count]. `n` is the size of what is indexed: of x where it is read, of y where it is added to.
struct IndexArgs {
  DType dtype;
  int64_t outer, n, count, inner;
  void* y;
  const void* x;
  const int32_t* index;
};

}  // namespace chainrule
