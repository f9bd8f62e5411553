// Less common functions of two and three operands, which broadcast. Every export is also a method of Tensor.
import { binary, binaryOp, checkTensor } from '../../core/dispatch.js';
import { floatOf, isFloat } from '../../core/dtype.js';
import { fused } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkNumber } from '../../core/shape.js';
import { checkOptions } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { flat } from './backward.js';
import { add, pow, sub } from './binary.js';
import { div } from './division.js';

const ATAN2 = binaryOp(
  'atan2',
  (g, a, b) => g.mul(b).div(add(square(a), square(b))),
  (g, a, b) =>
    g
      .mul(a)
      .div(add(square(a), square(b)))
      .neg(),
  { float: true },
);
/**
 * Angle of the point (b, a) seen from the origin, between -pi and pi; `da = g b / (a^2 + b^2)`, `db = -g a / (a^2 + b^2)`
 * (PyTorch: `torch.atan2`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0]).atan2(tensor([1])).item()); // 0
 * ```
 */
export function atan2(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(ATAN2, a, b);
}

const HYPOT = binaryOp(
  'hypot',
  (g, a, b) => g.mul(div(a, hypot(a, b))),
  (g, a, b) => g.mul(div(b, hypot(a, b))),
  { float: true },
);
/**
 * Length of the vector (a, b): `y = sqrt(a^2 + b^2)` without overflow; `da = g a / y`, `db = g b / y` (PyTorch: `torch.hypot`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3]).hypot(tensor([4])).item()); // 5
 * ```
 */
export function hypot(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(HYPOT, a, b);
}

const LOGADDEXP = binaryOp(
  'logaddexp',
  (g, a, b) => g.mul(sub(a, b).sigmoid()),
  (g, a, b) => g.mul(sub(b, a).sigmoid()),
  { float: true },
);
/**
 * Logarithm of a sum of exponentials: `y = log(e^a + e^b)` without overflow; `da = g sigmoid(a - b)` (PyTorch:
 * `torch.logaddexp`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1000]).logaddexp(tensor([0])).item()); // 1000
 * ```
 */
export function logaddexp(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(LOGADDEXP, a, b);
}

/**
 * Logarithm of a sum of powers of two: `y = log2(2^a + 2^b)` without overflow; `da = g sigmoid((a - b) ln 2)` (PyTorch:
 * `torch.logaddexp2`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3]).logaddexp2(tensor([3])).item().toFixed(4)); // 4.0000
 * ```
 */
export function logaddexp2(a: Tensor | number, b: Tensor | number): Tensor {
  const natural = (x: Tensor | number) =>
    typeof x === 'number' ? x * Math.LN2 : checkTensor('logaddexp2', x, 'a tensor or a number').mul(Math.LN2);
  return composite(() => logaddexp(natural(a), natural(b)).div(Math.LN2));
}

/**
 * Power in double precision, whatever the operands are: `y = a^b`, float64 (PyTorch: `torch.float_power`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([2, 3], { dtype: 'int32' }).floatPower(-1).dtype); // float64
 * ```
 */
export function floatPower(a: Tensor | number, b: Tensor | number): Tensor {
  const double = (x: Tensor | number) =>
    typeof x === 'number' ? x : checkTensor('floatPower', x, 'a tensor or a number').to('float64');
  return composite(() => pow(double(a), double(b)));
}

const COPYSIGN = binaryOp(
  'copysign',
  (g, a, b) => g.mul((a as Tensor).sign()).mul(signOf(b)),
  (g) => flat(g),
  { float: true },
);
/**
 * The absolute value of a with the sign of b, which -0 and -NaN have too; the gradient of a is g or -g, 0 at 0 (PyTorch:
 * `torch.copysign`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -2]).copysign(-3).toArray()); // [-1, -2]
 * ```
 */
export function copysign(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(COPYSIGN, a, b);
}

/** 1 or -1. */
function signOf(b: Tensor | number): Tensor | number {
  if (typeof b !== 'number') return binary(COPYSIGN, 1, b);
  return b < 0 || Object.is(b, -0) ? -1 : 1;
}

