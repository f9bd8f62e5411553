// Resampling against plain sums over taps, and sampling with its two gradients.
#include "core/args/resample.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/index_check.h"
#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

std::mt19937 rng(29);

int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(rng); }

template <class T>
constexpr DType dtype_of = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;

template <class T>
std::vector<T> numbers(int64_t n) {
  std::vector<T> values(static_cast<size_t>(n));
  for (T& v : values) v = static_cast<T>(pick(-8, 8));
  return values;
}

struct Axis {
  int64_t in, out, width;
  std::vector<int32_t> starts, counts;
  std::vector<double> weights;

  Axis(int64_t from, int64_t to, int64_t most, bool even) : in(from), out(to), width(std::min(from, most)) {
    for (int64_t i = 0; i < out; ++i) {
      const int64_t count = even ? width : pick(0, width);
      counts.push_back(static_cast<int32_t>(count));
      starts.push_back(static_cast<int32_t>(pick(0, in - count)));
      for (int64_t k = 0; k < width; ++k) weights.push_back(static_cast<double>(pick(-4, 4)) / 4);
    }
  }

  Taps taps() const { return {starts.data(), counts.data(), weights.data(), width}; }
};

// Sums of small fractions are exact, so that any order of adding gives the same.
template <class T>
void check(int64_t planes, const Axis* rows, const Axis* columns, int64_t h, int64_t w) {
  ResampleArgs a{};
  a.dtype = dtype_of<T>;
  a.planes = planes;
  a.h = h;
  a.w = w;
  a.oh = rows ? rows->out : h;
  a.ow = columns ? columns->out : w;
  if (rows) a.rows = rows->taps();
  if (columns) a.columns = columns->taps();
  const std::vector<T> x = numbers<T>(planes * h * w);
  std::vector<T> y(static_cast<size_t>(planes * a.oh * a.ow), T{99});
  a.x = x.data();
  a.y = y.data();
  kernels().resample(a);
  int wrong = 0;
  size_t at = 0;
  for (int64_t plane = 0; plane < planes; ++plane)
    for (int64_t i = 0; i < a.oh; ++i)
      for (int64_t j = 0; j < a.ow; ++j, ++at) {
        double sum = 0;
        const int64_t down = rows ? a.rows.counts[i] : 1, across = columns ? a.columns.counts[j] : 1;
        for (int64_t p = 0; p < down; ++p)
          for (int64_t q = 0; q < across; ++q) {
            const int64_t row = rows ? a.rows.starts[i] + p : i, column = columns ? a.columns.starts[j] + q : j;
            sum += (rows ? a.rows.weights[i * a.rows.width + p] : 1) *
                   (columns ? a.columns.weights[j * a.columns.width + q] : 1) *
                   static_cast<double>(x[static_cast<size_t>((plane * h + row) * w + column)]);
          }
        wrong += static_cast<double>(y[at]) != sum;
      }
  CAPTURE(h);
  CAPTURE(w);
  CAPTURE(a.oh);
  CAPTURE(a.ow);
  CHECK(wrong == 0);
}

template <class T>
struct Sample {
  int64_t n = pick(1, 3), c = pick(1, 5), size = pick(1, 40), taps = pick(1, 5), points = pick(1, 2000);
  std::vector<T> x = numbers<T>(n * c * size), y = numbers<T>(n * c * points), weights = numbers<T>(n * taps * points);
  std::vector<int32_t> places;

  Sample() {
    for (int64_t i = 0; i < n * taps * points; ++i) places.push_back(static_cast<int32_t>(pick(-1, size - 1)));
  }

  SampleArgs args() {
    return {dtype_of<T>, n, c, size, taps, points, x.data(), y.data(), places.data(), weights.data()};
  }

  // Calls f(element of x, of y, of weights) wherever there is a place.
  template <class F>
  void each(const F& f) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < taps; ++k)
        for (int64_t p = 0; p < points; ++p) {
          const size_t weight = static_cast<size_t>((i * taps + k) * points + p);
          if (places[weight] < 0) continue;
          for (int64_t j = 0; j < c; ++j)
            f(static_cast<size_t>((i * c + j) * size + places[weight]), static_cast<size_t>((i * c + j) * points + p),
              weight);
        }
  }
};

template <class T>
void check_sample() {
  Sample<T> s;
  std::vector<T> y(s.y.size(), T{0}), x(s.x.size(), T{0}), weights(s.weights.size(), T{0});
  s.each([&](size_t i, size_t j, size_t k) { y[j] += s.weights[k] * s.x[i]; });
  s.each([&](size_t i, size_t j, size_t k) { x[i] += s.weights[k] * s.y[j]; });
  s.each([&](size_t i, size_t j, size_t k) { weights[k] += s.x[i] * s.y[j]; });
  Sample<T> forward = s, scatter = s, dot = s;
  kernels().sample(forward.args());
  kernels().sample_scatter(scatter.args());
  kernels().sample_dot(dot.args());
  CHECK(forward.y == y);
  CHECK(scatter.x == x);
  CHECK(dot.weights == weights);
}

}  // namespace

TEST_CASE("resampling equals plain sums, along either axis or both") {
  for (int round = 0; round < 150; ++round) {
    const int64_t h = pick(1, 40), w = pick(1, 70), planes = pick(1, 4), width = pick(1, 9);
    const Axis rows(h, pick(1, 70), width, round % 2 == 0), columns(w, pick(1, 70), width, round % 3 == 0);
    check<float>(planes, &rows, &columns, h, w);
    check<double>(planes, &rows, &columns, h, w);
    check<float>(planes, &rows, nullptr, h, w);
    check<float>(planes, nullptr, &columns, h, w);
  }
}

TEST_CASE("resampling where one output row reads more than the cache holds, on three threads") {
  const int before = num_threads();
  set_num_threads(3);
  const Axis rows(300, 3, 300, true), columns(4, 1000, 2, true), narrow(300, 200, 200, false);
  check<float>(2, &rows, &columns, 300, 4);
  check<double>(2, &narrow, &columns, 300, 4);
  set_num_threads(before);
}

TEST_CASE("a place without a tap takes nothing from its neighbours") {
  const float infinite = std::numeric_limits<float>::infinity();
  const std::vector<float> x{infinite, 1, 2};
  const std::vector<int32_t> starts{0, 1, 2}, counts{1, 2, 0};
  const std::vector<double> weights{1, 0, 0.5, 0.5, 0, 0};
  std::vector<float> y(3, 99);
  ResampleArgs a{};
  a.dtype = DType::kFloat32;
  a.planes = a.h = a.oh = 1;
  a.w = a.ow = 3;
  a.columns = {starts.data(), counts.data(), weights.data(), 2};
  a.x = x.data();
  a.y = y.data();
  kernels().resample(a);
  CHECK(y == std::vector<float>{infinite, 1.5f, 0});
}

TEST_CASE("sampling and its gradients equal plain sums") {
  for (int round = 0; round < 40; ++round) {
    check_sample<float>();
    check_sample<double>();
  }
}

TEST_CASE("sampling refuses places outside the plane") {
  Sample<float> s;
  s.places.back() = static_cast<int32_t>(s.size);
  const std::vector<float> before = s.y;
  take_bad_index();
  kernels().sample(s.args());
  CHECK(take_bad_index() == static_cast<int64_t>(s.places.size()) - 1);
  CHECK(s.y == before);
}
