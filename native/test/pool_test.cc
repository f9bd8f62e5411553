// Pooling against plain loops over many geometries; NaN, ties and padding.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

std::mt19937 rng(13);

int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(rng); }

template <class T>
constexpr DType dtype_of = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;

// Output size as PyTorch counts it; in ceil mode the last window must start inside the input or its left padding.
int64_t out_size(int64_t size, int64_t k, int64_t stride, int64_t pad, int64_t dilation, bool ceil) {
  const int64_t room = size + 2 * pad - dilation * (k - 1) - 1;
  if (room < 0) return 0;
  const int64_t out = (room + (ceil ? stride - 1 : 0)) / stride + 1;
  return ceil && (out - 1) * stride >= size + pad ? out - 1 : out;
}

Pool2dArgs random_geometry(bool max) {
  Pool2dArgs a{};
  const bool two_by_two = pick(0, 2) == 0;
  do {
    a.planes = pick(0, 5);
    a.h = pick(1, 40);
    a.w = pick(1, 80);
    a.kh = two_by_two ? 2 : pick(1, 5);
    a.kw = two_by_two ? 2 : pick(1, 5);
    a.stride_h = two_by_two ? 2 : pick(1, 4);
    a.stride_w = two_by_two ? 2 : pick(1, 4);
    a.pad_h = two_by_two ? 0 : pick(0, a.kh / 2);
    a.pad_w = two_by_two ? 0 : pick(0, a.kw / 2);
    // Further apart, places could all miss a small plane.
    a.dilation_h = max && !two_by_two ? pick(1, std::min<int64_t>(3, a.h)) : 1;
    a.dilation_w = max && !two_by_two ? pick(1, std::min<int64_t>(3, a.w)) : 1;
    const bool ceil = pick(0, 3) == 0;
    a.oh = out_size(a.h, a.kh, a.stride_h, a.pad_h, a.dilation_h, ceil);
    a.ow = out_size(a.w, a.kw, a.stride_w, a.pad_w, a.dilation_w, ceil);
  } while (a.oh <= 0 || a.ow <= 0);
  a.count_include_pad = pick(0, 1);
  a.divisor = pick(0, 3) == 0 ? pick(1, 7) : 0;
  return a;
}

template <class T>
struct Case {
  Pool2dArgs a;
  std::vector<T> x, dy, y, dx;
  std::vector<uint8_t> narrow;
  std::vector<int32_t> wide;

  explicit Case(Pool2dArgs args) : a(args) {
    a.dtype = dtype_of<T>;
    x.resize(static_cast<size_t>(a.planes * a.h * a.w));
    dy.resize(static_cast<size_t>(a.planes * a.oh * a.ow));
    for (T& v : x) v = static_cast<T>(pick(-8, 8));  // many ties
    // Planes without NaN go another way than those with one.
    const bool nan = pick(0, 1);
    const T infinite = std::numeric_limits<T>::infinity();
    for (T& v : x)
      if (pick(0, 60) == 0) v = nan && pick(0, 1) ? std::numeric_limits<T>::quiet_NaN() : -infinite;
    for (T& v : dy) v = static_cast<T>(pick(-8, 8));
    y.assign(dy.size(), -99);
    dx.assign(x.size(), -99);
    narrow.assign(dy.size(), 77);
    wide.assign(dy.size(), 77);
  }

  Pool2dArgs args() {
    Pool2dArgs full = a;
    full.x = x.data();
    full.dy = dy.data();
    full.y = y.data();
    full.dx = dx.data();
    full.places = a.wide_places ? static_cast<void*>(wide.data()) : narrow.data();
    return full;
  }
};

// Calls f(p, q, offset in the plane) for the places of window (i, j) that are inside the plane.
template <class F>
void over_window(const Pool2dArgs& a, int64_t i, int64_t j, const F& f) {
  for (int64_t p = 0; p < a.kh; ++p)
    for (int64_t q = 0; q < a.kw; ++q) {
      const int64_t row = i * a.stride_h - a.pad_h + p * a.dilation_h,
                    column = j * a.stride_w - a.pad_w + q * a.dilation_w;
      if (row >= 0 && row < a.h && column >= 0 && column < a.w) f(p, q, row * a.w + column);
    }
}

template <class T>
bool same(T a, T b) {
  return a == b || (a != a && b != b);
}

template <class T>
bool close(T got, double want) {
  return (got != got && want != want) || static_cast<double>(got) == want ||
         std::fabs(static_cast<double>(got) - want) < 1e-5 * (1 + std::fabs(want));
}

