// Register tiles that read pixels where they are, one function for each size of tile.
#include "kernels/strips.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class T>
struct StripOf {
  typedef T type __attribute__((vector_size(kVectorBytes / 2)));
};
template <class T>
using Strip = typename StripOf<T>::type;

template <class T>
CHAINRULE_INLINE Vector<T> load_strips(const T* left, const T* right) {
  Strip<T> halves[2];
  __builtin_memcpy(&halves[0], left, sizeof halves[0]);
  __builtin_memcpy(&halves[1], right, sizeof halves[1]);
  if constexpr (kLanes<T> == 16) {
    return __builtin_shufflevector(halves[0], halves[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  } else if constexpr (kLanes<T> == 8) {
    return __builtin_shufflevector(halves[0], halves[1], 0, 1, 2, 3, 4, 5, 6, 7);
  } else if constexpr (kLanes<T> == 4) {
    return __builtin_shufflevector(halves[0], halves[1], 0, 1, 2, 3);
  } else {
    return Vector<T>{halves[0][0], halves[1][0]};
  }
}

template <int half, class T>
CHAINRULE_INLINE void add_strip(T* to, Vector<T> v) {
  Strip<T> part, sum;
  if constexpr (kLanes<T> == 16) {
    if constexpr (half == 0) {
      part = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
    } else {
      part = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    }
  } else if constexpr (kLanes<T> == 8) {
    part = __builtin_shufflevector(v, v, 4 * half, 4 * half + 1, 4 * half + 2, 4 * half + 3);
  } else if constexpr (kLanes<T> == 4) {
    part = __builtin_shufflevector(v, v, 2 * half, 2 * half + 1);
  } else {
    part = Strip<T>{v[half]};
  }
  __builtin_memcpy(&sum, to, sizeof sum);
  sum += part;
  __builtin_memcpy(to, &sum, sizeof sum);
}

template <class T, int M>
void outer(int64_t k, const T* a, const T* x, const int64_t* offsets, const int64_t* strips, const T* bias, Store how,
           T* c, int64_t ldc) {
  constexpr int64_t w = kLanes<T>;
  const T *x0 = x + strips[0], *x1 = x + strips[1], *x2 = x + strips[2], *x3 = x + strips[3];
  Vector<T> sums[M][2];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) sums[i][0] = sums[i][1] = Vector<T>{};
  for (int64_t l = 0; l < k; ++l, a += M) {
    const int64_t at = offsets[l];
    const Vector<T> left = load_strips(x0 + at, x1 + at), right = load_strips(x2 + at, x3 + at);
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
      const Vector<T> factor = broadcast(a[i]);
      sums[i][0] = fma(factor, left, sums[i][0]);
      sums[i][1] = fma(factor, right, sums[i][1]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
    if (bias) {
      sums[i][0] += broadcast(bias[i]);
      sums[i][1] += broadcast(bias[i]);
    }
    if (how == Store::kAdd) {
      sums[i][0] += load(c + i * ldc);
      sums[i][1] += load(c + i * ldc + w);
    }
    store(c + i * ldc, sums[i][0]);
    store(c + i * ldc + w, sums[i][1]);
  }
}

template <class T, int M>
void back(int64_t k, const T* a, const T* b, int64_t ldb, T* dx, const int64_t* offsets, const int64_t* strips,
          int64_t count) {
  Vector<T> sums[M][2];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) sums[i][0] = sums[i][1] = Vector<T>{};
  for (; k > 0; --k, a += M, b += ldb) {
    const Vector<T> left = load(b), right = load(b + kLanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
      const Vector<T> factor = broadcast(a[i]);
      sums[i][0] = fma(factor, left, sums[i][0]);
      sums[i][1] = fma(factor, right, sums[i][1]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
    T* to = dx + offsets[i];
    add_strip<0>(to + strips[0], sums[i][0]);
    if (count > 1) add_strip<1>(to + strips[1], sums[i][0]);
    if (count > 2) add_strip<0>(to + strips[2], sums[i][1]);
    if (count > 3) add_strip<1>(to + strips[3], sums[i][1]);
  }
}

template <class T, int M, int N>
void dot(int64_t k, const T* a, int64_t lda, const T* x, const int64_t* offsets, const int64_t* strips, T* c,
         int64_t ldc) {
  const T* columns[N];
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) columns[j] = x + offsets[j];
  Vector<T> sums[M][N];
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) sums[i][j] = Vector<T>{};
  for (int64_t l = 0; l < k; l += kLanes<T>, strips += 2) {
    const int64_t left = strips[0], right = strips[1];
    Vector<T> rows[M];
#pragma GCC unroll 8
    for (int i = 0; i < M; ++i) rows[i] = load(a + i * lda + l);
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) {
      const Vector<T> column = load_strips(columns[j] + left, columns[j] + right);
#pragma GCC unroll 8
      for (int i = 0; i < M; ++i) sums[i][j] = fma(rows[i], column, sums[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i) add_lane_sums(sums[i], c + i * ldc);
}

template <class T, int M>
OuterStrips<T> find_outer(int64_t rows) {
  if constexpr (M > 1) {
    if (rows < M) return find_outer<T, M - 1>(rows);
  }
  return outer<T, M>;
}

template <class T, int M>
BackStrips<T> find_back(int64_t rows) {
  if constexpr (M > 1) {
    if (rows < M) return find_back<T, M - 1>(rows);
  }
  return back<T, M>;
}

template <class T, int M, int N>
DotStrips<T> find_dot(int64_t rows, int64_t columns) {
  if constexpr (M > 1) {
    if (rows < M) return find_dot<T, M - 1, N>(rows, columns);
  }
  if constexpr (N > 1) {
    if (columns < N) return find_dot<T, M, N - 1>(rows, columns);
  }
  return dot<T, M, N>;
}

}  // namespace

OuterStrips<float> outer_strips(float, int64_t rows) { return find_outer<float, kOuterRows>(rows); }
OuterStrips<double> outer_strips(double, int64_t rows) { return find_outer<double, kOuterRows>(rows); }
BackStrips<float> back_strips(float, int64_t rows) { return find_back<float, kOuterRows>(rows); }
BackStrips<double> back_strips(double, int64_t rows) { return find_back<double, kOuterRows>(rows); }
DotStrips<float> dot_strips(float, int64_t rows, int64_t columns) {
  return find_dot<float, kDotRows, kDotColumns>(rows, columns);
}
DotStrips<double> dot_strips(double, int64_t rows, int64_t columns) {
  return find_dot<double, kDotRows, kDotColumns>(rows, columns);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
