// Division, rounded and not, and what it leaves; operands broadcast. Every export is also a method of Tensor.
import { binary, binaryOp, checkTensor, meet } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { flat } from './backward.js';
import { sub } from './binary.js';

const DIV = binaryOp(
  'div',
  (g, _, b) => g.div(b),
  (g, a, b) =>
    g
      .mul(a)
      .div((b as Tensor).square())
      .neg(),
  { float: true },
);
/**
 * Quotient: `y = a / b`, floating point even for integers; division by 0 gives infinity or NaN (PyTorch: `torch.div`).
 *
 * Rounded, integers give integers, and the gradient is 0.
 *
 * @param options `roundingMode`: null unless given, 'trunc' (towards 0) or 'floor' (downwards)
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).div(2).toArray()); // [0.5, 1]
 * console.log(tensor([-3, 3]).div(2, { roundingMode: 'trunc' }).toArray()); // [-1, 1]
 * ```
 */
export function div(
  a: Tensor | number,
  b: Tensor | number,
  options?: { roundingMode?: 'trunc' | 'floor' | null },
): Tensor {
  if (options === undefined) return binary(DIV, a, b);
  checkOptions('div', options, ['roundingMode']);
  const mode = options.roundingMode ?? null;
  if (mode === null) return binary(DIV, a, b);
  if (mode === 'floor') return floorDivide(a, b);
  if (mode === 'trunc') return truncDivide(a, b);
  throw new TensorError('value', 'div', `expected roundingMode to be null, 'trunc' or 'floor', got ${describe(mode)}`);
}

function truncDivide(a: Tensor | number, b: Tensor | number): Tensor {
  for (const x of [a, b]) if (typeof x !== 'number') checkTensor('div', x, 'a tensor or a number');
  if (isFloat(meet(a, b))) return composite(() => binary(DIV, a, b).trunc());
  // What is left is a multiple of b, so that rounding downwards changes nothing.
  return composite(() => sub(a, fmod(a, b)).floorDivide(b));
}

const FLOOR_DIVIDE = binaryOp(
  'floorDivide',
  (g) => flat(g),
  (g) => flat(g),
  { saves: false, numeric: true },
);
/**
 * Quotient rounded downwards: `y = floor(a / b)`; integers give integers, 0 where they are divided by 0. The gradient is 0
 * (PyTorch: `torch.floor_divide`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-3, 3]).floorDivide(2).toArray()); // [-2, 1]
 * ```
 */
export function floorDivide(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(FLOOR_DIVIDE, a, b);
}

const REMAINDER = binaryOp(
  'remainder',
  (g) => g,
  (g, a, b) => g.mul(floorDivide(a, b)).neg(),
  { numeric: true },
);
/**
 * What floored division leaves: `y = a - b floor(a / b)`, with the sign of b, as in Python; integers give integers, 0 where they are divided by 0.
 * `da = g`, `db = -g floor(a / b)` (PyTorch: `torch.remainder`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-3, 3]).remainder(2).toArray()); // [1, 1]
 * ```
 */
export function remainder(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(REMAINDER, a, b);
}

const FMOD = binaryOp(
  'fmod',
  (g) => g,
  (g, a, b) => g.mul(truncDivide(a, b)).neg(),
  { numeric: true },
);
/**
 * What truncated division leaves: `y = a - b trunc(a / b)`, with the sign of a, as in C; integers give integers, 0 where they are divided by 0.
 * `da = g`, `db = -g trunc(a / b)` (PyTorch: `torch.fmod`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-3, 3]).fmod(2).toArray()); // [-1, 1]
 * ```
 */
export function fmod(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(FMOD, a, b);
}
