// gather, scatters, indexSelect, indexAdd, indexCopy against plain loops; bad indices touch nothing; threads change
// nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "core/index_check.h"
#include "core/parallel.h"
#include "core/range_check.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

struct Sizes {
  int64_t outer, n, count, inner;
};

template <class T>
std::vector<T> random_elements(std::mt19937& random, int64_t n) {
  std::vector<T> x(n);
  for (T& e : x) e = static_cast<T>(static_cast<int>(random() % 100));
  return x;
}

template <class T>
void write(T& y, T x, Scatter kind) {
  // The product of many integers leaves its type: unsigned, it wraps.
  if (kind == Scatter::kReplace) y = x;
  if (kind == Scatter::kMultiply) {
    if constexpr (std::is_integral_v<T>)
      y = static_cast<T>(static_cast<uint32_t>(y) * static_cast<uint32_t>(x));
    else
      y *= x;
  }
  if (kind == Scatter::kMax) y = std::max(y, x);
  if (kind == Scatter::kMin) y = std::min(y, x);
}

// Long products of floats overflow, and infinity times 0 is NaN.
template <class T>
bool same(T a, T b) {
  return a == b || (a != a && b != b);
}

template <class T>
void compare(DType dtype, const Sizes& s) {
  std::mt19937 random(static_cast<unsigned>(s.count + s.inner));
  for (bool by_element : {true, false}) {
    std::vector<int32_t> index(by_element ? s.outer * s.count * s.inner : s.count);
    for (int32_t& i : index) i = static_cast<int32_t>(random() % (2 * s.n)) - static_cast<int32_t>(s.n);
    const auto whole = random_elements<T>(random, s.outer * s.n * s.inner);
    const auto picked = random_elements<T>(random, s.outer * s.count * s.inner);
    auto read = picked, added = whole, want_read = picked, want_added = whole;
    for (int64_t p = 0; p < static_cast<int64_t>(picked.size()); ++p) {
      const int64_t i = p % s.inner, j = p / s.inner % s.count, o = p / s.inner / s.count;
      const int64_t t = index[by_element ? p : j], row = t < 0 ? t + s.n : t;
      const int64_t q = (o * s.n + row) * s.inner + i;
      want_read[p] = whole[q];
      want_added[q] = static_cast<T>(want_added[q] + picked[p]);
    }
    const Table& k = kernels();
    take_bad_index();
    (by_element ? k.gather
                : k.index_select)({dtype, s.outer, s.n, s.count, s.inner, read.data(), whole.data(), index.data()});
    (by_element ? k.scatter_add
                : k.index_add)({dtype, s.outer, s.n, s.count, s.inner, added.data(), picked.data(), index.data()});
    CHECK(take_bad_index() == -1);
    CHECK(read == want_read);
    CHECK(added == want_added);
    for (int kind = 0; kind < (by_element ? kScatters : 1); ++kind) {
      auto got = whole, want = whole;
      for (int64_t p = 0; p < static_cast<int64_t>(picked.size()); ++p) {
        const int64_t i = p % s.inner, j = p / s.inner % s.count, o = p / s.inner / s.count;
        const int64_t t = index[by_element ? p : j], row = t < 0 ? t + s.n : t;
        write(want[(o * s.n + row) * s.inner + i], picked[p], static_cast<Scatter>(kind));
      }
      (by_element ? k.scatter[kind]
                  : k.index_copy)({dtype, s.outer, s.n, s.count, s.inner, got.data(), picked.data(), index.data()});
      CHECK(std::equal(got.begin(), got.end(), want.begin(), same<T>));
    }
    if (index.empty()) continue;
    index[index.size() / 2] = static_cast<int32_t>(s.n);
    const auto before = added;
    (by_element ? k.scatter_add
                : k.index_add)({dtype, s.outer, s.n, s.count, s.inner, added.data(), picked.data(), index.data()});
    CHECK(take_bad_index() == static_cast<int64_t>(index.size() / 2));
    CHECK(added == before);
  }
}

}  // namespace

TEST_CASE("indexing equals plain loops") {
  const int before = num_threads();
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    for (const Sizes& s :
         {Sizes{1, 5, 7, 1}, Sizes{3, 4, 6, 5}, Sizes{2, 3, 0, 4}, Sizes{0, 3, 2, 4}, Sizes{1, 300, 3000, 128},
          Sizes{40, 9, 50, 33}, Sizes{1, 1000, 100000, 1}, Sizes{2, 10, 700, 100}}) {
      compare<float>(DType::kFloat32, s);
      compare<double>(DType::kFloat64, s);
      compare<int32_t>(DType::kInt32, s);
      compare<uint8_t>(DType::kUint8, s);
    }
  }
  set_num_threads(before);
}

TEST_CASE("indices that may not wrap are bad below 0") {
  const std::vector<int32_t> index{1, -1};
  const std::vector<float> x(2, 1.0f);
  std::vector<float> y(2, 0.0f);
  take_bad_index();
  kernels().index_copy({DType::kFloat32, 1, 2, 2, 1, y.data(), x.data(), index.data(), false});
  CHECK(take_bad_index() == 1);
  CHECK(y == std::vector<float>(2, 0.0f));
}

TEST_CASE("the first bad index of many is found") {
  std::vector<int32_t> index(1000000, 3);
  CHECK(check_indices(index.data(), 1000000, 0, 4, kNoneIgnored));
  index[999999] = 4;
  index[700000] = -1;
  index[700001] = -2;
  take_bad_index();
  CHECK(!check_indices(index.data(), 1000000, 0, 4, kNoneIgnored));
  CHECK(take_bad_index() == 700000);
  CHECK(!check_indices(index.data(), 1000000, 0, 4, -1));
  CHECK(take_bad_index() == 700001);
  CHECK(!check_indices(index.data(), 1, 0, 0, kNoneIgnored));
  CHECK(take_bad_index() == 0);
}

TEST_CASE_TEMPLATE("check_range finds the first element outside, for any thread count", T, float, double, int32_t,
                   uint8_t) {
  const DType dtype = std::is_same_v<T, float>     ? DType::kFloat32
                      : std::is_same_v<T, double>  ? DType::kFloat64
                      : std::is_same_v<T, int32_t> ? DType::kInt32
                                                   : DType::kUint8;
  std::mt19937 random(5);
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const int64_t n : {int64_t{0}, int64_t{1}, int64_t{255}, int64_t{257}, int64_t{100000}}) {
      std::vector<T> x = random_elements<T>(random, n);
      RangeArgs args{dtype, n, x.data(), 0, 99};
      check_range(args);
      CHECK(take_bad_index() == -1);
      for (const int64_t place : {n - 1, n / 2, n / 3}) {
        if (place < 0 || place >= n) continue;
        x[place] = T{101};
        check_range(args);
        CHECK(take_bad_index() == place);
      }
    }
  }
  set_num_threads(before);
}

TEST_CASE("check_range: bounds belong to the range, NaN is not outside") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double x[] = {0, 1, nan, -0.0, 1.0000001};
  check_range({DType::kFloat64, 4, x, 0, 1});
  CHECK(take_bad_index() == -1);
  check_range({DType::kFloat64, 5, x, 0, 1});
  CHECK(take_bad_index() == 4);
}
