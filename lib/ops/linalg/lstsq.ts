// Least squares, pseudoinverses and ranks.
import { checkTensor, dense, dropCopy, filled, isTensor, make } from '../../core/dispatch.js';
import type { DType } from '../../core/dtype.js';
import { remembered } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { amax, sum } from '../reduce/reduce.js';
import { where } from '../shape/join.js';
import { call, checkMatrix, checkSameDtype, checkSquare, isVector, makeInfo, mT, settle, singular } from './call.js';
import { spread } from './solve.js';
import { eigh, eigvalsh, singularValues, svd } from './spectral.js';

export const EPSILON: Partial<Record<DType, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/** What is small enough to count as zero, for {@link pinv} and {@link matrixRank}. */
export interface ToleranceOptions {
  /** Singular values up to this are zero; 0 unless given. A number, or a tensor [...] with one for each matrix. */
  atol?: number | Tensor;
  /** And those up to this times the largest; `max(m, n)` times the machine precision unless given, or 0 with an atol above 0. */
  rtol?: number | Tensor;
  /** Whether the matrices are symmetric, for a faster way by their eigenvalues; false unless given. */
  hermitian?: boolean;
}

interface Tolerance {
  readonly atol: number | Tensor;
  readonly rtol: number | Tensor;
  readonly hermitian: boolean;
}

function toleranceOf(op: string, x: Tensor, options: ToleranceOptions | undefined): Tolerance {
  const { m, n } = checkMatrix(op, x);
  checkOptions(op, options, ['atol', 'rtol', 'hermitian']);
  const hermitian = checkBoolean(op, 'hermitian', options?.hermitian ?? false);
  if (hermitian) checkSquare(op, x);
  const number = (name: 'atol' | 'rtol', value: number | Tensor) =>
    isTensor(value) ? checkTensor(op, value) : checkNumber(op, name, value);
  const atol = number('atol', options?.atol ?? 0);
  const usual = Math.max(m, n) * (EPSILON[x.dtype] as number);
  if (options?.rtol !== undefined) return { atol, rtol: number('rtol', options.rtol), hermitian };
  if (isTensor(atol)) return { atol, rtol: where(atol.gt(0), 0, filled(op, [], x.dtype, usual)), hermitian };
  return { atol, rtol: atol > 0 ? 0 : usual, hermitian };
}

/** Which of the values count, the largest being `top` [..., 1]. */
function counted(values: Tensor, top: Tensor, { atol, rtol }: Tolerance): Tensor {
  const column = (t: number | Tensor) => (isTensor(t) ? t.to(values.dtype).unsqueeze(-1) : t);
  const relative = top.mul(column(rtol));
  const absolute = isTensor(atol) ? atol.to(values.dtype).unsqueeze(-1) : atol;
  return values.gt(relative.maximum(absolute));
}

/** The pseudoinverse outside the tape. */
function pinvRaw(x: Tensor, tolerance: Tolerance): Tensor {
  const { batch, m, n } = checkMatrix('pinv', x);
  if (sizeOf([m, n]) === 0) return filled('pinv', [...batch, n, m], x.dtype, 0);
  if (tolerance.hermitian) {
    const { eigenvalues: w, eigenvectors: v } = eigh(x);
    const size = w.abs();
    const used = counted(size, amax(size, -1, { keepdim: true }), tolerance);
    return v.mul(where(used, where(used, w, 1).reciprocal(), 0).unsqueeze(-2)).matmul(mT(v));
  }
  const { U, S, Vh } = svd(x, { fullMatrices: false });
  const used = counted(S, S.narrow(-1, 0, 1), tolerance);
  const inverse = where(used, where(used, S, 1).reciprocal(), 0);
  return mT(Vh).mul(inverse.unsqueeze(-2)).matmul(mT(U));
}

/** dA of the pseudoinverse P of A (Golub and Pereyra 1973). */
function pinvBackward(g: Tensor, p: Tensor, a: Tensor): Tensor {
  const [m, n] = a.shape.slice(-2);
  const pt = mT(p);
  const gt = mT(g);
  if (m <= n) {
    const k = gt.matmul(p);
    const kpt = k.matmul(pt);
    const first = kpt.sub(mT(p.matmul(k))).sub(a.matmul(p).matmul(kpt));
    return first.add(pt.matmul(p).matmul(gt.sub(k.matmul(a))));
  }
  const k = p.matmul(gt);
  const ptk = pt.matmul(k);
  const first = ptk.sub(mT(k.matmul(p))).sub(ptk.matmul(p).matmul(a));
  return first.add(gt.sub(a.matmul(k)).matmul(p).matmul(pt));
}

