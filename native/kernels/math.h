// Vector maths for functors: xsimd's functions, mended where they lose range, denormals, signs of zero or independence.
//
// A lane's value never depends on the other lanes: xsimd's sin picks one of five reductions for the whole batch, so
// sin, cos and tan have their own reduction here. Calls are qualified: argument-dependent lookup would prefer xsimd's
// function of the same name.
#pragma once
#include "kernels/capability.h"
//
#include <math.h>
#include <stdint.h>

#include "kernels/lanes.h"
#include "kernels/math_tables.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {
namespace math {

// How a float type is laid out, and where exp leaves its range.
template <class T>
struct Layout;

template <>
struct Layout<float> {
  using Int = int32_t;
  static constexpr int kMantissa = 23;
  static constexpr int kBias = 127;
  static constexpr float kRound = 0x1.8p23f;  // adding it leaves an integer in the low bits
  static constexpr float kLog2e = 0x1.715476p+0f;
  static constexpr float kLn2High = 0x1.62e0p-1f, kLn2Low = 0x1.0bfbe8p-15f;
  static constexpr float kExpMax = 89, kExpMin = -104;  // exp is infinite and 0 there
  static constexpr float kTrigMax = 400;                // quadrants below 256: products with kPio2 are exact
  static constexpr float kPio2[3] = {0x1.921ep+0f, 0x1.b544p-16f, 0x1.0b4612p-34f};
};

template <>
struct Layout<double> {
  using Int = int64_t;
  static constexpr int kMantissa = 52;
  static constexpr int kBias = 1023;
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kLog2e = 0x1.71547652b82fep+0;
  static constexpr double kLn2High = 0x1.62e42fefa3p-1, kLn2Low = 0x1.3de6af278ece6p-42;
  static constexpr double kExpMax = 710, kExpMin = -746;
  static constexpr double kTrigMax = 1e5;
  static constexpr double kPio2[3] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2e037073p-69};
};

template <class V>
using Element = typename V::value_type;

// xsimd's own is 0 - x, which makes 0 of 0.
template <class V>
V negate(V x) {
  return x ^ V(-Element<V>(0));
}

// x with the sign bit of s.
template <class V>
V with_sign(V x, V s) {
  return xsimd::abs(x) | xsimd::bitofsign(s);
}

// Calls a scalar function lane by lane: for what xsimd lacks or does badly.
template <class V, class F>
V by_lane(V x, F f) {
  alignas(64) Element<V> lanes[V::size];
  x.store_aligned(lanes);
  for (Element<V>& lane : lanes) lane = f(lane);
  return V::load_aligned(lanes);
}

template <class V, class F>
V by_lane(V a, V b, F f) {
  alignas(64) Element<V> lanes[V::size], others[V::size];
  a.store_aligned(lanes);
  b.store_aligned(others);
  for (size_t i = 0; i < V::size; ++i) lanes[i] = f(lanes[i], others[i]);
  return V::load_aligned(lanes);
}

// libm for either type.
#define CHAINRULE_LIBM(name)                          \
  inline float name(float x) { return ::name##f(x); } \
  inline double name(double x) { return ::name(x); }
#define CHAINRULE_LIBM2(name)                                     \
  inline float name(float a, float b) { return ::name##f(a, b); } \
  inline double name(double a, double b) { return ::name(a, b); }

namespace libm {
CHAINRULE_LIBM(sin)
CHAINRULE_LIBM(cos)
CHAINRULE_LIBM(tan)
CHAINRULE_LIBM2(pow)
CHAINRULE_LIBM2(hypot)
CHAINRULE_LIBM2(fmod)
// lgamma proper writes the global signgam.
inline float lgamma(float x) {
  int sign;
  return ::lgammaf_r(x, &sign);
}
inline double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}
}  // namespace libm

// 2^k for an integral k of the exponent's range.
template <class V>
V power_of_two(V k) {
  using L = Layout<Element<V>>;
  using I = Batch<typename L::Int>;
  const I bits = xsimd::bitwise_cast<I>(k + V(L::kRound + L::kBias));
  return xsimd::bitwise_cast<V>(bits << L::kMantissa);
}

// Nearest integer of a number well inside the mantissa.
template <class V>
V nearest(V x) {
  const V round(Layout<Element<V>>::kRound);
  return (x + round) - round;
}

// y * 2^k, in two steps: in one, results near either end of the range would be lost (xsimd's exp is infinite from 88.72
// and 0 below -87.34).
template <class V>
V scale(V y, V k) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Element<V>) == 4)
    return _mm512_scalef_ps(y, k);
  else
    return _mm512_scalef_pd(y, k);
