// softmax and log-softmax, forward and backward. Sums are made in float64.
#include "kernels/capability.h"
//
#include <math.h>

#include "core/args/softmax.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/math.h"
#include "kernels/sums.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Elements a thread should have to itself: some 3 us of exp.
constexpr int64_t kGrain = 8 * 1024;
constexpr int64_t kSerial = 16 * 1024;

template <class T>
T largest(Batch<T> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == sizeof(float))
    return _mm512_reduce_max_ps(v);
  else
    return _mm512_reduce_max_pd(v);
#endif
  constexpr int kLanes = Batch<T>::size;
  alignas(64) T lanes[kLanes];
  v.store_aligned(lanes);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) lanes[k] = lanes[k + half] > lanes[k] ? lanes[k + half] : lanes[k];
  return lanes[0];
}

// The exponentials of a row of at most so many bytes wait near, so that y is written once.
constexpr int64_t kNear = 16 * 1024;

// NaN may get lost in the maximum: the sum of exponentials has it again. Exponentials are positive: two of them may be
// added before they are widened.
template <bool kLog, class T>
void forward_row(T* y, const T* x, int64_t n) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  const int64_t whole = n / kSize * kSize;
  // Beyond the end -inf: nothing to a maximum or to a sum of exponentials.
  constexpr T kNothing = -__builtin_inf();
  const V last = whole < n ? load_part(x + whole, n - whole, kNothing) : V(kNothing);
  V most[4] = {last, last, last, last};
  int64_t i = 0;
  for (; i + 4 * kSize <= whole; i += 4 * kSize)
    for (int k = 0; k < 4; ++k) most[k] = xsimd::max(most[k], V::load_unaligned(x + i + k * kSize));
  for (; i < whole; i += kSize) most[0] = xsimd::max(most[0], V::load_unaligned(x + i));
  const V shift(largest<T>(xsimd::max(xsimd::max(most[0], most[1]), xsimd::max(most[2], most[3]))));
  Sum<T> sum;
  const bool near = n * static_cast<int64_t>(sizeof(T)) <= kNear;
  alignas(64) T room[kLog ? 1 : kNear / sizeof(T)];
  T* kept = near ? room : y;
  const auto exponential = [&](int64_t at) {
    const V e = math::exp(V::load_unaligned(x + at) - shift);
    if (!kLog) e.store_unaligned(kept + at);
    return e;
  };
  for (i = 0; i + 2 * kSize <= whole; i += 2 * kSize) {
    const V e = exponential(i);
    sum.add(e + exponential(i + kSize));
  }
  if (i < whole) sum.add(exponential(i));
  V e_last = last;
  if (whole < n) {
    e_last = math::exp(last - shift);
    sum.add(e_last);
  }
  if constexpr (kLog) {
    const V log_sum(static_cast<T>(::log(sum.total())));
    for (int64_t i = 0; i < whole; i += kSize) (V::load_unaligned(x + i) - shift - log_sum).store_unaligned(y + i);
    if (whole < n) store_part(y + whole, last - shift - log_sum, n - whole);
  } else {
    const V scale(static_cast<T>(1 / sum.total()));
    for (int64_t i = 0; i < whole; i += kSize) (V::load_unaligned(kept + i) * scale).store_unaligned(y + i);
    if (whole < n) store_part(y + whole, e_last * scale, n - whole);
  }
}

// dx = y * (dy - sum(dy * y)), or dy - exp(y) * sum(dy).
template <bool kLog, class T>
void backward_row(T* dx, const T* dy, const T* y, int64_t n) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  Sum<T> sum;
  for (int64_t i = 0; i < n; i += kSize) {
    if constexpr (kLog)
      sum.add(load_some(dy + i, n - i));
    else
      sum.add_product(load_some(dy + i, n - i), load_some(y + i, n - i));
  }
  const V total(static_cast<T>(sum.total()));
  for (int64_t i = 0; i < n; i += kSize) {
    const V g = load_some(dy + i, n - i), r = load_some(y + i, n - i);
    store_some(dx + i, kLog ? g - math::exp(r) * total : r * (g - total), n - i);
  }
}

// The same for a tile of columns, n rows of them `stride` apart.
constexpr int64_t kTile = 256;

