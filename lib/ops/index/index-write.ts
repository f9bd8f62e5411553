// Writing whole slices, and elements of the row of all, where a 1-d index names their place.
import { checkTensor, copyInto, filled, isTensor, make, meet } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape, normalizeAxis, sameShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { around, checkIndex, indexSelect, places, runIndexed } from './index.js';
import { checkHolds, checkReduction, checkSource, type ScatterReduction, scatterReduce } from './scatter.js';

/** `x` with the slices of `source` written where the index says. Not recorded. */
function written(
  op: string,
  kernel: (y: Bytes, x: Bytes, index: Bytes) => number,
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
): Tensor {
  const y = make(op, x.shape, x.dtype);
  copyInto(y, x);
  return runIndexed(kernel, op, y, source, index, around(x.shape, axis, index.size));
}

/** Which slices stay, where several go to one place; the shape broadcasts to theirs. */
function lasting(index: Tensor, n: number, axis: number, ndim: number): Tensor {
  const own = places('indexCopy', index.size);
  const none = filled('indexCopy', [n], 'int32', 0);
  const stays = indexSelect(written('indexCopy', native.indexCopy, none, 0, index, own), 0, index).eq(own);
  return stays.reshape(Array.from({ length: ndim }, (_, d) => (d === axis ? index.size : 1)));
}

/** `x` with the slices of `source` in the place of those an index row names; of several in one place the last stays. */
export function rowsReplaced(op: string, x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  const n = x.shape[axis];
  const y = written(op, native.indexCopy, x, axis, index, source);
  return record(op, y, [x, source], [index], (g, [i], needs) => [
    needs[0] === null ? null : indexFill(g, axis, i, 0),
    needs[1] === null ? null : where(lasting(i, n, axis, g.ndim), indexSelect(g, axis, i), 0),
  ]);
}

/** `x` with the slices of `source` added to those an index row names. */
export function rowsAdded(op: string, x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  const y = written(op, native.indexAdd, x, axis, index, source);
  return record(op, y, [x, source], [index], (g, [i], needs) => [
    g,
    needs[1] === null ? null : indexSelect(g, axis, i),
  ]);
}

/** The operands checked, at least one dimension each, handed to `write`. */
function slices(
  op: string,
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
  write: (x: Tensor, axis: number, index: Tensor, source: Tensor) => Tensor,
): Tensor {
  checkTensor(op, x);
  const at = normalizeAxis(op, axis, x.ndim);
  const given = checkIndexRow(op, index);
  checkSource(op, x, source);
  const want = x.ndim === 0 ? [given.size] : x.shape.with(at, given.size);
  const scalar = source.ndim === 0 && x.ndim < 2 && given.size === 1;
  if (!scalar && !sameShape(source.shape, want)) {
    throw new TensorError(
      'shape',
      op,
      `expected a source of shape ${formatShape(want)} for ${given.size} indices into ${formatShape(x.shape)}, got ${formatShape(source.shape)}`,
    );
  }
  return composite(() => {
    const row = (t: Tensor) => (t.ndim === 0 ? t.reshape([1]) : t);
    const y = write(row(x), at, row(given), row(source));
    return x.ndim === 0 ? y.reshape([]) : y;
  });
}

function checkIndexRow(op: string, index: Tensor): Tensor {
  const given = checkIndex(op, index);
  if (given.ndim > 1) throw new TensorError('shape', op, `expected a 1-d index, got ${formatShape(given.shape)}`);
  return given;
}

/**
 * A copy of `x` with slices added along one dimension: for axis 0 `y[index[j]] += alpha source[j]`
 * (PyTorch: `torch.index_add`).
 *
 * @param index int32, 1-d; negative places count from the end
 * @param source shaped as `x`, with one slice for each index, of the same dtype
 * @param options `alpha`: factor of what is added, 1 unless given
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together, `dtype` for
 * an index that is not int32, another dtype of the source or a fraction for integers
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * const index = tensor([1, 1], { dtype: 'int32' });
 * console.log(zeros([2, 2]).indexAdd(0, index, tensor([[1, 2], [3, 4]])).toArray()); // [[0, 0], [4, 6]]
 * ```
 */
export function indexAdd(x: Tensor, axis: number, index: Tensor, source: Tensor, options?: { alpha?: number }): Tensor {
  const op = 'indexAdd';
  checkOptions(op, options, ['alpha']);
  const alpha = checkNumber(op, 'alpha', options?.alpha ?? 1);
  checkTensor(op, x);
  if (alpha !== 1) checkHolds(op, x, alpha);
  return slices(op, x, axis, index, source, (a, at, i, b) => rowsAdded(op, a, at, i, alpha === 1 ? b : b.mul(alpha)));
}

/**
 * A copy of `x` with slices replaced along one dimension: for axis 0 `y[index[j]] = source[j]`. Where several meet the
 * last one stays, and takes the gradient (PyTorch: `torch.index_copy`).
 *
 * @param index int32, 1-d; negative places count from the end
 * @param source shaped as `x`, with one slice for each index, of the same dtype
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together, `dtype` for
 * an index that is not int32 or another dtype of the source
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * const index = tensor([2, 0], { dtype: 'int32' });
 * console.log(zeros([3]).indexCopy(0, index, tensor([5, 6])).toArray()); // [6, 0, 5]
 * ```
 */
