// Elementwise functions of one tensor. Every export is also a method of Tensor.
import { unary, unaryOp } from '../core/dispatch.js';
import { isFloat } from '../core/dtype.js';
import { checkNumber } from '../core/shape.js';
import { checkOptions } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { eluBackward, leakyReluBackward, reluBackward, sigmoidBackward, tanhBackward } from './backward.js';

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

const SIGN = unaryOp('sign', 'none', (g) => g.mul(0), { float: false });
/**
 * Sign: -1, 0 or 1; its gradient is 0 (PyTorch: `torch.sign`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3, 0, -2]).sign().toArray()); // [1, 0, -1]
 * ```
 */
export function sign(x: Tensor): Tensor {
  return unary(SIGN, x);
}

const SQUARE = unaryOp('square', 'x', (g, x) => g.mul(x).mul(2), { float: false });
/**
 * Square: `y = x^2`, `dx = 2 x g` (PyTorch: `torch.square`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3, -2]).square().toArray()); // [9, 4]
 * ```
 */
export function square(x: Tensor): Tensor {
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

const SIN = unaryOp('sin', 'x', (g, x) => g.mul(x.cos()));
/**
 * Sine of an angle in radians (PyTorch: `torch.sin`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).sin().item()); // 0
 * ```
 */
export function sin(x: Tensor): Tensor {
  return unary(SIN, x);
}

const COS = unaryOp('cos', 'x', (g, x) => g.mul(x.sin()).neg());
/**
 * Cosine of an angle in radians (PyTorch: `torch.cos`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).cos().item()); // 1
 * ```
 */
export function cos(x: Tensor): Tensor {
  return unary(COS, x);
}

const RELU = unaryOp('relu', 'y', (g, y) => reluBackward(g, y), { float: false });
/**
 * Rectified linear unit: `y = max(x, 0)`; its gradient is 1 above 0 and 0 elsewhere (PyTorch: `torch.relu`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).relu().toArray()); // [1, 0]
 * ```
 */
export function relu(x: Tensor): Tensor {
  return unary(RELU, x);
}

const SIGMOID = unaryOp('sigmoid', 'y', (g, y) => sigmoidBackward(g, y));
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

const TANH = unaryOp('tanh', 'y', (g, y) => tanhBackward(g, y));
/**
 * Hyperbolic tangent; `dx = g (1 - y^2)` (PyTorch: `torch.tanh`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).tanh().item()); // 0
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return unary(TANH, x);
}

const LOG_SIGMOID = unaryOp('logSigmoid', 'x', (g, x) => g.mul(x.neg().sigmoid()));
/**
 * `y = log(1 / (1 + e^-x))`, without overflow at either end; `dx = g sigmoid(-x)` (PyTorch: `F.logsigmoid`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-1000]).logSigmoid().item()); // -1000
 * ```
 */
export function logSigmoid(x: Tensor): Tensor {
  return unary(LOG_SIGMOID, x);
}

const LEAKY_RELU = unaryOp('leakyRelu', 'x', (g, x, slope) => leakyReluBackward(g, x, slope));
/**
 * `y = x` above 0, `negativeSlope * x` elsewhere (PyTorch: `F.leaky_relu`).
 *
 * @param options `negativeSlope`, 0.01 unless given
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).leakyRelu({ negativeSlope: 0.5 }).toArray()); // [1, -1]
 * ```
 */
export function leakyRelu(x: Tensor, options?: { negativeSlope?: number }): Tensor {
  checkOptions('leakyRelu', options, ['negativeSlope']);
  return unary(LEAKY_RELU, x, checkNumber('leakyRelu', 'negativeSlope', options?.negativeSlope ?? 0.01));
}

const ELU = unaryOp('elu', 'x', (g, x, alpha) => eluBackward(g, x, alpha));
/**
 * Exponential linear unit: `y = x` above 0, `alpha (e^x - 1)` elsewhere (Clevert et al. 2015; PyTorch: `F.elu`).
 *
 * @param options `alpha`, 1 unless given
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([2, 0]).elu().toArray()); // [2, 0]
 * ```
 */
export function elu(x: Tensor, options?: { alpha?: number }): Tensor {
  checkOptions('elu', options, ['alpha']);
  return unary(ELU, x, checkNumber('elu', 'alpha', options?.alpha ?? 1));
}

/**
 * Logical negation: true where `x` is 0 (PyTorch: `torch.logical_not`). Any dtype, bool result, no gradient.
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, false]).logicalNot().toArray()); // [false, true]
 * ```
 */
export function logicalNot(x: Tensor): Tensor {
  return x.eq(0);
}

/**
 * True where `x` is not a number (PyTorch: `torch.isnan`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([NaN, 1]).isNan().toArray()); // [true, false]
 * ```
 */
export function isNan(x: Tensor): Tensor {
  return x.ne(x);
}

/**
 * True where `x` is neither infinite nor NaN (PyTorch: `torch.isfinite`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, Infinity, NaN]).isFinite().toArray()); // [true, false, false]
 * ```
 */
export function isFinite(x: Tensor): Tensor {
  return isFloat(x.dtype) ? x.abs().lt(Number.POSITIVE_INFINITY) : x.eq(x);
}
