// Products whose sums stay in registers: one function for each size of tile.
#include "kernels/tile.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Terms between two steps ahead: all at once they would be in the way of what is read now.
constexpr int64_t kStep = 8;

template <class T, int M>
void outer(int64_t k, const T* a, const T* b, int64_t ldb, const T* bias, Store how, T* c, int64_t ldc) {
  constexpr int64_t w = kLanes<T>;
  Vector<T> sums[M][2];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) sums[i][0] = sums[i][1] = Vector<T>{};
  for (; k > 0; --k, a += M, b += ldb) {
    const Vector<T> left = load(b), right = load(b + w);
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
      const Vector<T> factor = broadcast(a[i]);
      sums[i][0] = fma(factor, left, sums[i][0]);
      sums[i][1] = fma(factor, right, sums[i][1]);
    }
  }
  if (bias) {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
      sums[i][0] += broadcast(bias[i]);
      sums[i][1] += broadcast(bias[i]);
    }
  }
  if (how == Store::kAdd) {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
      sums[i][0] += load(c + i * ldc);
      sums[i][1] += load(c + i * ldc + w);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
    store(c + i * ldc, sums[i][0]);
    store(c + i * ldc + w, sums[i][1]);
  }
}

template <class T, int M>
void sum_outer(int64_t k, const T* a, const T* b, const T* start, int64_t lds, T* c, int64_t ldc, Ahead<T>* ahead) {
  constexpr int64_t w = kLanes<T>;
  Vector<T> sums[M][2];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) sums[i][0] = sums[i][1] = Vector<T>{};
  const auto multiply = [&](int64_t terms) {
    for (; terms > 0; --terms, a += M, b += 2 * w) {
      const Vector<T> left = load(b), right = load(b + w);
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i) {
        const Vector<T> factor = broadcast(a[i]);
        sums[i][0] = fma(factor, left, sums[i][0]);
        sums[i][1] = fma(factor, right, sums[i][1]);
      }
    }
  };
  for (; k > kStep; k -= kStep) {
    ahead->step();
    multiply(kStep);
  }
  multiply(k);
  if (start) {
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
      sums[i][0] += load(start + i * lds);
      sums[i][1] += load(start + i * lds + w);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
    store(c + i * ldc, sums[i][0]);
    store(c + i * ldc + w, sums[i][1]);
  }
}

template <class T, int M>
void free_outer(int64_t k, const T* a, int64_t row, int64_t term, const T* b, Store how, T* c, int64_t ldc) {
  constexpr int64_t w = kLanes<T>;
  Vector<T> sums[M][2];
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) sums[i][0] = sums[i][1] = Vector<T>{};
  for (; k > 0; --k, a += term, b += 2 * w) {
    const Vector<T> left = load(b), right = load(b + w);
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
      const Vector<T> factor = broadcast(a[i * row]);
      sums[i][0] = fma(factor, left, sums[i][0]);
      sums[i][1] = fma(factor, right, sums[i][1]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
    if (how == Store::kAdd) {
      sums[i][0] += load(c + i * ldc);
      sums[i][1] += load(c + i * ldc + w);
    }
    store(c + i * ldc, sums[i][0]);
    store(c + i * ldc + w, sums[i][1]);
  }
}

template <class T, int M, int N>
void dot(int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb, T* c, int64_t ldc) {
  Vector<T> sums[M][N];
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) sums[i][j] = Vector<T>{};
  for (int64_t l = 0; l < k; l += kLanes<T>) {
    Vector<T> rows[M];
#pragma GCC unroll 8
    for (int i = 0; i < M; ++i) rows[i] = load(a + i * lda + l);
#pragma GCC unroll 8
    for (int j = 0; j < N; ++j) {
      const Vector<T> column = load(b + j * ldb + l);
#pragma GCC unroll 8
      for (int i = 0; i < M; ++i) sums[i][j] = fma(rows[i], column, sums[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < M; ++i) add_lane_sums(sums[i], c + i * ldc);
}

template <class T, int M>
OuterTile<T> find_outer(int64_t rows) {
  if constexpr (M > 1) {
    if (rows < M) return find_outer<T, M - 1>(rows);
  }
  return outer<T, M>;
}

template <class T, int M>
SumTile<T> find_sum(int64_t rows) {
  if constexpr (M > 1) {
    if (rows < M) return find_sum<T, M - 1>(rows);
  }
  return sum_outer<T, M>;
}

template <class T, int M>
FreeTile<T> find_free(int64_t rows) {
  if constexpr (M > 1) {
    if (rows < M) return find_free<T, M - 1>(rows);
  }
  return free_outer<T, M>;
}

template <class T, int M, int N>
DotTile<T> find_dot(int64_t rows, int64_t columns) {
  if constexpr (M > 1) {
    if (rows < M) return find_dot<T, M - 1, N>(rows, columns);
  }
  if constexpr (N > 1) {
    if (columns < N) return find_dot<T, M, N - 1>(rows, columns);
  }
  return dot<T, M, N>;
}

}  // namespace

OuterTile<float> outer_tile(float, int64_t rows) { return find_outer<float, kOuterRows>(rows); }
OuterTile<double> outer_tile(double, int64_t rows) { return find_outer<double, kOuterRows>(rows); }
SumTile<float> sum_tile(float, int64_t rows) { return find_sum<float, kOuterRows>(rows); }
SumTile<double> sum_tile(double, int64_t rows) { return find_sum<double, kOuterRows>(rows); }
FreeTile<float> free_tile(float, int64_t rows) { return find_free<float, kOuterRows>(rows); }
FreeTile<double> free_tile(double, int64_t rows) { return find_free<double, kOuterRows>(rows); }
DotTile<float> dot_tile(float, int64_t rows, int64_t columns) {
  return find_dot<float, kDotRows, kDotColumns>(rows, columns);
}
DotTile<double> dot_tile(double, int64_t rows, int64_t columns) {
  return find_dot<double, kDotRows, kDotColumns>(rows, columns);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
