// Normalisation backward: the two sums of a site, then dx = (g w - mean(g w) - d mean(g w d) / deviation^2) / deviation
// with d = x - mean; dweight = sum(g d / deviation), dbias = sum(g).
#include "kernels/norm.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// dx = g * factor - first - d * second.
template <class T>
struct Slope {
  Batch<T> factor, first, second;

  CHAINRULE_INLINE Batch<T> at(Batch<T> g, Batch<T> d) const {
    return xsimd::fnma(d, second, xsimd::fms(g, factor, first));
  }
};

// What the sums over a site of g w and g w d take off each element.
template <class T>
void set_means(const NormArgs& args, Slope<T>* slope, double scale, double sum, double product) {
  const double count = static_cast<double>(count_of(args)), part = args.given ? 0 : scale / count;
  slope->first = Batch<T>(static_cast<T>(args.centered ? part * sum : 0));
  slope->second = Batch<T>(static_cast<T>(part * scale * scale * product));
}

// Partial sums [parts, n] are added to the first of them, in order.
void add_up(double* sums, int64_t parts, int64_t n) {
  for (int64_t i = 1; i < parts; ++i)
    for (int64_t j = 0; j < n; ++j) sums[j] += sums[i * n + j];
}

template <class T>
void put(void* to, int64_t n, const double* sums) {
  if (!to) return;
  for (int64_t i = 0; i < n; ++i) static_cast<T*>(to)[i] = static_cast<T>(sums[i]);
}

template <class T>
inline void add_to(double* sums, Batch<T> v) {
  const Wide<T> w = wide(v);
  for (int k = 0; k < Wide<T>::kParts; ++k) {
    double* at = sums + k * Batch<double>::size;
    (Batch<double>::load_unaligned(at) + w.part[k]).store_unaligned(at);
  }
}

// kRows rows of one group, of elements with weights of their own; their share of dweight and dbias is summed in T
// before it joins the sums in float64, which have room for whole vectors.
template <class T, int kRows>
void rows_back(const NormArgs& args, int64_t o, int64_t group, double* dweight, double* dbias) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const int64_t n = args.channels, stride = args.groups * n, at = o * stride + group * n;
  const T *x = static_cast<const T*>(args.x) + at, *g = static_cast<const T*>(args.dy) + at;
  const T* w = part<T>(args.weight, group * n);
  T* dx = args.dx ? static_cast<T*>(args.dx) + at : nullptr;
  Normal<T> normal[kRows];
  Slope<T> slope[kRows];
  for (int r = 0; r < kRows; ++r) {
    const int64_t site = (o + r) * args.groups + group;
    normal[r] = Normal<T>(args.mean[site], args.variance[site], args.eps);
    slope[r].factor = normal[r].scale;
    if (!dx) continue;
    Sum<T> sum, product;
    for (int64_t j = 0; j < n; j += kSize) {
      V gw = load_some(g + r * stride + j, n - j);
      if (w) gw *= load_some(w + j, n - j);
      sum.add(gw);
      product.add_product(gw, normal[r].distance(load_some(x + r * stride + j, n - j)));
    }
    set_means(args, &slope[r], inverse_deviation(args.variance[site], args.eps), sum.total(), product.total());
  }
  for (int64_t j = 0; j < n; j += kSize) {
    V weights(T(1)), along(T(0)), sum(T(0));
    if (w) weights = load_some(w + j, n - j);
    for (int r = 0; r < kRows; ++r) {
      const V v = load_some(g + r * stride + j, n - j);
      const V d = normal[r].distance(load_some(x + r * stride + j, n - j));
      along = xsimd::fma(v, d * normal[r].scale, along);
      sum += v;
      if (dx) store_some(dx + r * stride + j, slope[r].at(v * weights, d), n - j);
    }
    if (dweight) {
      add_to<T>(dweight + j, along);
      add_to<T>(dbias + j, sum);
    }
  }
}

// Samples are cut into chunks with sums of their own, at most as many as these; for many parameters fewer.
constexpr int64_t kChunks = 64;
constexpr int64_t kSums = int64_t{1} << 20;

