// Accuracy of the unary and binary kernels against long double, special values, and lanes that do not see each other.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/table.h"

using namespace chainrule;

namespace {

using Wide = long double;

template <class T>
struct Float;
template <>
struct Float<float> {
  using Bits = uint32_t;
  static constexpr int kDigits = 24, kMinExponent = -125, kDType = 0;
};
template <>
struct Float<double> {
  using Bits = uint64_t;
  static constexpr int kDigits = 53, kMinExponent = -1021, kDType = 1;
};

Wide sigmoid(Wide x) { return 1 / (1 + std::exp(-x)); }

struct UnaryRow {
  const char* name;
  double most_float, most_double;  // units in the last place
  Wide (*reference)(Wide);
};

// Measured worst cases are at most 0.3 below these.
const UnaryRow kUnary[] = {
    {"neg", 0, 0, [](Wide x) { return -x; }},
    {"sqrt", 0.5, 0.5, [](Wide x) { return std::sqrt(x); }},
    {"rsqrt", 1.5, 1.5, [](Wide x) { return 1 / std::sqrt(x); }},
    {"exp", 1.6, 1.2, [](Wide x) { return std::exp(x); }},
    {"exp2", 1.6, 1.2, [](Wide x) { return std::exp2(x); }},
    {"expm1", 2.1, 2.1, [](Wide x) { return std::expm1(x); }},
    {"log", 1, 1, [](Wide x) { return std::log(x); }},
    {"log2", 1.8, 1.2, [](Wide x) { return std::log2(x); }},
    {"log10", 1.2, 1.2, [](Wide x) { return std::log10(x); }},
    {"log1p", 1, 1, [](Wide x) { return std::log1p(x); }},
    {"sin", 2, 2.3, [](Wide x) { return std::sin(x); }},
    {"cos", 2, 2.3, [](Wide x) { return std::cos(x); }},
    {"tan", 3.2, 3, [](Wide x) { return std::tan(x); }},
    {"asin", 2.3, 1.5, [](Wide x) { return std::asin(x); }},
    {"acos", 1.5, 1.5, [](Wide x) { return std::acos(x); }},
    {"atan", 2.4, 2.2, [](Wide x) { return std::atan(x); }},
    {"sinh", 2.6, 2.2, [](Wide x) { return std::sinh(x); }},
    {"cosh", 2.6, 2.2, [](Wide x) { return std::cosh(x); }},
    {"tanh", 1.5, 1.5, [](Wide x) { return std::tanh(x); }},
    {"asinh", 3.6, 2, [](Wide x) { return std::asinh(x); }},
    {"acosh", 2, 2.2, [](Wide x) { return std::acosh(x); }},
    {"atanh", 2, 2, [](Wide x) { return std::atanh(x); }},
    {"sigmoid", 2.5, 2.5, sigmoid},
    {"log_sigmoid", 2, 2, [](Wide x) { return std::fmin(x, Wide{0}) - std::log1p(std::exp(-std::fabs(x))); }},
    {"softplus", 2.1, 2, [](Wide x) { return x > 20 ? x : std::log1p(std::exp(x)); }},
    {"elu", 2.1, 2.1, [](Wide x) { return x > 0 ? x : std::expm1(x); }},
    {"erf", 2.6, 1.2, [](Wide x) { return std::erf(x); }},
    {"erfc", 2.7, 3, [](Wide x) { return std::erfc(x); }},
    {"floor", 0, 0, [](Wide x) { return std::floor(x); }},
    {"ceil", 0, 0, [](Wide x) { return std::ceil(x); }},
    {"round", 0, 0, [](Wide x) { return std::nearbyint(x); }},
    {"trunc", 0, 0, [](Wide x) { return std::trunc(x); }},
};

struct BinaryRow {
  const char* name;
  double most_float, most_double;
  Wide (*reference)(Wide, Wide);
};

const BinaryRow kBinary[] = {
    {"pow", 0.6, 1, [](Wide a, Wide b) { return std::pow(a, b); }},
    {"fmod", 0, 0, [](Wide a, Wide b) { return std::fmod(a, b); }},
    {"atan2", 2.8, 2.8, [](Wide a, Wide b) { return std::atan2(a, b); }},
    {"hypot", 0.6, 1, [](Wide a, Wide b) { return std::hypot(a, b); }},
    {"xlogy", 2, 2, [](Wide a, Wide b) { return a == 0 && b == b ? 0 : a * std::log(b); }},
    {"maximum", 0, 0, [](Wide a, Wide b) { return a != a   ? a
                                                  : b != b ? b
                                                  : a > b  ? a
                                                           : b; }},
    {"minimum", 0, 0, [](Wide a, Wide b) { return a != a   ? a
                                                  : b != b ? b
                                                  : a < b  ? a
                                                           : b; }},
    {"fmax", 0, 0, [](Wide a, Wide b) { return std::fmax(a, b); }},
};

int find(const RowFamily& family, const char* name) {
  for (int k = 0; k < family.count; ++k)
    if (std::strcmp(family.names[k], name) == 0) return k;
  FAIL(name);
  return 0;
}

// Distance in units of the exact result, infinite where one is not a number or infinite and the other not.
template <class T>
double units(T got, Wide exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded) || std::isnan(got)) return std::isnan(rounded) && std::isnan(got) ? 0 : INFINITY;
  if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : INFINITY;
  int exponent = 0;
  std::frexp(exact, &exponent);
  if (exact == 0 || exponent < Float<T>::kMinExponent) exponent = Float<T>::kMinExponent;
  return static_cast<double>(std::fabs(got - exact) / std::ldexp(Wide{1}, exponent - Float<T>::kDigits));
}

