// Error function, gamma function and their relatives. Every export is also a method of Tensor.
import { binary, binaryOp, checkFloat, checkTensor, unary, unaryOp } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

const ERF = unaryOp('erf', 'x', (g, x) => g.mul(bell(x)));
/**
 * Error function: `y = 2 / sqrt(pi) * integral of e^-t^2 from 0 to x`, `dx = g 2 / sqrt(pi) e^-x^2` (PyTorch: `torch.erf`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).erf().item()); // 0
 * ```
 */
export function erf(x: Tensor): Tensor {
  return unary(ERF, x);
}

const ERFC = unaryOp('erfc', 'x', (g, x) => g.mul(bell(x)).neg());
/**
 * What the error function lacks to 1: `y = 1 - erf(x)`, exact for large x too; `dx = -g 2 / sqrt(pi) e^-x^2` (PyTorch:
 * `torch.erfc`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).erfc().item()); // 1
 * ```
 */
export function erfc(x: Tensor): Tensor {
  return unary(ERFC, x);
}

const ERFINV = unaryOp('erfinv', 'y', (g, y) => g.mul(y.square().exp()).mul(Math.sqrt(Math.PI) / 2));
/**
 * Inverse of the error function; infinite at -1 and 1, NaN outside. `dx = g sqrt(pi) / 2 e^y^2` (PyTorch: `torch.erfinv`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).erfinv().item()); // 0
 * ```
 */
export function erfinv(x: Tensor): Tensor {
  return unary(ERFINV, x);
}

const LGAMMA = unaryOp('lgamma', 'x', (g, x) => g.mul(x.digamma()));
/**
 * Logarithm of the absolute value of the gamma function; `dx = g digamma(x)` (PyTorch: `torch.lgamma`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).lgamma().toArray()); // [0, 0]
 * ```
 */
export function lgamma(x: Tensor): Tensor {
  return unary(LGAMMA, x);
}

const DIGAMMA = unaryOp('digamma', 'x', (g, x) => g.mul(polygamma(x, 1)));
/**
 * Derivative of lgamma; infinite at 0, NaN at negative whole numbers. `dx = g polygamma(x, 1)` (PyTorch: `torch.digamma`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).digamma().item()); // -Infinity
 * ```
 */
export function digamma(x: Tensor): Tensor {
  return unary(DIGAMMA, x);
}

const POLYGAMMA = unaryOp('polygamma', 'x', (g, x, n) => g.mul(unary(POLYGAMMA, x, n + 1)));
/**
 * Derivative of digamma, n times: `y = (-1)^(n+1) n! zeta(n + 1, x)`, with the Hurwitz zeta function; infinite at 0 and at
 * negative whole numbers (PyTorch: `torch.polygamma`, which takes n first).
 *
 * @param n whole number from 0 (digamma itself) to 100
 * @throws TensorError `value` for another n
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1], { dtype: 'float64' }).polygamma(1).sub(Math.PI ** 2 / 6).abs().item() < 1e-12); // true
 * ```
 */
export function polygamma(x: Tensor, n: number): Tensor {
  return checkInteger('polygamma', 'n', n, 0, 100) === 0 ? digamma(x) : unary(POLYGAMMA, x, n);
}

const I0 = unaryOp('i0', 'x', (g, x) => g.mul(i1(x)));
/**
 * Modified Bessel function of the first kind, order 0: `y = sum (x^2 / 4)^k / k!^2`, `dx = g i1(x)` (PyTorch: `torch.i0`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1]).i0().item().toFixed(4)); // 1.2661
 * ```
 */
export function i0(x: Tensor): Tensor {
  return unary(I0, x);
}

// At 0, where i1(x) / x is 1/2, PyTorch's rule.
const I1 = unaryOp('i1', 'x', (g, x) => {
  const zero = x.eq(0);
  const safe = zero.where(1, x);
  return g.mul(zero.where(0.5, i0(safe).sub(i1(safe).div(safe))));
});
/**
 * Modified Bessel function of the first kind, order 1, the derivative of {@link i0}; `dx = g (i0(x) - i1(x) / x)` (PyTorch:
 * `torch.special.i1`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1]).i1().item().toFixed(4)); // 0.5652
 * ```
 */
