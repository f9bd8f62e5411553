// Running sums and the like against plain loops; threads and what comes later change nothing.
#include "core/args/scan.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

struct Sizes {
  int64_t outer, n, inner;
  int64_t elements() const { return outer * n * inner; }
};

template <class T>
constexpr DType dtype_of() {
  if (sizeof(T) == 8) return DType::kFloat64;
  if (sizeof(T) == 1) return DType::kUint8;
  return static_cast<T>(0.5) != 0 ? DType::kFloat32 : DType::kInt32;
}

template <class T>
struct Result {
  std::vector<T> y;
  std::vector<int32_t> places;
};

template <class T>
Result<T> run(Kernel<ScanArgs> kernel, const Sizes& s, bool reverse, const std::vector<T>& x,
              const std::vector<T>* a = nullptr) {
  Result<T> r{std::vector<T>(s.elements() + 1, 7), std::vector<int32_t>(s.elements() + 1, 7)};
  kernel(
      {dtype_of<T>(), s.outer, s.n, s.inner, reverse, r.y.data(), r.places.data(), x.data(), a ? a->data() : nullptr});
  CHECK(r.y.back() == 7);
  CHECK(r.places.back() == 7);
  return r;
}

// Calls step(at, previous, k) for all elements in the order of the scan; previous is -1 at the start of a line.
template <class F>
void walk(const Sizes& s, bool reverse, const F& step) {
  for (int64_t o = 0; o < s.outer; ++o)
    for (int64_t i = 0; i < s.inner; ++i)
      for (int64_t k = 0; k < s.n; ++k) {
        const auto at = [&](int64_t p) { return (o * s.n + (reverse ? s.n - 1 - p : p)) * s.inner + i; };
        step(at(k), k == 0 ? -1 : at(k - 1), reverse ? s.n - 1 - k : k);
      }
}

template <class T>
void compare(const Sizes& s, bool reverse) {
  std::mt19937 random(static_cast<unsigned>(s.n * 31 + s.inner));
  std::normal_distribution<double> normal;
  std::vector<T> x(s.elements()), a(s.elements());
  for (T& e : x) e = static_cast<T>(4 * normal(random));
  for (T& e : a) e = static_cast<T>(0.9 * std::tanh(normal(random)));
  constexpr bool kFloat = static_cast<T>(0.5) != 0;
  const double eps = sizeof(T) == 8 ? 1e-12 : 1e-6;
  INFO("outer " << s.outer << " n " << s.n << " inner " << s.inner << " reverse " << reverse);

  if constexpr (sizeof(T) > 1) {
    std::vector<double> sum(x.size());
    const auto y = run(kernels().cumsum, s, reverse, x).y;
    double worst = 0, scale = 1;
    walk(s, reverse, [&](int64_t at, int64_t before, int64_t) {
      sum[at] = (before < 0 ? 0 : sum[before]) + static_cast<double>(x[at]);
      scale = std::fmax(scale, std::abs(sum[at]));
      worst = std::fmax(worst, std::abs(sum[at] - static_cast<double>(y[at])));
    });
    CHECK(worst <= eps * scale);
  }
  if constexpr (kFloat) {
    std::vector<T> near(x);
    for (T& e : near) e = 1 + e / 1000;
    const auto product = run(kernels().cumprod, s, reverse, near).y;
    const auto logs = run(kernels().logcumsumexp, s, reverse, x).y;
    const auto chain = run(kernels().recurrence, s, reverse, x, &a).y;
    std::vector<double> want(x.size()), log_want(x.size()), chain_want(x.size());
    double worst = 0;
    walk(s, reverse, [&](int64_t at, int64_t before, int64_t) {
      want[at] = (before < 0 ? 1 : want[before]) * near[at];
      log_want[at] = before < 0 ? double(x[at])
                                : std::fmax(log_want[before], double(x[at])) +
                                      std::log1p(std::exp(-std::abs(log_want[before] - x[at])));
      chain_want[at] = x[at] + (before < 0 ? 0 : a[reverse ? before : at] * chain_want[before]);
      worst = std::fmax(worst, std::abs(product[at] / want[at] - 1));
      worst = std::fmax(worst, std::abs(logs[at] - log_want[at]) / (1 + std::abs(log_want[at])));
      worst = std::fmax(worst, std::abs(chain[at] - chain_want[at]) / (1 + std::abs(chain_want[at])));
    });
    CHECK(worst <= eps * 10);
  }
  for (bool most : {true, false}) {
    const auto r = run(most ? kernels().cummax : kernels().cummin, s, reverse, x);
    std::vector<int64_t> place(x.size());
    std::vector<T> best(x.size());
    int64_t wrong = 0;
    walk(s, reverse, [&](int64_t at, int64_t before, int64_t k) {
      const bool takes = before < 0 || (most ? x[at] >= best[before] : x[at] <= best[before]);
      best[at] = takes ? x[at] : best[before];
      place[at] = takes ? k : place[before];
      wrong += r.y[at] != best[at] || r.places[at] != place[at];
    });
    CHECK(wrong == 0);
  }
}

}  // namespace