template <class T>
void backward_rows(const NormArgs& args) {
  const int64_t n = args.channels, padded = rounded_up(n, Batch<T>::size), sums = args.groups * padded;
  const bool wanted = args.dweight || args.dbias;
  const int64_t most = larger(1, smaller(kChunks, kSums / sums));
  const int64_t chunk = larger(blocks_of(args.outer, most), kGrain / (args.groups * n) + 1);
  const int64_t chunks = blocks_of(args.outer, chunk);
  const Scratch<double> weights(wanted ? chunks * sums : 0), biases(wanted ? chunks * sums : 0);
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      if (wanted) fill_lanes(weights + c * sums, sums, 0.0);
      if (wanted) fill_lanes(biases + c * sums, sums, 0.0);
      const int64_t last = smaller(args.outer, (c + 1) * chunk);
      for (int64_t group = 0; group < args.groups; ++group) {
        double* dweight = wanted ? weights + c * sums + group * padded : nullptr;
        double* dbias = wanted ? biases + c * sums + group * padded : nullptr;
        int64_t o = c * chunk;
        for (; o + 4 <= last; o += 4) rows_back<T, 4>(args, o, group, dweight, dbias);
        for (; o < last; ++o) rows_back<T, 1>(args, o, group, dweight, dbias);
      }
    }
  });
  if (!wanted) return;
  add_up(weights, chunks, sums);
  add_up(biases, chunks, sums);
  for (int64_t group = 0; group < args.groups; ++group) {
    put<T>(args.dweight ? static_cast<T*>(args.dweight) + group * n : nullptr, n, weights + group * padded);
    put<T>(args.dbias ? static_cast<T*>(args.dbias) + group * n : nullptr, n, biases + group * padded);
  }
}

// Adds g and g d of a run.
template <class T>
void sum_run(const T* g, const T* x, int64_t n, const Normal<T>& normal, Sum<T>* into, Sum<T>* product_into) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  Sum<T> sum = *into, product = *product_into;
  int64_t i = 0;
  for (; i + kSize <= n; i += kSize) {
    const Wide<T> v = wide(V::load_unaligned(g + i));
    sum.add(v);
    product.add_product(v, wide(normal.distance(V::load_unaligned(x + i))));
  }
  if (i < n) {
    const Wide<T> v = wide(load_part(g + i, n - i));
    sum.add(v);
    product.add_product(v, wide(normal.distance(load_part(x + i, n - i))));
  }
  *into = sum;
  *product_into = product;
}

template <class T>
void run_back(T* dx, const T* g, const T* x, int64_t n, const Normal<T>& normal, const Slope<T>& slope) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  int64_t i = 0;
  for (; i + kSize <= n; i += kSize)
    slope.at(V::load_unaligned(g + i), normal.distance(V::load_unaligned(x + i))).store_unaligned(dx + i);
  if (i < n) store_part(dx + i, slope.at(load_part(g + i, n - i), normal.distance(load_part(x + i, n - i))), n - i);
}

// Rows of runs with one weight each.
template <class T>
void backward_runs(const NormArgs& args) {
  const int64_t channels = args.channels, inner = args.inner, parameters = args.groups * channels;
  const Scratch<double> along(args.outer * parameters), sums(args.outer * parameters);
  parallel_for(sites_of(args), kGrain / count_of(args) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t site = begin; site < end; ++site) {
      const int64_t at = site * channels * inner;
      const T *x = static_cast<const T*>(args.x) + at, *g = static_cast<const T*>(args.dy) + at;
      const T* w = part<T>(args.weight, site % args.groups * channels);
      const Normal<T> normal(args.mean[site], args.variance[site], args.eps);
      const double scale = inverse_deviation(args.variance[site], args.eps);
      double all = 0, all_along = 0;
      for (int64_t k = 0; k < channels; ++k) {
        Sum<T> sum, product;
        sum_run(g + k * inner, x + k * inner, inner, normal, &sum, &product);
        const double factor = w ? static_cast<double>(w[k]) : 1, total = sum.total(), moment = product.total();
        all += factor * total;
        all_along += factor * moment;
        sums[site * channels + k] = total;
        along[site * channels + k] = moment * scale;
      }
      if (!args.dx) continue;
      Slope<T> slope;
      set_means(args, &slope, scale, all, all_along);
      for (int64_t k = 0; k < channels; ++k) {
        slope.factor = w ? normal.scale * Batch<T>(w[k]) : normal.scale;
        run_back(static_cast<T*>(args.dx) + at + k * inner, g + k * inner, x + k * inner, inner, normal, slope);
      }
    }
  });
  add_up(along, args.outer, parameters);
  add_up(sums, args.outer, parameters);
  put<T>(args.dweight, parameters, along);
  put<T>(args.dbias, parameters, sums);
}

