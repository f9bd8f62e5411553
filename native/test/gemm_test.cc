// Matrix products against plain loops in double, and bit for bit across thread counts.
#include "blas/gemm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/parallel.h"

using namespace chainrule;

namespace {

std::mt19937 rng(7);

int64_t pick(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(rng); }

template <class T>
constexpr DType dtype_of = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;
template <>
inline constexpr DType dtype_of<int32_t> = DType::kInt32;

template <class T>
std::vector<T> random_values(int64_t n) {
  std::vector<T> values(static_cast<size_t>(n));
  std::uniform_real_distribution<double> uniform(-2, 2);
  for (T& v : values) v = std::is_integral_v<T> ? static_cast<T>(pick(-1000, 1000)) : static_cast<T>(uniform(rng));
  return values;
}

// A product with its operands; rows have a few elements between them that must stay as they are.
template <class T>
struct Product {
  Gemm g;
  std::vector<T> a, b, c;

  Product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha = 1, double beta = 0, int64_t gap = 0) {
    const int64_t lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
    a = random_values<T>((ta ? k : m) * lda);
    b = random_values<T>((tb ? n : k) * ldb);
    c = random_values<T>(m * ldc);
    if (beta == 0 && !std::is_integral_v<T>) {
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) c[static_cast<size_t>(i * ldc + j)] = std::numeric_limits<T>::quiet_NaN();
    }
    g = {dtype_of<T>, ta, tb, m, n, k, a.data(), lda, b.data(), ldb, c.data(), ldc, alpha, beta};
  }

  // A copy has operands of its own.
  void run(void (*f)(const Gemm&)) {
    g.a = a.data();
    g.b = b.data();
    g.c = c.data();
    f(g);
  }
};

template <class T>
std::vector<double> expected(const Gemm& g, const std::vector<T>& before) {
  const T *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  std::vector<double> c(before.begin(), before.end());
  for (int64_t i = 0; i < g.m; ++i) {
    for (int64_t j = 0; j < g.n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < g.k; ++k) {
        sum += static_cast<double>(g.trans_a ? a[k * g.lda + i] : a[i * g.lda + k]) *
               static_cast<double>(g.trans_b ? b[j * g.ldb + k] : b[k * g.ldb + j]);
      }
      double& to = c[static_cast<size_t>(i * g.ldc + j)];
      to = g.alpha * sum + (g.beta == 0 ? 0 : g.beta * to);
    }
  }
  return c;
}

// Largest difference, in units of what rounding may do to a sum of k products of numbers below 2.
template <class T>
double error(const std::vector<T>& got, const std::vector<double>& want, int64_t k) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(got[i]) - want[i]);
    if (!(difference <= worst)) worst = difference;  // NaN stays
  }
  if (std::is_integral_v<T>) return worst;
  return worst / (static_cast<double>(std::numeric_limits<T>::epsilon()) * 4 * std::sqrt(static_cast<double>(k) + 1));
}

template <class T>
void check(void (*f)(const Gemm&), Product<T> p) {
  const auto want = expected(p.g, p.c);
  p.run(f);
  CAPTURE(p.g.m);
  CAPTURE(p.g.n);
  CAPTURE(p.g.k);
  CAPTURE(p.g.trans_a);
  CAPTURE(p.g.trans_b);
  CHECK(error(p.c, want, p.g.k) <= 16);
}

template <class T>
void check_many(void (*f)(const Gemm&), int rounds, int64_t most) {
  const double alphas[] = {1, 1, 2, -1}, betas[] = {0, 0, 1, 2};
  for (int round = 0; round < rounds; ++round) {
    const bool integral = std::is_integral_v<T>;
    const double alpha = integral ? 1 : alphas[pick(0, 3)], beta = integral ? double(pick(0, 1)) : betas[pick(0, 3)];
    check<T>(f,
             Product<T>(pick(0, 1), pick(0, 1), pick(0, most), pick(0, most), pick(0, most), alpha, beta, pick(0, 3)));
  }
}

template <class T>
std::vector<T> with_threads(int threads, Product<T> p) {
  const int before = num_threads();
  set_num_threads(threads);
  p.run(gemm);
  set_num_threads(before);
  return p.c;
}

template <class T>
void check_thread_counts(bool ta, bool tb, int64_t m, int64_t n, int64_t k) {
  const Product<T> p(ta, tb, m, n, k);
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  const auto one = with_threads<T>(1, p);
  for (int threads : {2, 3, 7}) {
    const auto more = with_threads<T>(threads, p);
    CHECK(std::memcmp(one.data(), more.data(), one.size() * sizeof(T)) == 0);
  }
}

struct Shape {
  int64_t m, n, k;
};

