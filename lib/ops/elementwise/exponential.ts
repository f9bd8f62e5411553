// Exponentials and logarithms. Every export is also a method of Tensor.
import { checkTensor, unary, unaryOp } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { checkNumber } from '../../core/shape.js';
import { checkOptions } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { sigmoidBackward } from './backward.js';
import { sub } from './binary.js';

const EXP = unaryOp('exp', 'y', (g, y) => g.mul(y));
/**
 * Exponential: `y = e^x`, `dx = g y` (PyTorch: `torch.exp`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).exp().item()); // 1
 * ```
 */
export function exp(x: Tensor): Tensor {
  return unary(EXP, x);
}

const EXPM1 = unaryOp('expm1', 'y', (g, y) => g.mul(y.add(1)));
/**
 * Exponential less one: `y = e^x - 1`, exact for small x too; `dx = g (y + 1)` (PyTorch: `torch.expm1`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).expm1().item()); // 0
 * ```
 */
export function expm1(x: Tensor): Tensor {
  return unary(EXPM1, x);
}

const EXP2 = unaryOp('exp2', 'y', (g, y) => g.mul(y).mul(Math.LN2));
/**
 * Power of two: `y = 2^x`, `dx = g y ln 2` (PyTorch: `torch.exp2`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3, -1]).exp2().toArray()); // [8, 0.5]
 * ```
 */
export function exp2(x: Tensor): Tensor {
  return unary(EXP2, x);
}

const LOG = unaryOp('log', 'x', (g, x) => g.div(x));
/**
 * Natural logarithm; -Infinity at 0, NaN below. `dx = g / x` (PyTorch: `torch.log`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1]).log().item()); // 0
 * ```
 */
export function log(x: Tensor): Tensor {
  return unary(LOG, x);
}

const LOG1P = unaryOp('log1p', 'x', (g, x) => g.div(x.add(1)));
/**
 * Logarithm of one more: `y = log(1 + x)`, exact for small x too; `dx = g / (1 + x)` (PyTorch: `torch.log1p`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).log1p().item()); // 0
 * ```
 */
export function log1p(x: Tensor): Tensor {
  return unary(LOG1P, x);
}

const LOG2 = unaryOp('log2', 'x', (g, x) => g.div(x.mul(Math.LN2)));
/**
 * Logarithm to base 2; `dx = g / (x ln 2)` (PyTorch: `torch.log2`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([8]).log2().item()); // 3
 * ```
 */
export function log2(x: Tensor): Tensor {
  return unary(LOG2, x);
}

const LOG10 = unaryOp('log10', 'x', (g, x) => g.div(x.mul(Math.LN10)));
/**
 * Logarithm to base 10; `dx = g / (x ln 10)` (PyTorch: `torch.log10`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1]).log10().item()); // 0
 * ```
 */
export function log10(x: Tensor): Tensor {
  return unary(LOG10, x);
}

const SIGMOID = unaryOp('sigmoid', 'y', (g, y) => sigmoidBackward(g, y), { backward: 'sigmoidBackward' });
/**
 * Logistic function: `y = 1 / (1 + e^-x)`, `dx = g y (1 - y)` (PyTorch: `torch.sigmoid`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).sigmoid().item()); // 0.5
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return unary(SIGMOID, x);
}

/**
 * Log-odds, the inverse of sigmoid: `y = log(x / (1 - x))`, `dx = g / (x (1 - x))`; NaN outside [0, 1] (PyTorch:
 * `torch.logit`).
 *
 * @param options `eps`: x is clamped to [eps, 1 - eps] first, and its gradient is 0 outside
 * @throws TensorError `value` for an eps outside [0, 0.5]
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0.5]).logit().item()); // 0
 * ```
 */
export function logit(x: Tensor, options?: { eps?: number }): Tensor {
  checkOptions('logit', options, ['eps']);
  const p = checkTensor('logit', x);
  const eps = options?.eps === undefined ? null : checkNumber('logit', 'eps', options.eps, 0, 0.5);
  return fused(
    'logit',
    [p],
    [p],
    () => {
      const z = eps === null ? p : p.clamp(eps, 1 - eps);
      return z.div(sub(1, z)).log();
    },
    (g, [x]) => {
      // Outside of the clamp nothing changes; without one the function is not defined there.
      const outside = x.lt(eps ?? 0).logicalOr(x.gt(1 - (eps ?? 0)));
      return outside.where(eps === null ? Number.NaN : 0, g.div(x.mul(sub(1, x))));
    },
  );
}
