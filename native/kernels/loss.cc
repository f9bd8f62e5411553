// Negative log likelihood of class targets, its gradient, and the gradient of cross entropy.
#include "kernels/capability.h"
//
#include <math.h>
#include <string.h>

#include "core/args/loss.h"
#include "core/index_check.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/lanes.h"
#include "kernels/math.h"
#include "kernels/rows.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

constexpr int64_t kGrain = 8 * 1024;

inline float expm1_of(float x) { return ::expm1f(x); }
inline double expm1_of(double x) { return ::expm1(x); }

// The class of a place, or -1 where it is ignored. Read once and checked where it is used: its buffer may be shared
// with another thread, or be the one that is written.
inline int64_t class_at(const LossArgs& args, int64_t place) {
  const int64_t t = __atomic_load_n(args.target + place, __ATOMIC_RELAXED);
  return t == args.ignored || t < 0 || t >= args.n ? -1 : t;
}

template <class T>
inline T weight_of(const LossArgs& args, int64_t t) {
  return args.w ? static_cast<const T*>(args.w)[t] : T(1);
}

// The loss of a place of class t.
template <class T>
inline T loss_at(const LossArgs& args, int64_t place, int64_t t, T weight) {
  const int64_t o = args.inner == 1 ? place : place / args.inner;
  return -weight * static_cast<const T*>(args.logp)[(o * args.n + t) * args.inner + (place - o * args.inner)];
}

// What the gradient of a place's loss is multiplied by.
template <class T>
inline T dloss_at(const LossArgs& args, int64_t place) {
  const T* dloss = static_cast<const T*>(args.dloss);
  if (args.reduction == 0) return dloss[place];
  return args.reduction == 1 ? *dloss : *dloss / *static_cast<const T*>(args.total);
}

// Chunks are added up in their order.
template <class T>
void nll_reduced(const LossArgs& args) {
  const int64_t places = args.outer * args.inner, chunks = (places + kGrain - 1) / kGrain;
  auto* sums = static_cast<double*>(acquire_scratch(static_cast<size_t>(2 * chunks) * sizeof(double)));
  T* weights = static_cast<T*>(args.weights);
  parallel_for(places, kGrain, [&](int64_t begin, int64_t end) {
    double loss = 0, total = 0;
    for (int64_t place = begin; place < end; ++place) {
      const int64_t t = class_at(args, place);
      const T weight = t < 0 ? T(0) : weight_of<T>(args, t);
      weights[place] = weight;
      total += static_cast<double>(weight);
      if (t >= 0) loss += static_cast<double>(loss_at<T>(args, place, t, weight));
    }
    sums[begin / kGrain * 2] = loss;
    sums[begin / kGrain * 2 + 1] = total;
  });
  double loss = 0, total = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    loss += sums[chunk * 2];
    total += sums[chunk * 2 + 1];
  }
  release_scratch(sums);
  if (args.reduction == 2) {
    *static_cast<T*>(args.total) = static_cast<T>(total);
    loss /= total;
  }
  *static_cast<T*>(args.losses) = static_cast<T>(loss);
}

template <class T>
void nll(const LossArgs& args) {
  if (!check_indices(args.target, args.outer * args.inner, 0, args.n, args.ignored)) return;
  if (args.reduction != 0) return nll_reduced<T>(args);
  T* losses = static_cast<T*>(args.losses);
  T* weights = static_cast<T*>(args.weights);
  parallel_for(args.outer * args.inner, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; ++place) {
      const int64_t t = class_at(args, place);
      const T weight = t < 0 ? T(0) : weight_of<T>(args, t);
      weights[place] = weight;
      losses[place] = t < 0 ? T(0) : loss_at<T>(args, place, t, weight);
    }
  });
}

template <class T>
void nll_backward(const LossArgs& args) {
  T* dlogp = static_cast<T*>(args.dx);
  const int64_t block = args.n * args.inner;
  if (args.outer * block == 0) return;
  parallel_for(args.outer, kGrain / block + 1, [&](int64_t begin, int64_t end) {
    memset(dlogp + begin * block, 0, static_cast<size_t>((end - begin) * block) * sizeof(T));
    for (int64_t o = begin; o < end; ++o) {
      for (int64_t i = 0; i < args.inner; ++i) {
        const int64_t place = o * args.inner + i, t = class_at(args, place);
        if (t >= 0) dlogp[o * block + t * args.inner + i] = -weight_of<T>(args, t) * dloss_at<T>(args, place);
      }
    }
  });
}

