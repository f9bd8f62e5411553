// Arguments of softmax and log-softmax along the middle of contiguous [outer, n, inner].
#pragma once
#include "core/dtype.h"

namespace chainrule {

// Forward: y from x. Backward: dx (as y) from dy (as x) and the forward result.
struct SoftmaxArgs {
  int64_t outer, n, inner;
  void* y;
  const void* x;
  const void* result;
};

// float32 and float64.
struct SoftmaxKernel {
  void (*forward[2])(const SoftmaxArgs& args);
  void (*backward[2])(const SoftmaxArgs& args);
};

struct SoftmaxFamily {
  const char* const* names;
  int count;
  const SoftmaxKernel* kernels;
};

}  // namespace chainrule
