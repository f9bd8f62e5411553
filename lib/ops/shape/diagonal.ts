// Diagonals of matrices, taken out and put in. Every export is also a method of Tensor.
import { checkTensor, clear, copyInto, make, view } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import {
  checkInteger,
  checkShape,
  formatShape,
  isContiguous,
  normalizeAxes,
  type Shape,
  sizeOf,
} from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

/** A look at one diagonal, as the last dimension; not recorded. */
function look(op: string, x: Tensor, offset: number, a: number, b: number): Tensor {
  const row = Math.max(0, -offset);
  const column = Math.max(0, offset);
  const length = Math.max(0, Math.min(x.shape[a] - row, x.shape[b] - column));
  const others = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  const shape = [...others.map((i) => x.shape[i]), length];
  const strides = [...others.map((i) => x.strides[i]), x.strides[a] + x.strides[b]];
  // An empty diagonal may lie behind the buffer.
  const start = sizeOf(shape) === 0 ? x.offset : x.offset + row * x.strides[a] + column * x.strides[b];
  return view(op, x, shape, strides, start, isContiguous(shape, strides));
}

/** Zeros of `shape` with `x` on one diagonal: the gradient of {@link diagonal}. */
function embed(op: string, x: Tensor, shape: Shape, offset: number, a: number, b: number): Tensor {
  const y = make(op, shape, x.dtype);
  clear(y);
  const window = look(op, y, offset, a, b);
  copyInto(window, x);
  window.dispose();
  return record(op, y, [x], [], (g) => diagonal(g, offset, a, b));
}

/**
 * A diagonal of the matrices in two dimensions, as the last dimension: `y[i] = x[i][i + offset]` (PyTorch:
 * `torch.diagonal`). A view.
 *
 * @param offset which diagonal: 0 (unless given) the main one, above it positive, below it negative
 * @param axis0 dimension of the rows, 0 unless given
 * @param axis1 dimension of the columns, 1 unless given
 * @throws TensorError `axis` unless these are two different dimensions, `shape` for fewer than two dimensions, `value` for
 * an offset that is not a whole number
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(x.diagonal().toArray(), x.diagonal(1).toArray()); // [1, 4] [2]
 * ```
 */
export function diagonal(x: Tensor, offset = 0, axis0 = 0, axis1 = 1): Tensor {
  const op = 'diagonal';
  const { shape, ndim } = checkTensor(op, x);
  const k = checkInteger(op, 'offset', offset);
  if (ndim < 2) throw new TensorError('shape', op, `expected at least two dimensions, got ${formatShape(shape)}`);
  const [a, b] = normalizeAxes(op, [axis0, axis1], ndim);
  return record(op, look(op, x, k, a, b), [x], [], (g) => embed('diagonal backward', g, shape, k, a, b));
}

/**
 * A matrix with a vector on a diagonal, or the diagonal of a matrix: `y[i][i + offset] = x[i]`, `y[i] = x[i][i + offset]`
 * (PyTorch: `torch.diag`).
 *
 * @param offset which diagonal: 0 (unless given) the main one, above it positive, below it negative
 * @throws TensorError `shape` unless there are one or two dimensions, `value` for an offset that is not a whole number of
 * at most 2^20
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).diag().toArray()); // [[1, 0], [0, 2]]
 * console.log(tensor([[1, 2], [3, 4]]).diag(-1).toArray()); // [3]
 * ```
 */
export function diag(x: Tensor, offset = 0): Tensor {
  const op = 'diag';
  const { shape, ndim } = checkTensor(op, x);
  const k = checkInteger(op, 'offset', offset, -(2 ** 20), 2 ** 20);
  if (ndim === 2) return diagonal(x, k);
  if (ndim !== 1) throw new TensorError('shape', op, `expected one or two dimensions, got ${formatShape(shape)}`);
  const n = shape[0] + Math.abs(k);
  return embed(op, x, [n, n], k, 0, 1);
}

/**
 * Matrices with the last dimension on a diagonal and 0 elsewhere, the inverse of {@link diagonal} (PyTorch:
 * `torch.diag_embed`).
 *
 * @param offset which diagonal: above the main one for positive numbers, below for negative
 * @param axis0 where the rows stand in the result, the last but one unless given
 * @param axis1 where the columns stand, the last unless given
 * @throws TensorError `shape` for a 0-d tensor, `axis` for dimensions that are not there or the same
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).diagEmbed().toArray()); // [[1, 0], [0, 2]]
 * ```
 */
export function diagEmbed(x: Tensor, offset = 0, axis0 = -2, axis1 = -1): Tensor {
  const op = 'diagEmbed';
  const { shape, ndim } = checkTensor(op, x);
  const k = checkInteger(op, 'offset', offset, -(2 ** 20), 2 ** 20);
  if (ndim < 1) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  const [a, b] = normalizeAxes(op, [axis0, axis1], ndim + 1);
  const n = shape[ndim - 1] + Math.abs(k);
  const outer = shape.slice(0, -1);
  const full = Array.from({ length: ndim + 1 }, (_, i) => (i === a || i === b ? n : (outer.shift() as number)));
  return embed(op, x, checkShape(op, full), k, a, b);
}

/**
 * All elements on the diagonal of a matrix that is 0 elsewhere (PyTorch: `torch.diagflat`).
 *
 * @param offset which diagonal: above the main one for positive numbers, below for negative
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1], [2]]).diagflat().toArray()); // [[1, 0], [0, 2]]
 * ```
 */
export function diagflat(x: Tensor, offset = 0): Tensor {
  checkTensor('diagflat', x);
  return composite(() => diag(x.reshape([x.size]), offset));
}
