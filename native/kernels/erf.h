// The error function, its complement, and the activations built of it and of sigmoid.
#pragma once
#include "kernels/capability.h"
//
#include "kernels/math.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {
namespace math {

// Horner's rule, the constant coefficient first.
template <class V, class... C>
V polynomial(V x, double c0, double c1, C... rest) {
  if constexpr (sizeof...(rest) == 0)
    return xsimd::fma(x, V(Element<V>(c1)), V(Element<V>(c0)));
  else
    return xsimd::fma(x, polynomial(x, c1, rest...), V(Element<V>(c0)));
}

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

template <class V>
V erf(V x) {
  if constexpr (sizeof(Element<V>) == 4)
    return xsimd::erf(x);
  else
    return erf_double<false>(x);
}

template <class V>
V erfc(V x) {
  if constexpr (sizeof(Element<V>) == 4)
    return in_double(x, x, [](auto u, auto) { return erf_double<true>(u); });
  else
    return erf_double<true>(x);
}

// x times the normal distribution function, or its tanh form for form = 1 (Hendrycks and Gimpel 2016).
template <class V>
V gelu(V x, V form) {
  using T = Element<V>;
  if (xsimd::all(form == V(0))) return x * V(T(0.5)) * (V(1) + math::erf(x * V(T(0x1.6a09e667f3bcdp-1))));
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
    const V area = V(T(0.5)) * (V(1) + math::erf(x * V(T(0x1.6a09e667f3bcdp-1))));
    return area + x * math::exp(V(T(-0.5)) * x * x) * V(T(0.3989422804014327));
  }
  const V u = V(T(2 * 0.7978845608028654)) * x, z = V(T(0.044715)) * x * x;
  return sigmoid_slope(u * (V(1) + z), u * (V(1) + V(3) * z));
}

}  // namespace math
}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
