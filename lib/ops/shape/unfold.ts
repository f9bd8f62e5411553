// x.unfold(): sliding windows along a dimension as a view. Every export is also a method of Tensor.
import { checkTensor, view } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, checkShape, formatShape, isContiguous, normalizeAxis, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { indexAddInto, places } from '../index/index.js';

/**
 * Sliding windows along a dimension, as a new last dimension: for one `y[i][k] = x[i step + k]`, with as many windows as
 * fit. A view: windows that overlap share memory, and their gradients add (PyTorch: `Tensor.unfold`).
 *
 * @param size elements of a window, from 0 to the size of the dimension
 * @param step distance of their beginnings, at least 1
 * @throws TensorError `value` for a size or step outside these, `axis` for a dimension that is not there, `shape` for more
 * than 8 dimensions
 *
 * @example
 * ```ts
 * import { arange } from 'chainrule';
 * console.log(arange(5).unfold(0, 3, 2).toArray()); // [[0, 1, 2], [2, 3, 4]]
 * ```
 */
export function unfold(x: Tensor, axis: number, size: number, step: number): Tensor {
  const op = 'unfold';
  const { ndim, shape } = checkTensor(op, x);
  const at = normalizeAxis(op, axis, ndim);
  const n = ndim === 0 ? 1 : shape[at];
  if (checkInteger(op, 'the size', size, 0) > n) {
    throw new TensorError(
      'value',
      op,
      `expected a size of at most ${n} for dimension ${at} of ${formatShape(shape)}, got ${size}`,
    );
  }
  checkInteger(op, 'the step', step, 1);
  // A single number is one window, of one dimension.
  if (ndim === 0) return composite(() => x.reshape([1]).narrow(0, 0, size));
  const count = Math.floor((n - size) / step) + 1;
  const target = checkShape(op, [...shape.with(at, count), size]);
  const strides = [...x.strides.with(at, x.strides[at] * step), x.strides[at]];
  // No element, no place that could lie behind the buffer.
  const y = view(op, x, target, strides, x.offset, sizeOf(target) === 0 || isContiguous(target, strides));
  return record(op, y, [x], [], (g) => {
    const index = places(op, count, 0, step).unsqueeze(1).add(places(op, size));
    const order = [...target.keys()].slice(0, -1).toSpliced(at + 1, 0, target.length - 1);
    const rows = g.permute(order).reshape(shape.with(at, count * size));
    return indexAddInto(rows, shape, at, index.reshape([index.size]));
  });
}
