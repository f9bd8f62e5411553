// LU factors with partial pivoting, and solutions from them.
import { checkTensor, dense, dropCopy, filled, make } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, formatShape, type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { call, checkMatrix, checkSquare, identity, makeInfo, mT, settle } from './call.js';
import { checkSides, spread, triangularSolved } from './solve.js';

/** The result of {@link luFactor}. */
export interface LuFactors {
  /** L below the diagonal, whose own diagonal is ones, and U from the diagonal on. */
  LU: Tensor;
  /** Row that row i was exchanged with, int32, counted from 1 as LAPACK does. */
  pivots: Tensor;
}

/** The permutations P with `A = P L U`, as matrices. */
function permutations(op: string, pivots: Tensor, batch: Shape, m: number, like: Tensor): Tensor {
  const p = make(op, [...batch, m, m], like.dtype);
  const values = p.typed().fill(0);
  const swaps = pivots.typed();
  const count = pivots.shape[pivots.ndim - 1];
  for (let i = 0; i < sizeOf(batch); i++) {
    const rows = Array.from({ length: m }, (_, row) => row);
    for (let j = 0; j < count; j++) {
      const other = swaps[i * count + j] - 1;
      [rows[j], rows[other]] = [rows[other], rows[j]];
    }
    for (let row = 0; row < m; row++) values[(i * m + rows[row]) * m + row] = 1;
  }
  return p;
}

/** L [..., m, c] and U [..., c, n] of packed factors; c the smaller side. */
function unpack(lu: Tensor): [Tensor, Tensor] {
  const [m, n] = lu.shape.slice(-2);
  const few = Math.min(m, n);
  const lower = composite(() =>
    lu
      .narrow(-1, 0, few)
      .tril(-1)
      .add(embedded(m, few, lu)),
  );
  return [lower, composite(() => lu.narrow(-2, 0, few).triu())];
}

/** Ones on the diagonal of [m, n] with n <= m. */
function embedded(m: number, n: number, like: Tensor): Tensor {
  return identity(m, like.dtype).narrow(1, 0, n);
}

/** Factors, pivots, and the sign of each permutation. */
export function luParts(op: string, x: Tensor, checked: boolean): LuFactors & { sign: Tensor } {
  const { batch, m, n } = checkMatrix(op, x);
  const few = Math.min(m, n);
  const lu = make(op, x.shape, x.dtype);
  const pivots = make(op, [...batch, few], 'int32');
  const sign = filled(op, batch, x.dtype, 1);
  const info = makeInfo(op, batch);
  const a = dense(op, x);
  call(native.lu, x.dtype, batch, { m, n }, [lu, pivots, sign, info, a]);
  dropCopy(a, x);
  const refused = (code: number, where: string) =>
    new TensorError(
      'singular',
      op,
      `expected a matrix whose factors can solve equations, got a singular one${where}: pivot ${code} is zero; lu() factors it nevertheless`,
    );
  settle(op, info, [lu, pivots, sign], checked ? refused : null);
  record(op, lu, [x], [lu, pivots], (g, [factors, swaps]) => {
    if (m !== n) {
      throw new TensorError(
        'grad',
        op,
        `expected square matrices to differentiate, got ${m} by ${n}; use qr() or svd()`,
      );
    }
    // dA = P L^-T (tril(L^T dL, -1) + triu(dU U^T)) U^-T
    const [l, u] = unpack(factors);
    const inner = mT(l)
      .matmul(g.tril(-1))
      .tril(-1)
      .add(g.triu().matmul(mT(u)).triu());
    const right = triangularSolved(op, mT(u), inner, false, false);
    return permutations(op, swaps, batch, m, factors).matmul(triangularSolved(op, mT(l), right, true, true, true));
  });
  return { LU: lu, pivots, sign };
}

/**
 * Packed LU factors of matrices [..., m, n] with partial pivoting, `A = P L U` (PyTorch: `torch.linalg.lu_factor`).
 *
 * Square matrices can be differentiated.
 *
 * @returns `LU` [..., m, n] and `pivots` [..., min(m, n)]
 * @throws TensorError `singular` where a pivot is zero, `shape` for fewer than two dimensions, `dtype` unless x is floating
 * point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * const { LU, pivots } = linalg.luFactor(tensor([[1, 2], [2, 0]]));
 * console.log(LU.toArray(), pivots.toArray()); // [[2, 0], [0.5, 2]] [2, 2]
 * ```
 */
export function luFactor(x: Tensor): LuFactors {
  const { LU, pivots, sign } = luParts('luFactor', x, true);
  sign.dispose();
  return { LU, pivots };
}

/** The result of {@link lu}. */
export interface LuMatrices {
  /** Permutation. */
  P: Tensor;
  /** Lower triangle with ones on its diagonal. */
  L: Tensor;
  /** Upper triangle. */
  U: Tensor;
}