const XLOGY = binaryOp(
  'xlogy',
  (g, a, b) => {
    // The result is 0 along with a, wherever the logarithm is not a number.
    const slope = xlogy(g, b);
    if (typeof b !== 'number') return (a as Tensor).eq(0).logicalAnd(b.le(0)).where(0, slope);
    return b <= 0 ? (a as Tensor).eq(0).where(0, slope) : slope;
  },
  (g, a, b) => g.mul(a).div(b),
  { float: true },
);
/**
 * `y = a log(b)`, 0 where a is 0 (unless b is NaN); `da = g log(b)`, `db = g a / b` (PyTorch: `torch.xlogy`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, 2]).xlogy(tensor([0, 1])).toArray()); // [0, 0]
 * ```
 */
export function xlogy(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(XLOGY, a, b);
}

/**
 * Product with a power of two: `y = x 2^other`, floating point even for integers (PyTorch: `torch.ldexp`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 3]).ldexp(2).toArray()); // [4, 12]
 * ```
 */
export function ldexp(x: Tensor, other: Tensor | number): Tensor {
  const dtype = floatOf(checkTensor('ldexp', x).dtype);
  if (typeof other === 'number') return x.to(dtype).mul(2 ** other);
  checkTensor('ldexp', other, 'a tensor or a number');
  broadcastShapes('ldexp', x.shape, other.shape);
  return composite(() => x.to(dtype).mul((isFloat(other.dtype) ? other : other.to(dtype)).exp2()));
}

/**
 * Point between two others: `y = x + weight (end - x)`, exactly `end` for a weight of 1 (PyTorch: `torch.lerp`).
 *
 * @param weight a number, or a tensor that broadcasts
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, 10]).lerp(tensor([4, 20]), 0.25).toArray()); // [1, 12.5]
 * ```
 */
export function lerp(x: Tensor, end: Tensor, weight: Tensor | number): Tensor {
  const op = 'lerp';
  const shape = broadcastShapes(op, checkTensor(op, x).shape, checkTensor(op, end, 'an end tensor').shape);
  // From the nearer end, so that both ends are exact.
  const low = (w: Tensor | number) => x.add(end.sub(x).mul(w));
  const high = (w: Tensor | number) => end.sub(end.sub(x).mul(typeof w === 'number' ? 1 - w : sub(1, w)));
  if (typeof weight === 'number') {
    return composite(() => (weight < 0.5 ? low(weight) : high(weight)));
  }
  broadcastShapes(op, shape, checkTensor(op, weight, 'a weight tensor or a number').shape);
  return fused(
    op,
    [x, end, weight],
    [x, end, weight],
    () => weight.lt(0.5).where(low(weight), high(weight)),
    (g, [x, end, w]) => [g.mul(sub(1, w)), g.mul(w), g.mul(end.sub(x))],
  );
}

/**
 * `y = x + value tensor1 tensor2` (PyTorch: `torch.addcmul`).
 *
 * @param options `value`, 1 unless given
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).addcmul(tensor([3, 4]), tensor([10, 10])).toArray()); // [31, 42]
 * ```
 */
export function addcmul(x: Tensor, tensor1: Tensor, tensor2: Tensor, options?: { value?: number }): Tensor {
  const value = checkThree('addcmul', x, tensor1, tensor2, options);
  return composite(() => x.add(tensor1.mul(tensor2), { alpha: value }));
}

/**
 * `y = x + value tensor1 / tensor2` (PyTorch: `torch.addcdiv`).
 *
 * @param options `value`, 1 unless given
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).addcdiv(tensor([3, 4]), tensor([2, 2])).toArray()); // [2.5, 4]
 * ```
 */
export function addcdiv(x: Tensor, tensor1: Tensor, tensor2: Tensor, options?: { value?: number }): Tensor {
  const value = checkThree('addcdiv', x, tensor1, tensor2, options);
  return composite(() => x.add(tensor1.div(tensor2), { alpha: value }));
}

/** Checks the arguments of a function of three tensors; its value. */
function checkThree(op: string, x: Tensor, a: Tensor, b: Tensor, options: { value?: number } | undefined): number {
  checkOptions(op, options, ['value']);
  const shape = broadcastShapes(op, checkTensor(op, a).shape, checkTensor(op, b).shape);
  broadcastShapes(op, checkTensor(op, x).shape, shape);
  return checkNumber(op, 'value', options?.value ?? 1);
}

function square(x: Tensor | number): Tensor | number {
  return typeof x === 'number' ? x * x : x.square();
}
