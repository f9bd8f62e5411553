// Products of vectors and matrices, each for one number of dimensions. Every export is also a method of Tensor.
import { checkNdim, checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, formatShape, normalizeAxis, type Shape } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { checkFactors, checkStacks, checkVector } from './check.js';
import { matmul } from './matmul.js';

/**
 * Product of two matrices: `[n, k] x [k, m] -> [n, m]`; nothing broadcasts (PyTorch: `torch.mm`).
 *
 * @throws TensorError `shape` unless both are matrices with one inner size
 *
 * @example
 * ```ts
 * import { mm, tensor } from 'chainrule';
 * console.log(mm(tensor([[1, 2]]), tensor([[3], [4]])).toArray()); // [[11]]
 * ```
 */
export function mm(a: Tensor, b: Tensor): Tensor {
  checkFactors('mm', a, 2, b, 2);
  return matmul(a, b);
}

/**
 * Products of two stacks of matrices: `[b, n, k] x [b, k, m] -> [b, n, m]`; nothing broadcasts (PyTorch: `torch.bmm`).
 *
 * @throws TensorError `shape` unless both are stacks of one length with one inner size
 *
 * @example
 * ```ts
 * import { bmm, ones } from 'chainrule';
 * console.log(bmm(ones([5, 2, 3]), ones([5, 3, 4])).shape); // [5, 2, 4]
 * ```
 */
export function bmm(a: Tensor, b: Tensor): Tensor {
  checkStacks('bmm', a, b);
  return matmul(a, b);
}

/**
 * Matrix times vector: `[n, m] x [m] -> [n]` (PyTorch: `torch.mv`).
 *
 * @throws TensorError `shape` unless it is a matrix and a vector of its row length
 *
 * @example
 * ```ts
 * import { mv, tensor } from 'chainrule';
 * console.log(mv(tensor([[1, 2], [3, 4]]), tensor([1, 1])).toArray()); // [3, 7]
 * ```
 */
export function mv(a: Tensor, b: Tensor): Tensor {
  checkFactors('mv', a, 2, b, 1);
  return matmul(a, b);
}

/**
 * Scalar product of two vectors of one length: `sum_i a[i] b[i]` (PyTorch: `torch.dot`).
 *
 * @throws TensorError `shape` unless both are vectors of one length
 *
 * @example
 * ```ts
 * import { dot, tensor } from 'chainrule';
 * console.log(dot(tensor([1, 2]), tensor([3, 4])).item()); // 11
 * ```
 */
export function dot(a: Tensor, b: Tensor): Tensor {
  checkFactors('dot', a, 1, b, 1);
  return matmul(a, b);
}

/**
 * The same as {@link dot}: they differ only for complex numbers (PyTorch: `torch.vdot`).
 *
 * @throws TensorError `shape` unless both are vectors of one length
 *
 * @example
 * ```ts
 * import { tensor, vdot } from 'chainrule';
 * console.log(vdot(tensor([1, 2]), tensor([3, 4])).item()); // 11
 * ```
 */
export function vdot(a: Tensor, b: Tensor): Tensor {
  checkFactors('vdot', a, 1, b, 1);
  return matmul(a, b);
}

/**
 * Scalar products over the last dimension of both: `[..., k], [---, k] -> [..., ---]`; with a 0-d tensor the product with
 * a number (PyTorch: `torch.inner`).
 *
 * @throws TensorError `shape` unless the last sizes are equal
 *
 * @example
 * ```ts
 * import { inner, tensor } from 'chainrule';
 * console.log(inner(tensor([[1, 2], [3, 4]]), tensor([1, 1])).toArray()); // [3, 7]
 * ```
 */
