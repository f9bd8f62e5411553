// Maximum pooling over windows of 2x2 side by side: whole vectors of windows, which may span several rows.
#pragma once
#include "kernels/patches.h"
#include "kernels/windows.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

inline bool is_2x2(const Pool2dArgs& a) {
  return a.kh == 2 && a.kw == 2 && a.stride_h == 2 && a.stride_w == 2 && a.pad_h == 0 && a.pad_w == 0 &&
         a.dilation_h == 1 && a.dilation_w == 1 && 2 * a.oh <= a.h && 2 * a.ow <= a.w;
}

// Elements of a row that are read at once, those of four windows.
constexpr int64_t kPiece = 8;

// Rows of windows that vectors of so many `lanes` cover. Where rows are whole pieces, windows of several fill vectors
// without a gap; else the last vector of each row overlaps the one before it.
template <int lanes>
struct Band {
  int64_t rows = 1, vectors;
  Scratch<int64_t> to;  // the first window of each vector
  Scratch<int64_t> at;  // the first element of each of its pieces, in the upper row of a pair

  explicit Band(const Pool2dArgs& a) : rows(rows_of(a)), vectors(vectors_of(a)), to(vectors), at(vectors * lanes / 4) {
    for (int64_t i = 0; i < vectors; ++i) {
      to[i] = rows == 1 ? smaller(i * lanes, a.ow - lanes) : i * lanes;
      for (int64_t piece = 0; piece < lanes / 4; ++piece) {
        const int64_t window = to[i] + 4 * piece;
        at[i * lanes / 4 + piece] = window / a.ow * 2 * a.w + window % a.ow * 2;
      }
    }
  }

  static int64_t rows_of(const Pool2dArgs& a) {
    int64_t rows = 1;
    while (a.ow % 4 == 0 && rows * a.ow % lanes != 0) rows *= 2;
    return rows;
  }
  static int64_t vectors_of(const Pool2dArgs& a) { return blocks_of(rows_of(a) * a.ow, lanes); }
};

// Calls f.template operator()<lanes>() with the lanes that suit rows of so many windows; false if there are none.
template <class T, class F>
CHAINRULE_INLINE bool with_lanes(const Pool2dArgs& a, const F& f) {
  constexpr int most = kLanes<T> < 4 ? 4 : kLanes<T>;
  if (a.ow < 4 || !is_2x2(a)) return false;
  if (a.ow % 4 == 0 || a.ow >= most) {
    f.template operator()<most>();
    return true;
  }
  if constexpr (most == 16) {
    if (a.ow >= 8) {
      f.template operator()<8>();
      return true;
    }
  }
  f.template operator()<4>();
  return true;
}

// Calls band(in, out) for each whole band of planes [begin, end), with where it begins, and rows(in, out, count) for
// what is left of a plane, or of them all where rows of windows go on from plane to plane.
template <int lanes, class OfBand, class OfRows>
CHAINRULE_INLINE void over_bands(const Pool2dArgs& a, const Band<lanes>& shape, int64_t begin, int64_t end,
                                 const OfBand& band, const OfRows& rows) {
  const int64_t planes = a.h == 2 * a.oh ? end - begin : 1, count = planes * a.oh;
  for (int64_t plane = begin; plane < end; plane += planes) {
    int64_t in = plane * a.h * a.w, out = plane * a.oh * a.ow, i = 0;
    for (; i + shape.rows <= count; i += shape.rows) {
      band(in, out);
      in += shape.rows * 2 * a.w;
      out += shape.rows * a.ow;
    }
    if (i < count) rows(in, out, count - i);
  }
}

// What a vector of windows sees of one row: the left and the right elements.
template <class T, int lanes>
struct Sides {
  Windows<T, lanes> left, right;
};

template <class T, int lanes>
CHAINRULE_INLINE Sides<T, lanes> load_sides(const T* row, const int64_t* at) {
  Windows<T, lanes> low, high;
  if constexpr (lanes == 16) {
    Windows<T, 8> pieces[4];
    for (int i = 0; i < 4; ++i) __builtin_memcpy(&pieces[i], row + at[i], sizeof pieces[i]);
    low = __builtin_shufflevector(pieces[0], pieces[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    high = __builtin_shufflevector(pieces[2], pieces[3], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return {__builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
            __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)};
  } else if constexpr (lanes == 8) {
    __builtin_memcpy(&low, row + at[0], sizeof low);
    __builtin_memcpy(&high, row + at[1], sizeof high);
    return {__builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14),
            __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15)};
  } else {
    static_assert(lanes == 4);
    __builtin_memcpy(&low, row + at[0], sizeof low);
    __builtin_memcpy(&high, row + at[0] + lanes, sizeof high);
    return {__builtin_shufflevector(low, high, 0, 2, 4, 6), __builtin_shufflevector(low, high, 1, 3, 5, 7)};
  }
}

template <class T, int lanes>
CHAINRULE_INLINE void store_sides(T* row, const int64_t* at, Windows<T, lanes> left, Windows<T, lanes> right) {
  if constexpr (lanes == 16) {
    const Windows<T, lanes> low = __builtin_shufflevector(left, right, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
                                                          7, 23),
                            high = __builtin_shufflevector(left, right, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                                           14, 30, 15, 31);
    const Windows<T, 8> pieces[4] = {__builtin_shufflevector(low, low, 0, 1, 2, 3, 4, 5, 6, 7),
                                     __builtin_shufflevector(low, low, 8, 9, 10, 11, 12, 13, 14, 15),
                                     __builtin_shufflevector(high, high, 0, 1, 2, 3, 4, 5, 6, 7),
                                     __builtin_shufflevector(high, high, 8, 9, 10, 11, 12, 13, 14, 15)};
    for (int i = 0; i < 4; ++i) __builtin_memcpy(row + at[i], &pieces[i], sizeof pieces[i]);
  } else {
    Windows<T, lanes> low, high;
    if constexpr (lanes == 8) {
      low = __builtin_shufflevector(left, right, 0, 8, 1, 9, 2, 10, 3, 11);
      high = __builtin_shufflevector(left, right, 4, 12, 5, 13, 6, 14, 7, 15);
    } else {
      static_assert(lanes == 4);
      low = __builtin_shufflevector(left, right, 0, 4, 1, 5);
      high = __builtin_shufflevector(left, right, 2, 6, 3, 7);
    }
    __builtin_memcpy(row + at[0], &low, sizeof low);
    __builtin_memcpy(row + (lanes == 8 ? at[1] : at[0] + lanes), &high, sizeof high);
  }
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
