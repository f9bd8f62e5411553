// Convolution against plain loops over many geometries, and bit for bit across thread counts.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

std::mt19937 rng(11);

int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(rng); }

int64_t out_size(int64_t size, int64_t k, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t room = size + 2 * pad - dilation * (k - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

ConvGeometry geometry(int64_t n, int64_t c, int64_t h, int64_t w, int64_t o, int64_t kh, int64_t kw, int64_t stride = 1,
                      int64_t pad = 0, int64_t dilation = 1, int64_t groups = 1) {
  const int64_t oh = out_size(h, kh, stride, pad, dilation), ow = out_size(w, kw, stride, pad, dilation);
  return {n, c, 1, h, w, o, 1, kh, kw, 1, oh, ow, 1, stride, stride, 0, pad, pad, 1, dilation, dilation, groups};
}

// The same with a depth: size, kernel, stride, padding, dilation.
ConvGeometry deep(ConvGeometry g, int64_t d, int64_t k, int64_t stride = 1, int64_t pad = 0, int64_t dilation = 1) {
  g.d = d;
  g.kd = k;
  g.stride_d = stride;
  g.pad_d = pad;
  g.dilation_d = dilation;
  g.od = out_size(d, k, stride, pad, dilation);
  return g;
}

ConvGeometry random_geometry() {
  ConvGeometry g{};
  g.groups = pick(0, 3) == 0 ? pick(1, 4) : 1;
  const bool depthwise = pick(0, 7) == 0;
  g.n = pick(0, 9) == 0 ? 0 : pick(1, 5);
  g.c = g.groups * (depthwise ? 1 : pick(1, 7));
  g.o = g.groups * (depthwise ? pick(1, 2) : pick(1, 40));
  do {
    g.h = pick(1, 20);
    g.w = pick(1, 40);
    g.kh = pick(1, 5);
    g.kw = pick(1, 5);
    const bool plain = pick(0, 1);
    g.stride_h = plain ? 1 : pick(1, 3);
    g.stride_w = plain ? 1 : pick(1, 3);
    g.pad_h = pick(0, 1) * pick(0, 3);
    g.pad_w = pick(0, 1) * pick(0, 3);
    g.dilation_h = plain ? 1 : pick(1, 3);
    g.dilation_w = plain ? 1 : pick(1, 3);
    g.oh = out_size(g.h, g.kh, g.stride_h, g.pad_h, g.dilation_h);
    g.ow = out_size(g.w, g.kw, g.stride_w, g.pad_w, g.dilation_w);
    const bool flat = pick(0, 1);
    g = flat ? deep(g, 1, 1) : deep(g, pick(1, 6), pick(1, 3), pick(1, 3), pick(0, 2), pick(1, 2));
  } while (g.od == 0 || g.oh == 0 || g.ow == 0);
  return g;
}

template <class T>
constexpr DType dtype_of = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;

template <class T>
struct Case {
  ConvGeometry g;
  std::vector<T> x, w, b, bx, dy, y, dx, dw, db;

  explicit Case(const ConvGeometry& geometry) : g(geometry) {
    x = values(g.n * g.c * g.d * g.h * g.w);
    w = values(g.o * g.c / g.groups * g.kd * g.kh * g.kw);
    b = values(g.o);
    bx = values(g.c);
    dy = values(g.n * g.o * g.od * g.oh * g.ow);
    const T nan = std::numeric_limits<T>::quiet_NaN();
    y.assign(dy.size(), nan);
    dx.assign(x.size(), nan);
    dw.assign(w.size(), nan);
    db.assign(b.size(), nan);
  }

  static std::vector<T> values(int64_t n) {
    std::vector<T> v(static_cast<size_t>(n));
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (T& value : v) value = static_cast<T>(uniform(rng));
    return v;
  }

  void run(bool bias = true) {
    ConvArgs args{dtype_of<T>, g,        x.data(),  w.data(),  bias ? b.data() : nullptr,
                  dy.data(),   y.data(), dx.data(), dw.data(), bias ? db.data() : nullptr};
    kernels().conv_forward(args);
    kernels().conv_backward_weight(args);
    if (bias) args.bias = bx.data();
    kernels().conv_backward_input(args);
  }
};

// Sums of doubles must be exact enough to judge doubles by.
using Exact = long double;

struct Expected {
  std::vector<Exact> y, dx, dw, db;
};

template <class T>
Expected expected(const Case<T>& k, bool bias) {
  const ConvGeometry& g = k.g;
  Expected e{std::vector<Exact>(k.y.size()), std::vector<Exact>(k.dx.size()), std::vector<Exact>(k.dw.size()),
             std::vector<Exact>(k.db.size())};
  const int64_t per = g.c / g.groups, plane = g.d * g.h * g.w;
  for (size_t i = 0; bias && i < e.dx.size(); ++i) {
    e.dx[i] = static_cast<Exact>(k.bx[i / static_cast<size_t>(plane) % static_cast<size_t>(g.c)]);
  }
  size_t at = 0;
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t o = 0; o < g.o; ++o)
      for (int64_t z = 0; z < g.od; ++z)
        for (int64_t p = 0; p < g.oh; ++p)
          for (int64_t q = 0; q < g.ow; ++q, ++at) {
            const Exact dy = static_cast<Exact>(k.dy[at]);
            Exact sum = bias ? static_cast<Exact>(k.b[static_cast<size_t>(o)]) : 0;
            e.db[static_cast<size_t>(o)] += dy;
            for (int64_t l = 0; l < per * g.kd * g.kh * g.kw; ++l) {
              const int64_t c = l / (g.kd * g.kh * g.kw), a = l / (g.kh * g.kw) % g.kd, i = l / g.kw % g.kh;
              const int64_t slice = z * g.stride_d - g.pad_d + a * g.dilation_d;
              const int64_t row = p * g.stride_h - g.pad_h + i * g.dilation_h;
              const int64_t column = q * g.stride_w - g.pad_w + l % g.kw * g.dilation_w;
              if (slice < 0 || slice >= g.d || row < 0 || row >= g.h || column < 0 || column >= g.w) continue;
              const int64_t channel = n * g.c + o / (g.o / g.groups) * per + c;
              const auto in = static_cast<size_t>(channel * plane + (slice * g.h + row) * g.w + column);
              const auto weight = static_cast<size_t>(o * per * g.kd * g.kh * g.kw + l);
              sum += static_cast<Exact>(k.x[in]) * static_cast<Exact>(k.w[weight]);
              e.dx[in] += dy * static_cast<Exact>(k.w[weight]);
              e.dw[weight] += dy * static_cast<Exact>(k.x[in]);
            }
            e.y[at] = sum;
          }
  return e;
}

// Largest difference in units of what rounding may do to a sum of `terms` products below 1.
template <class T>
double error(const std::vector<T>& got, const std::vector<Exact>& want, int64_t terms) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(static_cast<Exact>(got[i]) - want[i]));
    if (!(difference <= worst)) worst = difference;
  }
  return worst / (static_cast<double>(std::numeric_limits<T>::epsilon()) * std::sqrt(static_cast<double>(terms) + 1));
}

