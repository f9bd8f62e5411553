// Vector maths of two operands: powers, remainders, angles.
#pragma once
#include "kernels/capability.h"
//
#include "kernels/math.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {
namespace math {

// a^b for a > 0 in double, whose 29 more bits than float's take in the error of b * log(a).
template <class V>
V pow_positive(V a, V b) {
  return math::exp(b * math::log(a));
}

// Squares by hand, lane by lane too, so that an exponent that is one number gives what a tensor of it gives.
template <class V>
V pow(V a, V b) {
  using T = Element<V>;
  if (xsimd::all(b == V(2))) return a * a;
  if constexpr (sizeof(T) == 4) {
    V y = in_double(xsimd::abs(a), b, [](auto u, auto v) { return pow_positive(u, v); });
    const auto integer = b == xsimd::trunc(b), odd = integer && b * V(0.5f) != xsimd::trunc(b * V(0.5f));
    y = xsimd::select(a < V(0), xsimd::select(integer, xsimd::select(odd, negate(y), y), V(NAN)), y);
    y = xsimd::select(b == V(2), a * a, y);
    const auto plain = xsimd::abs(a) > V(0) && xsimd::abs(a) < V(INFINITY) && xsimd::abs(b) < V(INFINITY);
    if (xsimd::all(plain || b == V(2))) return y;
    return xsimd::select(plain || b == V(2), y, by_lane(a, b, [](T x, T e) { return libm::pow(x, e); }));
  } else {
    return by_lane(a, b, [](T x, T e) { return e == T(2) ? x * x : libm::pow(x, e); });
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
