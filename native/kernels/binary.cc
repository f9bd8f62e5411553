// Binary kernels, y = f(a, b); one line here is the whole of a kernel.
#include "kernels/capability.h"
//
#include "kernels/erf.h"
#include "kernels/math.h"
#include "kernels/pairs.h"
#include "kernels/rows.h"
#include "kernels/special.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

using uint = uint32_t;  // integers wrap around in it

// Truncated and floored division that never traps: 0 for a divisor of 0, and the most negative number stays itself over
// -1.
template <class T>
T divide(T a, T b) {
  return b == 0 ? T(0) : b == T(-1) && T(-1) < 0 ? T(0u - uint(a)) : T(a / b);
}

template <class T>
T modulo(T a, T b) {
  return b == 0 || (b == T(-1) && T(-1) < 0) ? T(0) : T(a % b);
}

template <class T>
T floored(T a, T b) {
  const T q = divide(a, b);
  return T(q - (modulo(a, b) != 0 && (a < 0) != (b < 0)));
}

template <class T>
T floor_modulo(T a, T b) {
  const T r = modulo(a, b);
  return r != 0 && (a < 0) != (b < 0) ? T(r + b) : r;
}

// Wraps around; a negative power is 0 but for bases 1 and -1.
template <class T>
T power(T a, T b) {
  if (b < 0) return a == 1 ? T(1) : a == T(-1) ? (b & 1 ? a : T(1)) : T(0);
  uint result = 1, base = uint(a);
  for (uint n = uint(b); n != 0; n >>= 1) {
    if (n & 1) result *= base;
    base *= base;
  }
  return T(result);
}

// Euclid's algorithm on absolute values; 0 with 0 gives 0.
template <class T>
uint divisor(T a, T b) {
  uint x = a < 0 ? 0u - uint(a) : uint(a), y = b < 0 ? 0u - uint(b) : uint(b);
  while (y != 0) {
    const uint rest = x % y;
    x = y;
    y = rest;
  }
  return x;
}

template <class T>
T multiple(T a, T b) {
  const uint common = divisor(a, b);
  const uint y = common == 0 ? 0 : (a < 0 ? 0u - uint(a) : uint(a)) / common * uint(b);
  return T(b < 0 ? 0u - y : y);
}

// A count of bits outside 0 .. width - 1 shifts everything out: 0, or the sign to the right.
template <class T>
T shifted_left(T a, T n) {
  return n < 0 || n >= T(8 * sizeof(T)) ? T(0) : T(uint(a) << uint(n));
}

template <class T>
T shifted_right(T a, T n) {
  return n < 0 || n >= T(8 * sizeof(T)) ? T(a < 0 ? -1 : 0) : T(a >> n);
}

// F: float types alone, the expression on vectors V. I: int32 and uint8 too, the second expression on single values T.
// B: bool too, where the second expression's result counts as true when it is not 0. N: int32 and uint8 alone. L: these
// and bool.
#define CHAINRULE_BINARY(F, I, B, N, L)                                                               \
  B(add, a + b, T(uint(a) + uint(b)))                                                                 \
  I(sub, a - b, T(uint(a) - uint(b)))                                                                 \
  B(mul, a* b, T(uint(a) * uint(b)))                                                                  \
  F(div, a / b)                                                                                       \
  B(maximum, xsimd::select(xsimd::isnan(a), a, xsimd::select(a > b, a, b)), a > b ? a : b)            \
  B(minimum, xsimd::select(xsimd::isnan(a), a, xsimd::select(a < b, a, b)), a < b ? a : b)            \
  B(fmax, xsimd::select(xsimd::isnan(b), a, xsimd::select(a > b, a, b)), a > b ? a : b)               \
  B(fmin, xsimd::select(xsimd::isnan(b), a, xsimd::select(a < b, a, b)), a < b ? a : b)               \
  I(pow, math::pow(a, b), power(a, b))                                                                \
  I(fmod, math::fmod(a, b), modulo(a, b))                                                             \
  I(remainder, math::remainder(a, b), floor_modulo(a, b))                                             \
  I(floor_divide, math::floor_divide(a, b), floored(a, b))                                            \
  F(atan2, math::atan2(a, b))                                                                         \
  F(hypot, math::hypot(a, b))                                                                         \
  F(copysign, math::with_sign(a, b))                                                                  \
  F(logaddexp, math::logaddexp(a, b))                                                                 \
  F(xlogy, xsimd::select(a == V(0) && b == b, V(0), a * math::log(b)))                                \
  F(nextafter, math::by_lane(a, b, [](T x, T to) { return special::nextafter(x, to); }))              \
  F(igamma, math::by_lane(a, b, [](T s, T x) { return T(special::igamma(double(s), double(x))); }))   \
  F(igammac, math::by_lane(a, b, [](T s, T x) { return T(special::igammac(double(s), double(x))); })) \
  N(gcd, T(divisor(a, b)))                                                                            \
  N(lcm, multiple(a, b))                                                                              \
  N(shift_left, shifted_left(a, b))                                                                   \
  N(shift_right, shifted_right(a, b))                                                                 \
  L(bitwise_and, T(a& b))                                                                             \
  L(bitwise_or, T(a | b))                                                                             \
  L(bitwise_xor, T(a ^ b))                                                                            \
  /* Gradients that rules use all the time: a is g, b the result y or the input x. */                 \
  F(relu_backward, xsimd::select(b <= V(0), V(0), a))                                                 \
  F(sigmoid_backward, a* b*(V(1) - b))                                                                \
  F(tanh_backward, a*(V(1) - b * b))                                                                  \
  F(leaky_relu_backward, xsimd::select(b > V(0), a, a * p0))                                          \
  F(elu_backward, xsimd::select(b > V(0), a, a * p0 * math::exp(b)))                                  \
  F(silu_backward, a* math::silu_slope(b))                                                            \
  F(gelu_backward, a* math::gelu_slope(b, p0))

