// Maximum pooling: the maximum and its place forward, the gradient to that place backward.
#include "kernels/capability.h"
//
#include "kernels/pool_paths.h"
#include "kernels/windows.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class T>
struct PlaceBits {
  using type = int32_t;
};
template <>
struct PlaceBits<double> {
  using type = int64_t;
};

template <class T>
constexpr T kLowest = -static_cast<T>(__builtin_inff());

// The window at (i, j): the first maximum wins; over all NaN, and of these the last, as in PyTorch.
template <class T, class Place>
void max_of_window(const Pool2dArgs& a, const Span& r, int64_t j, const T* x, T* y, Place* place) {
  const Span c = columns(a, j);
  T best = kLowest<T>;
  int64_t where = r.begin * a.kw + c.begin;
  for (int64_t p = r.begin; p < r.end; ++p) {
    for (int64_t q = c.begin; q < c.end; ++q) {
      const T value = x[(r.start + p * a.dilation_h) * a.w + c.start + q * a.dilation_w];
      const bool better = value > best || value != value;
      best = better ? value : best;
      where = better ? p * a.kw + q : where;
    }
  }
  *y = best;
  *place = static_cast<Place>(where);
}

// Windows j to j + lanes, none of which leaves the plane sideways. No branch depends on a value:
// on random data a branch for each comparison took 27 ns a window. Windows of 2x2 side by side have constant loops.
template <bool two, int lanes, class T, class Place>
CHAINRULE_INLINE void max_of_windows(const Pool2dArgs& a, const Span& r, int64_t j, const T* x, T* y, Place* places) {
  using Bits = typename PlaceBits<T>::type;
  const int64_t kw = two ? 2 : a.kw, stride = two ? 2 : a.stride_w, step = two ? 1 : a.dilation_w;
  const int64_t begin = two ? 0 : r.begin, end = two ? 2 : r.end;
  Windows<T, lanes> best = kLowest<T> - Windows<T, lanes>{};
  Windows<Bits, lanes> where = static_cast<Bits>(begin * kw) - Windows<Bits, lanes>{};
#pragma GCC unroll 2
  for (int64_t p = begin; p < end; ++p) {
    const T* row = x + (r.start + p * a.dilation_h) * a.w + j * stride - (two ? 0 : a.pad_w);
#pragma GCC unroll 2
    for (int64_t q = 0; q < kw; ++q) {
      const Windows<T, lanes> value = load_strided<T, lanes>(row + q * step, stride);
      const Windows<Bits, lanes> better = (value > best) | (value != value);
      best = better ? value : best;
      where = better ? static_cast<Bits>(p * kw + q) - Windows<Bits, lanes>{} : where;
    }
  }
  const auto narrow = __builtin_convertvector(where, Windows<Place, lanes>);
  __builtin_memcpy(y + j, &best, sizeof best);
  __builtin_memcpy(places + j, &narrow, sizeof narrow);
}

bool is_2x2(const Pool2dArgs& a) {
  return a.kh == 2 && a.kw == 2 && a.stride_h == 2 && a.stride_w == 2 && a.pad_h == 0 && a.pad_w == 0 &&
         a.dilation_h == 1 && a.dilation_w == 1 && 2 * a.oh <= a.h && 2 * a.ow <= a.w;
}

template <bool two, class T, class Place>
void forward_plane(const Pool2dArgs& a, const Interior& inner, const T* x, T* y, Place* places) {
  for (int64_t i = 0; i < a.oh; ++i, y += a.ow, places += a.ow) {
    const Span r = rows(a, i);
    for (int64_t j = 0; j < inner.begin; ++j) max_of_window(a, r, j, x, y + j, places + j);
    const int64_t rest = over_vectors(inner.begin, inner.end,
                                      [&]<int lanes>(int64_t j) { max_of_windows<two, lanes>(a, r, j, x, y, places); });
    for (int64_t j = rest; j < a.ow; ++j) max_of_window(a, r, j, x, y + j, places + j);
  }
}

// offsets[place]: from a window's first element to the place.
template <class T, class Place>
void backward_plane(const Pool2dArgs& a, const int64_t* offsets, const T* dy, const Place* places, T* dx) {
  const int64_t size = a.h * a.w, window = a.kh * a.kw;
  for (int64_t i = 0; i < size; ++i) dx[i] = 0;
  for (int64_t i = 0; i < a.oh; ++i) {
    int64_t at = (i * a.stride_h - a.pad_h) * a.w - a.pad_w;
    for (int64_t j = 0; j < a.ow; ++j, at += a.stride_w) {
      // The places came from forward; whatever else they were, nothing is written outside the plane.
      const auto place = static_cast<uint64_t>(*places++);
      const int64_t to = at + (place < static_cast<uint64_t>(window) ? offsets[place] : 0);
      if (static_cast<uint64_t>(to) < static_cast<uint64_t>(size)) dx[to] += *dy;
      ++dy;
    }
  }
}