export function indexCopy(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  const op = 'indexCopy';
  return slices(op, x, axis, index, source, (...operands) => rowsReplaced(op, ...operands));
}

/**
 * A copy of `x` with one value in the slices that an index names (PyTorch: `torch.index_fill`).
 *
 * @param index int32, 1-d; negative places count from the end
 * @param value a number or a 0-d tensor
 * @throws TensorError `index` for a place outside the dimension, `shape` unless the index is 1-d and the value one
 * element, `dtype` for an index that is not int32 or a value that the dtype of `x` cannot hold
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * console.log(zeros([2, 3]).indexFill(1, tensor([0, 2], { dtype: 'int32' }), 7).toArray()); // [[7, 0, 7], [7, 0, 7]]
 * ```
 */
export function indexFill(x: Tensor, axis: number, index: Tensor, value: Tensor | number): Tensor {
  const op = 'indexFill';
  checkTensor(op, x);
  const at = normalizeAxis(op, axis, x.ndim);
  const given = checkIndexRow(op, index);
  if (isTensor(value) && checkTensor(op, value).ndim > 0) {
    throw new TensorError('shape', op, `expected a value of shape [], got ${formatShape(value.shape)}`);
  }
  if (isTensor(value)) {
    if (meet(x, value) !== x.dtype) {
      throw new TensorError('dtype', op, `expected a value that ${x.dtype} can hold, got ${describe(value)}`);
    }
  } else checkHolds(op, x, value);
  return composite(() => {
    const n = x.ndim === 0 ? 1 : x.shape[at];
    const row = given.reshape([given.size]);
    const named = written(op, native.indexCopy, filled(op, [n], 'bool', 0), 0, row, filled(op, row.shape, 'bool', 1));
    return where(named.reshape(x.shape.map((_, d) => (d === at ? n : 1))), value, x);
  });
}

/**
 * A copy of `x` where the slices that an index sends to one place, and what is there, are joined element by element to
 * their product, mean, largest or smallest (PyTorch: `torch.index_reduce`).
 *
 * @param index int32, 1-d; negative places count from the end
 * @param source shaped as `x`, with one slice for each index, of the same dtype
 * @param reduce `'prod'`, `'mean'`, `'amax'` or `'amin'`; `'sum'` too
 * @param options `includeSelf`: whether the slice of `x` counts too, true unless given
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together, `dtype` for
 * an index that is not int32 or another dtype of the source, `value` for another reduction
 *
 * @example
 * ```ts
 * import { ones, tensor } from 'chainrule';
 * const index = tensor([0, 0], { dtype: 'int32' });
 * console.log(ones([2]).indexReduce(0, index, tensor([3, 4]), 'prod').toArray()); // [12, 1]
 * ```
 */
export function indexReduce(
  x: Tensor,
  axis: number,
  index: Tensor,
  source: Tensor,
  reduce: ScatterReduction,
  options?: { includeSelf?: boolean },
): Tensor {
  const op = 'indexReduce';
  checkReduction(op, reduce, options);
  return slices(op, x, axis, index, source, (a, at, i, b) => {
    const each = i.reshape(b.shape.map((_, d) => (d === at ? i.size : 1))).expand(b.shape);
    return scatterReduce(a, at, each, b, reduce, options);
  });
}

/**
 * The elements at places of the row of all: `y[i] = x.flatten()[index[i]]` (PyTorch: `torch.take`).
 *
 * @param index int32, of any shape, which is that of the result; negative places count from the end
 * @throws TensorError `index` for a place outside the tensor, `dtype` for an index that is not int32
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(x.take(tensor([3, 0], { dtype: 'int32' })).toArray()); // [4, 1]
 * ```
 */
export function take(x: Tensor, index: Tensor): Tensor {
  const op = 'take';
  checkTensor(op, x);
  const given = checkIndex(op, index);
  return composite(() => indexSelect(x.reshape([x.size]), 0, given.reshape([given.size])).reshape(given.shape));
}

/**
 * A copy of `x` with elements written at places of the row of all: `y.flatten()[index[i]] = source[i]`. Where several meet
 * the last one stays, and takes the gradient (PyTorch: `torch.put`).
 *
 * @param index int32, of any shape; negative places count from the end
 * @param source as many elements as the index has, of the dtype of `x`
 * @param options `accumulate`: add to what is there, false unless given
 * @throws TensorError `index` for a place outside the tensor, `shape` for another number of elements, `dtype` for an
 * index that is not int32 or another dtype of the source
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * const index = tensor([3, 0], { dtype: 'int32' });
 * console.log(zeros([2, 2]).put(index, tensor([5, 6])).toArray()); // [[6, 0], [0, 5]]
 * ```
 */
export function put(x: Tensor, index: Tensor, source: Tensor, options?: { accumulate?: boolean }): Tensor {
  const op = 'put';
  checkTensor(op, x);
  checkOptions(op, options, ['accumulate']);
  const accumulate = checkBoolean(op, 'accumulate', options?.accumulate ?? false);
  const given = checkIndex(op, index);
  checkSource(op, x, source);
  if (source.size !== given.size) {
    throw new TensorError('shape', op, `expected a source of ${given.size} elements, got ${formatShape(source.shape)}`);
  }
  return composite(() => {
    const write = accumulate ? rowsAdded : rowsReplaced;
    const [a, i, b] = [x, given, source].map((t) => t.reshape([t.size]));
    return write(op, a, 0, i, b).reshape(x.shape);
  });
}
