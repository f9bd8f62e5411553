// Linear algebra against its own definitions, on many threads at once, and with what LAPACK might choke on.
#include "blas/linalg.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "core/parallel.h"

using namespace chainrule;

namespace {

template <class T>
constexpr DType dtype_of = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;

template <class T>
std::vector<T> random_values(int64_t n, unsigned seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> values(static_cast<size_t>(n));
  for (T& v : values) v = static_cast<T>(uniform(rng));
  return values;
}

template <class T>
std::vector<T> product(const std::vector<T>& a, const std::vector<T>& b, int64_t m, int64_t n, int64_t k) {
  std::vector<T> c(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t l = 0; l < k; ++l)
      for (int64_t j = 0; j < n; ++j)
        c[static_cast<size_t>(i * n + j)] += a[static_cast<size_t>(i * k + l)] * b[static_cast<size_t>(l * n + j)];
  return c;
}

template <class T>
std::vector<T> transposed(const std::vector<T>& a, int64_t m, int64_t n) {
  std::vector<T> t(a.size());
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) t[static_cast<size_t>(j * m + i)] = a[static_cast<size_t>(i * n + j)];
  return t;
}

template <class T>
double distance(const std::vector<T>& a, const std::vector<T>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

// Everything one call of each function writes, for one batch of square matrices.
template <class T>
struct Everything {
  int64_t batch, n;
  std::vector<T> a, spd, x[12];
  std::vector<int32_t> info, pivots;

  Everything(int64_t batch, int64_t n, unsigned seed) : batch(batch), n(n), a(random_values<T>(batch * n * n, seed)) {
    for (int64_t i = 0; i < batch; ++i) {
      const std::vector<T> one(a.begin() + i * n * n, a.begin() + (i + 1) * n * n);
      auto square = product(one, transposed(one, n, n), n, n, n);
      for (int64_t j = 0; j < n; ++j) square[static_cast<size_t>(j * n + j)] += static_cast<T>(n);
      spd.insert(spd.end(), square.begin(), square.end());
    }
    for (auto& v : x) v.assign(a.size(), 0);
    info.assign(static_cast<size_t>(batch), 0);
    pivots.assign(static_cast<size_t>(batch * n), 0);
  }

  LinalgArgs args(const std::vector<T>& from) {
    LinalgArgs r{};
    r.dtype = dtype_of<T>;
    r.batch = batch;
    r.m = r.n = r.k = n;
    r.rcond = 1e-6;
    r.a = from.data();
    r.b = a.data();
    r.info = info.data();
    r.pivots = pivots.data();
    return r;
  }

  void run() {
    LinalgArgs r = args(a);
    r.x = x[0].data();
    linalg_inverse(r);
    r.x = x[1].data();
    linalg_solve(r);
    r.x = x[2].data();
    linalg_cholesky([&] {
      LinalgArgs c = r;
      c.a = spd.data();
      return c;
    }());
    r.x = x[3].data();
    r.y = x[4].data();
    linalg_qr(r);
    r.x = x[5].data();
    r.y = x[6].data();
    r.z = x[7].data();
    r.mode = 1;
    linalg_svd(r);
    r.x = x[8].data();
    r.y = x[9].data();
    linalg_eigh(r);
    r.x = x[10].data();
    r.y = x[11].data();
    linalg_lstsq(r);
  }
};

template <class T>
void check_definitions(int64_t n) {
  Everything<T> e(3, n, 5);
  e.run();
  const double most = static_cast<double>(std::numeric_limits<T>::epsilon()) * 2000 * static_cast<double>(n);
  CAPTURE(n);
  const auto of = [&](const std::vector<T>& v, int64_t size) {
    return std::vector<T>(v.begin() + size * 2, v.begin() + size * 3);  // the last of the batch
  };
  const int64_t size = n * n;
  const auto a = of(e.a, size), l = of(e.x[2], size), q = of(e.x[3], size), u = of(e.x[5], size);
  auto eye = product(a, of(e.x[0], size), n, n, n);
  for (int64_t i = 0; i < n; ++i) eye[static_cast<size_t>(i * n + i)] -= 1;
  CHECK(distance(eye, std::vector<T>(eye.size())) < most);
  CHECK(distance(product(a, of(e.x[1], size), n, n, n), a) < most);
  CHECK(distance(product(l, transposed(l, n, n), n, n, n), of(e.spd, size)) < most);
  CHECK(distance(product(q, of(e.x[4], size), n, n, n), a) < most);
  auto us = u;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) us[static_cast<size_t>(i * n + j)] *= e.x[6][static_cast<size_t>(2 * n + j)];
  CHECK(distance(product(us, of(e.x[7], size), n, n, n), a) < most);
  // The lower triangle, made symmetric, times its vectors.
  auto symmetric = a;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j) symmetric[static_cast<size_t>(i * n + j)] = a[static_cast<size_t>(j * n + i)];
  auto scaled = of(e.x[9], size);
  const auto vectors = scaled;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) scaled[static_cast<size_t>(i * n + j)] *= e.x[8][static_cast<size_t>(2 * n + j)];
  CHECK(distance(product(symmetric, vectors, n, n, n), scaled) < most);
}

