// Special functions that libm lacks, one value at a time and always in double, so that float results are rounded once.
#pragma once
#include "kernels/capability.h"
//
#include <math.h>

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {
namespace special {

constexpr double kPi = 3.14159265358979323846, kTwoOverRootPi = 1.12837916709551257390;

// Coefficients from the highest power down, Horner's rule.
template <int N>
double polynomial(double x, const double (&c)[N]) {
  double y = c[0];
  for (int i = 1; i < N; ++i) y = y * x + c[i];
  return y;
}

// Giles' kind of rational start (as in PyTorch), then two steps of Newton; erfc keeps the digits near the ends.
inline double erfinv(double y) {
  const double a = ::fabs(y);
  if (!(a <= 1)) return NAN;
  if (a == 1) return y * INFINITY;
  if (a == 0) return y;
  double x;
  if (a <= 0.7) {
    const double z = a * a;
    constexpr double p[] = {-0.140543331, 0.914624893, -1.645349621, 0.886226899};
    constexpr double q[] = {0.012229801, -0.329097515, 1.442710462, -2.118377725, 1};
    x = a * polynomial(z, p) / polynomial(z, q);
  } else {
    const double z = ::sqrt(-::log((1 - a) / 2));
    constexpr double p[] = {1.641345311, 3.429567803, -1.624906493, -1.970840454};
    constexpr double q[] = {1.637067800, 3.543889200, 1};
    x = polynomial(z, p) / polynomial(z, q);
  }
  for (int step = 0; step < 2; ++step) {
    const double error = a <= 0.7 ? ::erf(x) - a : (1 - a) - ::erfc(x);
    x -= error / (kTwoOverRootPi * ::exp(-x * x));
  }
  return ::copysign(x, y);
}

// Cephes psi; at its poles what PyTorch gives: infinite at 0, NaN at negative whole numbers.
inline double digamma(double x) {
  if (x == 0) return ::copysign(INFINITY, -x);
  double y = 0;
  if (x < 0) {
    if (x == ::trunc(x)) return NAN;
    y = -kPi / ::tan(kPi * (x - ::trunc(x)));
    x = 1 - x;
  }
  for (; x < 10; x += 1) y -= 1 / x;
  // Bernoulli numbers B_2k / 2k of the asymptotic series.
  constexpr double c[] = {1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12};
  const double z = x < 1e17 ? 1 / (x * x) : 0;
  return y + ::log(x) - 0.5 / x - z * polynomial(z, c);
}

// Hurwitz zeta, the sum of (q + k)^-s from k = 0 on, for s > 1 and q > 0: ten terms, then Euler and Maclaurin (Cephes).
inline double zeta(double s, double q) {
  if (q > 1e8) return (1 / (s - 1) + 0.5 / q) * ::pow(q, 1 - s);
  double sum = 0, last = 0;
  for (int k = 0; k < 10 || q <= 10; ++k, q += 1) {
    last = ::pow(q, -s);
    sum += last;
    if (last <= 1e-17 * sum) return sum;
  }
  q -= 1;
  sum += last * q / (s - 1) - 0.5 * last;
  // (2k)! / B_2k
  constexpr double c[] = {12.0,
                          -720.0,
                          30240.0,
                          -1209600.0,
                          47900160.0,
                          -1.8924375803183791606e9,
                          7.47242496e10,
                          -2.950130727918164224e12,
                          1.1646782814350067249e14,
                          -4.5979787224074726105e15,
                          1.8152105401943546773e17,
                          -7.1661652561756670113e18};
  double rising = 1, k = 0;
  for (const double divisor : c) {
    rising *= s + k;
    last /= q;
    const double term = rising * last / divisor;
    sum += term;
    if (::fabs(term) <= 1e-17 * ::fabs(sum)) break;
    rising *= s + k + 1;
    last /= q;
    k += 2;
  }
  return sum;
}

// The n-th derivative of digamma, n >= 1. Left of 0 the sum is cut at its pole into three with positive arguments.
inline double polygamma(double x, double n) {
  const double s = n + 1;
  double factorial = 1;
  for (double k = 2; k <= n; ++k) factorial *= k;
  const bool odd = ::fmod(n, 2) == 1;
  double y;
  if (x > 0 || x != x) {
    y = x == INFINITY ? 0 : zeta(s, x);
  } else if (x == ::trunc(x)) {
    y = x == -INFINITY ? NAN : INFINITY;
  } else {
    const double f = x - ::floor(x);
    const double left = zeta(s, 1 - f) - zeta(s, 1 - x);
    y = zeta(s, f) + (odd ? left : -left);
  }
  return odd ? factorial * y : -factorial * y;
}

// Modified Bessel functions of the first kind, orders 0 and 1, for x >= 0: the power series, all of whose terms are
// positive, and from 30 on Hankel's expansion, whose smallest term is e^-2x of the whole there.
inline double bessel_i(double x, int order) {
  if (x < 30) {
    const double z = x * x / 4;
    double term = order == 0 ? 1 : x / 2, sum = term;
    for (int k = 1; term > 1e-17 * sum; ++k) {
      term *= z / (double(k) * (k + order));
      sum += term;
    }
    return sum;
  }
  if (x == INFINITY) return x;
  const double mu = order == 0 ? 0 : 4;
  double term = 1, sum = 1;
  for (int k = 1; k < 60 && ::fabs(term) > 1e-17; ++k) {
    const double odd = 2 * k - 1;
    term *= (odd * odd - mu) / (8 * k * x);
    sum += term;
  }
  // In two factors, because e^x overflows before the result does.
  const double root = ::exp(x / 2);
  return root / ::sqrt(2 * kPi * x) * sum * root;
}

inline double bessel_i0(double x) { return x != x ? x : bessel_i(::fabs(x), 0); }

inline double bessel_i1(double x) { return x != x ? x : ::copysign(bessel_i(::fabs(x), 1), x); }

// x = mantissa * 2^exponent with 0.5 <= |mantissa| < 1; infinities and NaN stay, with exponent 0.
inline double mantissa(double x) {
  int k;
  return ::frexp(x, &k);
}

inline double exponent(double x) {
  int k = 0;
  if (x - x == 0) ::frexp(x, &k);
  return k;
}

inline float nextafter(float x, float to) { return ::nextafterf(x, to); }
inline double nextafter(double x, double to) { return ::nextafter(x, to); }

// Regularised incomplete gamma functions, lower (P) and upper (Q = 1 - P), each computed where it is the smaller one:
// the series left of a + 1, Legendre's continued fraction (by Lentz's method) right of it. Both take some sqrt(a)
// steps, so that Temme's expansion serves above a million, with two terms: an absolute error below 1e-12 there.
inline double incomplete_gamma(double a, double x, bool upper) {
  if (!(a >= 0) || !(x >= 0)) return NAN;
  if (a == 0) return x == 0 ? NAN : upper ? 0 : 1;
  if (x == 0) return upper ? 1 : 0;
  if (a == INFINITY) return x == INFINITY ? NAN : upper ? 1 : 0;
  if (x == INFINITY) return upper ? 0 : 1;
  if (a > 1e6) {
    const double mu = (x - a) / a;
    const double half = mu - ::log1p(mu);
    const double eta = ::copysign(::sqrt(2 * half), mu);
    const double first = ::fabs(mu) < 1e-3 ? -1.0 / 3 + eta / 12 : 1 / mu - 1 / eta;
    const double rest = ::exp(-a * half) / ::sqrt(2 * kPi * a) * first;
    const double tail = ::erfc((upper ? eta : -eta) * ::sqrt(a / 2)) / 2;
    return upper ? tail + rest : tail - rest;
  }
  int sign;
  const double factor = ::exp(a * ::log(x) - x - ::lgamma_r(a, &sign));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (double n = a + 1; term > 1e-17 * sum; n += 1) {
      term *= x / n;
      sum += term;
    }
    const double lower = factor * sum;
    return upper ? 1 - lower : lower;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d;
  for (int n = 1; n < 100000; ++n) {
    const double numerator = n * (a - n);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    fraction *= c * d;
    if (::fabs(c * d - 1) < 3e-16) break;
  }
  return upper ? factor * fraction : 1 - factor * fraction;
}

inline double igamma(double a, double x) { return incomplete_gamma(a, x, false); }
inline double igammac(double a, double x) { return incomplete_gamma(a, x, true); }

}  // namespace special
}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
