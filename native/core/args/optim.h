// Arguments of optimizer steps: many parameters in one call.
#pragma once
#include "core/dtype.h"

namespace chainrule {

inline constexpr int kMaxParameters = 64;

// Parameter, gradient and what the rule keeps: sgd the momentum (or null), adam m, v and vmax (or null).
struct OptimParameter {
  int64_t n;
  void* p;
  const void* g;
  void* state[3];
};

struct OptimArgs {
  DType dtype;  // float32 or float64
  int32_t count;
  double lr, weight_decay;
  bool maximize;
  double momentum, dampening;  // sgd
  bool nesterov, first;
  double beta1, beta2, eps, step;  // adam
  bool decoupled, amsgrad;
  OptimParameter parameters[kMaxParameters];
};

}  // namespace chainrule
