// Arguments of resampling: weighted sums of neighbours along rows and columns, or of places picked one by one.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// What each place of an output axis is made of: weights[i * width + k] times input starts[i] + k, for k < counts[i].
// Without starts the axis stays as it is.
struct Taps {
  const int32_t* starts;
  const int32_t* counts;
  const double* weights;
  int64_t width;
};

// x [planes,h,w] -> y [planes,oh,ow], by the columns first and then by the rows. The gradient is the same with both
// tables transposed.
struct ResampleArgs {
  DType dtype;
  int64_t planes, h, w, oh, ow;
  Taps rows, columns;
  const void* x;
  void* y;
};

// Places of planes of `size` elements, and their weights, both [n,taps,points]; place -1 reads 0.
// sample: x [n,c,size] -> y [n,c,points], y = sum over taps of weight * x[place]. Its two gradients:
// sample_scatter: x [n,c,size] is written, x[place] += weight * y; sample_dot: weights = sum over c of x[place] * y.
struct SampleArgs {
  DType dtype;
  int64_t n, c, size, taps, points;
  void* x;
  void* y;
  const int32_t* places;
  void* weights;
};

}  // namespace chainrule