template <bool kLog, class T>
void forward_columns(T* y, const T* x, int64_t n, int64_t stride, int64_t width) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  alignas(64) T shift[kTile] = {}, scale[kTile];
  Sum<T> sums[kTile / kSize];
  for (int64_t j = 0; j < width; ++j) shift[j] = x[j];
  for (int64_t k = 1; k < n; ++k)
    for (int64_t j = 0; j < width; ++j) shift[j] = x[k * stride + j] > shift[j] ? x[k * stride + j] : shift[j];
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = 0; j < width; j += kSize) {
      const V e = math::exp(load_some(x + k * stride + j, width - j) - V::load_aligned(shift + j));
      if (!kLog) store_some(y + k * stride + j, e, width - j);
      sums[j / kSize].add(e);
    }
  }
  for (int64_t j = 0; j < width; j += kSize) {
    double totals[kSize];
    sums[j / kSize].store(totals);
    for (int64_t i = 0; i < kSize; ++i) scale[j + i] = static_cast<T>(kLog ? ::log(totals[i]) : 1 / totals[i]);
  }
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = 0; j < width; j += kSize) {
      const V s = V::load_aligned(scale + j);
      T* to = y + k * stride + j;
      if constexpr (kLog)
        store_some(to, load_some(x + k * stride + j, width - j) - V::load_aligned(shift + j) - s, width - j);
      else
        store_some(to, load_some(to, width - j) * s, width - j);
    }
  }
}

template <bool kLog, class T>
void backward_columns(T* dx, const T* dy, const T* y, int64_t n, int64_t stride, int64_t width) {
  using V = Batch<T>;
  constexpr int64_t kSize = V::size;
  alignas(64) T total[kTile];
  Sum<T> sums[kTile / kSize];
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = 0; j < width; j += kSize) {
      const V g = load_some(dy + k * stride + j, width - j);
      if constexpr (kLog)
        sums[j / kSize].add(g);
      else
        sums[j / kSize].add_product(g, load_some(y + k * stride + j, width - j));
    }
  }
  for (int64_t j = 0; j < width; j += kSize) {
    double totals[kSize];
    sums[j / kSize].store(totals);
    for (int64_t i = 0; i < kSize; ++i) total[j + i] = static_cast<T>(totals[i]);
  }
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = 0; j < width; j += kSize) {
      const V g = load_some(dy + k * stride + j, width - j), r = load_some(y + k * stride + j, width - j);
      const V t = V::load_aligned(total + j);
      store_some(dx + k * stride + j, kLog ? g - math::exp(r) * t : r * (g - t), width - j);
    }
  }
}

// Short rows would leave most of a vector unused: some of them become the columns of a small matrix. Backward, where
// there is little to compute, masks do better (64 rows of 10: 0.7 us against 1.9).
constexpr int64_t kShort = 32;
#if defined(__AVX512F__)
constexpr int64_t kShortBackward = 0;
#else
constexpr int64_t kShortBackward = kShort;
#endif
constexpr int64_t kTogether = 64;

template <class T>
void turn(T* y, const T* x, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) y[j * rows + i] = x[i * columns + j];
}

// g++ does not see that every element that is read was written before.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
template <bool kLog, class T>
void forward_short(T* y, const T* x, int64_t n, int64_t rows) {
  T in[kShort * kTogether], out[kShort * kTogether];
  turn(in, x, rows, n);
  forward_columns<kLog>(out, in, n, rows, rows);
  turn(y, out, n, rows);
}

template <bool kLog, class T>
void backward_short(T* dx, const T* dy, const T* y, int64_t n, int64_t rows) {
  T g[kShort * kTogether], r[kShort * kTogether], out[kShort * kTogether];
  turn(g, dy, rows, n);
  turn(r, y, rows, n);
  backward_columns<kLog>(out, g, r, n, rows, rows);
  turn(dx, out, n, rows);
}
#pragma GCC diagnostic pop

// Rows a power of two apart share few lines of a cache: tiles are brought together first.
constexpr int64_t kFar = 1024;
constexpr int64_t kMostRows = 1024;

template <class T>
void copy_tile(T* y, int64_t stride_y, const T* x, int64_t stride_x, int64_t n, int64_t width) {
  for (int64_t k = 0; k < n; ++k) copy_elements(y + k * stride_y, x + k * stride_x, width);
}

