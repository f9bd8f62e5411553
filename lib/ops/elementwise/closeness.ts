// Whether tensors are equal, or nearly so.
import { checkTensor } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { noGrad } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkBoolean, checkNumber, sameShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

/** Options of {@link isclose} and {@link allclose}. */
export interface ClosenessOptions {
  /** Tolerance relative to the second tensor; 1e-5 unless given. */
  rtol?: number;
  /** Absolute tolerance; 1e-8 unless given. */
  atol?: number;
  /** Whether NaN is close to NaN; false unless given. */
  equalNan?: boolean;
}

function checkSame(op: string, a: Tensor, b: Tensor): void {
  checkTensor(op, a, 'a first tensor');
  checkTensor(op, b, 'a second tensor');
  if (a.dtype === b.dtype) return;
  throw new TensorError(
    'dtype',
    op,
    `expected one dtype, got ${a.dtype} and ${b.dtype}; convert one with x.to('${a.dtype}')`,
  );
}

function closeness(op: string, a: Tensor, b: Tensor, options: ClosenessOptions | undefined): Tensor {
  checkOptions(op, options, ['rtol', 'atol', 'equalNan']);
  checkSame(op, a, b);
  broadcastShapes(op, a.shape, b.shape);
  const rtol = checkNumber(op, 'rtol', options?.rtol ?? 1e-5, 0);
  const atol = checkNumber(op, 'atol', options?.atol ?? 1e-8, 0);
  const equalNan = checkBoolean(op, 'equalNan', options?.equalNan ?? false);
  return noGrad(() =>
    composite(() => {
      let close = a.eq(b);
      if (equalNan) close = close.logicalOr(a.isNan().logicalAnd(b.isNan()));
      // Whole numbers are compared in double, where their difference does not wrap around.
      const [p, q] = isFloat(a.dtype) ? [a, b] : [a.to('float64'), b.to('float64')];
      const error = p.sub(q).abs();
      const allowed = q.mul(rtol).abs().add(atol);
      return close.logicalOr(error.isFinite().logicalAnd(error.le(allowed)));
    }),
  );
}

/**
 * True where two tensors are nearly equal: `|a - b| <= atol + rtol |b|`, or equal infinities; shapes broadcast (PyTorch:
 * `torch.isclose`).
 *
 * @throws TensorError `dtype` unless both have one, `shape` where the shapes do not broadcast, `value` for a negative tolerance
 *
 * @example
 * ```ts
 * import { isclose, tensor } from 'chainrule';
 * console.log(isclose(tensor([1, 2]), tensor([1.000001, 2.1])).toArray()); // [true, false]
 * ```
 */
export function isclose(a: Tensor, b: Tensor, options?: ClosenessOptions): Tensor {
  return closeness('isclose', a, b, options);
}

/**
 * Whether all elements of two tensors are nearly equal, as {@link isclose} says; a boolean (PyTorch: `torch.allclose`).
 *
 * @throws TensorError `dtype` unless both have one, `shape` where the shapes do not broadcast, `value` for a negative tolerance
 *
 * @example
 * ```ts
 * import { allclose, tensor } from 'chainrule';
 * console.log(allclose(tensor([1, 2]), tensor([1.000001, 2]))); // true
 * ```
 */
export function allclose(a: Tensor, b: Tensor, options?: ClosenessOptions): boolean {
  return holds(closeness('allclose', a, b, options));
}

/** Whether a tensor of booleans, which goes, is true everywhere. */
function holds(x: Tensor): boolean {
  const all = x.all();
  const answer = all.item() !== 0;
  all.dispose();
  x.dispose();
  return answer;
}

/**
 * Whether two tensors have one shape and the same elements; NaN is unequal to everything. A boolean (PyTorch: `torch.equal`).
 *
 * @throws TensorError `dtype` unless both have one
 *
 * @example
 * ```ts
 * import { equal, tensor } from 'chainrule';
 * console.log(equal(tensor([1, 2]), tensor([1, 2])), equal(tensor([1, 2]), tensor([[1, 2]]))); // true false
 * ```
 */
export function equal(a: Tensor, b: Tensor): boolean {
  checkSame('equal', a, b);
  return sameShape(a.shape, b.shape) && holds(a.eq(b));
}