#else
  const V half = nearest(k * V(0.5));
  return y * power_of_two(half) * power_of_two(k - half);
#endif
}

// NaN stays: the instructions behind min and max return their second operand then.
template <class V>
V clamped(V x, V low, V high) {
  return xsimd::max(low, xsimd::min(high, x));
}

// exp(hi + lo) for a small correction lo.
template <class V>
V exp(V hi, V lo) {
  using T = Element<V>;
  using L = Layout<T>;
  const V x = clamped(hi, V(L::kExpMin), V(L::kExpMax));
  const V k = nearest(x * V(L::kLog2e));
  const V high = xsimd::fnma(k, V(L::kLn2High), x);  // exact
  const V low = xsimd::fnma(k, V(L::kLn2Low), lo);
  const V r = high + low;
  using namespace xsimd::kernel::detail;
  V y;
  if constexpr (sizeof(T) == 4) {
    y = exp_reduction<float, typename V::arch_type, exp_tag>::approx(r);
  } else {
    const V c = exp_reduction<double, typename V::arch_type, exp_tag>::approx(r);
    y = V(1) + (high + (low + r * c / (V(2) - c)));
  }
  return scale(y, k);
}

template <class V>
V exp(V x) {
  return math::exp(x, V(0));
}

template <class V>
V expm1(V x) {
  // Above 40 the 1 is below half a unit; xsimd's own is infinite too early.
  const V y = xsimd::select(x > V(40), math::exp(x), xsimd::expm1(x));
  return xsimd::select(x == V(0), x, y);
}

template <class V>
V exp2(V x) {
  using T = Element<V>;
  using L = Layout<T>;
  const V a = clamped(x, V(-L::kBias - L::kMantissa - 1), V(L::kBias + 1));
  const V k = nearest(a);
  using namespace xsimd::kernel::detail;
  V y;
  if constexpr (sizeof(T) == 4)
    y = exp_reduction<float, typename V::arch_type, exp2_tag>::approx(a - k);
  else
    y = math::exp((a - k) * V(0x1.62e42fefa39efp-1));
  return scale(y, k);
}

// xsimd reads the exponent of a double before it scales denormals: we scale them before it sees them.
template <class V, class F>
V log_of(V x, double log_of_2, F f) {
  if constexpr (sizeof(Element<V>) == 4) {
    return f(x);
  } else {
    const auto denormal = x < V(0x1p-1022) && x > V(0);
    return f(xsimd::select(denormal, x * V(0x1p54), x)) - xsimd::select(denormal, V(54 * log_of_2), V(0));
  }
}

template <class V>
V log(V x) {
  return log_of(x, 0x1.62e42fefa39efp-1, [](V a) { return xsimd::log(a); });
}

template <class V>
V log2(V x) {
  return log_of(x, 1, [](V a) { return xsimd::log2(a); });
}

template <class V>
V log10(V x) {
  return log_of(x, 0x1.34413509f79ffp-2, [](V a) { return xsimd::log10(a); });
}

template <class V>
V log1p(V x) {
  return xsimd::select(x == V(0), x, xsimd::log1p(x));
}

template <class V>
V tanh(V x) {
  return xsimd::tanh(x);
}

// Both tails keep their relative accuracy: 1/(1+exp(-x)) would be 0 from x = -88.7 on, and beside exp(40) a 1 is
// nothing.
template <class V>
V sigmoid(V x) {
  const V e = math::exp(xsimd::min(V(40), x));
  return e / (V(1) + e);
}

