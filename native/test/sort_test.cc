// Sorting, picking by rank, the order of rows, binary search and nonzero places against the standard library.
#include "core/args/sort.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "core/args/search.h"
#include "core/index_check.h"
#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

template <class T>
constexpr DType dtype_of() {
  if (sizeof(T) == 8) return DType::kFloat64;
  if (sizeof(T) == 1) return DType::kUint8;
  return static_cast<T>(0.5) != 0 ? DType::kFloat32 : DType::kInt32;
}

template <class T>
bool less(T a, T b) {
  return a < b || (a == a && b != b);
}

template <class T>
bool same(T a, T b) {
  return a == b ? std::signbit(static_cast<double>(a)) == std::signbit(static_cast<double>(b)) : a != a && b != b;
}

// Many equal elements, zeros of both signs, infinities and NaN.
template <class T>
std::vector<T> elements(int64_t n, bool few) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::vector<T> x(n);
  for (T& e : x) e = static_cast<T>(static_cast<double>(random() % (few ? 9 : 1u << 31)) - (sizeof(T) > 1 ? 4 : 0));
  if constexpr (static_cast<T>(0.5) != 0)
    for (int64_t i = 0; i + 4 < n; i += 11) {
      x[i] = std::numeric_limits<T>::quiet_NaN();
      x[i + 1] = -T(0);
      x[i + 2] = std::numeric_limits<T>::infinity() * (i % 2 ? 1 : -1);
      x[i + 3] = -x[i + 4] / 3;
    }
  return x;
}

template <class T>
void compare(int64_t outer, int64_t n, int64_t inner, bool few) {
  const DType dtype = dtype_of<T>();
  const int64_t size = outer * n * inner;
  const auto x = elements<T>(size, few);
  INFO("outer " << outer << " n " << n << " inner " << inner << " dtype " << static_cast<int>(dtype));
  for (int64_t k : {(n + 1) / 3, n < 10 ? n / 2 : int64_t{10}})
    for (bool descending : {false, true}) {
      std::vector<T> values(size + 1, 7), top(size + 1, 7), picked(outer * inner + 1, 7);
      std::vector<int32_t> places(size + 1, 7), top_places(size + 1, 7), picked_places(outer * inner + 1, 7);
      kernels().sort({dtype, outer, n, inner, descending, values.data(), places.data(), x.data()});
      kernels().topk(
          {dtype, outer, n, inner, k, descending, true, Rank::kGiven, top.data(), top_places.data(), x.data()});
      if (n > 0)
        kernels().kth(
            {dtype, outer, n, inner, k, false, false, Rank::kGiven, picked.data(), picked_places.data(), x.data()});
      int64_t wrong = 0;
      for (int64_t o = 0; o < outer; ++o) {
        for (int64_t i = 0; i < inner; ++i) {
          const auto at = [&](int64_t p, int64_t count) { return (o * count + p) * inner + i; };
          std::vector<int32_t> order(n);
          std::iota(order.begin(), order.end(), 0);
          std::stable_sort(order.begin(), order.end(), [&](int32_t p, int32_t q) {
            return descending ? less(x[at(q, n)], x[at(p, n)]) : less(x[at(p, n)], x[at(q, n)]);
          });
          for (int64_t p = 0; p < n; ++p) {
            wrong += places[at(p, n)] != order[p] || !same(values[at(p, n)], x[at(order[p], n)]);
            if (p < k) wrong += top_places[at(p, k)] != order[p] || !same(top[at(p, k)], x[at(order[p], n)]);
          }
          if (!descending && n > 0)
            wrong += picked_places[at(0, 1)] != order[k] || !same(picked[at(0, 1)], x[at(order[k], n)]);
        }
      }
      CHECK(wrong == 0);
      CHECK(values.back() == 7);
      CHECK(places.back() == 7);
      CHECK(top[outer * k * inner] == 7);
      CHECK(picked.back() == 7);
    }
}

}  // namespace

TEST_CASE("sorting and ranks equal the standard library's") {
  const int before = num_threads();
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    struct Sizes {
      int64_t outer, n, inner;
    };
    for (const Sizes& s : {Sizes{1, 1, 1}, Sizes{0, 5, 2}, Sizes{4, 0, 2}, Sizes{3, 2, 5}, Sizes{70, 16, 1},
                           Sizes{9, 33, 1}, Sizes{2, 100, 37}, Sizes{3, 1024, 1}, Sizes{2, 1025, 3}, Sizes{1, 5000, 20},
                           Sizes{1, 300000, 1}, Sizes{1, 600000, 1}})
      for (bool few : {false, true}) {
        compare<float>(s.outer, s.n, s.inner, few);
        compare<double>(s.outer, s.n, s.inner, few);
        compare<int32_t>(s.outer, s.n, s.inner, few);
        compare<uint8_t>(s.outer, s.n, s.inner, few);
      }
  }
  set_num_threads(before);
}

