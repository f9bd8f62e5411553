// Planning a reduction: the fewest dimensions, the fastest one last.
#include <cstdlib>

#include "core/args/reduce.h"

namespace chainrule {
namespace {

void sort_by_stride(ReduceDim* dims, int n) {
  for (int i = 1; i < n; ++i) {
    const ReduceDim moved = dims[i];
    int j = i;
    for (; j > 0 && std::abs(dims[j - 1].stride) < std::abs(moved.stride); --j) dims[j] = dims[j - 1];
    dims[j] = moved;
  }
}

// Merges neighbours that step as one; returns how many are left, at least one.
int merge(ReduceDim* dims, int n) {
  if (n == 0) {
    dims[0] = {1, 0, 0};
    return 1;
  }
  int last = 0;
  for (int i = 1; i < n; ++i) {
    ReduceDim& outer = dims[last];
    const ReduceDim& d = dims[i];
    if (outer.stride == d.size * d.stride && outer.out == d.size * d.out) {
      outer = {outer.size * d.size, d.stride, d.out};
    } else {
      dims[++last] = d;
    }
  }
  return last + 1;
}

}  // namespace

void plan_reduce(ReduceArgs& args, int ndim, const int64_t* shape, const int64_t* strides, const bool* reduced) {
  int nk = 0, nr = 0;
  bool kept_empty = false, reduced_empty = false;
  for (int d = 0; d < ndim; ++d)
    if (shape[d] == 0) (reduced[d] ? reduced_empty : kept_empty) = true;
  // With nothing to read or to write, products of the other sizes mean nothing and are not made.
  args.outputs = kept_empty ? 0 : 1;
  args.count = reduced_empty ? 0 : 1;
  args.repeat = 1;
  int64_t out = 1, place = 1;
  for (int d = ndim - 1; d >= 0; --d) {
    const int64_t size = shape[d];
    if (reduced[d]) {
      if (reduced_empty || size == 1) continue;
      if (strides[d] == 0)
        args.repeat *= size;
      else
        args.reduced[nr++] = {size, strides[d], place};
      place *= size;
      args.count *= size;
    } else {
      if (kept_empty || size == 1) continue;
      args.kept[nk++] = {size, strides[d], out};
      out *= size;
      args.outputs *= size;
    }
  }
  // A view without elements is not checked any further by Call::view, so its strides may be anything.
  if (kept_empty || reduced_empty) nk = nr = 0;
  // Filled from the innermost on: turn them round.
  for (int i = 0; i < nk / 2; ++i) {
    const ReduceDim d = args.kept[i];
    args.kept[i] = args.kept[nk - 1 - i];
    args.kept[nk - 1 - i] = d;
  }
  for (int i = 0; i < nr / 2; ++i) {
    const ReduceDim d = args.reduced[i];
    args.reduced[i] = args.reduced[nr - 1 - i];
    args.reduced[nr - 1 - i] = d;
  }
  sort_by_stride(args.kept, nk);
  // The first of equal elements must be met first: their order stays when places are wanted.
  if (!args.indices) sort_by_stride(args.reduced, nr);
  args.columns = nr == 0 || (nk > 0 && std::abs(args.kept[nk - 1].stride) < std::abs(args.reduced[nr - 1].stride));
  args.kept_dims = merge(args.kept, nk);
  args.reduced_dims = merge(args.reduced, nr);
}

}  // namespace chainrule
