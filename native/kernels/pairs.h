// Vector maths of two operands: powers, remainders, angles.
#pragma once
#include "kernels/capability.h"
//
#include "kernels/math.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {
namespace math {

// a^b of doubles that were floats, 0 < a < infinity: 2^(b log2(a)), a = 2^k m with m around 1, and the logarithm a
// series in (m - 1) / (m + 1). The polynomials are minimax ones of relative error 2^-45 and 2^-34: 0.502 units of a
// float.
template <class V>
V pow_positive(V a, V b) {
  using U = Batch<uint64_t>;
  constexpr uint64_t kRootOfHalf = 0x3fe6a09e667f3bcd;
  // The exponent, kept positive by 1,024, joins the bits of 2^52.
  const U above = xsimd::bitwise_cast<U>(a) - U(kRootOfHalf);
  const U exponent = (above + U(uint64_t{1024} << 52)) >> 52;
  const V k = xsimd::bitwise_cast<V>(exponent | U(0x4330000000000000)) - V(0x1p52 + 1024);
  const V m = xsimd::bitwise_cast<V>(xsimd::bitwise_cast<U>(a) - (above & U(0xfff0000000000000)));
  const V s = (m - V(1)) / (m + V(1));
  const V log2 = xsimd::fma(s,
                            polynomial(s * s, 0x1.71547652b8251p+1, 0x1.ec709dc53c677p-1, 0x1.2776c2933e4d0p-1,
                                       0x1.a61a2ec9e458bp-2, 0x1.47955633069a1p-2, 0x1.21b0ea8285a4fp-2),
                            k);
  const V y = clamped(b * log2, V(-200), V(200));  // far beyond what a float holds
  const V whole = nearest(y);
  return polynomial(y - whole, 0x1.ffffffffabbccp-1, 0x1.62e42ff11627ap-1, 0x1.ebfbe0a4be886p-3, 0x1.c6b08aaf3156ep-5,
                    0x1.3b29dc40d2ec5p-7, 0x1.5d8a7085cddb8p-10, 0x1.446a1fdd54f3ap-13, 0x1.fe1786b50da52p-17) *
         power_of_two(whole);
}

// The root of -0 is 0 and that of -infinity infinite, as powers are.
template <class V>
V root(V x) {
  const V size = xsimd::abs(x);
  return xsimd::sqrt(xsimd::select(size == V(0) || size == V(INFINITY), size, x));
}

// Of floats the quotient is corrected in double, where what it lacks can be seen.
template <class V>
V inverse_root(V x) {
  const V y = V(1) / math::root(x);
  if constexpr (sizeof(Element<V>) == 4) {
    const V better = in_double(x, y, [](auto u, auto v) {
      using D = decltype(u);
      return v + v * (D(0.5) * (D(1) - u * v * v));
    });
    return xsimd::select(y > V(0) && y < V(INFINITY), better, y);
  }
  return y;
}

// Two products of doubles would be off by more than a unit.
template <class V>
V cube(V x) {
  if constexpr (sizeof(Element<V>) == 4)
    return in_double(x, x, [](auto u, auto) { return u * u * u; });
  else
    return by_lane(x, [](double a) { return libm::pow(a, 3); });
}

// Powers of `a` without a logarithm: name, exponent, expression.
#define CHAINRULE_POWERS(F)                    \
  F(inverse, -1, V(1) / a)                     \
  F(inverse_root, -0.5, math::inverse_root(a)) \
  F(root, 0.5, math::root(a))                  \
  F(square, 2, a* a)                           \
  F(cube, 3, math::cube(a))

// In the lanes with such an exponent; what a lane gives depends on no other.
template <class V>
V with_plain_powers(V a, V b, V y) {
  const V twice = b + b;
  if (!xsimd::any(xsimd::abs(b) <= V(3) && twice == xsimd::trunc(twice))) return y;
#define CHAINRULE_SELECT(name, exponent, expression) y = xsimd::select(b == V(exponent), expression, y);
  CHAINRULE_POWERS(CHAINRULE_SELECT)
#undef CHAINRULE_SELECT
  return y;
}

template <class V>
V pow(V a, V b) {
  using T = Element<V>;
  if constexpr (sizeof(T) == 4) {
    const V size = xsimd::abs(a), inf(INFINITY);
    V y = in_double(size, b, [](auto u, auto v) { return pow_positive(u, v); });
    if (xsimd::all(a > V(0) && a < inf && xsimd::abs(b) < inf)) return with_plain_powers(a, b, y);
    // Zero and infinity go to one of the two, so does an infinite exponent; then the sign, NaN, and what is 1 always.
    const auto endless = xsimd::abs(b) == inf, large = size > V(1), positive = b > V(0);
    y = xsimd::select(size == V(0) || size == inf || endless,
                      xsimd::select((large && positive) || (!large && !positive), inf, V(0)), y);
    const auto integer = b == xsimd::trunc(b), odd = integer && b * V(0.5f) != xsimd::trunc(b * V(0.5f));
    y = xsimd::select(odd, y | xsimd::bitofsign(a), y);
    y = xsimd::select((a < V(0) && size < inf && !integer) || xsimd::isnan(a) || xsimd::isnan(b), V(NAN), y);
    y = xsimd::select(b == V(0) || a == V(1) || (endless && size == V(1)), V(1), y);
    return with_plain_powers(a, b, y);
  } else {
    return with_plain_powers(a, b, by_lane(a, b, [](T x, T e) { return libm::pow(x, e); }));
  }
}

// Exact, as fmod is: a quotient of floats below 2^28 is never rounded over an integer in double, and its product is
// exact.
template <class V>
V fmod(V a, V b) {
  const auto scalar = [](Element<V> x, Element<V> d) { return libm::fmod(x, d); };
  if constexpr (sizeof(Element<V>) == 4) {
    const V y = with_sign(in_double(a, b, [](auto u, auto v) { return u - xsimd::trunc(u / v) * v; }), a);
    const auto plain = xsimd::abs(a / b) < V(0x1p28f) && xsimd::abs(b) < V(INFINITY) && a == a;
    if (xsimd::all(plain)) return y;
    return xsimd::select(plain, y, by_lane(a, b, scalar));
  } else {
    return by_lane(a, b, scalar);
  }
}

template <class V>
V hypot(V a, V b) {
  if constexpr (sizeof(Element<V>) == 4) {
    const V y = in_double(a, b, [](auto u, auto v) { return xsimd::sqrt(u * u + v * v); });
    return xsimd::select(xsimd::isinf(a) || xsimd::isinf(b), V(INFINITY), y);
  } else {
    return by_lane(a, b, [](double u, double v) { return libm::hypot(u, v); });
  }
}

// The angle of the smaller over the larger, then put into its octant.
template <class V>
V atan2(V y, V x) {
  using T = Element<V>;
  const V u = xsimd::abs(y), v = xsimd::abs(x);
  const auto steep = u > v;
  V q = xsimd::select(steep, v, u) / xsimd::select(steep, u, v);
  q = xsimd::select(u == v, xsimd::select(u == V(0), V(0), V(1)), q);  // 0/0 and inf/inf too
  V angle = xsimd::atan(q);
  const V pio2(T(0x1.921fb54442d18p+0)),
      pio2_low(T(0x1.921fb54442d18p+0 - static_cast<double>(T(0x1.921fb54442d18p+0))));
  const V low = sizeof(T) == 4 ? pio2_low : V(T(0x1.1a62633145c07p-54));
  angle = xsimd::select(steep, pio2 - (angle - low), angle);
  const auto left = xsimd::bitwise_cast<Batch<typename Layout<T>::Int>>(x) < Batch<typename Layout<T>::Int>(0);
  angle = xsimd::select(xsimd::bool_cast(left), V(2) * pio2 - (angle - V(2) * low), angle);
  return xsimd::select(xsimd::isnan(x) || xsimd::isnan(y), x + y, with_sign(angle, y));
}

// Whether the signs of two numbers differ and neither is 0.
template <class V>
auto opposite(V a, V b) {
  return (a < V(0) && b > V(0)) || (a > V(0) && b < V(0));
}

// With the sign of the divisor, as in Python.
template <class V>
V remainder(V a, V b) {
  const V r = math::fmod(a, b);
  return xsimd::select(opposite(r, b), r + b, r);
}

// Through the remainder, so that q * b + remainder(a, b) gives a back (Python's float division, PyTorch's too).
template <class V>
V floor_divide(V a, V b) {
  const V r = math::fmod(a, b);
  V q = (a - r) / b;
  q = xsimd::select(opposite(r, b), q - V(1), q);
  V whole = xsimd::floor(q);
  whole = xsimd::select(q - whole > V(Element<V>(0.5)), whole + V(1), whole);
  whole = xsimd::select(q == V(0), V(0) ^ xsimd::bitofsign(a / b), whole);
  return xsimd::select(b == V(0), a / b, whole);
}

template <class V>
V logaddexp(V a, V b) {
  const V high = xsimd::select(a > b, a, b);
  // Equal ones, infinities among them, have a difference of 0; NaN stays.
  const V apart = xsimd::select(a == b, V(0), -xsimd::abs(a - b));
  return high + math::log1p(math::exp(apart));
}

}  // namespace math
}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