function pinvOf(op: string, x: Tensor, tolerance: Tolerance): Tensor {
  return remembered(
    op,
    x,
    () => pinvRaw(x, tolerance),
    (g, a, p) => pinvBackward(g, p, a),
  );
}

/**
 * Moore-Penrose pseudoinverse of matrices [..., m, n]: `V diag(1 / S) U^T` over the singular values that are not zero,
 * [..., n, m] (PyTorch: `torch.linalg.pinv`).
 *
 * @throws TensorError `value` where an element is NaN or infinite, `shape` for fewer than two dimensions, or matrices that are
 * not square with `hermitian`, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.pinv(tensor([[2, 0], [0, 0]])).toArray()); // [[0.5, 0], [0, 0]]
 * ```
 */
export function pinv(x: Tensor, options?: ToleranceOptions): Tensor {
  return pinvOf('pinv', x, toleranceOf('pinv', x, options));
}

/**
 * Moore-Penrose pseudoinverse, {@link pinv} under its older name and with its older tolerance (PyTorch: `torch.pinverse`).
 *
 * @param rcond singular values up to this times the largest are zero; 1e-15 unless given
 * @throws TensorError `value` where an element is NaN or infinite, `shape` for fewer than two dimensions, `dtype` unless x is
 * floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[2, 0], [0, 0]]).pinverse().toArray()); // [[0.5, 0], [0, 0]]
 * ```
 */
export function pinverse(x: Tensor, rcond = 1e-15): Tensor {
  const op = 'pinverse';
  checkMatrix(op, x);
  return pinvOf(op, x, { atol: 0, rtol: checkNumber(op, 'rcond', rcond), hermitian: false });
}

/**
 * Rank of matrices [..., m, n]: how many singular values are not zero, int32 [...] (PyTorch: `torch.linalg.matrix_rank`).
 *
 * @throws TensorError `value` where an element is NaN or infinite, `shape` for fewer than two dimensions, or matrices that are
 * not square with `hermitian`, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.matrixRank(tensor([[1, 2], [2, 4]])).item()); // 1
 * ```
 */
export function matrixRank(x: Tensor, options?: ToleranceOptions): Tensor {
  const op = 'matrixRank';
  const tolerance = toleranceOf(op, x, options);
  const { batch, m, n } = checkMatrix(op, x);
  if (sizeOf([m, n]) === 0) return filled(op, batch, 'int32', 0);
  return composite(() => {
    const a = x.detach();
    const values = tolerance.hermitian ? eigvalsh(a).abs() : singularValues(op, a);
    return sum(counted(values, amax(values, -1, { keepdim: true }), tolerance), -1);
  });
}

// ---- least squares

/** The result of {@link lstsq}. */
export interface LeastSquares {
  /** [..., n, k], or vectors [..., n]. */
  solution: Tensor;
  /** Sums of squared residuals [..., k] where m > n and all ranks are full, else of shape [0]; `gelsy` does not give them. */
  residuals: Tensor;
  /** int32 [...]; of shape [0] with `gels`. */
  rank: Tensor;
  /** [..., min(m, n)] with `gelsd` and `gelss`, else of shape [0]. */
  singularValues: Tensor;
}

/** Options of {@link lstsq}. */
export interface LstsqOptions {
  /** Singular values (diagonal elements for `gelsy`) up to this times the largest are zero; `max(m, n)` times the machine precision unless given. */
  rcond?: number;
  /** LAPACK's way: `gelsy` (QR with pivoting, unless given), `gels` (QR, full rank only), `gelsd` and `gelss` (SVD). */
  driver?: 'gels' | 'gelsy' | 'gelsd' | 'gelss';
}
const DRIVERS: readonly unknown[] = ['gels', 'gelsy', 'gelsd', 'gelss'];