/**
 * LU factors of matrices [..., m, n] with partial pivoting, as matrices of their own: `A = P L U`; singular matrices have them
 * too (PyTorch: `torch.linalg.lu`). Square matrices can be differentiated.
 *
 * @returns `P` [..., m, m], `L` [..., m, c] and `U` [..., c, n], c the smaller of m and n
 * @throws TensorError `shape` for fewer than two dimensions, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * const { P, L, U } = linalg.lu(tensor([[1, 2], [2, 0]]));
 * console.log(P.matmul(L).matmul(U).toArray()); // [[1, 2], [2, 0]]
 * ```
 */
export function lu(x: Tensor): LuMatrices {
  const op = 'lu';
  const { batch, m } = checkMatrix(op, x);
  const { LU, pivots, sign } = luParts(op, x, false);
  sign.dispose();
  const [L, U] = unpack(LU);
  const P = permutations(op, pivots, batch, m, x);
  if (!LU.requiresGrad) {
    LU.dispose();
    pivots.dispose();
  }
  return { P, L, U };
}

/** Options of {@link luSolve}. */
export interface LuSolveOptions {
  /** Whether the matrix stands on the left, `A X = B` (unless given), or on the right, `X A = B`. */
  left?: boolean;
  /** Solve with the transposed matrix; false unless given. */
  adjoint?: boolean;
}

/** Solution for factors and right sides of the same batch. */
export function luSolved(op: string, lu: Tensor, pivots: Tensor, b: Tensor, transposed: boolean): Tensor {
  const [n, k] = b.shape.slice(-2);
  const batch = b.shape.slice(0, -2);
  const x = make(op, b.shape, b.dtype);
  const info = makeInfo(op, batch);
  const [left, swaps, right] = [dense(op, lu), dense(op, pivots), dense(op, b)];
  call(native.luSolve, b.dtype, batch, { n, k, transposed }, [x, info, left, swaps, right]);
  dropCopy(left, lu);
  dropCopy(swaps, pivots);
  dropCopy(right, b);
  settle(op, info, [x], null);
  return record(op, x, [lu, null, b], [lu, pivots, x], (g, [factors, rows, y], needs) => {
    const db = luSolved(op, factors, rows, g, !transposed);
    if (needs[0] === null) return [null, null, db];
    // d(A) first, then through A = P L U with P held.
    const da = (transposed ? y.matmul(mT(db)) : db.matmul(mT(y))).neg();
    const [l, u] = unpack(factors);
    const turned = mT(permutations(op, rows.contiguous(), batch, n, factors)).matmul(da);
    return [turned.matmul(mT(u)).tril(-1).add(mT(l).matmul(turned).triu()), null, db];
  });
}

/**
 * Solution of linear equations `A X = B` from the factors of A [..., n, n], for B [..., n, k] (PyTorch:
 * `torch.linalg.lu_solve`). A zero pivot gives infinities or NaN.
 *
 * @param pivots int32 [..., n], as {@link luFactor} gives them
 * @throws TensorError `shape` where the shapes do not go together, `dtype` unless the factors and B have the same floating
 * dtype and the pivots are int32, `index` for pivots outside the matrix
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * const { LU, pivots } = linalg.luFactor(tensor([[1, 2], [2, 0]]));
 * console.log(linalg.luSolve(LU, pivots, tensor([[5], [2]])).toArray()); // [[1], [2]]
 * ```
 */
export function luSolve(factors: Tensor, pivots: Tensor, b: Tensor, options?: LuSolveOptions): Tensor {
  const op = 'luSolve';
  const { n } = checkSquare(op, factors, 'the factors');
  checkOptions(op, options, ['left', 'adjoint']);
  const left = checkBoolean(op, 'left', options?.left ?? true);
  const adjoint = checkBoolean(op, 'adjoint', options?.adjoint ?? false);
  checkMatrix(op, b, 'the right side');
  checkSides(op, factors, left ? b : mT(b), n, true);
  if (checkTensor(op, pivots, 'pivots').dtype !== 'int32') {
    throw new TensorError('dtype', op, `expected pivots of dtype int32, got ${pivots.dtype}`);
  }
  if (pivots.ndim !== factors.ndim - 1 || pivots.shape.some((size, i) => size !== factors.shape[i])) {
    const want = formatShape(factors.shape.slice(0, -1));
    throw new TensorError('shape', op, `expected pivots of shape ${want}, got ${formatShape(pivots.shape)}`);
  }
  return composite(() => {
    const [p, q] = spread(op, factors, left ? b : mT(b));
    const swaps = pivots.expand(p.shape.slice(0, -1));
    const x = luSolved(op, p, swaps, q, left === adjoint);
    return left ? x : mT(x);
  });
}
