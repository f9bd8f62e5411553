// Error function, gamma function and their relatives. Every export is also a method of Tensor.
import { unary, unaryOp } from '../core/dispatch.js';
import { checkInteger } from '../core/shape.js';
import type { Tensor } from '../tensor.js';

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

/** Derivative of erf. */
function bell(x: Tensor): Tensor {
  return x
    .square()
    .neg()
    .exp()
    .mul(2 / Math.sqrt(Math.PI));
}
