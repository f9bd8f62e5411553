// Register tiles that read pixels where they are: vectors made of two strips, half-vectors of neighbouring pixels.
#pragma once
#include "kernels/tile.h"

namespace chainrule::CHAINRULE_CAPABILITY {

// c [rows, 2 vectors] = or += bias [rows] (unless null) + a [k, rows]^T x, where row l of x is the four strips that
// begin at x + offsets[l] + strips[0..3].
template <class T>
using OuterStrips = void (*)(int64_t k, const T* a, const T* x, const int64_t* offsets, const int64_t* strips,
                             const T* bias, Store store, T* c, int64_t ldc);

// The strips at dx + offsets[i] + strips[0..count) += row i of a [k, rows]^T b [k, 2 vectors].
template <class T>
using BackStrips = void (*)(int64_t k, const T* a, const T* b, int64_t ldb, T* dx, const int64_t* offsets,
                            const int64_t* strips, int64_t count);

// c [rows, columns] += a [rows, k] x^T, where row j of x is the strips at x + offsets[j] + strips[0 .. 2k/kLanes).
template <class T>
using DotStrips = void (*)(int64_t k, const T* a, int64_t lda, const T* x, const int64_t* offsets,
                           const int64_t* strips, T* c, int64_t ldc);

OuterStrips<float> outer_strips(float, int64_t rows);
OuterStrips<double> outer_strips(double, int64_t rows);
BackStrips<float> back_strips(float, int64_t rows);
BackStrips<double> back_strips(double, int64_t rows);
DotStrips<float> dot_strips(float, int64_t rows, int64_t columns);
DotStrips<double> dot_strips(double, int64_t rows, int64_t columns);

namespace {

template <class T>
constexpr int64_t kStrip = kLanes<T> / 2;
constexpr int64_t kOuterStrips = 4;

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
