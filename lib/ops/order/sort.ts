// Sorting and picking by rank along a dimension. Every export is also a method of Tensor.
import { checkTensor, dense, dropCopy, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { checkBoolean, checkInteger, formatShape, normalizeAxis, type Shape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import type { ReduceOptions } from '../reduce/reduction.js';
import { lengthOf, type Placed, recordPlaced, writeLines } from './lines.js';

/** Options of {@link sort} and {@link argsort}. */
export interface SortOptions {
  /** From the largest to the smallest; false unless given. */
  descending?: boolean;
  /** Whether equal elements must keep their order: they do either way. */
  stable?: boolean;
}

/** Options of {@link topk}. */
export interface TopkOptions {
  /** The largest ones, else the smallest; true unless given. */
  largest?: boolean;
  /** In order, else as they stand; true unless given. */
  sorted?: boolean;
}

const G = native.geometry;

function run(op: string, x: Tensor, axis: number, options: SortOptions | undefined): Placed & { at: number } {
  checkTensor(op, x);
  checkOptions(op, options, ['descending', 'stable']);
  const at = normalizeAxis(op, axis, x.ndim);
  const descending = checkBoolean(op, 'descending', options?.descending ?? false);
  checkBoolean(op, 'stable', options?.stable ?? false);
  const source = dense(op, x);
  const values = make(op, x.shape, x.dtype);
  const indices = make(op, x.shape, 'int32');
  if (values.size > 0) {
    writeLines(source, at);
    G[4] = descending ? 1 : 0;
    G[5] = offsetOf(values);
    G[6] = offsetOf(indices);
    G[7] = offsetOf(source);
    native.sort(values.storage.bytes, indices.storage.bytes, source.storage.bytes);
  }
  dropCopy(source, x);
  return { values, indices, at };
}

/**
 * The elements in ascending order along a dimension, and where they stood; equal ones keep their order, NaN counts as the
 * largest (PyTorch: `torch.sort`).
 *
 * @param axis the last dimension unless given
 * @param options `descending` and `stable`, both false unless given
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { values, indices } = tensor([3, 1, 2]).sort();
 * console.log(values.toArray(), indices.toArray()); // [1, 2, 3] [1, 2, 0]
 * ```
 */
export function sort(x: Tensor, axis = -1, options?: SortOptions): Placed {
  const { values, indices, at } = run('sort', x, axis, options);
  return recordPlaced('sort', x, at, values, indices);
}

/**
 * Where the elements stand that sorting would put first, second and so on, int32; equal ones keep their order (PyTorch:
 * `torch.argsort`).
 *
 * @param axis the last dimension unless given
 * @param options `descending` and `stable`, both false unless given
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3, 1, 2]).argsort().toArray()); // [1, 2, 0]
 * ```
 */
export function argsort(x: Tensor, axis = -1, options?: SortOptions): Tensor {
  const { values, indices } = run('argsort', x, axis, options);
  values.dispose();
  return indices;
}

/**
 * The elements in ascending order along the first dimension: the values of `sort(x, 0)` (PyTorch: `torch.msort`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[3, 1], [2, 4]]).msort().toArray()); // [[2, 1], [3, 4]]
 * ```
 */
export function msort(x: Tensor): Tensor {
  const { values, indices, at } = run('msort', x, 0, undefined);
  recordPlaced('msort', x, at, values, indices);
  if (!values.requiresGrad) indices.dispose();
  return values;
}

/**
 * The `k` largest elements along a dimension, or the smallest, and where they stand; of equal ones the first, NaN counts as
 * the largest (PyTorch: `torch.topk`).
 *
 * @param k how many, from 0 to the size of the dimension
 * @param axis the last dimension unless given
 * @param options `largest` and `sorted`, both true unless given
 * @throws TensorError `axis` for an axis outside the tensor, `value` for a k outside the dimension
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { values, indices } = tensor([3, 1, 4, 1, 5]).topk(2);
 * console.log(values.toArray(), indices.toArray()); // [5, 4] [4, 2]
 * ```
 */
export function topk(x: Tensor, k: number, axis = -1, options?: TopkOptions): Placed {
  const op = 'topk';
  checkTensor(op, x);
  checkOptions(op, options, ['largest', 'sorted']);
  const at = normalizeAxis(op, axis, x.ndim);
  const count = checkInteger(op, 'k', k, x.ndim === 0 ? 1 : 0, lengthOf(x, at));
  const largest = checkBoolean(op, 'largest', options?.largest ?? true);
  const sorted = checkBoolean(op, 'sorted', options?.sorted ?? true);
  const shape: Shape = x.ndim === 0 ? [] : x.shape.with(at, count);
  const source = dense(op, x);
  const values = make(op, shape, x.dtype);
  const indices = make(op, shape, 'int32');
  if (values.size > 0) {
    writeLines(source, at);
    G[4] = count;
    G[5] = largest ? 1 : 0;
    G[6] = sorted ? 1 : 0;
    G[7] = offsetOf(values);
    G[8] = offsetOf(indices);
    G[9] = offsetOf(source);
    native.topk(values.storage.bytes, indices.storage.bytes, source.storage.bytes);
  }
  dropCopy(source, x);
  return recordPlaced(op, x, at, values, indices);
}

/** Which element {@link pick} takes: one of a rank counted from 0, or a median. */
export type Rank = number | 'median' | 'nanmedian';

/** One element of every line, recorded. The line has at least one. */
export function pick(op: string, x: Tensor, axis: number, rank: Rank, keepdim: boolean): Placed {
  const source = dense(op, x);
  const kept = x.ndim === 0 ? [] : x.shape.with(axis, 1);
  const shape = keepdim || x.ndim === 0 ? kept : x.shape.toSpliced(axis, 1);
  const values = make(op, shape, x.dtype);
  const indices = make(op, shape, 'int32');
  if (values.size > 0) {
    writeLines(source, axis);
    G[4] = typeof rank === 'number' ? rank : 0;
    G[5] = typeof rank === 'number' ? 0 : rank === 'median' ? 1 : 2;
    G[7] = offsetOf(values);
    G[8] = offsetOf(indices);
    G[9] = offsetOf(source);
    native.kth(values.storage.bytes, indices.storage.bytes, source.storage.bytes);
  }
  dropCopy(source, x);
  return recordPlaced(op, x, axis, values, indices, kept);
}

/** The axis and `keepdim` of what takes one element of every line. */
export function checkLine(
  op: string,
  x: Tensor,
  axis: number,
  options: ReduceOptions | undefined,
): { at: number; keepdim: boolean } {
  checkTensor(op, x);
  checkOptions(op, options, ['keepdim']);
  const at = normalizeAxis(op, axis, x.ndim);
  if (lengthOf(x, at) === 0) {
    throw new TensorError('shape', op, `expected at least one element along axis ${axis}, got ${formatShape(x.shape)}`);
  }
  return { at, keepdim: checkBoolean(op, 'keepdim', options?.keepdim ?? false) };
}

/**
 * The `k`-th smallest element along a dimension and where it stands; of equal ones in the order they have, NaN counts as
 * the largest (PyTorch: `torch.kthvalue`).
 *
 * @param k from 1, the smallest, to the size of the dimension
 * @param axis the last dimension unless given
 * @throws TensorError `axis` for an axis outside the tensor, `value` for a k outside the dimension, `shape` where it is empty
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { values, indices } = tensor([30, 10, 20]).kthvalue(2);
 * console.log(values.item(), indices.item()); // 20 2
 * ```
 */
export function kthvalue(x: Tensor, k: number, axis = -1, options?: ReduceOptions): Placed {
  const op = 'kthvalue';
  const { at, keepdim } = checkLine(op, x, axis, options);
  const rank = checkInteger(op, 'k', k, 1, lengthOf(x, at)) - 1;
  return pick(op, x, at, rank, keepdim);
}

/** The order in which the rows of a matrix stand when sorted by their elements, first to last, int32; not recorded. */
export function rowOrder(op: string, rows: Tensor): Tensor {
  const x = dense(op, rows);
  const [n, columns] = x.shape;
  const y = make(op, [n], 'int32');
  G[0] = DTYPES[x.dtype].code;
  G[1] = n;
  G[2] = columns;
  G[3] = offsetOf(y);
  G[4] = offsetOf(x);
  native.rowOrder(y.storage.bytes, x.storage.bytes);
  dropCopy(x, rows);
  return y;
}
