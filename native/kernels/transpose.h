// Squares of a matrix transposed in registers.
#pragma once
#include "kernels/lanes.h"
#include "kernels/vector.h"

// g++ 12 warns that rows further apart than memory is large would overflow.
#pragma GCC diagnostic ignored "-Waggressive-loop-optimizations"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// The lower halves of a and b lane by lane in turn, and the upper ones.
template <class T>
CHAINRULE_INLINE Vector<T> interleave_low(Vector<T> a, Vector<T> b) {
  if constexpr (kLanes<T> == 16) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  } else if constexpr (kLanes<T> == 8) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  } else if constexpr (kLanes<T> == 4) {
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
  } else {
    return __builtin_shufflevector(a, b, 0, 2);
  }
}

template <class T>
CHAINRULE_INLINE Vector<T> interleave_high(Vector<T> a, Vector<T> b) {
  if constexpr (kLanes<T> == 16) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (kLanes<T> == 8) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else if constexpr (kLanes<T> == 4) {
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
  } else {
    return __builtin_shufflevector(a, b, 1, 3);
  }
}

// As many rounds as there are bits in a lane's number, each a perfect shuffle of all elements, transpose the square.
template <class T>
CHAINRULE_INLINE void transpose(Vector<T> (&v)[kLanes<T>]) {
  constexpr int w = kLanes<T>;
#pragma GCC unroll 4
  for (int round = 1; round < w; round *= 2) {
    Vector<T> shuffled[w];
#pragma GCC unroll 8
    for (int i = 0; i < w / 2; ++i) {
      shuffled[2 * i] = interleave_low<T>(v[i], v[i + w / 2]);
      shuffled[2 * i + 1] = interleave_high<T>(v[i], v[i + w / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < w; ++i) v[i] = shuffled[i];
  }
}

// A square of so many rows, at most kLanes; in the place of others the first is read again.
template <class T>
CHAINRULE_INLINE void transpose_square(const T* from, int64_t stride, int64_t rows, Vector<T> (&v)[kLanes<T>]) {
  constexpr int64_t w = kLanes<T>;
  if (rows == w) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < w; ++i) v[i] = load(from + i * stride);
  } else {
#pragma GCC unroll 16
    for (int64_t i = 0; i < w; ++i) v[i] = load(from + (i < rows ? i : 0) * stride);
  }
  transpose<T>(v);
}

// to [depth, rows] with row stride ld = from [rows, depth]^T, rows <= kLanes. Vectors are stored whole: to needs a
// vector of room after its end, and what lies beyond a row is overwritten by the next.
template <class T>
void pack_transposed(const T* from, int64_t stride, int64_t rows, int64_t depth, T* to, int64_t ld) {
  constexpr int64_t w = kLanes<T>;
  int64_t l = 0;
  for (; l + w <= depth; l += w) {
    Vector<T> v[w];
    transpose_square(from + l, stride, rows, v);
#pragma GCC unroll 16
    for (int64_t i = 0; i < w; ++i) store(to + (l + i) * ld, v[i]);
  }
  for (; l < depth; ++l)
    for (int64_t i = 0; i < rows; ++i) to[l * ld + i] = from[i * stride + l];
}

// The same for any number of rows.
template <class T>
void pack_transposed_rows(const T* from, int64_t stride, int64_t rows, int64_t depth, T* to, int64_t ld) {
  constexpr int64_t w = kLanes<T>;
  // Backwards, as each group stores whole vectors and so spoils the start of what is beside it.
  for (int64_t groups = (rows + w - 1) / w; groups > 0; --groups) {
    const int64_t group = (groups - 1) * w;
    pack_transposed(from + group * stride, stride, rows - group < w ? rows - group : w, depth, to + group, ld);
  }
}

// to [depth, rows] with row stride ld = from [rows, depth]^T; nothing beside it is touched.
template <class T>
void store_transposed(const T* from, int64_t stride, int64_t rows, int64_t depth, T* to, int64_t ld) {
  constexpr int64_t w = kLanes<T>;
  for (; rows > 0; rows -= w, from += w * stride, to += w) {
    const int64_t height = rows < w ? rows : w;
    int64_t l = 0;
    for (; l + w <= depth; l += w) {
      Vector<T> v[w];
      transpose_square(from + l, stride, height, v);
#pragma GCC unroll 16
      for (int64_t i = 0; i < w; ++i) store_part(to + (l + i) * ld, Batch<T>(v[i]), height);
    }
    for (; l < depth; ++l)
      for (int64_t i = 0; i < height; ++i) to[l * ld + i] = from[i * stride + l];
  }
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
