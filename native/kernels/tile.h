// Products whose sums stay in registers: the inner loops of convolution and of small matrix products.
#pragma once
#include "kernels/prefetch.h"
#include "kernels/vector.h"

namespace chainrule::CHAINRULE_CAPABILITY {

enum class Store { kSet, kAdd };

// c [rows, 2 vectors] = or += bias [rows] (unless null) + a [k, rows]^T b [k, 2 vectors].
template <class T>
using OuterTile = void (*)(int64_t k, const T* a, const T* b, int64_t ldb, const T* bias, Store store, T* c,
                           int64_t ldc);

// The same with factors that lie anywhere, the one of row i and term l at a[i * row + l * term], and a packed b.
template <class T>
using FreeTile = void (*)(int64_t k, const T* a, int64_t row, int64_t term, const T* b, Store store, T* c, int64_t ldc);

// c [rows, 2 vectors] = start + a [k, rows]^T b [k, 2 vectors], where row i of start begins at start + i * lds: c
// itself, or a bias for every row (lds 0); null: zeros.
template <class T>
using SumTile = void (*)(int64_t k, const T* a, const T* b, const T* start, int64_t lds, T* c, int64_t ldc,
                         Ahead<T>* ahead);

// c [rows, columns] += a [rows, k] b [columns, k]^T; k is a multiple of kLanes.
template <class T>
using DotTile = void (*)(int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb, T* c, int64_t ldc);

// The tile of so many rows, 1 to kOuterRows, and columns; the first argument only names the element type.
OuterTile<float> outer_tile(float, int64_t rows);
OuterTile<double> outer_tile(double, int64_t rows);
SumTile<float> sum_tile(float, int64_t rows);
SumTile<double> sum_tile(double, int64_t rows);
FreeTile<float> free_tile(float, int64_t rows);
FreeTile<double> free_tile(double, int64_t rows);
DotTile<float> dot_tile(float, int64_t rows, int64_t columns);
DotTile<double> dot_tile(double, int64_t rows, int64_t columns);

namespace {

// 32 registers hold 12 x 2 sums, two vectors and a factor; 16 hold 6 x 2.
constexpr int kOuterRows = kRegisters == 32 ? 12 : 6;
template <class T>
constexpr int64_t kOuterColumns = 2 * kLanes<T>;

constexpr int kDotRows = kRegisters == 32 ? 6 : 3;
constexpr int kDotColumns = 4;

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