export function inner(a: Tensor, b: Tensor): Tensor {
  const op = 'inner';
  checkTensor(op, a, 'a first tensor');
  checkTensor(op, b, 'a second tensor');
  if (a.ndim === 0 || b.ndim === 0) return a.mul(b);
  const k = a.shape[a.ndim - 1];
  if (k !== b.shape[b.ndim - 1]) {
    throw new TensorError(
      'shape',
      op,
      `expected equal last sizes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  const shape = [...a.shape.slice(0, -1), ...b.shape.slice(0, -1)];
  return composite(() => matmul(rows(a), rows(b).t()).reshape(shape));
}

/** The vectors of the last dimension as the rows of one matrix. */
function rows(x: Tensor): Tensor {
  return x.ndim === 1 ? x.unsqueeze(0) : x.flatten(0, -2);
}

/**
 * All products of an element of one vector and one of the other: `y[i][j] = a[i] b[j]` (PyTorch: `torch.outer`).
 *
 * @throws TensorError `shape` unless both are vectors
 *
 * @example
 * ```ts
 * import { outer, tensor } from 'chainrule';
 * console.log(outer(tensor([1, 2]), tensor([3, 4])).toArray()); // [[3, 4], [6, 8]]
 * ```
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  const op = 'outer';
  checkVector(op, a, 'a first tensor');
  checkVector(op, b, 'a second tensor');
  return composite(() => a.unsqueeze(1).mul(b));
}

/**
 * Kronecker product: each element of `a` becomes a block, that element times `b`; the one with fewer dimensions gets leading
 * ones (PyTorch: `torch.kron`).
 *
 * @returns the sizes of both multiplied, dimension by dimension
 * @throws TensorError `shape` for more than 8 dimensions larger than 1 in both together
 *
 * @example
 * ```ts
 * import { kron, tensor } from 'chainrule';
 * console.log(kron(tensor([1, 10]), tensor([1, 2, 3])).toArray()); // [1, 2, 3, 10, 20, 30]
 * ```
 */
export function kron(a: Tensor, b: Tensor): Tensor {
  const op = 'kron';
  checkTensor(op, a, 'a first tensor');
  checkTensor(op, b, 'a second tensor');
  const ndim = Math.max(a.ndim, b.ndim);
  const lead = (x: Tensor): Shape => [...new Array<number>(ndim - x.ndim).fill(1), ...x.shape];
  const [p, q] = [lead(a), lead(b)];
  const shape = p.map((n, i) => n * q[i]);
  // Dimensions of both take turns; those of size 1 need no place.
  const turns = p.flatMap((n, i) => [
    [n, 1],
    [1, q[i]],
  ]);
  const kept = turns.filter(([n, m]) => n !== 1 || m !== 1);
  if (kept.length > 8) {
    throw new TensorError(
      'shape',
      op,
      `expected at most 8 dimensions larger than 1 in both together, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  return composite(() =>
    a
      .reshape(kept.map(([n]) => n))
      .mul(b.reshape(kept.map(([, m]) => m)))
      .reshape(shape),
  );
}

/**
 * Cross products of the vectors along a dimension of size 3, which is perpendicular to both; the other dimensions broadcast
 * (PyTorch: `torch.cross`, and with -1 `torch.linalg.cross`).
 *
 * @param axis the dimension of the vectors; the first of size 3 unless given
 * @throws TensorError `shape` unless both have as many dimensions and 3 elements in this one, `axis` for one that is not there
 *
 * @example
 * ```ts
 * import { cross, tensor } from 'chainrule';
 * console.log(cross(tensor([1, 0, 0]), tensor([0, 1, 0])).toArray()); // [0, 0, 1]
 * ```
 */
export function cross(a: Tensor, b: Tensor, axis?: number): Tensor {
  const op = 'cross';
  checkTensor(op, a, 'a first tensor');
  checkTensor(op, b, 'a second tensor');
  const at = axis === undefined ? a.shape.indexOf(3) : normalizeAxis(op, axis, a.ndim);
  if (a.ndim !== b.ndim || a.shape[at] !== 3 || b.shape[at] !== 3) {
    throw new TensorError(
      'shape',
      op,
      `expected as many dimensions on both sides and size 3 in ${axis === undefined ? 'one' : `dimension ${axis}`}, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  const shape = broadcastShapes(op, a.shape, b.shape);
  return composite(() => {
    const [p, q] = [a.expand(shape), b.expand(shape)];
    const left = p.roll(-1, at).mul(q.roll(-2, at));
    return left.sub(p.roll(-2, at).mul(q.roll(-1, at)));
  });
}

/**
 * Sum of the main diagonal of a matrix: `sum_i x[i][i]` (PyTorch: `torch.trace`).
 *
 * @throws TensorError `shape` unless it is a matrix
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).trace().item()); // 5
 * ```
 */
export function trace(x: Tensor): Tensor {
  checkNdim('trace', checkTensor('trace', x), 2, '[n, m]');
  return composite(() => x.diagonal().sum());
}