template <class T>
bool same_bits(const Everything<T>& p, const Everything<T>& q) {
  for (int i = 0; i < 12; ++i)
    if (std::memcmp(p.x[i].data(), q.x[i].data(), p.x[i].size() * sizeof(T)) != 0) return false;
  return true;
}

}  // namespace

TEST_CASE("factors multiply to what was factored") {
  for (int64_t n : {1, 2, 5, 33, 70}) {
    check_definitions<double>(n);
    check_definitions<float>(n);
  }
}

TEST_CASE("linear algebra does not depend on the number of threads") {
  const int before = num_threads();
  set_num_threads(1);
  Everything<float> one(24, 40, 3);
  one.run();
  for (int threads : {2, 5}) {
    set_num_threads(threads);
    Everything<float> more(24, 40, 3);
    more.run();
    CHECK(same_bits(one, more));
  }
  set_num_threads(before);
}

TEST_CASE("LAPACK is safe under concurrent callers") {
  Everything<double> small(1, 24, 9), large(1, 110, 9);
  small.run();
  large.run();
  std::vector<int> wrong(6);
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 30; ++round) {
        Everything<double> a(1, 24, 9);
        a.run();
        if (!same_bits(a, small)) ++wrong[static_cast<size_t>(t)];
        if (round % 6 != 0) continue;
        Everything<double> b(1, 110, 9);
        b.run();
        if (!same_bits(b, large)) ++wrong[static_cast<size_t>(t)];
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (int count : wrong) CHECK(count == 0);
}

TEST_CASE("NaN and infinity come to an end at every place") {
  constexpr int64_t n = 6;
  for (double poison : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e300}) {
    for (size_t place = 0; place < n * n; ++place) {
      Everything<double> e(1, n, 11);
      e.a[place] = e.spd[place] = poison;
      e.run();
      LinalgArgs svd = e.args(e.a);
      svd.x = e.x[5].data();
      svd.y = e.x[6].data();
      svd.z = e.x[7].data();
      svd.mode = 2;
      linalg_svd(svd);
      CHECK(e.info[0] == (std::isfinite(poison) ? 0 : kLinalgNotFinite));
    }
  }
}

TEST_CASE("NaN leaves nothing of an inverse or a solution") {
  constexpr int64_t n = 5;
  for (size_t place = 0; place < n * n; ++place) {
    Everything<float> e(1, n, 11);
    e.a[place] = std::numeric_limits<float>::quiet_NaN();
    e.run();
    for (size_t i = 0; i < n * n; ++i) CHECK((std::isnan(e.x[0][i]) && std::isnan(e.x[1][i])));
  }
}

TEST_CASE("singular and indefinite matrices say where") {
  double a[8] = {1, 2, 2, 4, 1, 0, 0, 1}, x[8];
  int32_t info[2];
  LinalgArgs args{};
  args.dtype = DType::kFloat64;
  args.batch = 2;
  args.m = args.n = 2;
  args.a = a;
  args.x = x;
  args.info = info;
  linalg_inverse(args);
  CHECK(info[0] == 2);
  CHECK(info[1] == 0);
  CHECK(std::isnan(x[0]));
  CHECK(x[4] == 1);
  a[3] = 1;
  linalg_cholesky(args);
  CHECK(info[0] == 2);
  CHECK(info[1] == 0);
}

TEST_CASE("bad pivots are noticed") {
  double lu[4] = {1, 0, 0, 1}, b[2] = {1, 2}, x[2] = {0, 0};
  int32_t pivots[2] = {1, 3}, info[1];
  LinalgArgs args{};
  args.dtype = DType::kFloat64;
  args.batch = 1;
  args.n = 2;
  args.k = 1;
  args.a = lu;
  args.b = b;
  args.x = x;
  args.pivots = pivots;
  args.info = info;
  linalg_lu_solve(args);
  CHECK(info[0] == kLinalgBadPivot);
}
