// Inverses and solutions of linear equations.
import { checkTensor, dense, dropCopy, make } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkBoolean, formatShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { call, checkMatrix, checkSameDtype, checkSquare, isVector, makeInfo, mT, settle, singular } from './call.js';

/** Inverses outside the tape; where there is none an error, or `hole` everywhere. */
function inverseRaw(op: string, x: Tensor, hole: number | null): Tensor {
  const { batch, n } = checkSquare(op, x);
  const y = make(op, x.shape, x.dtype);
  const info = makeInfo(op, batch);
  const a = dense(op, x);
  call(native.inverse, x.dtype, batch, { n }, [y, info, a]);
  dropCopy(a, x);
  if (hole === null) {
    settle(op, info, [y], singular(op));
    return y;
  }
  const filled = composite(() => where(info.gt(0).reshape([...batch, 1, 1]), hole, y));
  y.dispose();
  settle(op, info, [filled], null);
  return filled;
}

function inverseOf(op: string, x: Tensor, hole: number | null): Tensor {
  const y = inverseRaw(op, x, hole);
  return record(op, y, [x], [y], (g, [inverse]) => {
    const t = mT(inverse);
    return t.matmul(g).matmul(t).neg();
  });
}

/** Inverses as {@link inv} gives them, but `hole` everywhere where there is none. */
export const inverseOr = (op: string, x: Tensor, hole: number): Tensor => inverseOf(op, x, hole);

/**
 * Inverse of square matrices [..., n, n]: `y x = I`, `dx = -y^T g y^T` (PyTorch: `torch.linalg.inv`).
 *
 * @throws TensorError `singular` for a matrix without an inverse, naming its place in the batch, `shape` unless the matrices
 * are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.inv(tensor([[2, 1], [1, 1]])).toArray()); // [[1, -1], [-1, 2]]
 * ```
 */
export function inv(x: Tensor): Tensor {
  return inverseOf('inv', x, null);
}

/**
 * Inverse of square matrices, {@link inv} under its older name (PyTorch: `torch.inverse`).
 *
 * @throws TensorError `singular` for a matrix without an inverse, naming its place in the batch, `shape` unless the matrices
 * are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[2, 1], [1, 1]]).inverse().toArray()); // [[1, -1], [-1, 2]]
 * ```
 */
export function inverse(x: Tensor): Tensor {
  return inverseOf('inverse', x, null);
}

/** Solution for matrices of the same batch. */
function solved(a: Tensor, b: Tensor): Tensor {
  const op = 'solve';
  const [n, k] = b.shape.slice(-2);
  const batch = b.shape.slice(0, -2);
  const x = make(op, b.shape, b.dtype);
  const info = makeInfo(op, batch);
  const left = dense(op, a);
  const right = dense(op, b);
  call(native.linearSolve, a.dtype, batch, { n, k }, [x, info, left, right]);
  dropCopy(left, a);
  dropCopy(right, b);
  settle(op, info, [x], singular(op));
  return record(op, x, [a, b], [a, x], (g, [matrix, y], needs) => {
    const db = solved(mT(matrix), g);
    return [needs[0] && db.matmul(mT(y)).neg(), db];
  });
}

