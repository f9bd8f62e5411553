// gather and scatters, indexSelect, indexAdd, indexCopy: moves by the size of an element, arithmetic by dtype.
#include "kernels/capability.h"
//
#include <string.h>

#include "core/args/index.h"
#include "core/index_check.h"
#include "core/parallel.h"
#include "kernels/convert.h"
#include "kernels/lanes.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Elements a thread should have to itself.
constexpr int64_t kGrain = 16 * 1024;

// The row an index stands for, or -1. All were checked before; they are read once and checked again where they are
// used, for their buffer may be shared with another thread, or be the one that is written.
inline int64_t row_at(const int32_t* index, int64_t n) {
  const int64_t t = __atomic_load_n(index, __ATOMIC_RELAXED);
  const int64_t row = t < 0 ? t + n : t;
  return row < 0 || row >= n ? -1 : row;
}

inline void add_to(float& y, float x) { y += x; }
inline void add_to(double& y, double x) { y += x; }
inline void add_to(int32_t& y, int32_t x) {
  y = static_cast<int32_t>(static_cast<uint32_t>(y) + static_cast<uint32_t>(x));
}
inline void add_to(uint8_t& y, uint8_t x) { y = static_cast<uint8_t>(y + x); }
inline void add_to(Bool& y, Bool x) { y.byte = static_cast<uint8_t>((y.byte != 0) | (x.byte != 0)); }

inline void multiply_by(float& y, float x) { y *= x; }
inline void multiply_by(double& y, double x) { y *= x; }
inline void multiply_by(int32_t& y, int32_t x) {
  y = static_cast<int32_t>(static_cast<uint32_t>(y) * static_cast<uint32_t>(x));
}
inline void multiply_by(uint8_t& y, uint8_t x) { y = static_cast<uint8_t>(y * x); }
inline void multiply_by(Bool& y, Bool x) { y.byte = static_cast<uint8_t>((y.byte != 0) & (x.byte != 0)); }

// NaN wins, from whichever side it comes.
template <class T>
inline void raise_to(T& y, T x) {
  if (x > y || x != x) y = x;
}
inline void raise_to(Bool& y, Bool x) { add_to(y, x); }
template <class T>
inline void lower_to(T& y, T x) {
  if (x < y || x != x) y = x;
}
inline void lower_to(Bool& y, Bool x) { multiply_by(y, x); }

inline bool good_indices(const IndexArgs& args, int64_t indices) {
  return check_indices(args.index, indices, args.wraps ? -args.n : 0, args.n, kNoneIgnored);
}

// The rows that some indices, at most kBlock, stand for: read once, then kept inside 0 .. n - 1 whatever they have
// become. Returns whether they were all good.
constexpr int64_t kBlock = 1024;

inline bool rows_at(int32_t* __restrict rows, const int32_t* index, int64_t count, const IndexArgs& args) {
  // A vector at a time, past the compiler, which could read an index a second time or make a call of the copy.
  typedef int32_t Indices __attribute__((vector_size(Batch<float>::size * sizeof(int32_t))));
  constexpr int kWidth = Batch<float>::size;
  const int32_t last = static_cast<int32_t>(args.n - 1), added = args.wraps ? static_cast<int32_t>(args.n) : 0;
  Indices bad = {};
  for (int64_t i = 0; i < count; i += kWidth) {
    Indices v = {};
    if (count - i >= kWidth)
      __builtin_memcpy(&v, index + i, sizeof v);
    else
      for (int64_t k = i; k < count; ++k) v[k - i] = __atomic_load_n(index + k, __ATOMIC_RELAXED);
    asm volatile("" : "+m"(v));
    v += (v < 0) & added;
    bad |= (v < 0) | (v > last);
    v = v < 0 ? 0 : v;
    v = v > last ? last : v;
    __builtin_memcpy(rows + i, &v, sizeof v);
  }
  int32_t any = 0;
  for (int k = 0; k < kWidth; ++k) any |= bad[k];
  return any == 0;
}

template <class T>
inline void take_rows(T* __restrict y, const T* __restrict x, const int32_t* __restrict rows, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = x[rows[i]];
}

// y[i] = x[index[i]], single elements; returns whether all indices were good.
template <class T>
bool take(T* y, const T* x, const int32_t* index, int64_t count, const IndexArgs& args) {
  int32_t rows[kBlock];
  bool good = true;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t m = count - begin < kBlock ? count - begin : kBlock;
    good = rows_at(rows, index + begin, m, args) && good;
    take_rows(y + begin, x, rows, m);
  }
  return good;
}