// Those of LeNet and of multilayer perceptrons, a few thin ones and vectors, some that are packed in several parts.
const Shape kShapes[] = {{64, 500, 800},  {500, 800, 64},  {64, 10, 500},   {10, 500, 64},   {64, 128, 784},
                         {1, 128, 784},   {20, 25, 36864}, {50, 500, 4096}, {36864, 20, 25}, {1, 1, 50000},
                         {1, 3000, 300},  {3000, 1, 300},  {300, 1, 3000},  {3, 3, 3000},    {257, 255, 129},
                         {1000, 7, 100},  {7, 1000, 100},  {512, 512, 64},  {1, 1100, 1000}, {1100, 1, 1000},
                         {2, 700, 900},   {700, 3, 900},   {1000, 10, 1},   {1000, 1, 6},    {10, 1, 1000},
                         {128, 784, 1},   {9, 200, 30},    {40, 33, 3},     {96, 300, 1100}, {60, 100, 513},
                         {530, 640, 270}, {640, 530, 270}};

}  // namespace

TEST_CASE("gemm_serial equals plain loops") {
  check_many<float>(gemm_serial, 400, 70);
  check_many<double>(gemm_serial, 200, 70);
  check_many<int32_t>(gemm_serial, 100, 30);
}

TEST_CASE("gemm on three threads equals plain loops") {
  const int before = num_threads();
  set_num_threads(3);
  check_many<float>(gemm, 60, 250);
  check_many<double>(gemm, 30, 250);
  check_many<int32_t>(gemm, 20, 150);
  for (const Shape& s : kShapes) {
    for (int t = 0; t < 4; ++t) check<float>(gemm, Product<float>(t & 1, t & 2, s.m, s.n, s.k));
  }
  set_num_threads(before);
}

TEST_CASE("gemm does not depend on the number of threads") {
  for (const Shape& s : kShapes) {
    for (int t = 0; t < 4; ++t) check_thread_counts<float>(t & 1, t & 2, s.m, s.n, s.k);
    check_thread_counts<double>(false, false, s.m, s.n, s.k);
  }
  for (int round = 0; round < 60; ++round) {
    check_thread_counts<float>(pick(0, 1), pick(0, 1), pick(1, 400), pick(1, 400), pick(1, 400));
  }
}

TEST_CASE("products too long for OpenBLAS's integers are done in pieces") {
  const auto in_pieces = [](const Gemm& g) { gemm_in_pieces(g, 20); };
  for (int round = 0; round < 60; ++round) {
    const double beta = static_cast<double>(pick(0, 2));
    check<float>(in_pieces,
                 Product<float>(pick(0, 1), pick(0, 1), pick(1, 50), pick(1, 50), pick(1, 50), 2, beta, pick(0, 3)));
  }
}

TEST_CASE("int32 products wrap around") {
  const int32_t a[] = {2147483647, 2}, b[] = {2, 2147483647};
  int32_t c[] = {0};
  gemm_serial({DType::kInt32, false, false, 1, 1, 2, a, 2, b, 1, c, 1, 1, 0});
  CHECK(c[0] == static_cast<int32_t>(4u * 2147483647u));
}

TEST_CASE("NaN and infinity reach the result") {
  for (int64_t size : {1, 5, 40}) {
    Product<float> p(false, false, size, size, size);
    p.a[0] = std::numeric_limits<float>::quiet_NaN();
    for (float& v : p.b) v = 0;
    p.run(gemm);
    for (int64_t j = 0; j < size; ++j) CHECK(std::isnan(p.c[static_cast<size_t>(j)]));
  }
}

TEST_CASE("gemm_batch broadcasts its batch dimensions and adds the bias") {
  for (int round = 0; round < 80; ++round) {
    const int64_t outer = pick(0, 5), inner = pick(1, 5), m = pick(0, 40), n = pick(1, 40), k = pick(0, 40);
    const bool spread_a = pick(0, 1), spread_b = pick(0, 1), with_bias = pick(0, 1);
    const auto a = random_values<float>((spread_a ? 1 : outer) * inner * m * k);
    const auto b = random_values<float>(outer * (spread_b ? 1 : inner) * k * n), bias = random_values<float>(n);
    std::vector<float> c(static_cast<size_t>(outer * inner * m * n), NAN);
    GemmBatchArgs args{};
    args.gemm = {DType::kFloat32, false, false, m, n, k, a.data(), k, b.data(), n, c.data(), n, 1, 0};
    args.ndim = 2;
    args.shape[0] = outer;
    args.shape[1] = inner;
    args.stride_a[0] = spread_a ? 0 : inner * m * k;
    args.stride_a[1] = m * k;
    args.stride_b[0] = (spread_b ? 1 : inner) * k * n;
    args.stride_b[1] = spread_b ? 0 : k * n;
    args.gemm.bias = with_bias ? bias.data() : nullptr;
    gemm_batch(args);
    std::vector<double> want;
    for (int64_t i = 0; i < outer * inner; ++i) {
      for (int64_t row = 0; row < m; ++row) {
        for (int64_t j = 0; j < n; ++j) {
          double sum = with_bias ? static_cast<double>(bias[static_cast<size_t>(j)]) : 0;
          const float* x = a.data() + (i / inner) * args.stride_a[0] + (i % inner) * args.stride_a[1] + row * k;
          const float* y = b.data() + (i / inner) * args.stride_b[0] + (i % inner) * args.stride_b[1] + j;
          for (int64_t l = 0; l < k; ++l) sum += static_cast<double>(x[l]) * static_cast<double>(y[l * n]);
          want.push_back(sum);
        }
      }
    }
    CHECK(error(c, want, k) <= 16);
  }
}
