// Unary kernels, y = f(x, p0, p1), and tests, y = is(x); one line here is the whole of a kernel.
#include "kernels/capability.h"
//
#include "kernels/erf.h"
#include "kernels/math.h"
#include "kernels/rows.h"
#include "kernels/special.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

using uint = uint32_t;  // integers wrap around in it

// F: float types alone, the expression on vectors V. I: int32, uint8 and bool's bytes too, the second expression on
// single values T. Signs of zero: floor and the like keep that of x, as IEEE has it and xsimd's baseline does not.
#define CHAINRULE_UNARY(F, I)                                                                              \
  I(neg, math::negate(x), T(0u - uint(x)))                                                                 \
  I(abs, xsimd::abs(x), x < 0 ? T(0u - uint(x)) : x)                                                       \
  I(square, x* x, T(uint(x) * uint(x)))                                                                    \
  I(sign, math::sign(x), T((x > 0) - (x < 0)))                                                             \
  I(relu, xsimd::select(x <= V(0), V(0), x), x < 0 ? T(0) : x)                                             \
  I(floor, math::with_sign(xsimd::floor(x), x), x)                                                         \
  I(ceil, math::with_sign(xsimd::ceil(x), x), x)                                                           \
  I(round, math::with_sign(xsimd::nearbyint(x), x), x)                                                     \
  I(trunc, math::with_sign(xsimd::trunc(x), x), x)                                                         \
  F(frac, x - math::with_sign(xsimd::trunc(x), x))                                                         \
  F(sqrt, xsimd::sqrt(x))                                                                                  \
  F(rsqrt, V(1) / xsimd::sqrt(x))                                                                          \
  F(reciprocal, V(1) / x)                                                                                  \
  F(exp, math::exp(x))                                                                                     \
  F(exp2, math::exp2(x))                                                                                   \
  F(expm1, math::expm1(x))                                                                                 \
  F(log, math::log(x))                                                                                     \
  F(log2, math::log2(x))                                                                                   \
  F(log10, math::log10(x))                                                                                 \
  F(log1p, math::log1p(x))                                                                                 \
  F(sin, math::sin(x))                                                                                     \
  F(cos, math::cos(x))                                                                                     \
  F(tan, math::tan(x))                                                                                     \
  F(asin, xsimd::asin(x))                                                                                  \
  F(acos, xsimd::acos(x))                                                                                  \
  F(atan, xsimd::atan(x))                                                                                  \
  F(sinh, xsimd::sinh(x))                                                                                  \
  F(cosh, xsimd::cosh(x))                                                                                  \
  F(tanh, math::tanh(x))                                                                                   \
  F(asinh, xsimd::asinh(x))                                                                                \
  F(acosh, math::acosh(x))                                                                                 \
  F(atanh, xsimd::atanh(x))                                                                                \
  F(sigmoid, math::sigmoid(x))                                                                             \
  F(log_sigmoid, math::log_sigmoid(x))                                                                     \
  F(leaky_relu, xsimd::select(x > V(0), x, x * p0))                                                        \
  F(elu, xsimd::select(x > V(0), x, p0 * math::expm1(x)))                                                  \
  F(softplus, xsimd::select(x* p0 > p1, x, math::log1p(math::exp(x * p0)) / p0))                           \
  F(silu, x* math::sigmoid(x))                                                                             \
  F(gelu, math::gelu(x, p0))                                                                               \
  F(erf, math::erf(x))                                                                                     \
  F(erfc, math::erfc(x))                                                                                   \
  F(lgamma, math::by_lane(x, [](T a) { return math::libm::lgamma(a); }))                                   \
  F(erfinv, math::by_lane(x, [](T a) { return T(special::erfinv(double(a))); }))                           \
  F(digamma, math::by_lane(x, [](T a) { return T(special::digamma(double(a))); }))                         \
  F(polygamma, math::by_lane(x, p0, [](T a, T n) { return T(special::polygamma(double(a), double(n))); })) \
  F(i0, math::by_lane(x, [](T a) { return T(special::bessel_i0(double(a))); }))                            \
  F(i1, math::by_lane(x, [](T a) { return T(special::bessel_i1(double(a))); }))                            \
  F(mantissa, math::by_lane(x, [](T a) { return T(special::mantissa(double(a))); }))                       \
  F(exponent, math::by_lane(x, [](T a) { return T(special::exponent(double(a))); }))                       \
  F(clamp, xsimd::select(x < p0, p0, xsimd::select(x > p1, p1, x)))

namespace functors {
#define CHAINRULE_FLOAT(name, expression)                            \
  struct name {                                                      \
    template <class V>                                               \
    static V of(V x, [[maybe_unused]] V p0, [[maybe_unused]] V p1) { \
      using T [[maybe_unused]] = typename V::value_type;             \
      return expression;                                             \
    }                                                                \
  };
#define CHAINRULE_ALL(name, expression, integer)                     \
  struct name {                                                      \
    template <class V>                                               \
    static V of(V x, [[maybe_unused]] V p0, [[maybe_unused]] V p1) { \
      return expression;                                             \
    }                                                                \
    template <class T>                                               \
    static T of(T x) {                                               \
      return integer;                                                \
    }                                                                \
  };
CHAINRULE_UNARY(CHAINRULE_FLOAT, CHAINRULE_ALL)
}  // namespace functors

#define CHAINRULE_NAME(name, ...) #name,
const char* const kUnaryNames[] = {CHAINRULE_UNARY(CHAINRULE_NAME, CHAINRULE_NAME)};

#define CHAINRULE_FLOAT_ROW(name, ...) {unary_vectors<functors::name, float>, unary_vectors<functors::name, double>},
#define CHAINRULE_ALL_ROW(name, ...)                                            \
  {unary_vectors<functors::name, float>, unary_vectors<functors::name, double>, \
   unary_values<functors::name, int32_t, int32_t>, unary_values<functors::name, uint8_t, uint8_t>},
constexpr RowFunction kUnaryRows[][kDTypes] = {CHAINRULE_UNARY(CHAINRULE_FLOAT_ROW, CHAINRULE_ALL_ROW)};

// Tests write bool; x is one value of any dtype, bool as its byte.
#define CHAINRULE_TEST(K)         \
  K(is_nan, x != x)               \
  K(is_inf, x - x != 0 && x == x) \
  K(is_finite, x - x == 0)        \
  K(logical_not, x == 0)

namespace tests {
#define CHAINRULE_TEST_FUNCTOR(name, expression) \
  struct name {                                  \
    template <class T>                           \
    static uint8_t of(T x) {                     \
      return expression;                         \
    }                                            \
  };
CHAINRULE_TEST(CHAINRULE_TEST_FUNCTOR)
}  // namespace tests

const char* const kTestNames[] = {CHAINRULE_TEST(CHAINRULE_NAME)};

#define CHAINRULE_TEST_ROW(name, ...)                                                        \
  {unary_values<tests::name, float, uint8_t>, unary_values<tests::name, double, uint8_t>,    \
   unary_values<tests::name, int32_t, uint8_t>, unary_values<tests::name, uint8_t, uint8_t>, \
   unary_values<tests::name, uint8_t, uint8_t>},
constexpr RowFunction kTestRows[][kDTypes] = {CHAINRULE_TEST(CHAINRULE_TEST_ROW)};

}  // namespace

void fill_unary(Table& table) {
  table.unary = {kUnaryNames, sizeof kUnaryRows / sizeof *kUnaryRows, kUnaryRows};
  table.test = {kTestNames, sizeof kTestRows / sizeof *kTestRows, kTestRows};
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
