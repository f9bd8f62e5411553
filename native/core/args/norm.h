// Arguments of normalisation to mean 0 and variance 1, forward and backward.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// x [outer, groups, channels, inner], weight and bias [groups, channels]. A site is what has statistics of its own:
// rows [outer, groups] of channels * inner elements, or with `batch` the groups, over outer and inner (channels is 1).
struct NormArgs {
  DType dtype;  // float32 or float64
  bool batch;
  bool centered;  // false: by the root mean square, with a mean of 0
  bool given;     // forward reads the statistics, and backward takes them for constants
  int64_t outer, groups, channels, inner;
  double eps;
  double* mean;      // [sites]
  double* variance;  // [sites], biased
  const void* x;
  const void* weight;  // or null for ones

  void* y;
  const void* bias;  // or null for zeros
  // [groups] or null: moved by the momentum towards the mean over outer of the sites' statistics.
  void *running_mean, *running_variance;
  double momentum;

  const void* dy;
  void *dx, *dweight, *dbias;  // or null
};

inline int64_t sites_of(const NormArgs& args) { return args.batch ? args.groups : args.outer * args.groups; }

// Elements of a site.
inline int64_t count_of(const NormArgs& args) { return (args.batch ? args.outer : args.channels) * args.inner; }

}  // namespace chainrule
