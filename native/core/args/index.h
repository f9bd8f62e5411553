// Arguments of reading and writing at indices.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// gather and the scatters have an index for every element, [outer, count, inner]; indexSelect, indexAdd and indexCopy
// one for every row, [count]. `n` is the size of what is indexed: of x where it is read, of y where it is written.
struct IndexArgs {
  DType dtype;
  int64_t outer, n, count, inner;
  void* y;
  const void* x;
  const int32_t* index;
  bool wraps = true;  // negative indices count from the end; else they are bad
};

// What a scatter does to the element of y it meets; the numbers cross the border.
enum class Scatter { kReplace, kMultiply, kMax, kMin };
inline constexpr int kScatters = 4;

}  // namespace chainrule
