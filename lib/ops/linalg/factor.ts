// Cholesky and QR factors.
import { dense, dropCopy, filled, make } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { isGradEnabled } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, formatShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { cat } from '../shape/join.js';
import { call, checkMatrix, checkSameDtype, checkSquare, identity, makeInfo, mT, settle } from './call.js';
import { spread, triangularSolved } from './solve.js';

/** Options of the functions of Cholesky factors. */
export interface CholeskyOptions {
  /** The upper factor, `A = U^T U`, instead of the lower one; false unless given. */
  upper?: boolean;
}

function isUpper(op: string, options: CholeskyOptions | undefined): boolean {
  checkOptions(op, options, ['upper']);
  return checkBoolean(op, 'upper', options?.upper ?? false);
}

/**
 * Cholesky factor of symmetric positive definite matrices [..., n, n]: `A = L L^T`, L a lower triangle; only the lower
 * triangle of A is read (with `upper` only the upper one). With `S = tril(L^T g)`, its diagonal halved,
 * `dA = L^-T (S + S^T) L^-1 / 2` (PyTorch: `torch.linalg.cholesky`).
 *
 * @throws TensorError `singular` for a matrix that is not positive definite, naming its place in the batch, `shape` unless the
 * matrices are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.cholesky(tensor([[4, 2], [2, 2]])).toArray()); // [[2, 0], [1, 1]]
 * ```
 */
export function cholesky(x: Tensor, options?: CholeskyOptions): Tensor {
  const op = 'cholesky';
  const { batch, n } = checkSquare(op, x);
  const upper = isUpper(op, options);
  const y = make(op, x.shape, x.dtype);
  const info = makeInfo(op, batch);
  const a = dense(op, x);
  call(native.cholesky, x.dtype, batch, { n, upper }, [y, info, a]);
  dropCopy(a, x);
  settle(
    op,
    info,
    [y],
    (code, where) =>
      new TensorError(
        'singular',
        op,
        `expected a positive definite matrix, got another${where}: the leading minor of order ${code} is not positive`,
      ),
  );
  return record(op, y, [x], [y], (g, [factor]) => {
    const l = upper ? mT(factor) : factor;
    const s = mT(l).matmul(upper ? mT(g) : g);
    const both = s.tril().add(mT(s.tril(-1)));
    const half = triangularSolved(op, mT(l), triangularSolved(op, l, both, false, false), true);
    return half.mul(0.5);
  });
}

/**
 * Solution of `A X = B` from the Cholesky factor of A [..., n, n], for B [..., n, k]: two triangular systems (PyTorch:
 * `torch.cholesky_solve`). With `x = A^-1 B`, `dB = A^-1 g` and `dL = -(dB x^T + x dB^T) L`.
 *
 * @param factor as {@link cholesky} gives it, with the same `upper`
 * @throws TensorError `shape` where the shapes do not go together, `dtype` unless both have the same floating dtype
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * const l = linalg.cholesky(tensor([[4, 2], [2, 2]]));
 * console.log(linalg.choleskySolve(tensor([[6], [4]]), l).toArray()); // [[1], [1]]
 * ```
 */
export function choleskySolve(b: Tensor, factor: Tensor, options?: CholeskyOptions): Tensor {
  const op = 'choleskySolve';
  const right = checkMatrix(op, b, 'the right side');
  const { n } = checkSquare(op, factor, 'the factor');
  const upper = isUpper(op, options);
  checkSameDtype(op, factor, b);
  if (right.m !== n) {
    throw new TensorError(
      'shape',
      op,
      `expected a right side [..., ${n}, k] for the factor ${formatShape(factor.shape)}, got ${formatShape(b.shape)}`,
    );
  }
  return composite(() => choleskySolved(op, ...spread(op, factor, b), upper));
}

/** Solution for factors and right sides of the same batch. */
function choleskySolved(op: string, factor: Tensor, b: Tensor, upper: boolean): Tensor {
  return fused(
    op,
    [factor, b],
    [factor, b],
    () => {
      const l = upper ? mT(factor) : factor;
      return triangularSolved(op, mT(l), triangularSolved(op, l, b, false), true);
    },
    (g, [saved, right], needs) => {
      const db = choleskySolved(op, saved, g, upper);
      if (needs[0] === null) return [null, db];
      // As PyTorch, on all of the factor: what its other triangle holds is the caller's affair.
      const x = choleskySolved(op, saved, right, upper);
      const both = db
        .matmul(mT(x))
        .add(x.matmul(mT(db)))
        .neg();
      return [upper ? saved.matmul(both) : both.matmul(saved), db];
    },
  );
}

/**
 * Inverse of A [..., n, n] from its Cholesky factor: `(L L^T)^-1` (PyTorch: `torch.cholesky_inverse`).
 *
 * @param factor as {@link cholesky} gives it, with the same `upper`
 * @throws TensorError `shape` unless the matrices are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.choleskyInverse(tensor([[2, 0], [0, 1]])).toArray()); // [[0.25, 0], [0, 1]]
 * ```
 */