export function i1(x: Tensor): Tensor {
  return unary(I1, x);
}

/**
 * Normalised sine over its argument: `y = sin(pi x) / (pi x)`, 1 at 0, where its gradient is 0 (PyTorch: `torch.sinc`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0.5]).sinc().item().toFixed(4)); // 0.6366
 * ```
 */
export function sinc(x: Tensor): Tensor {
  checkTensor('sinc', x);
  return composite(() => {
    const angle = x.mul(Math.PI);
    const zero = angle.eq(0);
    const safe = zero.where(1, angle);
    return zero.where(1, safe.sin().div(safe));
  });
}

/**
 * Logarithm of the multivariate gamma function: `y = p (p - 1) / 4 log(pi) + sum lgamma(x - j / 2)` over j from 0 to p - 1
 * (PyTorch: `torch.mvlgamma`).
 *
 * @param p how many variables, at least 1
 * @throws TensorError `value` for another p; `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([2]).mvlgamma(2).item().toFixed(4)); // 0.4516
 * ```
 */
export function mvlgamma(x: Tensor, p: number): Tensor {
  const op = 'mvlgamma';
  checkFloat(op, checkTensor(op, x));
  checkInteger(op, 'p', p, 1, 2 ** 16);
  return composite(() => {
    let y = lgamma(x);
    for (let j = 1; j < p; j++) y = y.add(lgamma(x.sub(j / 2)));
    return y.add((p * (p - 1) * Math.log(Math.PI)) / 4);
  });
}

function noShapeGradient(): never {
  throw new TensorError(
    'grad',
    'igamma',
    'expected a gradient of x alone, got one of a, which is not known; detach() it',
  );
}

/** Density of the gamma distribution of shape a: the derivative of {@link igamma}. */
function gammaDensity(a: Tensor, x: Tensor): Tensor {
  return a.sub(1).xlogy(x).sub(x).sub(lgamma(a)).exp();
}

const IGAMMA = binaryOp('igamma', noShapeGradient, (g, a, x) => g.mul(gammaDensity(a as Tensor, x as Tensor)), {
  float: true,
});
/**
 * Regularised lower incomplete gamma function: `y = integral of t^(a-1) e^-t from 0 to x, over gamma(a)`; NaN for a negative
 * operand. `dx = g x^(a-1) e^-x / gamma(a)`, a has no gradient (PyTorch: `torch.igamma`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast, `grad` when backward() comes to a
 *
 * @example
 * ```ts
 * import { igamma, tensor } from 'chainrule';
 * console.log(igamma(tensor([1]), tensor([2])).item().toFixed(4)); // 0.8647
 * ```
 */
export function igamma(a: Tensor, x: Tensor): Tensor {
  return binary(IGAMMA, checkTensor('igamma', a), checkTensor('igamma', x));
}

const IGAMMAC = binaryOp('igammac', noShapeGradient, (g, a, x) => g.mul(gammaDensity(a as Tensor, x as Tensor)).neg(), {
  float: true,
});
/**
 * What {@link igamma} lacks to 1, exact for large x too: the regularised upper incomplete gamma function (PyTorch:
 * `torch.igammac`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast, `grad` when backward() comes to a
 *
 * @example
 * ```ts
 * import { igammac, tensor } from 'chainrule';
 * console.log(igammac(tensor([1]), tensor([2])).item().toFixed(4)); // 0.1353
 * ```
 */
export function igammac(a: Tensor, x: Tensor): Tensor {
  return binary(IGAMMAC, checkTensor('igammac', a), checkTensor('igammac', x));
}

/** Derivative of erf. */
function bell(x: Tensor): Tensor {
  return x
    .square()
    .neg()
    .exp()
    .mul(2 / Math.sqrt(Math.PI));
}
