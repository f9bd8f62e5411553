// Normalisation forward: statistics in one pass over a site, then its elements while they are still near.
#include "kernels/norm.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Mean and sum of squares of distances from it, of blocks of a site joined one after the other (Chan et al. 1979).
struct Total {
  double count = 0, mean = 0, squares = 0;

  void join(double n, double block_mean, double block_squares) {
    const double both = count + n, distance = block_mean - mean;
    squares += block_squares + distance * distance * (count * n / both);
    mean = (mean * count + block_mean * n) / both;
    count = both;
  }
};

// The elements of a block: distances are from a value near by, so that no digits are lost where the mean is far from 0.
constexpr int64_t kBlock = 4096;

// One pass is as good as two: what the distance of the mean from that value costs is at most the length of a block
// times 2^-53.
inline void join_block(Total* total, int64_t n, double from, double sum, double squares) {
  const double count = static_cast<double>(n), spread = squares - sum * sum / count;
  total->join(count, from + sum / count, spread < 0 ? 0 : spread);
}

// A value to measure distances from; infinities are none.
template <class T>
inline T nearby(T x) {
  return x - x == 0 ? x : 0;
}

template <class T, bool kCentered>
class Moments {
 public:
  void add(const T* x, int64_t n) {
    while (n > 0) {
      if (held_ == 0) from_ = kCentered ? nearby(total_.count == 0 ? *x : static_cast<T>(total_.mean)) : 0;
      const int64_t some = smaller(n, kBlock - held_);
      fold(x, some);
      held_ += some;
      if (held_ == kBlock) close();
      x += some;
      n -= some;
    }
  }

  void finish(double* mean, double* variance) {
    if (held_ > 0) close();
    *mean = kCentered ? total_.mean : 0;
    *variance = total_.squares / total_.count;
  }

 private:
  void fold(const T* x, int64_t n) {
    using V = Batch<T>;
    constexpr int64_t kSize = V::size;
    const Wide<T> from = wide(V(from_));
    Sum<T> sum = sum_, squares = squares_;
    const auto step = [&](V v) {
      Wide<T> w = wide(v);
      for (int k = 0; k < Wide<T>::kParts; ++k) w.part[k] -= from.part[k];
      if (kCentered) sum.add(w);
      squares.add_product(w, w);
    };
    int64_t i = 0;
    for (; i + kSize <= n; i += kSize) step(V::load_unaligned(x + i));
    if (i < n) step(load_part(x + i, n - i, from_));
    sum_ = sum;
    squares_ = squares;
  }

  void close() {
    if constexpr (kCentered) {
      join_block(&total_, held_, static_cast<double>(from_), sum_.total(), squares_.total());
    } else {
      total_.count += static_cast<double>(held_);
      total_.squares += squares_.total();
    }
    sum_ = squares_ = Sum<T>();
    held_ = 0;
  }

  Total total_;
  Sum<T> sum_, squares_;
  T from_ = 0;
  int64_t held_ = 0;
};

// y = (x - mean) / deviation * w + b on a row whose elements have weights of their own.
template <class T, bool kWeight, bool kBias>
void scale_row(T* y, const T* x, const T* w, const T* b, int64_t n, const Normal<T>& normal) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const auto at = [&](int64_t i, auto load, auto store) {
    V v = normal.distance(load(x + i)) * normal.scale;
    if constexpr (kWeight && kBias)
      v = xsimd::fma(v, load(w + i), load(b + i));
    else if constexpr (kWeight)
      v = v * load(w + i);
    else if constexpr (kBias)
      v = v + load(b + i);
    store(y + i, v);
  };
  int64_t i = 0;
  for (; i + kSize <= n; i += kSize)
    at(
        i, [](const T* from) { return V::load_unaligned(from); }, [](T* to, V v) { v.store_unaligned(to); });
  if (i < n)
    at(
        i, [&](const T* from) { return load_part(from, n - i); }, [&](T* to, V v) { store_part(to, v, n - i); });
}