// exp with a correction of nothing rounds better than that of tables.
template <class V>
V log_sigmoid(V x) {
  return xsimd::select(x < V(0), x, V(0)) - math::log1p(math::exp(-xsimd::abs(x), V(0)));
}

// Calls f on the operands as doubles: what is hard in float is easy there.
template <class V, class F>
V in_double(V a, V b, F f) {
  using D = Batch<double>;
  D a_low, a_high, b_low, b_high;
  widen(a, &a_low, &a_high);
  widen(b, &b_low, &b_high);
  return narrowed(f(a_low, b_low), f(a_high, b_high));
}

// Horner's rule, the constant coefficient first.
template <class V, class... C>
V polynomial(V x, double c0, double c1, C... rest) {
  if constexpr (sizeof...(rest) == 0)
    return xsimd::fma(x, V(Element<V>(c1)), V(Element<V>(c0)));
  else
    return xsimd::fma(x, polynomial(x, c1, rest...), V(Element<V>(c0)));
}

template <class V>
V acosh(V x) {
  return xsimd::select(x < V(1), V(Element<V>(NAN)), xsimd::acosh(x));
}

// 0 for NaN, as PyTorch has it.
template <class V>
V sign(V x) {
  return xsimd::select(x > V(0), V(1), xsimd::select(x < V(0), V(-1), V(0)));
}

// |x| = quadrant * pi/2 + r. Right for |x| <= kTrigMax only; libm does the lanes beyond.
template <class V>
V reduce(V x, V* r) {
  using L = Layout<Element<V>>;
  const V n = nearest(x * V(Element<V>(0x1.45f306dc9c883p-1)));
  V rest = xsimd::fnma(n, V(L::kPio2[0]), x);
  rest = xsimd::fnma(n, V(L::kPio2[1]), rest);
  *r = xsimd::fnma(n, V(L::kPio2[2]), rest);
  return n;
}

// Replaces the lanes whose argument is too large for reduce (infinity among them).
template <class V, class F>
V large_lanes(V x, V y, F f) {
  const auto large = xsimd::abs(x) > V(Layout<Element<V>>::kTrigMax);
  if (!xsimd::any(large)) return y;
  return xsimd::select(large, by_lane(xsimd::select(large, x, V(0)), f), y);
}

// sin(n * pi/2 + r).
template <class V>
V sine(V n, V r) {
  using T = Element<V>;
  using L = Layout<T>;
  using I = Batch<typename L::Int>;
  const I quadrant = xsimd::bitwise_cast<I>(n + V(L::kRound));
  const V z = r * r;
  const V s = xsimd::kernel::detail::sin_eval(z, r), c = xsimd::kernel::detail::cos_eval(z);
  const V y = xsimd::select(xsimd::bool_cast((quadrant & I(1)) == I(0)), s, c);
  return y ^ xsimd::bitwise_cast<V>((quadrant & I(2)) << (sizeof(T) * 8 - 2));
}

template <class V>
V sin(V x) {
  V r;
  const V n = math::reduce(xsimd::abs(x), &r);
  return large_lanes(x, sine(n, r) ^ xsimd::bitofsign(x), [](Element<V> a) { return libm::sin(a); });
}

template <class V>
V cos(V x) {
  V r;
  const V n = math::reduce(xsimd::abs(x), &r);
  return large_lanes(x, sine(n + V(1), r), [](Element<V> a) { return libm::cos(a); });
}

template <class V>
V tan(V x) {
  V r;
  const V n = math::reduce(xsimd::abs(x), &r);
  const V even = nearest(n * V(0.5) - V(0.25)) * V(2);
  const V y = xsimd::kernel::detail::tan_eval(r, even == n) ^ xsimd::bitofsign(x);
  return large_lanes(x, y, [](Element<V> a) { return libm::tan(a); });
}

}  // namespace math
}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