namespace functors {
#define CHAINRULE_FLOAT(name, expression)                \
  struct name {                                          \
    template <class V>                                   \
    static V of(V a, V b, [[maybe_unused]] V p0) {       \
      using T [[maybe_unused]] = typename V::value_type; \
      return expression;                                 \
    }                                                    \
  };
#define CHAINRULE_INTEGER(name, expression, integer) \
  struct name {                                      \
    template <class V>                               \
    static V of(V a, V b, [[maybe_unused]] V p0) {   \
      return expression;                             \
    }                                                \
    template <class T>                               \
    static T of(T a, T b) {                          \
      return integer;                                \
    }                                                \
  };
#define CHAINRULE_BOOL(name, expression, integer) \
  CHAINRULE_INTEGER(name, expression, integer)    \
  struct name##_bool {                            \
    static uint8_t of(uint8_t x, uint8_t y) {     \
      using T = uint8_t;                          \
      const T a = x != 0, b = y != 0;             \
      return (integer) != 0;                      \
    }                                             \
  };
#define CHAINRULE_WHOLE(name, integer) \
  struct name {                        \
    template <class T>                 \
    static T of(T a, T b) {            \
      return integer;                  \
    }                                  \
  };
#define CHAINRULE_LOGIC(name, integer)        \
  CHAINRULE_WHOLE(name, integer)              \
  struct name##_bool {                        \
    static uint8_t of(uint8_t x, uint8_t y) { \
      using T = uint8_t;                      \
      const T a = x != 0, b = y != 0;         \
      return integer;                         \
    }                                         \
  };
CHAINRULE_BINARY(CHAINRULE_FLOAT, CHAINRULE_INTEGER, CHAINRULE_BOOL, CHAINRULE_WHOLE, CHAINRULE_LOGIC)
}  // namespace functors

namespace powers {
#define CHAINRULE_POWER(name, exponent, expression) \
  struct name {                                     \
    template <class V>                              \
    static V of(V a, V, V) {                        \
      return expression;                            \
    }                                               \
  };
CHAINRULE_POWERS(CHAINRULE_POWER)
}  // namespace powers

// An exponent that is one number is looked at once.
template <class T>
void power_vectors(void* y, const void* const* x, const int64_t* step, int64_t n, const double* p) {
  if (step[1] == 0) {
    const T b = *static_cast<const T*>(x[1]);
#define CHAINRULE_POWER_ROW(name, exponent, expression) \
  if (b == T(exponent)) return binary_vectors<powers::name, T>(y, x, step, n, p);
    CHAINRULE_POWERS(CHAINRULE_POWER_ROW)
  }
  binary_vectors<functors::pow, T>(y, x, step, n, p);
}

#define CHAINRULE_NAME(name, ...) #name,
const char* const kNames[] = {
    CHAINRULE_BINARY(CHAINRULE_NAME, CHAINRULE_NAME, CHAINRULE_NAME, CHAINRULE_NAME, CHAINRULE_NAME)};

#define CHAINRULE_FLOAT_ROW(name, ...) {binary_vectors<functors::name, float>, binary_vectors<functors::name, double>},
// Powers have rows of their own.
template <class F, class T>
constexpr RowFunction kVectors = binary_vectors<F, T>;
template <class T>
constexpr RowFunction kVectors<functors::pow, T> = power_vectors<T>;

#define CHAINRULE_INTEGER_ROW(name, ...)                                                                               \
  {kVectors<functors::name, float>, kVectors<functors::name, double>, binary_values<functors::name, int32_t, int32_t>, \
   binary_values<functors::name, uint8_t, uint8_t>},
#define CHAINRULE_BOOL_ROW(name, ...)                                                                \
  {binary_vectors<functors::name, float>, binary_vectors<functors::name, double>,                    \
   binary_values<functors::name, int32_t, int32_t>, binary_values<functors::name, uint8_t, uint8_t>, \
   binary_values<functors::name##_bool, uint8_t, uint8_t>},
#define CHAINRULE_WHOLE_ROW(name, ...) \
  {nullptr, nullptr, binary_values<functors::name, int32_t, int32_t>, binary_values<functors::name, uint8_t, uint8_t>},
#define CHAINRULE_LOGIC_ROW(name, ...)                                                                                 \
  {nullptr, nullptr, binary_values<functors::name, int32_t, int32_t>, binary_values<functors::name, uint8_t, uint8_t>, \
   binary_values<functors::name##_bool, uint8_t, uint8_t>},
constexpr RowFunction kRows[][kDTypes] = {CHAINRULE_BINARY(
    CHAINRULE_FLOAT_ROW, CHAINRULE_INTEGER_ROW, CHAINRULE_BOOL_ROW, CHAINRULE_WHOLE_ROW, CHAINRULE_LOGIC_ROW)};

}  // namespace

void fill_binary(Table& table) { table.binary = {kNames, sizeof kRows / sizeof *kRows, kRows}; }

}  // namespace chainrule::CHAINRULE_CAPABILITY
