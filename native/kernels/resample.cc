// Resampling of planes along both axes: interpolation, adaptive averages, and their gradients.
#include "kernels/capability.h"
//
#include "core/args/resample.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Output rows that share one pass over the columns of their input rows, and what those may take in cache.
constexpr int64_t kBlock = 32, kCache = 1 << 19;

// The taps of the columns, tap by tap, so that neighbouring outputs fill a vector. Outputs with fewer taps than others
// read a zero behind the row: 0 * 0 adds nothing, while a weight of 0 would make NaN of infinity.
template <class T>
struct Columns {
  int64_t n, width;
  bool even;  // every output has `width` taps
  int32_t* places;
  T* weights;
};

template <class T>
void spread(const ResampleArgs& a, const Columns<T>& c) {
  for (int64_t k = 0; k < c.width; ++k)
    for (int64_t i = 0; i < c.n; ++i) {
      const bool there = k < a.columns.counts[i];
      c.places[k * c.n + i] = there ? a.columns.starts[i] + static_cast<int32_t>(k) : static_cast<int32_t>(a.w);
      c.weights[k * c.n + i] = there ? static_cast<T>(a.columns.weights[i * a.columns.width + k]) : T{0};
    }
}

template <int taps, class T>
void row_of(const Columns<T>& c, int64_t from, const T* __restrict x, T* __restrict y) {
  const int64_t n = c.n;
  const int32_t* __restrict places = c.places + from * n;
  const T* __restrict weights = c.weights + from * n;
  for (int64_t i = 0; i < n; ++i) {
    T sum = weights[i] * x[places[i]];
    if constexpr (taps > 1) sum += weights[n + i] * x[places[n + i]];
    if constexpr (taps > 2) {
      sum += weights[2 * n + i] * x[places[2 * n + i]];
      sum += weights[3 * n + i] * x[places[3 * n + i]];
    }
    y[i] = from == 0 ? sum : y[i] + sum;
  }
}

template <class T>
void along_columns(const Columns<T>& c, int64_t w, const T* x, T* padded, T* y) {
  if (!c.even) {
    __builtin_memcpy(padded, x, static_cast<size_t>(w) * sizeof(T));
    padded[w] = 0;
    x = padded;
  }
  int64_t k = 0;
  if (c.width == 1) return row_of<1>(c, 0, x, y);
  if (c.width == 2) return row_of<2>(c, 0, x, y);
  for (; k + 4 <= c.width; k += 4) row_of<4>(c, k, x, y);
  for (; k < c.width; ++k) row_of<1>(c, k, x, y);
}

// y = sum of count rows of n, each with its weight.
template <class T>
void sum_of_rows(const double* weights, int64_t count, int64_t n, const T* __restrict x, T* __restrict y) {
  if (count == 0) {
    for (int64_t i = 0; i < n; ++i) y[i] = 0;
    return;
  }
  const T first = static_cast<T>(weights[0]);
  int64_t k = 1;
  if (count == 1 && first == 1) {
    __builtin_memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
  } else if (count == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = first * x[i];
  } else {
    const T second = static_cast<T>(weights[1]);
    for (int64_t i = 0; i < n; ++i) y[i] = first * x[i] + second * x[n + i];
    k = 2;
  }
  for (; k < count; ++k) {
    const T weight = static_cast<T>(weights[k]);
    const T* __restrict row = x + k * n;
    for (int64_t i = 0; i < n; ++i) y[i] += weight * row[i];
  }
}

// Input rows that the output rows [begin, end) read.
struct Reach {
  int64_t low, high;
};

Reach reach(const Taps& rows, int64_t begin, int64_t end) {
  Reach r{INT32_MAX, 0};
  for (int64_t i = begin; i < end; ++i) {
    if (rows.counts[i] == 0) continue;
    if (rows.starts[i] < r.low) r.low = rows.starts[i];
    if (rows.starts[i] + rows.counts[i] > r.high) r.high = rows.starts[i] + rows.counts[i];
  }
  return r.low < r.high ? r : Reach{0, 0};
}

// Rows only: planes times rows are cut freely.
template <class T>
void by_rows(const ResampleArgs& a) {
  const int64_t n = a.w, grain = 65536 / (n * (a.rows.width + 1)) + 1;
  parallel_for(a.planes * a.oh, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t plane = r / a.oh, i = r % a.oh;
      const T* x = static_cast<const T*>(a.x) + plane * a.h * n;
      sum_of_rows(a.rows.weights + i * a.rows.width, a.rows.counts[i], n, x + a.rows.starts[i] * n,
                  static_cast<T*>(a.y) + r * n);
    }
  });
}

// Columns only: rows of all planes alike.
template <class T>
void by_columns(const ResampleArgs& a, const Columns<T>& c) {
  const int64_t grain = 65536 / (a.ow * (c.width + 1) + a.w) + 1;
  parallel_for(a.planes * a.h, grain, [&](int64_t begin, int64_t end) {
    T* padded = static_cast<T*>(acquire_scratch(static_cast<size_t>(a.w + 1) * sizeof(T)));
    for (int64_t r = begin; r < end; ++r)
      along_columns(c, a.w, static_cast<const T*>(a.x) + r * a.w, padded, static_cast<T*>(a.y) + r * a.ow);
    release_scratch(padded);
  });
}