// Calls f(o, j, k, r) for runs of rows r..r+k-1 of [outer, count], rows j..j+k-1 of outer block o.
template <class F>
void for_each_run(const IndexArgs& args, int64_t begin, int64_t end, const F& f) {
  int64_t o = begin / args.count, j = begin % args.count;
  for (int64_t r = begin; r < end; ++o, j = 0) {
    const int64_t k = args.count - j < end - r ? args.count - j : end - r;
    f(o, j, k, r);
    r += k;
  }
}

// Elements of the innermost dimension, with an index each: indices are checked where they are used, for to read them
// twice is a third of the time. y is nobody's yet.
template <class T>
void gather_innermost(const IndexArgs& args) {
  if (args.count == 0 || args.outer == 0) return;
  bool bad = args.n == 0;
  if (!bad)
    parallel_for(args.outer * args.count, kGrain, [&](int64_t begin, int64_t end) {
      for_each_run(args, begin, end, [&](int64_t o, int64_t, int64_t k, int64_t r) {
        const bool good =
            take(static_cast<T*>(args.y) + r, static_cast<const T*>(args.x) + o * args.n, args.index + r, k, args);
        if (!good) __atomic_store_n(&bad, true, __ATOMIC_RELAXED);
      });
    });
  if (bad) good_indices(args, args.outer * args.count);
}

template <class T>
void gather(const IndexArgs& args) {
  if (args.inner == 1 && args.n <= INT32_MAX) return gather_innermost<T>(args);
  if (!good_indices(args, args.outer * args.count * args.inner)) return;
  T* y = static_cast<T*>(args.y);
  const T* x = static_cast<const T*>(args.x);
  if (args.inner == 0 || args.count == 0) return;
  parallel_for(args.outer * args.count, kGrain / args.inner + 1, [&](int64_t begin, int64_t end) {
    for_each_run(args, begin, end, [&](int64_t o, int64_t, int64_t k, int64_t r) {
      const T* from = x + o * args.n * args.inner;
      for (int64_t line = r * args.inner; line < (r + k) * args.inner; line += args.inner) {
        for (int64_t i = 0; i < args.inner; ++i) {
          const int64_t row = row_at(args.index + line + i, args.n);
          if (row >= 0) y[line + i] = from[row * args.inner + i];
        }
      }
    });
  });
}

// Writes to one place keep their order: threads share out the outer blocks and the columns only.
template <class T, class F>
void scatter_with(const IndexArgs& args, const F& write) {
  if (!good_indices(args, args.outer * args.count * args.inner)) return;
  T* y = static_cast<T*>(args.y);
  const T* x = static_cast<const T*>(args.x);
  if (args.inner == 0 || args.count == 0) return;
  const int64_t columns = args.outer < 16 && args.inner >= 32 ? (args.inner + 15) / 16 : args.inner;
  const int64_t strips = (args.inner + columns - 1) / columns;
  parallel_for(args.outer * strips, kGrain / (args.count * columns) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t o = t / strips, first = t % strips * columns;
      const int64_t last = args.inner - first < columns ? args.inner : first + columns;
      T* to = y + o * args.n * args.inner;
      if (args.inner == 1) {
        const int64_t line = o * args.count;
        for (int64_t j = line; j < line + args.count; ++j) {
          const int64_t row = row_at(args.index + j, args.n);
          if (row >= 0) write(to[row], x[j]);
        }
        continue;
      }
      for (int64_t j = 0; j < args.count; ++j) {
        const int64_t line = (o * args.count + j) * args.inner;
        for (int64_t i = first; i < last; ++i) {
          const int64_t row = row_at(args.index + line + i, args.n);
          if (row >= 0) write(to[row * args.inner + i], x[line + i]);
        }
      }
    }
  });
}

template <class T>
void scatter(const IndexArgs& args) {
  scatter_with<T>(args, [](T& y, T x) { y = x; });
}
template <class T>
void scatter_add(const IndexArgs& args) {
  scatter_with<T>(args, [](T& y, T x) { add_to(y, x); });
}
template <class T>
void scatter_multiply(const IndexArgs& args) {
  scatter_with<T>(args, [](T& y, T x) { multiply_by(y, x); });
}
template <class T>
void scatter_max(const IndexArgs& args) {
  scatter_with<T>(args, [](T& y, T x) { raise_to(y, x); });
}
template <class T>
void scatter_min(const IndexArgs& args) {
  scatter_with<T>(args, [](T& y, T x) { lower_to(y, x); });
}

