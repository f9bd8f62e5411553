// Linear algebra of tensors as vectors and as maps between tensors: products along a dimension, inverses, solutions.
import { checkFloat, checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkInteger, formatShape, normalizeAxes, normalizeAxis, sizeOf } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { powers } from '../reduce/covariance.js';
import { checkSameDtype } from './call.js';
import { inv, solve } from './solve.js';

/**
 * Inner products of vectors along a dimension: `y = sum a b`; shapes broadcast (PyTorch: `torch.linalg.vecdot`).
 *
 * @param options `dim`: the last unless given
 * @throws TensorError `shape` where the shapes do not broadcast, `axis` for a dimension that is not there
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.vecdot(tensor([[1, 2], [3, 4]]), tensor([1, 10])).toArray()); // [21, 43]
 * ```
 */
export function vecdot(a: Tensor, b: Tensor, options?: { dim?: number }): Tensor {
  const op = 'vecdot';
  checkOptions(op, options, ['dim']);
  const shape = broadcastShapes(op, checkTensor(op, a).shape, checkTensor(op, b).shape);
  if (shape.length === 0) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  const axis = normalizeAxis(op, options?.dim ?? -1, shape.length);
  return composite(() => a.mul(b).sum(axis));
}

/**
 * Powers of the elements in a new last dimension, the lowest first: `y[..., i, j] = x[..., i]^j`, Vandermonde matrices
 * (PyTorch: `torch.linalg.vander`).
 *
 * @param options `n`: the number of powers, the size of the last dimension unless given
 * @throws TensorError `shape` for a 0-d tensor, `value` for fewer than two powers
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.vander(tensor([1, 2, 3])).toArray()); // [[1, 1, 1], [1, 2, 4], [1, 3, 9]]
 * ```
 */
export function vander(x: Tensor, options?: { n?: number }): Tensor {
  const op = 'vander';
  if (checkTensor(op, x).ndim === 0) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  checkOptions(op, options, ['n']);
  const given = options?.n;
  const n = given === undefined ? x.shape[x.ndim - 1] : checkInteger(op, 'n', given, 2);
  return composite(() => powers(op, x, n));
}

/**
 * Inverse of a tensor as a map between tensors: `tensordot(tensorinv(a, ind), b, ind)` solves {@link tensorsolve} (PyTorch:
 * `torch.linalg.tensorinv`).
 *
 * @param a the product of its first `ind` sizes is that of the others
 * @param ind how many dimensions the map leads to, at least 1; 2 unless given
 * @throws TensorError `shape` unless the products of sizes are equal, `singular` where there is no inverse, `value` for another
 * ind, `dtype` unless a is floating point
 *
 * @example
 * ```ts
 * import { eye, linalg } from 'chainrule';
 * console.log(linalg.tensorinv(eye(6).reshape([6, 2, 3]), 1).shape); // [2, 3, 6]
 * ```
 */
export function tensorinv(a: Tensor, ind = 2): Tensor {
  const op = 'tensorinv';
  const { shape } = checkFloat(op, checkTensor(op, a));
  checkInteger(op, 'ind', ind, 1);
  const [rows, columns] = [shape.slice(0, ind), shape.slice(ind)];
  const n = sizeOf(rows);
  if (ind > shape.length || n !== sizeOf(columns)) {
    throw new TensorError(
      'shape',
      op,
      `expected equal products of the first ${ind} sizes and of the others, got ${formatShape(shape)}`,
    );
  }
  return composite(() => inv(a.reshape([n, n])).reshape([...columns, ...rows]));
}

/**
 * Solution of `tensordot(a, x, x.ndim) = b`: the tensor that the map a leads to b (PyTorch: `torch.linalg.tensorsolve`).
 *
 * @param a [...b.shape, ...shape of x], with equal products of both
 * @param options `dims`: dimensions of a that are moved to its end first
 * @throws TensorError `shape` where the shapes do not go together, `singular` where there is no solution, `axis` for dimensions
 * that are not there, `dtype` unless both have the same floating dtype
 *
 * @example
 * ```ts
 * import { eye, linalg, ones } from 'chainrule';
 * console.log(linalg.tensorsolve(eye(6).reshape([2, 3, 6]), ones([2, 3])).shape); // [6]
 * ```
 */
export function tensorsolve(a: Tensor, b: Tensor, options?: { dims?: number | readonly number[] }): Tensor {
  const op = 'tensorsolve';
  checkFloat(op, checkTensor(op, a));
  checkSameDtype(op, a, checkFloat(op, checkTensor(op, b)));
  checkOptions(op, options, ['dims']);
  const last = options?.dims === undefined ? [] : normalizeAxes(op, options.dims, a.ndim);
  const order = [...a.shape.map((_, i) => i).filter((i) => !last.includes(i)), ...last];
  const sizes = order.map((i) => a.shape[i]);
  const shape = sizes.slice(b.ndim);
  const n = sizeOf(shape);
  if (b.ndim > a.ndim || n !== b.size || sizes.slice(0, b.ndim).some((size, i) => size !== b.shape[i])) {
    throw new TensorError(
      'shape',
      op,
      `expected a map from ${b.size} elements to ${formatShape(b.shape)}, got ${formatShape(sizes)}`,
    );
  }
  return composite(() => solve(a.permute(order).reshape([n, n]), b.reshape([n])).reshape(shape));
}