template <class T>
void scale_row(T* y, const T* x, const T* w, const T* b, int64_t n, const Normal<T>& normal) {
  const auto scale = w   ? b ? scale_row<T, true, true> : scale_row<T, true, false>
                       : b ? scale_row<T, false, true>
                         : scale_row<T, false, false>;
  scale(y, x, w, b, n, normal);
}

// The same on a run with one weight.
template <class T>
void scale_run(T* y, const T* x, T w, T b, int64_t n, const Normal<T>& normal) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const V factor = normal.scale * V(w), added(b);
  int64_t i = 0;
  for (; i + kSize <= n; i += kSize)
    xsimd::fma(normal.distance(V::load_unaligned(x + i)), factor, added).store_unaligned(y + i);
  if (i < n) store_part(y + i, xsimd::fma(normal.distance(load_part(x + i, n - i)), factor, added), n - i);
}

template <class T, bool kCentered>
void forward_rows(const NormArgs& args) {
  const int64_t n = count_of(args), inner = args.inner;
  parallel_for(sites_of(args), kGrain / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t site = begin; site < end; ++site) {
      const T* x = static_cast<const T*>(args.x) + site * n;
      T* y = static_cast<T*>(args.y) + site * n;
      if (!args.given) {
        Moments<T, kCentered> moments;
        moments.add(x, n);
        moments.finish(args.mean + site, args.variance + site);
      }
      const Normal<T> normal(args.mean[site], args.variance[site], args.eps);
      const int64_t first = site % args.groups * args.channels;
      const T *w = part<T>(args.weight, first), *b = part<T>(args.bias, first);
      if (inner == 1) {
        scale_row(y, x, w, b, n, normal);
        continue;
      }
      for (int64_t k = 0; k < args.channels; ++k)
        scale_run(y + k * inner, x + k * inner, w ? w[k] : T(1), b ? b[k] : T(0), inner, normal);
    }
  });
}

template <class T>
void scale_plane(const NormArgs& args, int64_t o, int64_t group, const Normal<T>& normal) {
  const int64_t at = (o * args.groups + group) * args.inner;
  const T *w = part<T>(args.weight, group), *b = part<T>(args.bias, group);
  scale_run(static_cast<T*>(args.y) + at, static_cast<const T*>(args.x) + at, w ? *w : T(1), b ? *b : T(0), args.inner,
            normal);
}

template <class T, bool kCentered>
void forward_planes(const NormArgs& args) {
  const int64_t groups = args.groups, inner = args.inner;
  if (args.given) {
    parallel_for(args.outer * groups, kGrain / inner + 1, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) {
        const int64_t group = plane % groups;
        scale_plane(args, plane / groups, group, Normal<T>(args.mean[group], args.variance[group], args.eps));
      }
    });
    return;
  }
  parallel_for(groups, kGrain / count_of(args) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      Moments<T, kCentered> moments;
      for (int64_t o = 0; o < args.outer; ++o)
        moments.add(static_cast<const T*>(args.x) + (o * groups + group) * inner, inner);
      moments.finish(args.mean + group, args.variance + group);
      const Normal<T> normal(args.mean[group], args.variance[group], args.eps);
      for (int64_t o = 0; o < args.outer; ++o) scale_plane(args, o, group, normal);
    }
  });
}

