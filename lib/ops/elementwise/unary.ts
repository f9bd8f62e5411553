// Signs, squares and roots of one tensor. Every export is also a method of Tensor.
import { isTensor, unary, unaryOp } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import type { Tensor } from '../../tensor.js';
import { flat } from './backward.js';

const NEG = unaryOp('neg', 'none', (g) => g.neg(), { float: false });
/**
 * Changes the sign: `y = -x`. Any shape and numeric dtype, kept (PyTorch: `torch.neg`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).neg().toArray()); // [-1, 2]
 * ```
 */
export function neg(x: Tensor): Tensor {
  return unary(NEG, x);
}

const ABS = unaryOp('abs', 'x', (g, x) => g.mul(x.sign()), { float: false });
/**
 * Absolute value: `y = |x|`; its gradient is `sign(x)`, 0 at 0 (PyTorch: `torch.abs`; Caffe: AbsVal).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).abs().toArray()); // [1, 2]
 * ```
 */
export function abs(x: Tensor): Tensor {
  return unary(ABS, x);
}

const SIGN = unaryOp('sign', 'none', (g) => flat(g), { float: false });
/**
 * Sign: -1, 0 or 1, 0 for NaN, booleans themselves; its gradient is 0 (PyTorch: `torch.sign`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3, 0, -2]).sign().toArray()); // [1, 0, -1]
 * ```
 */
export function sign(x: Tensor): Tensor {
  if (isTensor(x) && x.dtype === 'bool') return composite(() => unary(SIGN, x.to('int32')).to('bool'));
  return unary(SIGN, x);
}

const SQUARE = unaryOp('square', 'x', (g, x) => g.mul(x).mul(2), { float: false });
/**
 * Square: `y = x^2`, `dx = 2 x g`; int32 of booleans (PyTorch: `torch.square`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3, -2]).square().toArray()); // [9, 4]
 * ```
 */
export function square(x: Tensor): Tensor {
  if (isTensor(x) && x.dtype === 'bool') return composite(() => unary(SQUARE, x.to('int32')));
  return unary(SQUARE, x);
}

const SQRT = unaryOp('sqrt', 'y', (g, y) => g.div(y.mul(2)));
/**
 * Square root; NaN below 0. `dx = g / (2 y)` (PyTorch: `torch.sqrt`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([4, 9]).sqrt().toArray()); // [2, 3]
 * ```
 */
export function sqrt(x: Tensor): Tensor {
  return unary(SQRT, x);
}

const RSQRT = unaryOp('rsqrt', 'y', (g, y) => g.mul(y.square().mul(y)).mul(-0.5));
/**
 * One over the square root: `y = 1 / sqrt(x)`, `dx = -g y^3 / 2`; infinite at 0, NaN below (PyTorch: `torch.rsqrt`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([4, 0.25]).rsqrt().toArray()); // [0.5, 2]
 * ```
 */
export function rsqrt(x: Tensor): Tensor {
  return unary(RSQRT, x);
}

const RECIPROCAL = unaryOp('reciprocal', 'y', (g, y) => g.mul(y.square()).neg());
/**
 * One over x: `y = 1 / x`, `dx = -g y^2`; infinite at 0 (PyTorch: `torch.reciprocal`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([4, -0.5]).reciprocal().toArray()); // [0.25, -2]
 * ```
 */
export function reciprocal(x: Tensor): Tensor {
  return unary(RECIPROCAL, x);
}
