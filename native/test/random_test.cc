// Random numbers: the published answers of Philox4x32-10, ranges, moments, independence of length and threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

#define CHAINRULE_CAPABILITY test_of_philox
#include "kernels/philox.h"

using namespace chainrule;

namespace {

struct State {
  uint32_t words[4] = {1234, 5678, 0xfffffff0, 0};
};

template <class T>
std::vector<T> draw(const char* name, DType dtype, int64_t n, double p0, double p1, State& state) {
  const RandomFamily& family = kernels().random;
  std::vector<T> y(n);
  for (int k = 0; k < family.count; ++k) {
    if (std::strcmp(family.names[k], name) != 0) continue;
    family.kernels[k][static_cast<int>(dtype)]({dtype, n, y.data(), p0, p1, state.words});
  }
  return y;
}

template <class T>
std::vector<T> draw(const char* name, DType dtype, int64_t n, double p0, double p1) {
  State state;
  return draw<T>(name, dtype, n, p0, p1, state);
}

void moments(const std::vector<double>& y, double mean, double variance) {
  const double n = static_cast<double>(y.size());
  const double m = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double v = 0;
  for (double x : y) v += (x - m) * (x - m) / n;
  CHECK(std::abs(m - mean) < 5 * std::sqrt(variance / n));
  CHECK(std::abs(v / variance - 1) < 5 * std::sqrt(2 / n));
}

}  // namespace

// Random123's kat_vectors.
TEST_CASE("Philox4x32-10 gives its known answers") {
  struct {
    uint32_t counter[4], key[2], answer[4];
  } rows[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (auto& row : rows) {
    test_of_philox::encrypt(row.counter, row.key[0], row.key[1]);
    for (int i = 0; i < 4; ++i) CHECK(row.counter[i] == row.answer[i]);
  }
  State zero{{0, 0, 0, 0}};
  const auto words = draw<double>("integers", DType::kFloat64, 4, 0, 4294967296.0, zero);
  for (int i = 0; i < 4; ++i) CHECK(words[i] == rows[0].answer[i]);
}

TEST_CASE("the counter advances by the blocks used, over 32 bits") {
  State state;
  draw<float>("uniform", DType::kFloat32, 65, 0, 1, state);  // 17 blocks
  CHECK(state.words[2] == 1);
  CHECK(state.words[3] == 1);
  draw<double>("uniform", DType::kFloat64, 65, 0, 1, state);  // 33 blocks
  CHECK(state.words[2] == 34);
}

TEST_CASE("a value depends on its place, not on the length or the threads") {
  const int64_t n = 100003;
  const int before = num_threads();
  for (const char* name : {"uniform", "normal", "bernoulli", "integers", "exponential", "gumbel"}) {
    set_num_threads(1);
    const auto y = draw<float>(name, DType::kFloat32, n, 0.25, 7.25);
    set_num_threads(2);
    CHECK(y == draw<float>(name, DType::kFloat32, n, 0.25, 7.25));
    for (int64_t length : {1, 3, 257, 1025})
      CHECK(std::vector<float>(y.begin(), y.begin() + length) ==
            draw<float>(name, DType::kFloat32, length, 0.25, 7.25));
    // From a later counter on, the later values.
    State later;
    later.words[2] += 5;
    const auto rest = draw<float>(name, DType::kFloat32, 100, 0.25, 7.25, later);
    CHECK(std::vector<float>(y.begin() + 20, y.begin() + 120) == rest);
  }
  set_num_threads(before);
}

TEST_CASE("moments and ranges") {
  const int64_t n = 1 << 20;
  moments(draw<double>("uniform", DType::kFloat64, n, -1, 3), 1, 16.0 / 12);
  moments(draw<double>("normal", DType::kFloat64, n, 2, 3), 2, 9);
  moments(draw<double>("bernoulli", DType::kFloat64, n, 0.3, 0), 0.3, 0.21);
  const double pi = 3.14159265358979323846, euler = 0.57721566490153286061;
  // The variance of these has a wider spread than that of the normal numbers the bounds are made for.
  const auto e = draw<double>("exponential", DType::kFloat64, n, 4, 0);
  CHECK(std::abs(std::accumulate(e.begin(), e.end(), 0.0) / n - 0.25) < 5 * 0.25 / std::sqrt(n));
  const auto g = draw<double>("gumbel", DType::kFloat64, n, 1, 2);
  CHECK(std::abs(std::accumulate(g.begin(), g.end(), 0.0) / n - (1 + 2 * euler)) <
        5 * 2 * pi / std::sqrt(6.0) / std::sqrt(n));
  for (float x : draw<float>("exponential", DType::kFloat32, n, 1, 0)) REQUIRE((x > 0 && x < 30));
  for (float x : draw<float>("gumbel", DType::kFloat32, n, 0, 1)) REQUIRE((x > -4 && x < 30));
  moments(draw<double>("integers", DType::kFloat64, n, -5, 5), -0.5, 99.0 / 12);
  for (float x : draw<float>("uniform", DType::kFloat32, n, 1e8, 1e8 + 8)) REQUIRE((x >= 1e8f && x < 1e8f + 8));
  for (uint8_t x : draw<uint8_t>("integers", DType::kUint8, n, 3, 6)) REQUIRE((x >= 3 && x < 6));
  for (uint8_t x : draw<uint8_t>("bernoulli", DType::kBool, 1000, 1, 0)) REQUIRE(x == 1);
  for (uint8_t x : draw<uint8_t>("bernoulli", DType::kBool, 1000, 0, 0)) REQUIRE(x == 0);
  // A range that leaves a quarter of the words over: a modulo would favour its lower third.
  int64_t low = 0;
  for (double x : draw<double>("integers", DType::kFloat64, n, 0, 3221225472.0)) low += x < 1073741824;
  CHECK(std::abs(static_cast<double>(low) - n / 3.0) < 5 * std::sqrt(n * 2.0 / 9));
}

TEST_CASE("permutations hold every number once") {
  for (int64_t n : {1, 2, 5, 1023, 1024, 5000}) {
    State state;
    std::vector<int32_t> y(n);
    kernels().randperm({DType::kInt32, n, y.data(), 0, 0, state.words});
    CHECK(std::set<int32_t>(y.begin(), y.end()).size() == static_cast<size_t>(n));
    CHECK(*std::max_element(y.begin(), y.end()) == n - 1);
  }
}

TEST_CASE("dropout keeps, scales, and remembers its mask") {
  const int64_t n = 100000;
  std::vector<float> x(n, 3), y(n), dx(n);
  std::vector<uint8_t> mask(n);
  State state;
  kernels().dropout({DType::kFloat32, n, y.data(), mask.data(), x.data(), 0.25, state.words});
  int64_t kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    REQUIRE(y[i] == (mask[i] ? 4.0f : 0.0f));
    kept += mask[i];
  }
  CHECK(std::abs(static_cast<double>(kept) / n - 0.75) < 0.01);
  kernels().dropout({DType::kFloat32, n, dx.data(), mask.data(), x.data(), 0.25, nullptr});
  CHECK(dx == y);
  kernels().dropout({DType::kFloat32, n, y.data(), mask.data(), x.data(), 1, state.words});
  CHECK(*std::max_element(y.begin(), y.end()) == 0);
}
