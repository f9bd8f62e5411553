// Arguments of the losses of class targets: log-probabilities [outer, n, inner], targets [outer, inner].
#pragma once
#include "core/dtype.h"

namespace chainrule {

struct LossArgs {
  DType dtype;  // float32 or float64
  int64_t outer, n, inner;
  int32_t ignored;  // target of no loss
  void* losses;     // forward: [outer, inner]
  void* weights;
  void* dx;           // backward: [outer, n, inner]
  const void* dloss;  // [outer, inner]
  const void* logp;
  const int32_t* target;
  const void* w;  // [n], or null: all ones
};

}  // namespace chainrule
