// The dtypes in which operands meet.
import { checkTensor, meet } from '../../core/dispatch.js';
import { checkDType, DTYPES, type DType, promote } from '../../core/dtype.js';
import type { Tensor } from '../../tensor.js';

/**
 * The dtype in which two dtypes meet: floating point before whole numbers before booleans, and of one kind the wider (PyTorch:
 * `torch.promote_types`).
 *
 * @throws TensorError `dtype` for what is none
 *
 * @example
 * ```ts
 * import { promoteTypes } from 'chainrule';
 * console.log(promoteTypes('int32', 'float32')); // float32
 * ```
 */
export function promoteTypes(a: DType, b: DType): DType {
  return promote(checkDType('promoteTypes', a), checkDType('promoteTypes', b));
}

/**
 * The dtype that an operation of two operands computes in: numbers and 0-d tensors widen only into a higher kind (PyTorch:
 * `torch.result_type`).
 *
 * @throws TensorError `value` for what is neither a tensor nor a number
 *
 * @example
 * ```ts
 * import { ones, resultType } from 'chainrule';
 * console.log(resultType(ones([2], { dtype: 'uint8' }), 3)); // uint8
 * ```
 */
export function resultType(a: Tensor | number, b: Tensor | number): DType {
  for (const x of [a, b]) if (typeof x !== 'number') checkTensor('resultType', x, 'a tensor or a number');
  return meet(a, b);
}

/**
 * Whether a dtype may be converted to another as the result of an operation: not to a lower kind (PyTorch:
 * `torch.can_cast`).
 *
 * @throws TensorError `dtype` for what is none
 *
 * @example
 * ```ts
 * import { canCast } from 'chainrule';
 * console.log(canCast('int32', 'float32'), canCast('float32', 'int32')); // true false
 * ```
 */
export function canCast(from: DType, to: DType): boolean {
  return DTYPES[checkDType('canCast', from)].category <= DTYPES[checkDType('canCast', to)].category;
}
