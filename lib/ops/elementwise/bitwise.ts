// Whole numbers: their bits, and their common divisors and multiples. Every export is also a method of Tensor.
import { type BinaryOp, binary, binaryOp, checkTensor, meet } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

const logic = (name: string) => binaryOp(name, null, null, { saves: false });
const arithmetic = (name: string, kernel?: string) =>
  binaryOp(name, null, null, { saves: false, numeric: true, ...(kernel && { kernel }) });

/** The operation on whole numbers; a number is cut to the byte that uint8 holds of it. */
function whole(op: BinaryOp, a: Tensor | number, b: Tensor | number): Tensor {
  for (const x of [a, b]) if (typeof x !== 'number') checkTensor(op.name, x, 'a tensor or a number');
  if (typeof a === 'number' && typeof b === 'number') return binary(op, a, b);
  const dtype = meet(a, b);
  if (isFloat(dtype)) {
    throw new TensorError(
      'dtype',
      op.name,
      `expected whole numbers, got ${dtype}; convert the tensor with x.to('int32')`,
    );
  }
  const cut = (x: Tensor | number) => (typeof x === 'number' && dtype === 'uint8' ? x & 255 : x);
  return binary(op, cut(a), cut(b));
}

const AND = logic('bitwiseAnd');
/**
 * Bits that both have; of booleans, whether both are true (PyTorch: `torch.bitwise_and`).
 *
 * @throws TensorError `dtype` for floating point, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([6, 5], { dtype: 'int32' }).bitwiseAnd(3).toArray()); // [2, 1]
 * ```
 */
export function bitwiseAnd(a: Tensor | number, b: Tensor | number): Tensor {
  return whole(AND, a, b);
}

const OR = logic('bitwiseOr');
/**
 * Bits that either has; of booleans, whether either is true (PyTorch: `torch.bitwise_or`).
 *
 * @throws TensorError `dtype` for floating point, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([6, 5], { dtype: 'int32' }).bitwiseOr(3).toArray()); // [7, 7]
 * ```
 */
export function bitwiseOr(a: Tensor | number, b: Tensor | number): Tensor {
  return whole(OR, a, b);
}

const XOR = logic('bitwiseXor');
/**
 * Bits that exactly one has; of booleans, whether they differ (PyTorch: `torch.bitwise_xor`).
 *
 * @throws TensorError `dtype` for floating point, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([6, 5], { dtype: 'int32' }).bitwiseXor(3).toArray()); // [5, 6]
 * ```
 */
export function bitwiseXor(a: Tensor | number, b: Tensor | number): Tensor {
  return whole(XOR, a, b);
}

/**
 * All bits turned: `-x - 1` of int32, `255 - x` of uint8; of booleans, their opposite (PyTorch: `torch.bitwise_not`).
 *
 * @throws TensorError `dtype` for floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, 5], { dtype: 'int32' }).bitwiseNot().toArray()); // [-1, -6]
 * ```
 */
export function bitwiseNot(x: Tensor): Tensor {
  return checkTensor('bitwiseNot', x).dtype === 'bool' ? x.logicalNot() : whole(NOT, x, -1);
}
const NOT = binaryOp('bitwiseNot', null, null, { saves: false, kernel: 'bitwiseXor' });

const LEFT = arithmetic('bitwiseLeftShift', 'shiftLeft');
/**
 * Bits moved up: `y = a 2^b`, what does not fit falls off; 0 for a negative b or one beyond the width (PyTorch:
 * `torch.bitwise_left_shift`).
 *
 * @throws TensorError `dtype` for floating point or two booleans, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 3], { dtype: 'int32' }).bitwiseLeftShift(2).toArray()); // [4, 12]
 * ```
 */
export function bitwiseLeftShift(a: Tensor | number, b: Tensor | number): Tensor {
  return whole(LEFT, a, b);
}

const RIGHT = arithmetic('bitwiseRightShift', 'shiftRight');
/**
 * Bits moved down: `y = floor(a / 2^b)`; 0 or -1, by the sign, for a negative b or one beyond the width (PyTorch:
 * `torch.bitwise_right_shift`).
 *
 * @throws TensorError `dtype` for floating point or two booleans, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([12, -3], { dtype: 'int32' }).bitwiseRightShift(1).toArray()); // [6, -2]
 * ```
 */
export function bitwiseRightShift(a: Tensor | number, b: Tensor | number): Tensor {
  return whole(RIGHT, a, b);
}

const GCD = arithmetic('gcd');
/**
 * Greatest common divisor, never negative, 0 of two zeros (PyTorch: `torch.gcd`).
 *
 * @throws TensorError `dtype` for floating point or two booleans, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([12, -9], { dtype: 'int32' }).gcd(6).toArray()); // [6, 3]
 * ```
 */
export function gcd(a: Tensor | number, b: Tensor | number): Tensor {
  return whole(GCD, a, b);
}

const LCM = arithmetic('lcm');
/**
 * Least common multiple, never negative, 0 where either is (PyTorch: `torch.lcm`).
 *
 * @throws TensorError `dtype` for floating point or two booleans, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([4, -6], { dtype: 'int32' }).lcm(6).toArray()); // [12, 6]
 * ```
 */
export function lcm(a: Tensor | number, b: Tensor | number): Tensor {
  return whole(LCM, a, b);
}