template <bool kLog, class T>
void forward_tile(T* y, const T* x, int64_t n, int64_t stride, int64_t width) {
  if (stride < kFar || n > kMostRows) return forward_columns<kLog>(y, x, n, stride, width);
  T* in = static_cast<T*>(acquire_scratch(static_cast<size_t>(2 * n * width) * sizeof(T)));
  T* out = in + n * width;
  copy_tile(in, width, x, stride, n, width);
  forward_columns<kLog>(out, in, n, width, width);
  copy_tile(y, stride, out, width, n, width);
  release_scratch(in);
}

template <bool kLog, class T>
void backward_tile(T* dx, const T* dy, const T* y, int64_t n, int64_t stride, int64_t width) {
  if (stride < kFar || n > kMostRows) return backward_columns<kLog>(dx, dy, y, n, stride, width);
  T* g = static_cast<T*>(acquire_scratch(static_cast<size_t>(3 * n * width) * sizeof(T)));
  T *r = g + n * width, *out = r + n * width;
  copy_tile(g, width, dy, stride, n, width);
  copy_tile(r, width, y, stride, n, width);
  backward_columns<kLog>(out, g, r, n, width, width);
  copy_tile(dx, stride, out, width, n, width);
  release_scratch(g);
}

// Calls row(offset) for every row of n contiguous elements, several(offset, rows) where these are short, or
// columns(offset, width) for tiles of columns.
template <class Row, class Short, class Columns>
void for_each_line(const SoftmaxArgs& args, int64_t most_short, const Row& row, const Short& several,
                   const Columns& columns) {
  const int64_t elements = args.outer * args.n * args.inner;
  if (elements == 0) return;
  if (args.inner == 1) {
    const auto some = [&](int64_t begin, int64_t end) {
      if (args.n > most_short) {
        for (int64_t r = begin; r < end; ++r) row(r * args.n);
      } else {
        for (int64_t r = begin; r < end; r += kTogether) several(r * args.n, end - r < kTogether ? end - r : kTogether);
      }
    };
    if (elements <= kSerial) return some(0, args.outer);
    return parallel_for(args.outer, kGrain / args.n + 1, some);
  }
  const int64_t tiles = (args.inner + kTile - 1) / kTile;
  const auto some = [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t j = t % tiles * kTile, width = args.inner - j < kTile ? args.inner - j : kTile;
      columns(t / tiles * args.n * args.inner + j, width);
    }
  };
  if (elements <= kSerial) return some(0, args.outer * tiles);
  parallel_for(args.outer * tiles, kGrain / (args.n * (args.inner < kTile ? args.inner : kTile)) + 1, some);
}

template <bool kLog, class T>
void forward(const SoftmaxArgs& args) {
  T* y = static_cast<T*>(args.y);
  const T* x = static_cast<const T*>(args.x);
  for_each_line(
      args, kShort, [&](int64_t at) { forward_row<kLog>(y + at, x + at, args.n); },
      [&](int64_t at, int64_t rows) { forward_short<kLog>(y + at, x + at, args.n, rows); },
      [&](int64_t at, int64_t width) { forward_tile<kLog>(y + at, x + at, args.n, args.inner, width); });
}

template <bool kLog, class T>
void backward(const SoftmaxArgs& args) {
  T* dx = static_cast<T*>(args.y);
  const T* dy = static_cast<const T*>(args.x);
  const T* y = static_cast<const T*>(args.result);
  for_each_line(
      args, kShortBackward, [&](int64_t at) { backward_row<kLog>(dx + at, dy + at, y + at, args.n); },
      [&](int64_t at, int64_t rows) { backward_short<kLog>(dx + at, dy + at, y + at, args.n, rows); },
      [&](int64_t at, int64_t width) { backward_tile<kLog>(dx + at, dy + at, y + at, args.n, args.inner, width); });
}

#define CHAINRULE_SOFTMAX(F) \
  F(softmax, false)          \
  F(log_softmax, true)

#define CHAINRULE_NAME(name, log) #name,
constexpr const char* kNames[] = {CHAINRULE_SOFTMAX(CHAINRULE_NAME)};

#define CHAINRULE_ROW(name, log) \
  {{forward<log, float>, forward<log, double>}, {backward<log, float>, backward<log, double>}},
constexpr SoftmaxKernel kKernels[] = {CHAINRULE_SOFTMAX(CHAINRULE_ROW)};

}  // namespace

void fill_softmax(Table& table) { table.softmax = {kNames, sizeof kNames / sizeof *kNames, kKernels}; }

}  // namespace chainrule::CHAINRULE_CAPABILITY
