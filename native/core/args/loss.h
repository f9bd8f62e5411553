// Arguments of the losses of class targets: log-probabilities [outer, n, inner], targets [outer, inner].
#pragma once
#include "core/dtype.h"

namespace chainrule {

struct LossArgs {
  DType dtype;  // float32 or float64
  int64_t outer, n, inner;
  int32_t ignored;    // target of no loss
  int32_t reduction;  // 0: none; 1: all losses in one sum; 2: that over the sum of the weights
  void* losses;       // forward: [outer, inner], or one if they are reduced
  void* weights;
  void* total;        // the sum of the weights, for a mean: forward writes it, backward reads it
  void* dx;           // backward: [outer, n, inner]
  const void* dloss;  // as losses
  const void* logp;
  const int32_t* target;
  const void* w;  // [n], or null: all ones
};

}  // namespace chainrule