template <class T>
void index_select(const IndexArgs& args) {
  if (!good_indices(args, args.count)) return;
  T* y = static_cast<T*>(args.y);
  const T* x = static_cast<const T*>(args.x);
  if (args.inner == 0 || args.count == 0) return;
  parallel_for(args.outer * args.count, kGrain / args.inner + 1, [&](int64_t begin, int64_t end) {
    // Few single elements are the same ones in every outer block: their rows are found once.
    int32_t rows[kBlock];
    const bool single = args.inner == 1 && args.n <= INT32_MAX, few = single && args.count <= kBlock;
    if (few) rows_at(rows, args.index, args.count, args);
    for_each_run(args, begin, end, [&](int64_t o, int64_t j, int64_t k, int64_t r) {
      const T* from = x + o * args.n * args.inner;
      if (few) return take_rows(y + r, from, rows + j, k);
      if (single) {
        take(y + r, from, args.index + j, k, args);
        return;
      }
      for (int64_t i = 0; i < k; ++i) {
        const int64_t row = row_at(args.index + j + i, args.n);
        if (row < 0) continue;
        memmove(y + (r + i) * args.inner, from + row * args.inner, static_cast<size_t>(args.inner) * sizeof(T));
      }
    });
  });
}

template <class T>
inline void add_row(T* __restrict y, const T* __restrict x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) add_to(y[i], x[i]);
}

// Calls write(to, from) for every row. A row of y belongs to one share of the work, the rows of the most frequent
// indices to different ones; every share reads all indices. However many there are, writes to one row keep their order.
template <class T, class F>
void for_each_row(const IndexArgs& args, const F& write) {
  if (!good_indices(args, args.count)) return;
  T* y = static_cast<T*>(args.y);
  const T* x = static_cast<const T*>(args.x);
  if (args.inner == 0 || args.count == 0) return;
  int64_t shares = 1;
  if (args.inner >= 16 && args.outer * args.count * args.inner > 4 * kGrain)
    while (shares < 64 && args.outer * shares < 4 * num_threads() && num_threads() > 1) shares *= 2;
  parallel_for(args.outer * shares, kGrain * shares / (args.count * args.inner) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t o = t / shares, share = t % shares;
      for (int64_t j = 0; j < args.count; ++j) {
        const int64_t row = row_at(args.index + j, args.n);
        if (row < 0 || (row & (shares - 1)) != share) continue;
        write(y + (o * args.n + row) * args.inner, x + (o * args.count + j) * args.inner);
      }
    }
  });
}

template <class T>
void index_add(const IndexArgs& args) {
  const int64_t inner = args.inner;
  if (inner == 1) return for_each_row<T>(args, [](T* to, const T* from) { add_to(*to, *from); });
  for_each_row<T>(args, [inner](T* to, const T* from) { add_row(to, from, inner); });
}

template <class T>
void index_copy(const IndexArgs& args) {
  const size_t bytes = static_cast<size_t>(args.inner) * sizeof(T);
  if (args.inner == 1) return for_each_row<T>(args, [](T* to, const T* from) { *to = *from; });
  for_each_row<T>(args, [bytes](T* to, const T* from) { memmove(to, from, bytes); });
}

#define CHAINRULE_BY_WIDTH(name)           \
  void name##_any(const IndexArgs& args) { \
    switch (size_of(args.dtype)) {         \
      case 8:                              \
        return name<uint64_t>(args);       \
      case 4:                              \
        return name<uint32_t>(args);       \
      default:                             \
        return name<uint8_t>(args);        \
    }                                      \
  }
CHAINRULE_BY_WIDTH(gather)
CHAINRULE_BY_WIDTH(scatter)
CHAINRULE_BY_WIDTH(index_select)
CHAINRULE_BY_WIDTH(index_copy)

#define CHAINRULE_BY_DTYPE(name)           \
  void name##_any(const IndexArgs& args) { \
    switch (args.dtype) {                  \
      case DType::kFloat32:                \
        return name<float>(args);          \
      case DType::kFloat64:                \
        return name<double>(args);         \
      case DType::kInt32:                  \
        return name<int32_t>(args);        \
      case DType::kUint8:                  \
        return name<uint8_t>(args);        \
      default:                             \
        return name<Bool>(args);           \
    }                                      \
  }
CHAINRULE_BY_DTYPE(scatter_add)
CHAINRULE_BY_DTYPE(scatter_multiply)
CHAINRULE_BY_DTYPE(scatter_max)
CHAINRULE_BY_DTYPE(scatter_min)
CHAINRULE_BY_DTYPE(index_add)

}  // namespace

void fill_index(Table& table) {
  table.gather = gather_any;
  table.scatter_add = scatter_add_any;
  table.index_select = index_select_any;
  table.index_add = index_add_any;
  table.index_copy = index_copy_any;
  table.scatter[static_cast<int>(Scatter::kReplace)] = scatter_any;
  table.scatter[static_cast<int>(Scatter::kMultiply)] = scatter_multiply_any;
  table.scatter[static_cast<int>(Scatter::kMax)] = scatter_max_any;
  table.scatter[static_cast<int>(Scatter::kMin)] = scatter_min_any;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
