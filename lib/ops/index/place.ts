// Copies with values put into a view of them: a slice, a range, a diagonal. Every export is also a method of Tensor.
import { checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, formatShape, normalizeAxis, type Shape, sameShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { diagonal } from '../shape/diagonal.js';
import { select } from '../shape/movement.js';
import { placed, stride } from '../shape/stride.js';
import { slice, stretchOf } from './at.js';
import { checkSource } from './scatter.js';

function checkFits(op: string, src: Tensor, shape: Shape): void {
  if (sameShape(src.shape, shape)) return;
  throw new TensorError('shape', op, `expected a source of shape ${formatShape(shape)}, got ${formatShape(src.shape)}`);
}

/** A copy of `x` with `src` in the part that `look` shows. */
function put(op: string, x: Tensor, src: Tensor, look: (whole: Tensor) => Tensor): Tensor {
  checkSource(op, checkTensor(op, x), src);
  return composite(() => {
    checkFits(op, src, look(x).shape);
    return placed(op, x, src, look);
  });
}

/**
 * A copy of `x` with `src` as the slice at one place of a dimension: for axis 0 `y[index] = src` (PyTorch:
 * `torch.select_scatter`).
 *
 * @param src shaped as `x` without the dimension, of the same dtype
 * @param index a place; negative ones count from the end
 * @throws TensorError `index` for a place outside the dimension, `shape` for another shape of the source, `dtype` for
 * another dtype of it
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * console.log(zeros([2, 2]).selectScatter(tensor([1, 2]), 0, -1).toArray()); // [[0, 0], [1, 2]]
 * ```
 */
export function selectScatter(x: Tensor, src: Tensor, axis: number, index: number): Tensor {
  return put('selectScatter', x, src, (t) => select(t, axis, index));
}

/** Options of {@link sliceScatter}. */
export interface SliceScatterOptions {
  /** The first place; the beginning unless given. Negative ones count from the end. */
  start?: number;
  /** The place to end before; the end unless given. Negative ones count from the end. */
  end?: number;
  /** Distance of the places, 1 unless given. */
  step?: number;
}

/**
 * A copy of `x` with `src` in a range of a dimension: for axis 0 `y[start:end:step] = src` (PyTorch:
 * `torch.slice_scatter`).
 *
 * @param src shaped as that part of `x`, of the same dtype
 * @param axis the dimension, 0 unless given
 * @throws TensorError `shape` for another shape of the source, `dtype` for another dtype of it, `value` for a step below 1
 *
 * @example
 * ```ts
 * import { ones, zeros } from 'chainrule';
 * console.log(zeros([5]).sliceScatter(ones([2]), 0, { start: 1, end: 4, step: 2 }).toArray()); // [0, 1, 0, 1, 0]
 * ```
 */
export function sliceScatter(x: Tensor, src: Tensor, axis = 0, options?: SliceScatterOptions): Tensor {
  const op = 'sliceScatter';
  checkOptions(op, options, ['start', 'end', 'step']);
  const { ndim, shape } = checkTensor(op, x);
  const at = normalizeAxis(op, axis, ndim);
  if (ndim === 0) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  const { start, end, step } = options ?? {};
  for (const [name, value] of Object.entries({ start, end })) if (value !== undefined) checkInteger(op, name, value);
  const range = slice(start ?? null, end ?? null, checkInteger(op, 'step', step ?? 1, 1));
  const stretches = shape.map((n, i) => (i === at ? stretchOf(range, n) : { start: 0, step: 1, length: n }));
  return put(op, x, src, (t) => stride(t, stretches));
}

/**
 * A copy of `x` with `src` on a diagonal of the matrices in two dimensions: `y[i][i + offset] = src[i]` (PyTorch:
 * `torch.diagonal_scatter`).
 *
 * @param src shaped as that diagonal, which is the last dimension; of the dtype of `x`
 * @param offset which diagonal: 0 (unless given) the main one, above it positive, below it negative
 * @param axis0 dimension of the rows, 0 unless given
 * @param axis1 dimension of the columns, 1 unless given
 * @throws TensorError `axis` unless these are two different dimensions, `shape` for fewer than two dimensions or another
 * shape of the source, `dtype` for another dtype of it
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * console.log(zeros([2, 2]).diagonalScatter(tensor([1, 2])).toArray()); // [[1, 0], [0, 2]]
 * ```
 */
export function diagonalScatter(x: Tensor, src: Tensor, offset = 0, axis0 = 0, axis1 = 1): Tensor {
  return put('diagonalScatter', x, src, (t) => diagonal(t, offset, axis0, axis1));
}