// Output rows [begin, end) of a plane, from input rows resampled once for all of them.
template <class T>
void block_of(const ResampleArgs& a, const Columns<T>& c, int64_t begin, int64_t end, const T* x, T* padded, T* rows,
              T* y) {
  const Reach r = reach(a.rows, begin, end);
  for (int64_t i = r.low; i < r.high; ++i) along_columns(c, a.w, x + i * a.w, padded, rows + (i - r.low) * a.ow);
  for (int64_t i = begin; i < end; ++i)
    sum_of_rows(a.rows.weights + i * a.rows.width, a.rows.counts[i], a.ow, rows + (a.rows.starts[i] - r.low) * a.ow,
                y + i * a.ow);
}

// One output row whose input rows would not fit in cache together: they are resampled one after the other.
template <class T>
void long_row(const ResampleArgs& a, const Columns<T>& c, int64_t i, const T* x, T* padded, T* row, T* y) {
  for (int64_t j = 0; j < a.ow; ++j) y[j] = 0;
  for (int64_t k = 0; k < a.rows.counts[i]; ++k) {
    along_columns(c, a.w, x + (a.rows.starts[i] + k) * a.w, padded, row);
    const T weight = static_cast<T>(a.rows.weights[i * a.rows.width + k]);
    for (int64_t j = 0; j < a.ow; ++j) y[j] += weight * row[j];
  }
}

template <class T>
void by_both(const ResampleArgs& a, const Columns<T>& c) {
  int64_t block = kBlock, room = 0;
  for (;; block /= 2) {
    room = 1;
    for (int64_t i = 0; i < a.oh; i += block) {
      const Reach r = reach(a.rows, i, i + block < a.oh ? i + block : a.oh);
      if (r.high - r.low > room) room = r.high - r.low;
    }
    if (block == 1 || room <= kCache / static_cast<int64_t>(sizeof(T)) / a.ow) break;
  }
  const bool fits = room <= kCache / static_cast<int64_t>(sizeof(T)) / a.ow;
  if (!fits) room = 1;
  const int64_t blocks = (a.oh + block - 1) / block, each = (room * (c.width + 1) + block * (a.rows.width + 1)) * a.ow;
  parallel_for(a.planes * blocks, 65536 / each + 1, [&](int64_t begin, int64_t end) {
    T* padded = static_cast<T*>(acquire_scratch(static_cast<size_t>(a.w + 1) * sizeof(T)));
    T* rows = static_cast<T*>(acquire_scratch(static_cast<size_t>(room * a.ow) * sizeof(T)));
    for (int64_t b = begin; b < end; ++b) {
      const int64_t plane = b / blocks, first = b % blocks * block;
      const T* x = static_cast<const T*>(a.x) + plane * a.h * a.w;
      T* y = static_cast<T*>(a.y) + plane * a.oh * a.ow;
      if (fits)
        block_of(a, c, first, first + block < a.oh ? first + block : a.oh, x, padded, rows, y);
      else
        long_row(a, c, first, x, padded, rows, y + first * a.ow);
    }
    release_scratch(rows);
    release_scratch(padded);
  });
}

template <class T>
void run(const ResampleArgs& a) {
  if (a.columns.starts == nullptr) return by_rows<T>(a);
  Columns<T> c{a.ow, 1, true, nullptr, nullptr};
  for (int64_t i = 0; i < a.ow; ++i)
    if (a.columns.counts[i] > c.width) c.width = a.columns.counts[i];
  for (int64_t i = 0; i < a.ow; ++i) c.even &= a.columns.counts[i] == c.width;
  const size_t taps = static_cast<size_t>(c.width * c.n);
  c.places = static_cast<int32_t*>(acquire_scratch(taps * sizeof(int32_t)));
  c.weights = static_cast<T*>(acquire_scratch(taps * sizeof(T)));
  spread(a, c);
  a.rows.starts == nullptr ? by_columns(a, c) : by_both(a, c);
  release_scratch(c.weights);
  release_scratch(c.places);
}

// With spans of the rows that nobody else writes: they were checked before, and are read until the end.
void resample(const ResampleArgs& args) {
  ResampleArgs a = args;
  const size_t spans = args.rows.starts == nullptr ? 0 : static_cast<size_t>(a.oh) * sizeof(int32_t);
  auto* own = static_cast<int32_t*>(acquire_scratch(2 * spans));
  if (spans > 0) {
    __builtin_memcpy(own, args.rows.starts, spans);
    __builtin_memcpy(own + a.oh, args.rows.counts, spans);
    a.rows.starts = own;
    a.rows.counts = own + a.oh;
  }
  a.dtype == DType::kFloat64 ? run<double>(a) : run<float>(a);
  release_scratch(own);
}

}  // namespace

void fill_resample(Table& table) { table.resample = resample; }

}  // namespace chainrule::CHAINRULE_CAPABILITY