template <class T, int lanes>
CHAINRULE_INLINE void store_interleaved(T* to, Windows<T, lanes> even, Windows<T, lanes> odd) {
  Windows<T, lanes> low, high;
  if constexpr (lanes == 16) {
    low = __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    high = __builtin_shufflevector(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (lanes == 8) {
    low = __builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
    high = __builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
  } else {
    low = __builtin_shufflevector(even, odd, 0, 4, 1, 5);
    high = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
  }
  __builtin_memcpy(to, &low, sizeof low);
  __builtin_memcpy(to + lanes, &high, sizeof high);
}

// Windows of 2x2 side by side: each element belongs to one window at most and is written once.
template <class T, class Place>
void backward_plane_2x2(const Pool2dArgs& a, const T* dy, const Place* places, T* dx) {
  using Bits = typename PlaceBits<T>::type;
  for (int64_t i = 0; i < a.oh; ++i, dy += a.ow, places += a.ow) {
    for (int64_t p = 0; p < 2; ++p, dx += a.w) {
      const int64_t rest = over_vectors(0, a.ow, [&]<int lanes>(int64_t j) {
        Windows<T, lanes> gradient;
        Windows<Place, lanes> narrow;
        __builtin_memcpy(&gradient, dy + j, sizeof gradient);
        __builtin_memcpy(&narrow, places + j, sizeof narrow);
        const auto place = __builtin_convertvector(narrow, Windows<Bits, lanes>);
        const Bits first = static_cast<Bits>(2 * p);
        const Windows<T, lanes> zero{};
        store_interleaved<T, lanes>(dx + 2 * j, place == first ? gradient : zero, place == first + 1 ? gradient : zero);
      });
      for (int64_t j = rest; j < a.ow; ++j) {
        dx[2 * j] = places[j] == 2 * p ? dy[j] : T{0};
        dx[2 * j + 1] = places[j] == 2 * p + 1 ? dy[j] : T{0};
      }
      for (int64_t j = 2 * a.ow; j < a.w; ++j) dx[j] = 0;
    }
  }
  for (int64_t j = 0; j < (a.h - 2 * a.oh) * a.w; ++j) dx[j] = 0;
}

template <class T, class Place>
void forward(const Pool2dArgs& a) {
  const Interior inner = interior(a);
  const bool two = is_2x2(a);
  over_planes(a, [&](int64_t in, int64_t out) {
    const auto* x = static_cast<const T*>(a.x) + in;
    auto* y = static_cast<T*>(a.y) + out;
    auto* places = static_cast<Place*>(a.places) + out;
    two ? forward_plane<true>(a, inner, x, y, places) : forward_plane<false>(a, inner, x, y, places);
  });
}

template <class T, class Place>
void backward(const Pool2dArgs& a) {
  const auto* dy = static_cast<const T*>(a.dy);
  const auto* places = static_cast<const Place*>(a.places);
  auto* dx = static_cast<T*>(a.dx);
  if (is_2x2(a)) {
    return over_planes(a, [&](int64_t in, int64_t out) { backward_plane_2x2(a, dy + out, places + out, dx + in); });
  }
  auto* offsets = static_cast<int64_t*>(acquire_scratch(static_cast<size_t>(a.kh * a.kw) * sizeof(int64_t)));
  for (int64_t p = 0; p < a.kh; ++p)
    for (int64_t q = 0; q < a.kw; ++q) offsets[p * a.kw + q] = p * a.dilation_h * a.w + q * a.dilation_w;
  over_planes(a, [&](int64_t in, int64_t out) { backward_plane(a, offsets, dy + out, places + out, dx + in); });
  release_scratch(offsets);
}

}  // namespace

void max_pool2d_forward(const Pool2dArgs& a) {
  if (a.dtype == DType::kFloat64) {
    a.wide_places ? forward<double, int32_t>(a) : forward<double, uint8_t>(a);
  } else {
    a.wide_places ? forward<float, int32_t>(a) : forward<float, uint8_t>(a);
  }
}

void max_pool2d_backward(const Pool2dArgs& a) {
  if (a.dtype == DType::kFloat64) {
    a.wide_places ? backward<double, int32_t>(a) : backward<double, uint8_t>(a);
  } else {
    a.wide_places ? backward<float, int32_t>(a) : backward<float, uint8_t>(a);
  }
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