// (exp(logp) - onehot) * scale of one row; at the target expm1 keeps what 1 - p has beyond the precision of p.
template <class T>
void cross_entropy_row(T* dx, const T* logp, int64_t n, int64_t t, T scale) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const T at_target = expm1_of(logp[t]) * scale;
  int64_t i = 0;
  for (; i + kSize <= n; i += kSize) (math::exp(V::load_unaligned(logp + i)) * V(scale)).store_unaligned(dx + i);
  if (i < n) store_part(dx + i, math::exp(load_part(logp + i, n - i)) * V(scale), n - i);
  dx[t] = at_target;
}

// The same for up to kTile columns, rows `inner` apart.
constexpr int64_t kTile = 256;

template <class T>
void cross_entropy_columns(const LossArgs& args, int64_t o, int64_t first, int64_t width) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const T* logp = static_cast<const T*>(args.logp) + o * args.n * args.inner + first;
  T* dx = static_cast<T*>(args.dx) + o * args.n * args.inner + first;
  alignas(64) T scale[kTile] = {}, keep[kTile] = {};
  int32_t targets[kTile];
  T at_target[kTile];
  for (int64_t j = 0; j < width; ++j) {
    const int64_t place = o * args.inner + first + j, t = class_at(args, place);
    targets[j] = static_cast<int32_t>(t);
    if (t < 0) continue;
    keep[j] = 1;
    scale[j] = weight_of<T>(args, t) * dloss_at<T>(args, place);
    at_target[j] = expm1_of(logp[t * args.inner + j]) * scale[j];
  }
  for (int64_t k = 0; k < args.n; ++k) {
    for (int64_t j = 0; j < width; j += kSize) {
      const bool whole = width - j >= kSize;
      const T* from = logp + k * args.inner + j;
      const V p = math::exp(whole ? V::load_unaligned(from) : load_part(from, width - j));
      const V d = xsimd::select(V::load_aligned(keep + j) == V(T(0)), V(T(0)), p * V::load_aligned(scale + j));
      if (whole)
        d.store_unaligned(dx + k * args.inner + j);
      else
        store_part(dx + k * args.inner + j, d, width - j);
    }
  }
  for (int64_t j = 0; j < width; ++j)
    if (targets[j] >= 0) dx[targets[j] * args.inner + j] = at_target[j];
}

template <class T>
void cross_entropy_backward(const LossArgs& args) {
  const int64_t block = args.n * args.inner;
  if (args.outer * block == 0) return;
  if (args.inner > 1) {
    const int64_t tiles = (args.inner + kTile - 1) / kTile;
    return parallel_for(args.outer * tiles, kGrain / (args.n * (args.inner < kTile ? args.inner : kTile)) + 1,
                        [&](int64_t begin, int64_t end) {
                          for (int64_t t = begin; t < end; ++t) {
                            const int64_t first = t % tiles * kTile, left = args.inner - first;
                            cross_entropy_columns<T>(args, t / tiles, first, left < kTile ? left : kTile);
                          }
                        });
  }
  const T* logp = static_cast<const T*>(args.logp);
  T* dx = static_cast<T*>(args.dx);
  parallel_for(args.outer, kGrain / args.n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const int64_t t = class_at(args, o);
      if (t < 0)
        memset(dx + o * args.n, 0, static_cast<size_t>(args.n) * sizeof(T));
      else
        cross_entropy_row(dx + o * args.n, logp + o * args.n, args.n, t, weight_of<T>(args, t) * dloss_at<T>(args, o));
    }
  });
}

#define CHAINRULE_BY_DTYPE(name)          \
  void name##_any(const LossArgs& args) { \
    if (args.dtype == DType::kFloat64) {  \
      name<double>(args);                 \
    } else {                              \
      name<float>(args);                  \
    }                                     \
  }
CHAINRULE_BY_DTYPE(nll)
CHAINRULE_BY_DTYPE(nll_backward)
CHAINRULE_BY_DTYPE(cross_entropy_backward)

}  // namespace

void fill_loss(Table& table) {
  table.nll = nll_any;
  table.nll_backward = nll_backward_any;
  table.cross_entropy_backward = cross_entropy_backward_any;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