// Statistics of columns, kVectors vectors of them; fewer than a vector only with kVectors 1.
template <class T, bool kCentered, int kVectors>
void measure_columns(const NormArgs& args, int64_t first, int64_t columns) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const T* x = static_cast<const T*>(args.x) + first;
  Total totals[kVectors * kSize];
  for (int64_t begin = 0; begin < args.outer; begin += kBlock) {
    const int64_t end = smaller(args.outer, begin + kBlock);
    alignas(64) T from[kVectors * kSize] = {};
    if (kCentered)
      for (int64_t j = 0; j < columns; ++j) from[j] = nearby(x[begin * args.groups + j]);
    Wide<T> away[kVectors];
    for (int v = 0; v < kVectors; ++v) away[v] = wide(V::load_aligned(from + v * kSize));
    Sum<T> sum[kVectors], squares[kVectors];
    for (int64_t o = begin; o < end; ++o) {
      for (int v = 0; v < kVectors; ++v) {
        Wide<T> w = wide(load_some(x + o * args.groups + v * kSize, columns - v * kSize));
        for (int k = 0; k < Wide<T>::kParts; ++k) w.part[k] -= away[v].part[k];
        sum[v].add(w);
        squares[v].add_product(w, w);
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      double sums[kSize], spreads[kSize];
      sum[v].store(sums);
      squares[v].store(spreads);
      for (int64_t i = 0; i < kSize; ++i) {
        const int64_t j = v * kSize + i;
        if (kCentered)
          join_block(&totals[j], end - begin, static_cast<double>(from[j]), sums[i], spreads[i]);
        else
          totals[j].squares += spreads[i];
      }
    }
  }
  for (int64_t j = 0; j < columns; ++j) {
    args.mean[first + j] = totals[j].mean;
    args.variance[first + j] = totals[j].squares / static_cast<double>(args.outer);
  }
}

template <class T, bool kCentered>
void forward_columns(const NormArgs& args) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size, kTile = kColumnVectors * kSize;
  over_columns<T>(args, [&](int64_t first, int64_t columns) {
    if (!args.given) {
      if (columns == kTile)
        measure_columns<T, kCentered, kColumnVectors>(args, first, columns);
      else
        for (int64_t j = 0; j < columns; j += kSize)
          measure_columns<T, kCentered, 1>(args, first + j, smaller(kSize, columns - j));
    }
    Normal<T> normal[kColumnVectors];
    V factor[kColumnVectors], added[kColumnVectors];
    const T *w = part<T>(args.weight, first), *b = part<T>(args.bias, first);
    for (int64_t v = 0; v * kSize < columns; ++v) {
      const int64_t at = first + v * kSize, left = columns - v * kSize;
      normal[v] = Normal<T>(args.mean + at, args.variance + at, args.eps, left);
      factor[v] = w ? normal[v].scale * load_some(w + v * kSize, left) : normal[v].scale;
      added[v] = b ? load_some(b + v * kSize, left) : V(T(0));
    }
    for (int64_t o = 0; o < args.outer; ++o) {
      const T* x = static_cast<const T*>(args.x) + o * args.groups + first;
      T* y = static_cast<T*>(args.y) + o * args.groups + first;
      for (int64_t j = 0, v = 0; j < columns; j += kSize, ++v) {
        const V result = xsimd::fma(normal[v].distance(load_some(x + j, columns - j)), factor[v], added[v]);
        store_some(y + j, result, columns - j);
      }
    }
  });
}

// running = (1 - momentum) running + momentum (mean over outer of the sites' statistics times `unbiased`).
template <class T>
void update(const NormArgs& args, void* running, const double* statistics, double unbiased) {
  if (!running) return;
  const int64_t repeats = sites_of(args) / args.groups;
  T* to = static_cast<T*>(running);
  for (int64_t group = 0; group < args.groups; ++group) {
    double sum = 0;
    for (int64_t i = 0; i < repeats; ++i) sum += statistics[i * args.groups + group];
    const double average = sum / static_cast<double>(repeats) * unbiased;
    to[group] = static_cast<T>((1 - args.momentum) * static_cast<double>(to[group]) + args.momentum * average);
  }
}

template <class T, bool kCentered>
void forward(const NormArgs& args) {
  const auto form = !args.batch       ? forward_rows<T, kCentered>
                    : args.inner == 1 ? forward_columns<T, kCentered>
                                      : forward_planes<T, kCentered>;
  form(args);
  const double count = static_cast<double>(count_of(args));
  update<T>(args, args.running_mean, args.mean, 1);
  update<T>(args, args.running_variance, args.variance, count / (count - 1));
}

}  // namespace

void norm_forward(const NormArgs& args) {
  if (args.dtype == DType::kFloat64)
    (args.centered ? forward<double, true> : forward<double, false>)(args);
  else
    (args.centered ? forward<float, true> : forward<float, false>)(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