TEST_CASE("scans equal plain loops") {
  const int before = num_threads();
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    for (const Sizes& s :
         {Sizes{1, 1, 1}, Sizes{0, 3, 2}, Sizes{3, 0, 2}, Sizes{2, 3, 0}, Sizes{5, 17, 1}, Sizes{2, 9, 7},
          Sizes{1, 40, 65}, Sizes{300, 33, 1}, Sizes{2, 65537, 1}, Sizes{1, 200000, 1}, Sizes{1, 5000, 130}})
      for (bool reverse : {false, true}) {
        compare<float>(s, reverse);
        compare<double>(s, reverse);
        compare<int32_t>(s, reverse);
        compare<uint8_t>(s, reverse);
      }
  }
  set_num_threads(before);
}

TEST_CASE("a running sum depends on nothing but what it adds up") {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> x(300000);
  for (float& e : x) e = normal(random);
  const int before = num_threads();
  set_num_threads(1);
  const auto one = run(kernels().cumsum, {1, 300000, 1}, false, x).y;
  set_num_threads(3);
  const auto three = run(kernels().cumsum, {1, 300000, 1}, false, x).y;
  set_num_threads(before);
  CHECK(one == three);
  const std::vector<float> part(x.begin(), x.begin() + 200001);
  const auto shorter = run(kernels().cumsum, {1, 200001, 1}, false, part).y;
  CHECK(std::equal(shorter.begin(), shorter.end() - 1, one.begin()));
}

TEST_CASE("running extremes of NaN, logarithms of sums of infinities") {
  const float inf = INFINITY;
  const std::vector<float> x{1, NAN, 5, NAN, 2};
  const auto most = run(kernels().cummax, {1, 5, 1}, false, x);
  CHECK(most.y[0] == 1);
  for (int i = 1; i < 5; ++i) CHECK(std::isnan(most.y[i]));
  CHECK(std::vector<int32_t>(most.places.begin(), most.places.end() - 1) == std::vector<int32_t>{0, 1, 1, 3, 3});
  const std::vector<float> v{-inf, -inf, 1000, 1000, inf, inf};
  const auto logs = run(kernels().logcumsumexp, {1, 6, 1}, false, v).y;
  CHECK(logs[1] == -inf);
  CHECK(logs[2] == 1000);
  CHECK(logs[3] == doctest::Approx(1000 + std::log(2.0)));
  CHECK(logs[5] == inf);
  std::vector<float> many(200000, -inf);
  many[150000] = 3;
  const auto late = run(kernels().logcumsumexp, {1, 200000, 1}, false, many).y;
  CHECK(late[149999] == -inf);
  CHECK(late[199999] == 3);
}
