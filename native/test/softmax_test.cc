// softmax and log-softmax against plain loops in float64, at every length around a vector's.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

enum { kSoftmax = 0, kLogSoftmax = 1 };

template <class T>
struct Run {
  std::vector<T> y, dx;
};

template <class T>
Run<T> run(int kernel, int64_t outer, int64_t n, int64_t inner, const std::vector<T>& x, const std::vector<T>& dy) {
  const int dtype = sizeof(T) == 8;
  Run<T> r{std::vector<T>(x.size() + 1, 7), std::vector<T>(x.size() + 1, 7)};
  kernels().softmax.kernels[kernel].forward[dtype]({outer, n, inner, r.y.data(), x.data(), nullptr});
  kernels().softmax.kernels[kernel].backward[dtype]({outer, n, inner, r.dx.data(), dy.data(), r.y.data()});
  CHECK(r.y.back() == 7);
  CHECK(r.dx.back() == 7);
  return r;
}

template <class T>
void compare(int kernel, int64_t outer, int64_t n, int64_t inner) {
  const double eps = sizeof(T) == 8 ? 2e-15 : 1e-6;
  std::mt19937 random(static_cast<unsigned>(n * 31 + inner));
  std::normal_distribution<T> normal(0, 3);
  std::vector<T> x(outer * n * inner), dy(x.size());
  for (T& e : x) e = normal(random);
  for (T& e : dy) e = normal(random);
  const Run<T> r = run(kernel, outer, n, inner, x, dy);
  double worst = 0;
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      const auto at = [&](int64_t k) { return (o * n + k) * inner + i; };
      double most = -INFINITY, sum = 0, dot = 0;
      for (int64_t k = 0; k < n; ++k) most = std::fmax(most, x[at(k)]);
      for (int64_t k = 0; k < n; ++k) sum += std::exp(x[at(k)] - most);
      for (int64_t k = 0; k < n; ++k) dot += kernel == kSoftmax ? double(dy[at(k)]) * r.y[at(k)] : double(dy[at(k)]);
      for (int64_t k = 0; k < n; ++k) {
        const double y = kernel == kSoftmax ? std::exp(x[at(k)] - most) / sum : x[at(k)] - most - std::log(sum);
        const double got = r.y[at(k)];
        const double dx = kernel == kSoftmax ? got * (dy[at(k)] - dot) : dy[at(k)] - std::exp(got) * dot;
        worst = std::fmax(worst, std::abs(got - y) / (kernel == kSoftmax ? 5 * y : 1 + std::abs(y)));
        worst = std::fmax(worst, std::abs(r.dx[at(k)] - dx) / (10 + std::abs(dot)));
      }
    }
  }
  INFO("n " << n << " inner " << inner);
  CHECK(worst < eps);
}

}  // namespace

TEST_CASE("softmax equals plain loops") {
  for (int kernel : {kSoftmax, kLogSoftmax}) {
    for (int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 1000}) {
      for (int64_t inner : {1, 3, 16, 17, 300}) {
        compare<float>(kernel, n > 100 ? 2 : 67, n, inner);
        compare<double>(kernel, 3, n, inner);
      }
    }
    compare<float>(kernel, 2, 5, 1500);
  }
}

TEST_CASE("softmax of infinities and NaN") {
  const float inf = INFINITY;
  const std::vector<float> dy(40);
  for (int64_t n : {3, 40}) {
    std::vector<float> x(n, -inf);
    CHECK(std::isnan(run(kSoftmax, 1, n, 1, x, dy).y[0]));
    x[1] = 2;
    const auto one = run(kSoftmax, 1, n, 1, x, dy).y;
    CHECK(one[0] == 0);
    CHECK(one[1] == 1);
    const auto log_one = run(kLogSoftmax, 1, n, 1, x, dy).y;
    CHECK(log_one[0] == -inf);
    CHECK(log_one[1] == 0);
    x[2] = NAN;
    CHECK(std::isnan(run(kSoftmax, 1, n, 1, x, dy).y[1]));
    x[2] = 1e30f;
    CHECK(run(kSoftmax, 1, n, 1, x, dy).y[2] == 1);
  }
}

TEST_CASE("a softmax row does not depend on its neighbours or on threads") {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const int before = num_threads();
  for (int64_t n : {10, 77, 1000}) {
    const int64_t outer = 200000 / n;
    std::vector<float> x(outer * n), dy(outer * n);
    for (float& e : x) e = normal(random);
    for (float& e : dy) e = normal(random);
    set_num_threads(1);
    const auto one = run(kLogSoftmax, outer, n, 1, x, dy);
    set_num_threads(3);
    const auto more = run(kLogSoftmax, outer, n, 1, x, dy);
    CHECK(one.y == more.y);
    CHECK(one.dx == more.dx);
    const std::vector<float> row(x.end() - n, x.end()), dy_row(dy.end() - n, dy.end());
    const auto alone = run(kLogSoftmax, 1, n, 1, row, dy_row);
    CHECK(std::memcmp(alone.y.data(), one.y.data() + (outer - 1) * n, n * sizeof(float)) == 0);
    CHECK(std::memcmp(alone.dx.data(), one.dx.data() + (outer - 1) * n, n * sizeof(float)) == 0);
  }
  set_num_threads(before);
}