template <class T>
void check_max(Case<T> k) {
  const Pool2dArgs a = k.args();
  kernels().max_pool2d_forward(a);
  kernels().max_pool2d_backward(a);
  std::vector<T> dx(k.dx.size());
  size_t at = 0;
  int wrong_values = 0, wrong_places = 0, wrong_gradients = 0;
  for (int64_t plane = 0; plane < a.planes; ++plane)
    for (int64_t i = 0; i < a.oh; ++i)
      for (int64_t j = 0; j < a.ow; ++j, ++at) {
        const T* x = k.x.data() + plane * a.h * a.w;
        int64_t place = -1, offset = 0;
        over_window(a, i, j, [&](int64_t p, int64_t q, int64_t o) {
          const bool better = place < 0 || x[o] > x[offset] || x[o] != x[o];
          if (!better) return;
          place = p * a.kw + q;
          offset = o;
        });
        dx[static_cast<size_t>(plane * a.h * a.w + offset)] += k.dy[at];
        wrong_values += !same(k.y[at], x[offset]);
        wrong_places += (a.wide_places ? k.wide[at] : k.narrow[at]) != place;
      }
  for (size_t i = 0; i < dx.size(); ++i) wrong_gradients += dx[i] != k.dx[i];
  CAPTURE(a.h);
  CAPTURE(a.w);
  CAPTURE(a.kh);
  CAPTURE(a.kw);
  CAPTURE(a.stride_h);
  CAPTURE(a.stride_w);
  CHECK(wrong_values == 0);
  CHECK(wrong_places == 0);
  CHECK(wrong_gradients == 0);
}

template <class T>
void check_avg(Case<T> k) {
  const Pool2dArgs a = k.args();
  kernels().avg_pool2d_forward(a);
  kernels().avg_pool2d_backward(a);
  std::vector<double> dx(k.dx.size());
  size_t at = 0;
  int wrong_values = 0, wrong_gradients = 0;
  for (int64_t plane = 0; plane < a.planes; ++plane)
    for (int64_t i = 0; i < a.oh; ++i)
      for (int64_t j = 0; j < a.ow; ++j, ++at) {
        const size_t base = static_cast<size_t>(plane * a.h * a.w);
        double sum = 0, inside = 0;
        over_window(a, i, j, [&](int64_t, int64_t, int64_t o) {
          sum += static_cast<double>(k.x[base + static_cast<size_t>(o)]);
          ++inside;
        });
        const int64_t top = i * a.stride_h - a.pad_h, left = j * a.stride_w - a.pad_w;
        const double padded = static_cast<double>((std::min(top + a.kh, a.h + a.pad_h) - top) *
                                                  (std::min(left + a.kw, a.w + a.pad_w) - left));
        const double count = a.divisor ? static_cast<double>(a.divisor) : a.count_include_pad ? padded : inside;
        wrong_values += !close(k.y[at], inside == 0 ? 0 : sum / count);
        over_window(a, i, j, [&](int64_t, int64_t, int64_t o) {
          dx[base + static_cast<size_t>(o)] += static_cast<double>(k.dy[at]) / count;
        });
      }
  for (size_t i = 0; i < dx.size(); ++i) wrong_gradients += !close(k.dx[i], dx[i]);
  CHECK(wrong_values == 0);
  CHECK(wrong_gradients == 0);
}

}  // namespace

TEST_CASE("max pooling equals plain loops") {
  for (int round = 0; round < 200; ++round) {
    Pool2dArgs a = random_geometry(true);
    a.wide_places = round % 3 == 0;
    check_max<float>(Case<float>(a));
    check_max<double>(Case<double>(a));
  }
}

TEST_CASE("average pooling equals plain loops") {
  for (int round = 0; round < 200; ++round) {
    const Pool2dArgs a = random_geometry(false);
    check_avg<float>(Case<float>(a));
    check_avg<double>(Case<double>(a));
  }
}

TEST_CASE("pooling with large windows and many planes, on three threads") {
  const int before = num_threads();
  set_num_threads(3);
  Pool2dArgs a{};
  a.planes = 70;
  a.h = a.w = 24;
  a.kh = a.kw = a.stride_h = a.stride_w = 2;
  a.dilation_h = a.dilation_w = 1;
  a.oh = a.ow = 12;
  check_max<float>(Case<float>(a));
  check_avg<float>(Case<float>(a));
  a.kh = a.kw = 20;
  a.stride_h = a.stride_w = 1;
  a.oh = a.ow = 5;
  a.wide_places = true;
  check_max<float>(Case<float>(a));
  check_avg<float>(Case<float>(a));
  set_num_threads(before);
}