const double kSpecial[] = {0.0,   -0.0,    1,       -1,    2,      0.5,    -0.5,   3,    INFINITY, -INFINITY, NAN,
                           1e-40, -1e-310, 88.7228, -87.5, -103.9, 709.78, -744.9, 1e30, 7,        -20};

// All kinds of numbers: any bits, moderate ones, special ones.
template <class T>
T any_number(uint64_t& seed) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  const uint64_t kind = seed >> 8 & 7;
  if (kind == 0) return static_cast<T>(kSpecial[(seed >> 16) % (sizeof kSpecial / sizeof *kSpecial)]);
  if (kind == 1) {
    const auto bits = static_cast<typename Float<T>::Bits>(seed * 0x9E3779B97F4A7C15);
    T x;
    std::memcpy(&x, &bits, sizeof x);
    // A signalling NaN is made quiet: libm answers pow(sNaN, 0) with NaN.
    return std::isnan(x) ? static_cast<T>(NAN) : x;
  }
  const double unit = static_cast<double>(static_cast<int64_t>(seed)) / 9.3e18;
  if (kind == 2) return static_cast<T>(std::floor(unit * 40));
  return static_cast<T>(unit * (kind == 3 ? 800 : kind == 4 ? 100 : 10));
}

template <class T>
void check_unary() {
  const int n = 40000;
  uint64_t seed = 88172645463325252;
  std::vector<T> x(n), y(n);
  for (T& v : x) v = any_number<T>(seed);
  const double p[2] = {1, 20};
  const int64_t step[1] = {1};
  for (const UnaryRow& row : kUnary) {
    const RowFunction f = kernels().unary.rows[find(kernels().unary, row.name)][Float<T>::kDType];
    const void* from[1] = {x.data()};
    f(y.data(), from, step, n, p);
    double worst = 0;
    int at = 0, zeros = 0, seen = 0;
    for (int i = 0; i < n; ++i) {
      const Wide exact = row.reference(x[i]);
      const double u = units(y[i], exact);
      if (u > worst) at = i;
      worst = std::fmax(worst, u);
      // The sign of an exact zero; log_sigmoid and softplus come near 0 instead.
      zeros += exact == 0 && x[i] == 0 && std::signbit(exact) != std::signbit(y[i]);
      T alone;
      const void* one[1] = {&x[i]};
      f(&alone, one, step, 1, p);
      seen += std::memcmp(&alone, &y[i], sizeof alone) != 0 && !(std::isnan(alone) && std::isnan(y[i]));
    }
    CAPTURE(std::string(row.name));
    CAPTURE(x[at]);
    CHECK(worst <= (sizeof(T) == 4 ? row.most_float : row.most_double));
    CHECK(zeros == 0);
    CHECK(seen == 0);
  }
}

template <class T>
void check_binary() {
  const int n = 40000;
  uint64_t seed = 1181783497276652981;
  std::vector<T> a(n), b(n), y(n);
  for (int i = 0; i < n; ++i) {
    a[i] = any_number<T>(seed);
    b[i] = any_number<T>(seed);
  }
  const double p[2] = {0, 0};
  const int64_t step[2] = {1, 1}, first[2] = {1, 0};
  for (const BinaryRow& row : kBinary) {
    const RowFunction f = kernels().binary.rows[find(kernels().binary, row.name)][Float<T>::kDType];
    const void* from[2] = {a.data(), b.data()};
    f(y.data(), from, step, n, p);
    double worst = 0;
    int at = 0, seen = 0;
    for (int i = 0; i < n; ++i) {
      const double u = units(y[i], row.reference(a[i], b[i]));
      if (u > worst) at = i;
      worst = std::fmax(worst, u);
      T alone[3], row_of_a[3] = {a[i], 1, 2};
      const void* one[2] = {row_of_a, &b[i]};
      f(alone, one, first, 3, p);
      seen += std::memcmp(alone, &y[i], sizeof(T)) != 0 && !(std::isnan(alone[0]) && std::isnan(y[i]));
    }
    CAPTURE(std::string(row.name));
    CAPTURE(a[at]);
    CAPTURE(b[at]);
    CHECK(worst <= (sizeof(T) == 4 ? row.most_float : row.most_double));
    CHECK(seen == 0);
  }
}

}  // namespace

TEST_CASE("unary kernels: accuracy, zeros, lanes") {
  check_unary<float>();
  check_unary<double>();
}

TEST_CASE("binary kernels: accuracy, lanes") {
  check_binary<float>();
  check_binary<double>();
}
