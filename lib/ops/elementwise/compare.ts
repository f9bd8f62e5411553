// Comparisons and logic: bool results, no gradient. Every export is also a method of Tensor.
import { binary, binaryOp, checkTensor, test, testOp } from '../../core/dispatch.js';
import type { Tensor } from '../../tensor.js';

const compare = (name: string) => binaryOp(name, null, null, { family: 'compare' });

const EQ = compare('eq');
/**
 * True where `a == b`; shapes broadcast, NaN is unequal to everything (PyTorch: `torch.eq`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3]).eq(tensor([1, 3, 2])).toArray()); // [true, false, false]
 * ```
 */
export function eq(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(EQ, a, b);
}

const NE = compare('ne');
/**
 * True where `a != b`; shapes broadcast, NaN is unequal to everything (PyTorch: `torch.ne`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3]).ne(tensor([1, 3, 2])).toArray()); // [false, true, true]
 * ```
 */
export function ne(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(NE, a, b);
}

const LT = compare('lt');
/**
 * True where `a < b`; shapes broadcast, NaN is neither larger nor smaller (PyTorch: `torch.lt`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3]).lt(tensor([1, 3, 2])).toArray()); // [false, true, false]
 * ```
 */
export function lt(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(LT, a, b);
}

const LE = compare('le');
/**
 * True where `a <= b`; shapes broadcast, NaN is neither larger nor smaller (PyTorch: `torch.le`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3]).le(tensor([1, 3, 2])).toArray()); // [true, true, false]
 * ```
 */
export function le(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(LE, a, b);
}

const GT = compare('gt');
/**
 * True where `a > b`; shapes broadcast, NaN is neither larger nor smaller (PyTorch: `torch.gt`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3]).gt(tensor([1, 3, 2])).toArray()); // [false, false, true]
 * ```
 */
export function gt(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(GT, a, b);
}

const GE = compare('ge');
/**
 * True where `a >= b`; shapes broadcast, NaN is neither larger nor smaller (PyTorch: `torch.ge`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3]).ge(tensor([1, 3, 2])).toArray()); // [true, false, true]
 * ```
 */
export function ge(a: Tensor | number, b: Tensor | number): Tensor {
  return binary(GE, a, b);
}

const AND = compare('logicalAnd');
/**
 * True where both are nonzero; shapes broadcast (PyTorch: `torch.logical_and`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, true, false]).logicalAnd(tensor([true, false, false])).toArray()); // [true, false, false]
 * ```
 */
export function logicalAnd(a: Tensor | number | boolean, b: Tensor | number | boolean): Tensor {
  return binary(AND, number(a), number(b));
}

const OR = compare('logicalOr');
/**
 * True where either is nonzero; shapes broadcast (PyTorch: `torch.logical_or`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, true, false]).logicalOr(tensor([true, false, false])).toArray()); // [true, true, false]
 * ```
 */
export function logicalOr(a: Tensor | number | boolean, b: Tensor | number | boolean): Tensor {
  return binary(OR, number(a), number(b));
}

const XOR = compare('logicalXor');
/**
 * True where exactly one is nonzero; shapes broadcast (PyTorch: `torch.logical_xor`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, true, false]).logicalXor(tensor([true, false, false])).toArray()); // [false, true, false]
 * ```
 */
export function logicalXor(a: Tensor | number | boolean, b: Tensor | number | boolean): Tensor {
  return binary(XOR, number(a), number(b));
}

function number(x: Tensor | number | boolean): Tensor | number {
  return typeof x === 'boolean' ? Number(x) : x;
}

const NOT = testOp('logicalNot');
/**
 * True where `x` is 0 (PyTorch: `torch.logical_not`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, false]).logicalNot().toArray()); // [false, true]
 * ```
 */
export function logicalNot(x: Tensor): Tensor {
  return test(NOT, x);
}

const IS_NAN = testOp('isNan');
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
  return test(IS_NAN, x);
}

const IS_INF = testOp('isInf');
/**
 * True where `x` is infinite, of either sign (PyTorch: `torch.isinf`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -Infinity, NaN]).isInf().toArray()); // [false, true, false]
 * ```
 */
export function isInf(x: Tensor): Tensor {
  return test(IS_INF, x);
}

/**
 * True where `x` is Infinity (PyTorch: `torch.isposinf`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -Infinity, Infinity]).isPosInf().toArray()); // [false, false, true]
 * ```
 */
export function isPosInf(x: Tensor): Tensor {
  return binary(EQ, checkTensor('isPosInf', x), Infinity);
}

/**
 * True where `x` is -Infinity (PyTorch: `torch.isneginf`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, -Infinity, Infinity]).isNegInf().toArray()); // [false, true, false]
 * ```
 */
export function isNegInf(x: Tensor): Tensor {
  return binary(EQ, checkTensor('isNegInf', x), -Infinity);
}

const IS_FINITE = testOp('isFinite');
/**
 * True where `x` is neither infinite nor NaN (PyTorch: `torch.isfinite`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, Infinity, NaN]).isFinite().toArray()); // [true, false, false]
 * ```
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: PyTorch's name; the global one is not used here
export function isFinite(x: Tensor): Tensor {
  return test(IS_FINITE, x);
}