template <class T>
void check(const ConvGeometry& g, bool bias = true) {
  Case<T> k(g);
  k.run(bias);
  const Expected e = expected(k, bias);
  CAPTURE(g.n);
  CAPTURE(g.c);
  CAPTURE(g.d);
  CAPTURE(g.h);
  CAPTURE(g.w);
  CAPTURE(g.o);
  CAPTURE(g.kd);
  CAPTURE(g.kh);
  CAPTURE(g.kw);
  CAPTURE(g.stride_d);
  CAPTURE(g.stride_h);
  CAPTURE(g.stride_w);
  CAPTURE(g.pad_d);
  CAPTURE(g.pad_h);
  CAPTURE(g.pad_w);
  CAPTURE(g.dilation_d);
  CAPTURE(g.dilation_h);
  CAPTURE(g.dilation_w);
  CAPTURE(g.groups);
  CHECK(error(k.y, e.y, g.c / g.groups * g.kd * g.kh * g.kw) <= 16);
  CHECK(error(k.dx, e.dx, g.o / g.groups * g.kd * g.kh * g.kw) <= 16);
  CHECK(error(k.dw, e.dw, g.n * g.od * g.oh * g.ow) <= 16);
  if (bias) CHECK(error(k.db, e.db, g.n * g.od * g.oh * g.ow) <= 16);
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
void check_thread_counts(const ConvGeometry& g) {
  const int before = num_threads();
  set_num_threads(1);
  Case<T> one(g);
  Case<T> first = one;
  first.run();
  for (int threads : {2, 3, 7}) {
    set_num_threads(threads);
    Case<T> more = one;
    more.run();
    CHECK(same(first.y, more.y));
    CHECK(same(first.dx, more.dx));
    CHECK(same(first.dw, more.dw));
    CHECK(same(first.db, more.db));
  }
  set_num_threads(before);
}

// Layers of LeNet and ResNet, 1x1, depthwise, sequences, volumes, and what is at the edge of each path.
std::vector<ConvGeometry> layers() {
  return {geometry(8, 1, 28, 28, 20, 5, 5),
          geometry(8, 20, 12, 12, 50, 5, 5),
          geometry(2, 3, 33, 35, 16, 7, 7, 2, 3),
          geometry(2, 16, 14, 14, 32, 3, 3, 1, 1),
          geometry(2, 32, 14, 14, 16, 1, 1),
          geometry(2, 32, 15, 15, 16, 1, 1, 2),
          geometry(2, 24, 14, 14, 24, 3, 3, 1, 1, 1, 24),
          geometry(2, 24, 15, 15, 48, 3, 3, 2, 1, 1, 24),
          geometry(3, 8, 12, 12, 8, 3, 3, 1, 2, 2),
          geometry(2, 12, 9, 9, 18, 3, 3, 1, 1, 1, 3),
          geometry(1, 96, 7, 7, 130, 3, 3, 1, 1),
          geometry(1, 1, 1, 200, 3, 1, 9),
          geometry(1, 2, 5, 5, 3, 5, 5),
          geometry(40, 3, 6, 6, 5, 3, 3),
          geometry(1, 300, 5, 5, 7, 2, 2),
          geometry(2, 3, 70, 66, 4, 3, 3, 1, 1),
          geometry(2, 5, 1, 3000, 7, 1, 9),
          geometry(2, 4, 1, 2001, 6, 1, 3, 2, 1, 3),
          deep(geometry(2, 16, 16, 16, 32, 3, 3, 1, 1), 8, 3, 1, 1),
          deep(geometry(2, 8, 9, 10, 12, 3, 3, 2, 1), 7, 3, 2, 1),
          deep(geometry(1, 12, 7, 7, 16, 1, 1), 9, 3, 1, 1, 2),
          deep(geometry(2, 12, 6, 6, 8, 1, 1), 5, 1),
          deep(geometry(2, 6, 8, 8, 9, 3, 3, 1, 1, 1, 3), 4, 1),
          deep(geometry(2, 6, 8, 8, 6, 3, 3, 1, 1, 1, 6), 4, 2)};
}

}  // namespace

