// What normalisation forward and backward share: a site's statistics as they meet its elements.
#pragma once
#include "kernels/capability.h"
//
#include "core/args/norm.h"
#include "core/parallel.h"
#include "kernels/patches.h"
#include "kernels/sums.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void norm_forward(const NormArgs& args);
void norm_backward(const NormArgs& args);

namespace {

// Elements a thread should have to itself.
constexpr int64_t kGrain = 16 * 1024;
// Columns are taken as many vectors at a time.
constexpr int kColumnVectors = 4;

inline double inverse_deviation(double variance, double eps) { return 1 / __builtin_sqrt(variance + eps); }

// The mean in two parts: in one float32 it would be off by 6e-8 of itself, which means much where it is far from 0.
template <class T>
inline T high_of(double mean) {
  return static_cast<T>(mean);
}
template <class T>
inline T low_of(double mean) {
  return static_cast<T>(mean - static_cast<double>(static_cast<T>(mean)));
}

// x - mean, and the factor that makes the deviation 1: vectors of one site, or of one site a lane.
template <class T>
struct Normal {
  Batch<T> high, low, scale;

  Normal() = default;
  Normal(double mean, double variance, double eps)
      : high(high_of<T>(mean)), low(low_of<T>(mean)), scale(static_cast<T>(inverse_deviation(variance, eps))) {}
  // Of `lanes` sites, the last ones repeated.
  Normal(const double* mean, const double* variance, double eps, int64_t lanes) {
    constexpr int64_t kSize = Batch<T>::size;
    alignas(64) T highs[kSize], lows[kSize], scales[kSize];
    for (int64_t i = 0; i < kSize; ++i) {
      const int64_t site = smaller(i, lanes - 1);
      highs[i] = high_of<T>(mean[site]);
      lows[i] = low_of<T>(mean[site]);
      scales[i] = static_cast<T>(inverse_deviation(variance[site], eps));
    }
    high = Batch<T>::load_aligned(highs);
    low = Batch<T>::load_aligned(lows);
    scale = Batch<T>::load_aligned(scales);
  }

  CHAINRULE_INLINE Batch<T> distance(Batch<T> x) const {
    if constexpr (sizeof(T) == sizeof(double))
      return x - high;
    else
      return x - high - low;
  }
};

template <class T>
inline const T* part(const void* all, int64_t at) {
  return all ? static_cast<const T*>(all) + at : nullptr;
}

// Calls f(first column, columns) for tiles of columns, cut for threads.
template <class T, class F>
void over_columns(const NormArgs& args, const F& f) {
  constexpr int64_t kTile = kColumnVectors * Batch<T>::size;
  parallel_for(blocks_of(args.groups, kTile), kGrain / (args.outer * kTile) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) f(tile * kTile, smaller(kTile, args.groups - tile * kTile));
  });
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
