// Picking elements by integer tensors along one dimension, and the one road to the kernels of all that index.
import { checkTensor, clear, dense, dropCopy, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { checkPlace } from '../../core/recording.js';
import { composite } from '../../core/scope.js';
import { formatShape, normalizeAxis, type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;

/** An index as int32. */
export function checkIndex(op: string, index: Tensor): Tensor {
  checkTensor(op, index, 'an index tensor');
  if (index.dtype === 'int32') return index;
  if (index.dtype === 'uint8') return index.to('int32');
  throw new TensorError(
    'dtype',
    op,
    `expected an index of dtype int32, got ${index.dtype}; convert it with index.to('int32')`,
  );
}

/** The error that names an offending index. */
export function outOfRange(op: string, index: Tensor, place: number, low: number, n: number): TensorError {
  const value = index.read(place);
  return new TensorError(
    'index',
    op,
    n === 0
      ? `expected no indices into a dimension of size 0, got ${value} at place ${place} of the index`
      : `expected indices between ${low} and ${n - 1}, got ${value} at place ${place} of the index`,
  );
}

/** A shape around one dimension as the kernels see it: what is before it, its size, how many are picked, what is after it. */
export function around(shape: Shape, axis: number, count: number): [number, number, number, number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis] ?? 1, count, sizeOf(shape.slice(axis + 1))];
}

/** Runs a kernel of this family on `y`, which is contiguous; `wraps` says whether negative indices count from the end. */
export function runIndexed(
  kernel: (y: Bytes, x: Bytes, index: Bytes) => number,
  op: string,
  y: Tensor,
  x: Tensor,
  index: Tensor,
  sizes: readonly [outer: number, n: number, count: number, inner: number],
  wraps = true,
): Tensor {
  const source = dense(op, x);
  const at = dense(op, index);
  G[0] = DTYPES[x.dtype].code;
  for (let i = 0; i < 4; i++) G[1 + i] = sizes[i];
  G[5] = offsetOf(y);
  G[6] = offsetOf(source);
  G[7] = offsetOf(at);
  G[8] = wraps ? 1 : 0;
  const bad = kernel(y.storage.bytes, source.storage.bytes, at.storage.bytes);
  checkPlace(bad, at, (place) => outOfRange(op, at, place, wraps ? -sizes[1] : 0, sizes[1]));
  dropCopy(source, x);
  dropCopy(at, index);
  return y;
}

/** The whole numbers from `start` by `step` as int32, a row. */
export function places(op: string, n: number, start = 0, step = 1): Tensor {
  const y = make(op, [n], 'int32');
  G[0] = DTYPES.int32.code;
  G[1] = n;
  G[2] = offsetOf(y);
  G[3] = start;
  G[4] = step;
  native.arange(y.storage.bytes);
  return y;
}

function zerosLike(op: string, shape: Shape, like: Tensor): Tensor {
  const y = make(op, shape, like.dtype);
  clear(y);
  return y;
}

/**
 * The slices of `x` along one dimension that a 1-d index names (PyTorch: `torch.index_select`).
 *
 * @param index int32, 1-d; negative places count from the end
 * @throws TensorError `index` for a place outside the dimension, `shape` unless the index is 1-d
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * console.log(x.indexSelect(0, tensor([2, 0], { dtype: 'int32' })).toArray()); // [[5, 6], [1, 2]]
 * ```
 */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  const op = 'indexSelect';
  const { shape, ndim } = checkTensor(op, x);
  const at = normalizeAxis(op, axis, ndim);
  const picks = checkIndex(op, index);
  if (picks.ndim > 1 || ndim === 0) {
    throw new TensorError(
      'shape',
      op,
      `expected a 1-d index into at least one dimension, got an index of shape ${formatShape(picks.shape)} into ${formatShape(shape)}`,
    );
  }
  const count = picks.size;
  const y = make(op, shape.toSpliced(at, 1, count), x.dtype);
  runIndexed(native.indexSelect, op, y, x, picks, around(shape, at, count));
  return record(op, y, [x], [picks], (g, [i]) => indexAddInto(g, shape, at, i));
}

/** Zeros of `shape` with the slices of `x` added where the index says: the gradient of {@link indexSelect}. */
export function indexAddInto(x: Tensor, shape: Shape, axis: number, index: Tensor): Tensor {
  const op = 'indexAdd';
  const y = zerosLike(op, shape, x);
  runIndexed(native.indexAdd, op, y, x, index, around(shape, axis, index.size));
  return record(op, y, [x], [index], (g, [i]) => indexSelect(g, axis, i));
}

/**
 * Picks along one dimension, each place by its own index: for axis 1 `y[i][j] = x[i][index[i][j]]` (PyTorch: `torch.gather`).
 *
 * @param index int32, as many dimensions as `x`, no larger than `x` outside the dimension
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(x.gather(1, tensor([[0], [1]], { dtype: 'int32' })).toArray()); // [[1], [4]]
 * ```
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  const op = 'gather';
  const { shape, ndim } = checkTensor(op, x);
  const at = normalizeAxis(op, axis, ndim);
  const picks = checkIndex(op, index);
  if (picks.ndim !== ndim || picks.shape.some((n, i) => i !== at && n > shape[i])) {
    throw new TensorError(
      'shape',
      op,
      `expected an index with ${ndim} dimensions, no larger than ${formatShape(shape)} outside axis ${axis}, got ${formatShape(picks.shape)}`,
    );
  }
  if (ndim === 0)
    return x
      .reshape([1])
      .gather(0, picks.reshape([1]))
      .reshape([]);
  // The kernel walks both side by side: take of x just what the index covers.
  const source = composite(() => {
    let part = x;
    for (let i = 0; i < ndim; i++) if (i !== at && picks.shape[i] < shape[i]) part = part.narrow(i, 0, picks.shape[i]);
    return part;
  });
  const y = make(op, picks.shape, x.dtype);
  runIndexed(native.gather, op, y, source, picks, around(picks.shape.with(at, shape[at]), at, picks.shape[at]));
  const sourceShape = source.shape;
  if (source !== x && !source.requiresGrad) source.dispose();
  return record(op, y, [source], [picks], (g, [i]) => scatterAddInto(g, sourceShape, at, i));
}

/** Zeros of `shape` with `x` added where the index says: the gradient of {@link gather}. */
export function scatterAddInto(x: Tensor, shape: Shape, axis: number, index: Tensor): Tensor {
  const op = 'scatterAdd';
  const y = zerosLike(op, shape, x);
  runIndexed(native.scatterAdd, op, y, x, index, around(shape, axis, index.shape[axis] ?? 1));
  return record(op, y, [x], [index], (g, [i]) => gather(g, axis, i));
}
