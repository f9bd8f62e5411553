// Arguments of the elementwise families: unary, test, binary, compare, where, copy.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// What a kernel of these families is: y is contiguous, each operand contiguous (step 1) or one repeated value (step 0).
// All else, strides, broadcasting and threads, is the driver's business (core/loops.cc).
using RowFunction = void (*)(void* y, const void* const* x, const int64_t* step, int64_t n, const double* p);

// The kernels of one family by number and dtype of the operands; null where there is none.
struct RowFamily {
  const char* const* names;
  int count;
  const RowFunction (*rows)[kDTypes];
};

inline constexpr int kMaxOperands = 3;

struct ElementwiseArgs {
  RowFunction row;
  int32_t operands;
  int32_t ndim;
  // All operands are contiguous or one value, and y is contiguous: shape and stride are unset, step is all there is.
  bool flat;
  // y = x of the same dtype: blocks of a transposed matrix may be moved without the row function.
  bool same;
  uint8_t width[kMaxOperands + 1];  // bytes an element, y first
  int64_t n;
  double p[2];
  void* y;
  const void* x[kMaxOperands];       // null: the immediate below, so that a copy of this struct points into itself
  uint64_t immediate[kMaxOperands];  // its bytes, in the dtype of the operand
  int64_t step[kMaxOperands];        // of a flat call
  int64_t shape[kMaxDims];
  int64_t stride[kMaxOperands + 1][kMaxDims];  // in elements, y first
};

}  // namespace chainrule