template <class T>
void backward_planes(const NormArgs& args) {
  const int64_t groups = args.groups, inner = args.inner;
  parallel_for(groups, kGrain / count_of(args) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      const T *x = static_cast<const T*>(args.x) + group * inner, *g = static_cast<const T*>(args.dy) + group * inner;
      const Normal<T> normal(args.mean[group], args.variance[group], args.eps);
      const double scale = inverse_deviation(args.variance[group], args.eps);
      Sum<T> sum, product;
      for (int64_t o = 0; o < args.outer; ++o)
        sum_run(g + o * groups * inner, x + o * groups * inner, inner, normal, &sum, &product);
      const double total = sum.total(), moment = product.total();
      const double along = moment * scale;
      put<T>(args.dweight ? static_cast<T*>(args.dweight) + group : nullptr, 1, &along);
      put<T>(args.dbias ? static_cast<T*>(args.dbias) + group : nullptr, 1, &total);
      if (!args.dx) continue;
      const T* w = part<T>(args.weight, group);
      const double factor = w ? static_cast<double>(*w) : 1;
      Slope<T> slope;
      slope.factor = w ? normal.scale * Batch<T>(*w) : normal.scale;
      set_means(args, &slope, scale, factor * total, factor * moment);
      T* dx = static_cast<T*>(args.dx) + group * inner;
      for (int64_t o = 0; o < args.outer; ++o)
        run_back(dx + o * groups * inner, g + o * groups * inner, x + o * groups * inner, inner, normal, slope);
    }
  });
}

// One vector of columns, as many as `left` of it.
template <class T>
void columns_back(const NormArgs& args, int64_t first, int64_t left) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const int64_t columns = smaller(kSize, left);
  const T *x = static_cast<const T*>(args.x) + first, *g = static_cast<const T*>(args.dy) + first;
  const T* w = part<T>(args.weight, first);
  const Normal<T> normal(args.mean + first, args.variance + first, args.eps, columns);
  Sum<T> sum, product;
  for (int64_t o = 0; o < args.outer; ++o) {
    const V v = load_some(g + o * args.groups, left);
    sum.add(v);
    product.add_product(v, normal.distance(load_some(x + o * args.groups, left)));
  }
  double sums[kSize], along[kSize];
  alignas(64) T factors[kSize] = {}, firsts[kSize] = {}, seconds[kSize] = {};
  sum.store(sums);
  product.store(along);
  for (int64_t j = 0; j < columns; ++j) {
    const double scale = inverse_deviation(args.variance[first + j], args.eps);
    const double factor = (w ? static_cast<double>(w[j]) : 1) * scale;
    const double part = args.given ? 0 : factor / static_cast<double>(args.outer);
    factors[j] = static_cast<T>(factor);
    firsts[j] = static_cast<T>(args.centered ? part * sums[j] : 0);
    seconds[j] = static_cast<T>(part * scale * scale * along[j]);
    along[j] *= scale;
  }
  put<T>(args.dweight ? static_cast<T*>(args.dweight) + first : nullptr, columns, along);
  put<T>(args.dbias ? static_cast<T*>(args.dbias) + first : nullptr, columns, sums);
  if (!args.dx) return;
  const Slope<T> slope{V::load_aligned(factors), V::load_aligned(firsts), V::load_aligned(seconds)};
  T* dx = static_cast<T*>(args.dx) + first;
  for (int64_t o = 0; o < args.outer; ++o) {
    const V d = normal.distance(load_some(x + o * args.groups, left));
    store_some(dx + o * args.groups, slope.at(load_some(g + o * args.groups, left), d), left);
  }
}

template <class T>
void backward_columns(const NormArgs& args) {
  over_columns<T>(args, [&](int64_t first, int64_t columns) {
    for (int64_t j = 0; j < columns; j += Batch<T>::size) columns_back<T>(args, first + j, columns - j);
  });
}

template <class T>
void backward(const NormArgs& args) {
  if (args.batch)
    (args.inner == 1 ? backward_columns<T> : backward_planes<T>)(args);
  else
    (args.inner == 1 ? backward_rows<T> : backward_runs<T>)(args);
}

}  // namespace

void norm_backward(const NormArgs& args) { (args.dtype == DType::kFloat64 ? backward<double> : backward<float>)(args); }

}  // namespace chainrule::CHAINRULE_CAPABILITY
