// Maximum pooling: the maximum and its place forward, the gradient to that place backward.
#include "kernels/capability.h"
//
#include "kernels/pool_pairs.h"
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
// on random data a branch for each comparison took 27 ns a window.
template <int lanes, class T, class Place>
CHAINRULE_INLINE void max_of_windows(const Pool2dArgs& a, const Span& r, int64_t j, const T* x, T* y, Place* places) {
  using Bits = typename PlaceBits<T>::type;
  Windows<T, lanes> best = kLowest<T> - Windows<T, lanes>{};
  Windows<Bits, lanes> where = static_cast<Bits>(r.begin * a.kw) - Windows<Bits, lanes>{};
  for (int64_t p = r.begin; p < r.end; ++p) {
    const T* row = x + (r.start + p * a.dilation_h) * a.w + j * a.stride_w - a.pad_w;
    for (int64_t q = 0; q < a.kw; ++q) {
      const Windows<T, lanes> value = load_strided<T, lanes>(row + q * a.dilation_w, a.stride_w);
      const Windows<Bits, lanes> better = (value > best) | (value != value);
      best = better ? value : best;
      where = better ? static_cast<Bits>(p * a.kw + q) - Windows<Bits, lanes>{} : where;
    }
  }
  const auto narrow = __builtin_convertvector(where, Windows<Place, lanes>);
  __builtin_memcpy(y + j, &best, sizeof best);
  __builtin_memcpy(places + j, &narrow, sizeof narrow);
}

template <class T, class Place>
void forward_plane(const Pool2dArgs& a, const Interior& inner, const T* x, T* y, Place* places) {
  for (int64_t i = 0; i < a.oh; ++i, y += a.ow, places += a.ow) {
    const Span r = rows(a, i);
    for (int64_t j = 0; j < inner.begin; ++j) max_of_window(a, r, j, x, y + j, places + j);
    const int64_t rest = over_vectors(inner.begin, inner.end,
                                      [&]<int lanes>(int64_t j) { max_of_windows<lanes>(a, r, j, x, y, places); });
    for (int64_t j = rest; j < a.ow; ++j) max_of_window(a, r, j, x, y + j, places + j);
  }
}

// A band of 2x2 windows, as if there were no NaN: where there is one, `seen` is no longer all zeros.
template <int lanes, class T, class Place>
CHAINRULE_INLINE void forward_band(const Pool2dArgs& a, const Band<lanes>& band, const T* x, T* y, Place* places,
                                   Windows<T, lanes>& seen) {
  using Bits = Windows<typename PlaceBits<T>::type, lanes>;
  const Bits first{}, second = first + 1, third = first + 2, fourth = first + 3;
  const Windows<T, lanes> one = T{1} - Windows<T, lanes>{};
  for (int64_t i = 0; i < band.vectors; ++i) {
    const int64_t* at = band.at + i * lanes / 4;
    const auto top = load_sides<T, lanes>(x, at), bottom = load_sides<T, lanes>(x + a.w, at);
    const Windows<T, lanes> upper = top.right > top.left ? top.right : top.left;
    const Windows<T, lanes> lower = bottom.right > bottom.left ? bottom.right : bottom.left;
    const Bits of_upper = top.right > top.left ? second : first;
    const Bits of_lower = bottom.right > bottom.left ? fourth : third;
    const Windows<T, lanes> best = lower > upper ? lower : upper;
    const auto narrow = __builtin_convertvector(lower > upper ? of_lower : of_upper, Windows<Place, lanes>);
    __builtin_memcpy(y + band.to[i], &best, sizeof best);
    __builtin_memcpy(places + band.to[i], &narrow, sizeof narrow);
    const Windows<T, lanes> sum = (top.left + top.right) + (bottom.left + bottom.right);
    seen = sum == sum ? seen : one;
  }
}