TEST_CASE("convolution of random geometries equals plain loops") {
  for (int round = 0; round < 150; ++round) check<float>(random_geometry(), pick(0, 1));
  for (int round = 0; round < 60; ++round) check<double>(random_geometry(), pick(0, 1));
}

TEST_CASE("convolution of known layers equals plain loops, on one thread and three") {
  const int before = num_threads();
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    for (const ConvGeometry& g : layers()) {
      check<float>(g);
      check<double>(g);
    }
  }
  set_num_threads(before);
}

TEST_CASE("convolution does not depend on the number of threads") {
  for (const ConvGeometry& g : layers()) check_thread_counts<float>(g);
  for (int round = 0; round < 30; ++round) check_thread_counts<float>(random_geometry());
  for (int round = 0; round < 10; ++round) check_thread_counts<double>(random_geometry());
}

TEST_CASE("padding adds zero even beside NaN and infinity") {
  Case<float> k(geometry(1, 1, 3, 3, 1, 3, 3, 1, 1));
  k.x.assign(9, 1);
  k.x[4] = std::numeric_limits<float>::infinity();
  k.w.assign(9, 1);
  k.b.assign(1, 0);
  k.run();
  for (float v : k.y) CHECK(v == std::numeric_limits<float>::infinity());
}

TEST_CASE("the bias gradient of a long sum is accurate") {
  Case<float> k(geometry(64, 1, 128, 128, 1, 1, 1));
  k.dy.assign(k.dy.size(), 0.1f);
  k.run();
  CHECK(std::fabs(static_cast<double>(k.db[0]) - 0.1f * 1048576.0) < 0.1);
}
