// Arguments of connectionist temporal classification: log-probabilities [steps, batch, classes].
#pragma once
#include "core/dtype.h"

namespace chainrule {

// A sample's row of `plan` is its number of steps, its number of labels, and where its labels begin in `targets`.
struct CtcArgs {
  DType dtype;  // float32 or float64
  int64_t steps, batch, classes;
  int64_t blank;
  int64_t labels;  // in `targets`
  bool zero_infinity;
  void* losses;  // [batch]
  void* grads;   // [steps, batch, classes], d loss / d logp; null: not wanted
  const void* logp;
  const int32_t* targets;
  const int32_t* plan;  // [batch, 3]
  double* work;         // [slots, room] for the gradients: a sample needs steps * (2 labels + 1)
  int64_t slots, room;  // how many samples may be under way at once
};

}  // namespace chainrule