/**
 * Least squares solution of smallest norm: X that minimises `|A X - B|` for A [..., m, n] and B [..., m, k] or vectors [..., m]
 * (PyTorch: `torch.linalg.lstsq`). The solution has a gradient, that of `pinv(A) B`.
 *
 * NaN and infinities give NaN, with rank 0.
 *
 * @throws TensorError `shape` where the shapes do not go together, `dtype` unless both have the same floating dtype, `value` for
 * another driver, `singular` where `gels` meets a matrix without full rank
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * const a = tensor([[1, 0], [0, 2], [0, 0]]);
 * const { solution, rank } = linalg.lstsq(a, tensor([[1], [2], [3]]));
 * console.log(solution.squeeze(-1).add(0.5).floor().toArray(), rank.item()); // [1, 1] 2
 * ```
 */
export function lstsq(a: Tensor, b: Tensor, options?: LstsqOptions): LeastSquares {
  const op = 'lstsq';
  const { m, n } = checkMatrix(op, a, 'the matrix');
  checkOptions(op, options, ['rcond', 'driver']);
  const driver = DRIVERS.indexOf(options?.driver ?? 'gelsy');
  if (driver < 0) {
    throw new TensorError(
      'value',
      op,
      `expected driver to be one of ${DRIVERS.join(', ')}, got ${describe(options?.driver)}`,
    );
  }
  const rcond = checkNumber(op, 'rcond', options?.rcond ?? Math.max(m, n) * (EPSILON[a.dtype] as number));
  const vector = checkRightSide(op, a, b, m);
  const [left, right] = spread(op, a, vector ? b.unsqueeze(-1) : b);
  const made = leastSquares(op, left, right, driver, rcond);
  const { residuals, rank, singularValues } = made;
  const solution = vector ? made.solution.squeeze(-1) : made.solution;
  if (!made.solution.requiresGrad) {
    for (const t of [left, right]) if (t !== a && t !== b) t.dispose();
    if (vector) made.solution.dispose();
  }
  return { solution, residuals, rank, singularValues };
}

function checkRightSide(op: string, a: Tensor, b: Tensor, m: number): boolean {
  const right = checkTensor(op, b, 'a right side');
  checkSameDtype(op, a, right);
  const vector = isVector(a, right);
  const rows = vector ? right.shape[right.ndim - 1] : right.shape[right.ndim - 2];
  if (rows === m) return vector;
  throw new TensorError(
    'shape',
    op,
    `expected a right side [..., ${m}, k] or vectors [..., ${m}] for the matrix ${formatShape(a.shape)}, got ${formatShape(right.shape)}`,
  );
}

function leastSquares(op: string, a: Tensor, b: Tensor, driver: number, rcond: number): LeastSquares {
  const { batch, m, n } = checkMatrix(op, a);
  const k = b.shape[b.ndim - 1];
  const [gels, gelsy] = [driver === 0, driver === 1];
  const x = filled(op, [...batch, n, k], a.dtype, 0);
  const residuals = filled(op, [...batch, k], a.dtype, 0);
  const s = driver < 2 ? filled(op, [0], a.dtype, 0) : make(op, [...batch, Math.min(m, n)], a.dtype);
  const rank = filled(op, batch, 'int32', 0);
  const info = makeInfo(op, batch);
  const [left, right] = [dense(op, a), dense(op, b)];
  const tensors = [x, residuals, driver < 2 ? null : s, rank, info, left, right];
  call(native.leastSquares, a.dtype, batch, { m, n, k, mode: driver, rcond }, tensors);
  dropCopy(left, a);
  dropCopy(right, b);
  settle(op, info, [x, residuals, s, rank], singular(op));
  const full = gels || rank.typed().every((r: number) => r === n);
  let squares = residuals;
  if (gelsy || m <= n || !full) {
    squares = filled(op, [0], a.dtype, 0);
    residuals.dispose();
  } else if (n === 0) {
    squares = sum(b.detach().square(), -2);
    residuals.dispose();
  }
  let ranks = rank;
  if (gels) {
    ranks = filled(op, [0], 'int32', 0);
    rank.dispose();
  }
  record(op, x, [a, b], [a, b], (g, [matrix, y], needs) => {
    const p = pinv(matrix);
    return [needs[0] && pinvBackward(g.matmul(mT(y)), p, matrix), needs[1] && mT(p).matmul(g)];
  });
  return { solution: x, residuals: squares, rank: ranks, singularValues: s };
}
