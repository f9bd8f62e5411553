// Arguments of sorting and of picking by rank, along the middle of contiguous [outer, n, inner].
#pragma once
#include "core/dtype.h"

namespace chainrule {

// NaN counts as the largest, equal elements keep their order. Places are those before sorting.
struct SortArgs {
  DType dtype;
  int64_t outer, n, inner;
  bool descending;
  void* values;
  int32_t* places;
  const void* x;
};

// Which element `kth` takes: the one of a rank; the lower median, or NaN where there is one; the lower median of the
// rest.
enum class Rank : int32_t { kGiven = 0, kMedian = 1, kNanMedian = 2 };

// topk writes [outer, k, inner], kth [outer, inner]: the element of rank k, counted from 0.
struct SelectArgs {
  DType dtype;
  int64_t outer, n, inner;
  int64_t k;
  bool largest, sorted;  // topk
  Rank rank;             // kth
  void* values;
  int32_t* places;
  const void* x;
};

// The places of the rows of x [rows, columns] in lexicographic order; equal rows keep theirs.
struct RowOrderArgs {
  DType dtype;
  int64_t rows, columns;
  int32_t* places;
  const void* x;
};

}  // namespace chainrule
