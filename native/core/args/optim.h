// Arguments of optimizer steps: many parameters in one call.
#pragma once
#include "core/dtype.h"
#include "core/launch.h"

namespace chainrule {

inline constexpr int kMaxParameters = 64;
inline constexpr int kMaxNumbers = 11;

// Parameter, gradient and what the rule keeps: sgd the momentum (or null), adam m, v and vmax (or null), others all
// they have.
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
  double numbers[kMaxNumbers];  // the other rules; what each means stands at its formula
  OptimParameter parameters[kMaxParameters];
};

struct UpdateKernel {
  int states;
  Kernel<OptimArgs> run[2];  // float32, float64
};

struct UpdateFamily {
  const char* const* names;
  int count;
  const UpdateKernel* kernels;
};

}  // namespace chainrule