export function choleskyInverse(factor: Tensor, options?: CholeskyOptions): Tensor {
  const op = 'choleskyInverse';
  const { n } = checkSquare(op, factor, 'the factor');
  const upper = isUpper(op, options);
  return composite(() => choleskySolve(identity(n, factor.dtype), factor, { upper }));
}

// ---- QR

/** The result of {@link qr}. */
export interface QrFactors {
  /** Orthonormal columns; of shape [0] with mode `'r'`. */
  Q: Tensor;
  /** Upper triangle. */
  R: Tensor;
}

/** Options of {@link qr}. */
export interface QrOptions {
  /** `'reduced'` (unless given): Q [..., m, c], R [..., c, n], c the smaller of m and n; `'complete'`: Q [..., m, m], R [..., m, n]; `'r'`: R of `'reduced'` alone. */
  mode?: 'reduced' | 'complete' | 'r';
}
const MODES: readonly unknown[] = ['reduced', 'complete', 'r'];

/** An upper triangle and its mirror image below the diagonal. */
const mirrored = (x: Tensor): Tensor => x.triu().add(mT(x.triu(1)));

/**
 * QR factors of matrices [..., m, n]: `A = Q R` with orthonormal columns in Q and an upper triangle R. Signs are those of
 * LAPACK. With `M = R dR^T - dQ^T Q`, `dA = (dQ + Q copyltu(M)) R^-T`, for m >= n; the first m columns of a wide A make Q
 * (PyTorch: `torch.linalg.qr`).
 *
 * @throws TensorError `shape` for fewer than two dimensions, `dtype` unless x is floating point, `value` for another mode; on
 * differentiation `grad` for mode `'r'`, and for `'complete'` with more rows than columns
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * const { Q, R } = linalg.qr(tensor([[3, 1], [4, 2]]));
 * console.log(Q.matmul(R).sub(tensor([[3, 1], [4, 2]])).abs().amax().item() < 1e-6); // true
 * ```
 */
export function qr(x: Tensor, options?: QrOptions): QrFactors {
  const op = 'qr';
  const { batch, m, n } = checkMatrix(op, x);
  checkOptions(op, options, ['mode']);
  const mode = options?.mode ?? 'reduced';
  if (!MODES.includes(mode)) {
    throw new TensorError('value', op, `expected mode to be 'reduced', 'complete' or 'r', got ${describe(mode)}`);
  }
  // The square part of a wide matrix makes Q; the tape differentiates what follows from it.
  if (m < n && mode !== 'r' && m > 0) return wide(x, m, n);
  const columns = mode === 'complete' ? m : Math.min(m, n);
  const q = mode === 'r' ? filled(op, [0], x.dtype, 0) : make(op, [...batch, m, columns], x.dtype);
  const r = make(op, [...batch, columns, n], x.dtype);
  if (n === 0 && mode === 'complete') {
    const whole = identity(m, x.dtype).expand(q.shape).contiguous();
    q.dispose();
    return { Q: whole, R: r };
  }
  const info = makeInfo(op, batch);
  const a = dense(op, x);
  call(native.qr, x.dtype, batch, { m, n, mode: MODES.indexOf(mode) }, [mode === 'r' ? null : q, r, info, a]);
  dropCopy(a, x);
  settle(op, info, [q, r], null);
  if (!x.requiresGrad || !isGradEnabled()) return { Q: q, R: r };
  if (mode === 'r' || (mode === 'complete' && m > n)) {
    const refuse = (): never => {
      throw new TensorError(
        'grad',
        op,
        `expected mode 'reduced' to differentiate, got '${mode}' on ${m} by ${n} matrices, whose derivative needs ${mode === 'r' ? 'Q' : 'a choice of the columns beyond A'}`,
      );
    };
    if (mode !== 'r') record(op, q, [x], [], refuse);
    return { Q: q, R: record(op, r, [x], [], refuse) };
  }
  // By linearity each output hands back its own part.
  record(op, q, [x], [q, r], (g, [Q, R]) => behind(R, g.sub(Q.matmul(mirrored(mT(Q).matmul(g))))));
  record(op, r, [x], [q, r], (g, [Q, R]) => behind(R, Q.matmul(mirrored(g.matmul(mT(R))))));
  return { Q: q, R: r };
}

/** z R^-T */
const behind = (r: Tensor, z: Tensor): Tensor => triangularSolved('qr', mT(r), z, false, false);

function wide(x: Tensor, m: number, n: number): QrFactors {
  const square = x.narrow(-1, 0, m);
  const rest = x.narrow(-1, m, n - m);
  const { Q, R } = qr(square);
  const whole = composite(() => cat([R, mT(Q).matmul(rest)], -1));
  if (!whole.requiresGrad) for (const t of [square, rest, R]) t.dispose();
  return { Q, R: whole };
}
