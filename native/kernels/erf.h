// The error function, its complement, and the activations built of it and of sigmoid.
#pragma once
#include "kernels/capability.h"
//
#include "kernels/math.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {
namespace math {

// erf or 1 - erf of doubles by FreeBSD's s_erf.c (Sun Microsystems 1993); xsimd's is off by 67 units near 2.2 and NaN
// beyond 1e154.
template <bool kComplement, class V>
V erf_double(V a) {
  const V x = xsimd::min(xsimd::abs(a), V(kComplement ? 28 : 6)), z = a * a;
  const auto negative = a < V(0);
  // |x| < 0.84375: x + x * r(x^2)
  const V small = polynomial(z, 1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
                             -5.77027029648944159157e-03, -2.37630166566501626084e-05) /
                  polynomial(z, 1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
                             1.32494738004321644526e-04, -3.96022827877536812320e-06);
  // |x| < 1.25: 0.845 + r(|x| - 1)
  const V s = x - V(1), base(8.45062911510467529297e-01);
  const V middle =
      polynomial(s, -2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
                 3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
                 -2.16637559486879084300e-03) /
      polynomial(s, 1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
                 1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02);
  // Beyond, erfc = exp(-x^2 - 0.5625 + r(1/x^2)) / x, in two ranges; z is x with half its bits, so that its square is
  // exact.
  const V t = V(1) / (x * x);
  const auto near = x < V(1 / 0.35);
  const V p =
      xsimd::select(near,
                    polynomial(t, -9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
                               -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02,
                               -8.12874355063065934246e+01, -9.81432934416914548592e+00),
                    polynomial(t, -9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
                               -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03,
                               -4.83519191608651397019e+02));
  const V q =
      xsimd::select(near,
                    polynomial(t, 1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02,
                               4.34565877475229228821e+02, 6.45387271733267880336e+02, 4.29008140027567833386e+02,
                               1.08635005541779435134e+02, 6.57024977031928170135e+00, -6.04244152148580987438e-02),
                    polynomial(t, 1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02,
                               1.53672958608443695994e+03, 3.19985821950859553908e+03, 2.55305040643316442583e+03,
                               4.74528541206955367215e+02, -2.24409524465858183362e+01));
  using I = Batch<int64_t>;
  const V half = xsimd::bitwise_cast<V>(xsimd::bitwise_cast<I>(x) & I(static_cast<int64_t>(0xffffffff00000000)));
  const V tail = math::exp(-half * half - V(0.5625)) * math::exp(xsimd::fma(half - x, half + x, p / q)) / x;
  const auto is_small = x < V(0.84375), is_middle = x < V(1.25);
  V y;
  if constexpr (kComplement) {
    const V right = xsimd::select(is_middle, V(1) - base - middle, tail);
    const V left = xsimd::select(is_middle, V(1) + (base + middle), V(2) - tail);
    const V at_zero = xsimd::select(a < V(0.25), V(1) - (a + a * small), V(0.5) - (a - V(0.5) + a * small));
    y = xsimd::select(is_small, at_zero, xsimd::select(negative, left, right));
  } else {
    const V outer = xsimd::select(is_middle, base + middle, V(1) - tail);
    y = xsimd::select(is_small, a + a * small, outer ^ xsimd::bitofsign(a));
  }
  return xsimd::select(xsimd::isnan(a), a, y);
}

// erf of floats in two parts, |x| up to and beyond kErfSplit, by Norbert Juffa's minimax polynomials (2016): a + a
// r(a^2), and 1 - exp of another in |a|. Within a unit of the last place.
constexpr float kErfSplit = 0.927734375f;

template <class V>
V erf_small(V x, V z) {
  return xsimd::fma(
      polynomial(z, 1.28379166e-1, -3.76125336e-1, 1.12819925e-1, -2.67681349e-2, 4.99119423e-3, -5.96761703e-4), x, x);
}

template <class V>
V erfc_large(V t, V z) {
  const V high = xsimd::fma(xsimd::fma(V(-1.72853470e-5f), t, V(3.83197126e-4f)), z,
                            xsimd::fma(V(-3.88396438e-3f), t, V(2.42546219e-2f)));
  const V r =
      xsimd::fma(xsimd::fma(high, t, V(-1.06777877e-1f)), z, xsimd::fma(V(-6.34846687e-1f), t, V(-1.28717512e-1f)));
  return math::exp(xsimd::fma(r, t, -t));
}

template <class V>
V erf(V x) {
  if constexpr (sizeof(Element<V>) == 4) {
    const V t = xsimd::abs(x), z = x * x;
    const V outer = (V(1) - erfc_large(t, z)) | xsimd::bitofsign(x);
    return xsimd::select(t > V(kErfSplit), outer, erf_small(x, z));
  } else
    return erf_double<false>(x);
}

template <class V>
V erfc(V x) {
  if constexpr (sizeof(Element<V>) == 4)
    return in_double(x, x, [](auto u, auto) { return erf_double<true>(u); });
  else
    return erf_double<true>(x);
}

// The normal distribution function. That of floats is 1/2 + x P(x^2) / Q(x^2) for |x| < 2, and beyond the tail is
// g(|x|)^-16, which is 0 in the end; minimax polynomials, absolute error 2^-24. An exponential would be a chain of 100
// cycles.
template <class V>
V normal_area(V x) {
  if constexpr (sizeof(Element<V>) == 4) {
    const V t = xsimd::abs(x), z = x * x;
    const auto outside = t > V(2);
    const V p = x * polynomial(z, 0.398942281313, 0.0224609644923, 0.00312425119059, 8.68804975219e-6);
    const V q = polynomial(z, 1.0, 0.222968021371, 0.0199923626463, 0.000756385993029);
    const V g = polynomial(t, 1.0558790718, 0.026048001346, 0.046270934339, -0.0085450328397, 0.0033761458405,
                           -0.0004485145596, 3.71669691e-5);
    const V g2 = g * g, g4 = g2 * g2, g8 = g4 * g4;
    const V r = xsimd::select(outside, V(1), p) / xsimd::select(outside, g8 * g8, q);
    return xsimd::select(outside, xsimd::select(x < V(0), r, V(1) - r), V(0.5f) + r);
  } else {
    return V(0.5) * (V(1) + math::erf(x * V(0x1.6a09e667f3bcdp-1)));
  }
}

// x times the normal distribution function, or its tanh form for form = 1 (Hendrycks and Gimpel 2016).
template <class V>
V gelu(V x, V form) {
  using T = Element<V>;
  if (xsimd::all(form == V(0))) return x * normal_area(x);
  // 0.5 * (1 + tanh(z)) = sigmoid(2z), without the cancellation for negative z.
  return x * math::sigmoid(V(T(2 * 0.7978845608028654)) * (x + V(T(0.044715)) * x * x * x));
}

// sigmoid(z) + w sigmoid'(z). The derivative from e^-|z|, because 1 - sigmoid(z) has no digits left where w is large.
template <class V>
V sigmoid_slope(V z, V w) {
  const V e = math::exp(-xsimd::abs(z));
  const V r = V(1) / (V(1) + e);
  return xsimd::select(z >= V(0), V(1), e) * r + w * (e * r * r);
}

// Derivatives of x sigmoid(x) and of gelu.
template <class V>
V silu_slope(V x) {
  return sigmoid_slope(x, x);
}

template <class V>
V gelu_slope(V x, V form) {
  using T = Element<V>;
  if (xsimd::all(form == V(0))) {
    return normal_area(x) + x * math::exp(V(T(-0.5)) * x * x) * V(T(0.3989422804014327));
  }
  const V u = V(T(2 * 0.7978845608028654)) * x, z = V(T(0.044715)) * x * x;
  return sigmoid_slope(u * (V(1) + z), u * (V(1) + V(3) * z));
}

}  // namespace math
}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
