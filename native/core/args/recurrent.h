// Arguments of recurrent layers: one direction of one layer over all its steps.
#pragma once
#include "core/dtype.h"

namespace chainrule {

enum class RecurrentCell : int32_t { kTanh = 0, kRelu = 1, kLstm = 2, kGru = 3 };
inline constexpr int kRecurrentCells = 4;

inline constexpr int gates_of(RecurrentCell cell) {
  return cell == RecurrentCell::kLstm ? 4 : cell == RecurrentCell::kGru ? 3 : 1;
}

// Sequences lie packed: all rows of the first step, then those of the second and so on, longest sequence first, so that
// the rows of a step continue the first rows of the step before.
struct RecurrentArgs {
  DType dtype;  // float32 or float64
  RecurrentCell cell;
  bool reverse;  // from the last step to the first
  bool keep;     // forward: leave what backward reads
  int64_t steps, batch, hidden, rows;
  const int32_t* sizes;  // rows of each step, falling from `batch`; null: `batch` in each
  const void* w;         // [gates * hidden, hidden], gates in PyTorch's order
  const void* bias;      // [gates * hidden] of the hidden product, or null

  void* y;         // [rows, hidden]
  const void* h0;  // [batch, hidden]
  const void* c0;  // lstm: [batch, hidden], or null for zeros
  void* hn;        // [batch, hidden]
  void* cn;        // lstm: [batch, hidden]
  // Input products [rows, gates * hidden]; forward with `keep` puts the gates in their place.
  void* gates;
  // With `keep`: lstm the cell states, gru the hidden product of the new gate, [rows, hidden].
  void* kept;

  // Backward: gradients of what is above, and of the products of the input and of the hidden state, which gru alone
  // tells apart: `dhidden` is `dgates` for others.
  const void *dy, *dhn, *dcn;
  void *dh0, *dc0;
  void *dgates, *dhidden;
};

}  // namespace chainrule
