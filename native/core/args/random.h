// Arguments of random numbers.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// state: key low, key high, counter low, counter high; the kernel advances the counter by the blocks it used.
struct RandomArgs {
  DType dtype;
  int64_t n;
  void* y;
  double p0, p1;
  uint32_t* state;
};

// y = x / (1 - p) where the mask is 1, else 0; the mask is drawn unless state is null.
struct DropoutArgs {
  DType dtype;
  int64_t n;
  void* y;
  uint8_t* mask;
  const void* x;
  double p;
  uint32_t* state;
};

struct RandomFamily {
  const char* const* names;
  int count;
  void (*const (*kernels)[kDTypes])(const RandomArgs&);
};

}  // namespace chainrule