// Planes [begin, end) of 2x2 windows; false if they may contain a NaN, so that the result means nothing.
template <int lanes, class T, class Place>
bool forward_bands(const Pool2dArgs& a, const Band<lanes>& band, int64_t begin, int64_t end) {
  const auto* x = static_cast<const T*>(a.x);
  auto* y = static_cast<T*>(a.y);
  auto* places = static_cast<Place*>(a.places);
  Windows<T, lanes> seen{};
  over_bands(
      a, band, begin, end,
      [&](int64_t in, int64_t out) { forward_band<lanes>(a, band, x + in, y + out, places + out, seen); },
      [&](int64_t in, int64_t out, int64_t count) {
        for (int64_t i = 0; i < count * a.ow; ++i) {
          max_of_window(a, Span{2 * (i / a.ow), 0, 2}, i % a.ow, x + in, y + out + i, places + out + i);
        }
      });
  T sum = 0;
  for (int i = 0; i < lanes; ++i) sum += seen[i];
  return sum == 0;
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

// Windows of 2x2 side by side: each element belongs to one window at most and is written once.
template <int lanes, class T, class Place>
CHAINRULE_INLINE void backward_band(const Pool2dArgs& a, const Band<lanes>& band, const T* dy, const Place* places,
                                    T* dx) {
  using Bits = Windows<typename PlaceBits<T>::type, lanes>;
  const Windows<T, lanes> zero{};
  for (int64_t i = 0; i < band.vectors; ++i) {
    const int64_t* at = band.at + i * lanes / 4;
    Windows<T, lanes> gradient;
    Windows<Place, lanes> narrow;
    __builtin_memcpy(&gradient, dy + band.to[i], sizeof gradient);
    __builtin_memcpy(&narrow, places + band.to[i], sizeof narrow);
    const auto place = __builtin_convertvector(narrow, Bits);
    store_sides<T, lanes>(dx, at, place == 0 ? gradient : zero, place == 1 ? gradient : zero);
    store_sides<T, lanes>(dx + a.w, at, place == 2 ? gradient : zero, place == 3 ? gradient : zero);
  }
}

template <class T, class Place>
void backward_rows_2x2(const Pool2dArgs& a, int64_t count, const T* dy, const Place* places, T* dx) {
  for (int64_t i = 0; i < count; ++i, dy += a.ow, places += a.ow)
    for (int64_t p = 0; p < 2; ++p, dx += a.w)
      for (int64_t j = 0; j < a.ow; ++j) {
        dx[2 * j] = places[j] == 2 * p ? dy[j] : T{0};
        dx[2 * j + 1] = places[j] == 2 * p + 1 ? dy[j] : T{0};
      }
}

// Zeros in the last column and row of a plane, unless they belong to windows.
template <class T>
void clear_odd(const Pool2dArgs& a, T* dx) {
  if (a.w > 2 * a.ow) {
    for (int64_t i = 0; i < 2 * a.oh; ++i) zero_lanes(dx + i * a.w + 2 * a.ow, a.w - 2 * a.ow);
  }
  zero_lanes(dx + 2 * a.oh * a.w, (a.h - 2 * a.oh) * a.w);
}

template <class T, class Place>
void forward(const Pool2dArgs& a) {
  const Interior inner = interior(a);
  const auto plane = [&](int64_t in, int64_t out) {
    forward_plane(a, inner, static_cast<const T*>(a.x) + in, static_cast<T*>(a.y) + out,
                  static_cast<Place*>(a.places) + out);
  };
  const bool done = with_lanes<T>(a, [&]<int lanes>() {
    const Band<lanes> band(a);
    over_chunks(a, [&](int64_t begin, int64_t end) {
      if (forward_bands<lanes, T, Place>(a, band, begin, end)) return;
      for (int64_t i = begin; i < end; ++i) plane(i * a.h * a.w, i * a.oh * a.ow);
    });
  });
  if (!done) over_planes(a, plane);
}

template <class T, class Place>
void backward_2x2(const Pool2dArgs& a, const T* dy, const Place* places, T* dx) {
  const auto rows = [&](int64_t in, int64_t out, int64_t count) {
    backward_rows_2x2(a, count, dy + out, places + out, dx + in);
  };
  const bool odd = a.h > 2 * a.oh || a.w > 2 * a.ow;
  const bool done = with_lanes<T>(a, [&]<int lanes>() {
    const Band<lanes> band(a);
    over_chunks(a, [&](int64_t begin, int64_t end) {
      over_bands(
          a, band, begin, end,
          [&](int64_t in, int64_t out) { backward_band<lanes>(a, band, dy + out, places + out, dx + in); }, rows);
      for (int64_t i = begin; odd && i < end; ++i) clear_odd(a, dx + i * a.h * a.w);
    });
  });
  if (done) return;
  over_planes(a, [&](int64_t in, int64_t out) {
    rows(in, out, a.oh);
    if (odd) clear_odd(a, dx + in);
  });
}

template <class T, class Place>
void backward(const Pool2dArgs& a) {
  const auto* dy = static_cast<const T*>(a.dy);
  const auto* places = static_cast<const Place*>(a.places);
  auto* dx = static_cast<T*>(a.dx);
  if (is_2x2(a)) return backward_2x2(a, dy, places, dx);
  const Scratch<int64_t> offsets(a.kh * a.kw);
  for (int64_t p = 0; p < a.kh; ++p)
    for (int64_t q = 0; q < a.kw; ++q) offsets[p * a.kw + q] = p * a.dilation_h * a.w + q * a.dilation_w;
  over_planes(a, [&](int64_t in, int64_t out) { backward_plane<T>(a, offsets, dy + out, places + out, dx + in); });
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
