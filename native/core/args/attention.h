// Arguments of scaled dot-product attention, forward and backward.
#pragma once
#include "core/dtype.h"

namespace chainrule {

inline constexpr int kMaxHeadDims = kMaxDims - 2;

// Matrices of one operand, [batch..., rows, columns] with columns side by side; strides in elements.
struct HeadView {
  char* data;  // null: not wanted
  int64_t batch[kMaxHeadDims];
  int64_t row;
};

enum class MaskKind : int32_t { kNone = 0, kBool = 1, kAdded = 2 };

// y = softmax(scale q k^T + mask) v for every head.
struct AttentionArgs {
  DType dtype;  // float32 or float64
  bool causal;  // query i sees the keys 0..i
  int64_t l, s, e, ev;
  double scale;
  int32_t ndim;
  int64_t shape[kMaxHeadDims];  // heads are their product
  HeadView q, k, v, y;          // [l, e], [s, e], [s, ev], [l, ev]
  MaskKind mask_kind;
  HeadView mask;  // [l, s]: bool (true takes part) or of the dtype (added to the scores)
  int64_t mask_column;
  // [2, heads, l]: what was taken from a row's scores before exp, and one over the sum of the exponentials; forward may
  // do without.
  void* stats;

  // Backward; of gradients those that are wanted.
  HeadView dy, dq, dk, dv;
};

inline int64_t heads_of(const AttentionArgs& args) {
  int64_t heads = 1;
  for (int i = 0; i < args.ndim; ++i) heads *= args.shape[i];
  return heads;
}

}  // namespace chainrule