/** Both sides with the same outer sizes. */
export function spread(op: string, a: Tensor, b: Tensor): [Tensor, Tensor] {
  const batch = broadcastShapes(op, a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [a.expand([...batch, ...a.shape.slice(-2)]), b.expand([...batch, ...b.shape.slice(-2)])];
}

/** Options of {@link solve}. */
export interface SolveOptions {
  /** Whether the matrix stands on the left, `A X = B` (unless given), or on the right, `X A = B`. */
  left?: boolean;
}

/**
 * Solution of linear equations `A X = B` for A [..., n, n] and B [..., n, k] or vectors [..., n]; `dB = A^-T g`,
 * `dA = -dB X^T` (PyTorch: `torch.linalg.solve`).
 *
 * B stands for vectors where it has one dimension, or the shape of A without its last size; the other outer dimensions
 * broadcast.
 *
 * @throws TensorError `singular` for a matrix without an inverse, naming its place in the batch, `shape` where the shapes do
 * not go together, `dtype` unless both have the same floating dtype
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.solve(tensor([[2, 0], [0, 4]]), tensor([2, 2])).toArray()); // [1, 0.5]
 * ```
 */
export function solve(a: Tensor, b: Tensor, options?: SolveOptions): Tensor {
  const op = 'solve';
  const { n } = checkSquare(op, a, 'the matrix');
  checkOptions(op, options, ['left']);
  const left = checkBoolean(op, 'left', options?.left ?? true);
  const vector = checkSides(op, a, b, n, left);
  return composite(() => {
    if (vector) return solved(...spread(op, a, b.unsqueeze(-1))).squeeze(-1);
    if (left) return solved(...spread(op, a, b));
    return mT(solved(...spread(op, mT(a), mT(b))));
  });
}

/** Checks a right side against n equations; whether it is one of vectors. */
export function checkSides(op: string, a: Tensor, b: Tensor, n: number, left: boolean): boolean {
  const { shape } = checkSide(op, a, b);
  const vector = isVector(a, b);
  const rows = vector ? shape[b.ndim - 1] : shape[b.ndim - (left ? 2 : 1)];
  if (rows === n && (left || !vector)) return vector;
  const layout = left ? `[..., ${n}, k] or vectors [..., ${n}]` : `[..., k, ${n}]`;
  throw new TensorError(
    'shape',
    op,
    `expected a right side ${layout} for the matrix ${formatShape(a.shape)}, got ${formatShape(shape)}`,
  );
}

function checkSide(op: string, a: Tensor, b: Tensor): Tensor {
  const right = checkTensor(op, b, 'a right side');
  if (right.ndim !== 1) checkMatrix(op, right, 'the right side');
  checkSameDtype(op, a, right);
  return right;
}

/** Options of {@link solveTriangular}; `upper` must be given. */
export interface SolveTriangularOptions extends SolveOptions {
  /** Whether A is an upper triangle or a lower one. */
  upper: boolean;
  /** Take the diagonal of A as ones, whatever it holds; false unless given. */
  unitriangular?: boolean;
}

/** Solution for triangles of the same batch; only one triangle of `a` is read. */
export function triangularSolved(op: string, a: Tensor, b: Tensor, upper: boolean, left = true, unit = false): Tensor {
  const n = a.shape[a.ndim - 1];
  const k = b.shape[b.ndim - (left ? 1 : 2)];
  const x = make(op, b.shape, b.dtype);
  // A transposed triangle is read in place.
  const turned = !a.isContiguous && mT(a).isContiguous;
  const matrix = turned ? mT(a) : dense(op, a);
  const right = dense(op, b);
  const p = { n, k, mode: left ? 0 : 1, upper: upper !== turned, transposed: turned, unit };
  call(native.triangularSolve, a.dtype, b.shape.slice(0, -2), p, [x, matrix, right]);
  dropCopy(matrix, a);
  dropCopy(right, b);
  return record(op, x, [a, b], [a, x], (g, [triangle, y], needs) => {
    const db = triangularSolved(op, mT(triangle), g, !upper, left, unit);
    if (needs[0] === null) return [null, db];
    const da = (left ? db.matmul(mT(y)) : mT(y).matmul(db)).neg();
    return [upper ? da.triu(unit ? 1 : 0) : da.tril(unit ? -1 : 0), db];
  });
}

/**
 * Solution of `A X = B` for triangular A [..., n, n] and B [..., n, k]; the other triangle is not read. A zero on the
 * diagonal gives infinities or NaN. `dB = A^-T g`, `dA = -dB X^T` in the triangle (PyTorch: `torch.linalg.solve_triangular`).
 *
 * @throws TensorError `shape` where the shapes do not go together, `dtype` unless both have the same floating dtype, `value`
 * unless `upper` is given
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * const a = tensor([[2, 0], [1, 4]]);
 * console.log(linalg.solveTriangular(a, tensor([[2], [5]]), { upper: false }).toArray()); // [[1], [1]]
 * ```
 */
export function solveTriangular(a: Tensor, b: Tensor, options: SolveTriangularOptions): Tensor {
  const op = 'solveTriangular';
  const { n } = checkSquare(op, a, 'the matrix');
  checkOptions(op, options, ['upper', 'left', 'unitriangular']);
  const upper = checkBoolean(op, 'upper', options?.upper);
  const left = checkBoolean(op, 'left', options.left ?? true);
  const unit = checkBoolean(op, 'unitriangular', options.unitriangular ?? false);
  const right = checkMatrix(op, b, 'the right side');
  checkSameDtype(op, a, b);
  if ((left ? right.m : right.n) !== n) {
    const layout = left ? `[..., ${n}, k]` : `[..., k, ${n}]`;
    throw new TensorError(
      'shape',
      op,
      `expected a right side ${layout} for the matrix ${formatShape(a.shape)}, got ${formatShape(b.shape)}`,
    );
  }
  return composite(() => {
    const [p, q] = spread(op, a, b);
    return triangularSolved(op, p, q, upper, left, unit);
  });
}