TEST_CASE("medians and NaN") {
  const auto pick = [](std::vector<float> x, Rank rank) {
    float value = 7;
    int32_t place = 7;
    const int64_t n = static_cast<int64_t>(x.size());
    kernels().kth({DType::kFloat32, 1, n, 1, 0, false, false, rank, &value, &place, x.data()});
    return std::pair<float, int32_t>(value, place);
  };
  CHECK(pick({4, 1, 3, 2}, Rank::kMedian) == std::pair<float, int32_t>(2, 3));
  CHECK(std::isnan(pick({4, NAN, 3, NAN}, Rank::kMedian).first));
  CHECK(pick({4, NAN, 3, NAN}, Rank::kMedian).second == 1);
  CHECK(pick({4, NAN, 3, NAN}, Rank::kNanMedian) == std::pair<float, int32_t>(3, 2));
  CHECK(std::isnan(pick({NAN, NAN}, Rank::kNanMedian).first));
  CHECK(pick({NAN, NAN}, Rank::kNanMedian).second == 0);
}

TEST_CASE("rows in lexicographic order") {
  std::mt19937 random(3);
  for (int64_t rows : {0, 1, 2, 7, 1000, 5000}) {
    for (int64_t columns : {0, 1, 3}) {
      std::vector<int32_t> x(rows * columns), order(rows), places(rows + 1, 7);
      for (int32_t& e : x) e = static_cast<int32_t>(random() % 5) - 2;
      kernels().row_order({DType::kInt32, rows, columns, places.data(), x.data()});
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int32_t p, int32_t q) {
        return std::lexicographical_compare(x.begin() + p * columns, x.begin() + (p + 1) * columns,
                                            x.begin() + q * columns, x.begin() + (q + 1) * columns);
      });
      order.push_back(7);
      CHECK(places == order);
    }
  }
}

TEST_CASE("binary search equals the standard library's, and refuses bad sorters") {
  std::mt19937 random(4);
  for (int64_t n : {0, 1, 2, 17, 1000}) {
    std::vector<double> row(n), values(5000);
    for (double& e : row) e = random() % 500;
    for (double& e : values) e = random() % 500;
    std::vector<int32_t> sorter(n), y(values.size() + 1, 7), sorted_y(values.size() + 1, 7);
    std::iota(sorter.begin(), sorter.end(), 0);
    std::sort(sorter.begin(), sorter.end(), [&](int32_t p, int32_t q) { return row[p] < row[q]; });
    std::vector<double> sorted(row);
    std::sort(sorted.begin(), sorted.end());
    const int64_t m = static_cast<int64_t>(values.size());
    for (bool right : {false, true}) {
      take_bad_index();
      kernels().searchsorted({DType::kFloat64, 1, n, m, right, y.data(), row.data(), values.data(), sorter.data()});
      CHECK(take_bad_index() == -1);
      kernels().searchsorted({DType::kFloat64, 1, n, m, right, sorted_y.data(), sorted.data(), values.data(), nullptr});
      int64_t wrong = 0;
      for (int64_t i = 0; i < m; ++i) {
        const auto want = right ? std::upper_bound(sorted.begin(), sorted.end(), values[i])
                                : std::lower_bound(sorted.begin(), sorted.end(), values[i]);
        wrong += y[i] != want - sorted.begin() || sorted_y[i] != want - sorted.begin();
      }
      CHECK(wrong == 0);
      CHECK(y.back() == 7);
    }
    if (n == 0) continue;
    sorter[n / 2] = static_cast<int32_t>(n);
    const auto before = y;
    kernels().searchsorted({DType::kFloat64, 1, n, m, false, y.data(), row.data(), values.data(), sorter.data()});
    CHECK(take_bad_index() == n / 2);
    CHECK(y == before);
  }
}

TEST_CASE("nonzero places, also of fewer or more rows than there are") {
  std::mt19937 random(6);
  const int before = num_threads();
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    for (int64_t n : {0, 1, 5, 40000, 300000}) {
      NonzeroArgs args{};
      args.dtype = DType::kUint8;
      args.ndim = n % 5 == 0 && n > 0 ? 3 : 1;
      args.n = n;
      if (args.ndim == 3) {
        args.shape[0] = n / 5;
        args.shape[1] = 1;
        args.shape[2] = 5;
      } else {
        args.shape[0] = n;
      }
      std::vector<uint8_t> x(n);
      for (uint8_t& e : x) e = random() % 3 == 0;
      std::vector<int32_t> want;
      for (int64_t i = 0; i < n; ++i) {
        if (!x[i]) continue;
        if (args.ndim == 3) want.insert(want.end(), {static_cast<int32_t>(i / 5), 0, static_cast<int32_t>(i % 5)});
        if (args.ndim == 1) want.push_back(static_cast<int32_t>(i));
      }
      const int64_t found = static_cast<int64_t>(want.size()) / args.ndim;
      for (int64_t rows : {found, found / 2, n}) {
        std::vector<int32_t> y(rows * args.ndim + 1, 7), expected(want);
        expected.resize(rows * args.ndim);
        expected.push_back(7);
        args.rows = rows;
        args.y = y.data();
        args.x = x.data();
        kernels().nonzero(args);
        CHECK(y == expected);
      }
    }
  }
  set_num_threads(before);
}
