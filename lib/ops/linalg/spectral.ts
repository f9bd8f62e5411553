// Singular values and vectors, eigenvalues and eigenvectors of symmetric matrices.
import { dense, dropCopy, hidden, make } from '../../core/dispatch.js';
import { isGradEnabled } from '../../core/mode.js';
import { checkBoolean } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { call, checkMatrix, checkSquare, identity, makeInfo, mT, settle, unsettled } from './call.js';

/** Whether gradients of what is made of `x` will be wanted. */
const differentiates = (x: Tensor): boolean => x.requiresGrad && isGradEnabled();

/** `E[i][j] = values[j]^p - values[i]^p`, and 1 on the diagonal. */
function gaps(values: Tensor, p: 1 | 2): Tensor {
  const row = values.unsqueeze(-2);
  const column = values.unsqueeze(-1);
  const difference = row.sub(column);
  const gap = p === 1 ? difference : difference.mul(row.add(column));
  return gap.add(identity(values.shape[values.ndim - 1], values.dtype));
}

const skew = (x: Tensor): Tensor => x.sub(mT(x));

// ---- singular values

/** The result of {@link svd}. */
export interface Svd {
  /** Left singular vectors, as columns. */
  U: Tensor;
  /** Singular values, the largest first. */
  S: Tensor;
  /** Right singular vectors, as rows. */
  Vh: Tensor;
}

/** Options of {@link svd}. */
export interface SvdOptions {
  /** U [..., m, m] and Vh [..., n, n] (unless given) instead of [..., m, c] and [..., c, n], c the smaller of m and n. */
  fullMatrices?: boolean;
}

function svdRaw(op: string, x: Tensor, full: boolean): Svd {
  const { batch, m, n } = checkMatrix(op, x);
  const few = Math.min(m, n);
  const U = make(op, [...batch, m, full ? m : few], x.dtype);
  const S = make(op, [...batch, few], x.dtype);
  const Vh = make(op, [...batch, full ? n : few, n], x.dtype);
  if (few === 0) {
    // Any basis will do.
    for (const t of [U, Vh]) {
      const side = t.shape[t.ndim - 1];
      t.typed().forEach((_, i, values) => {
        values[i] = (i % (side * side)) % (side + 1) === 0 ? 1 : 0;
      });
    }
    return { U, S, Vh };
  }
  const info = makeInfo(op, batch);
  const a = dense(op, x);
  call(native.svd, x.dtype, batch, { m, n, mode: full ? 2 : 1 }, [U, S, Vh, info, a]);
  dropCopy(a, x);
  settle(op, info, [U, S, Vh], unsettled(op));
  return { U, S, Vh };
}

/** The first vectors, which have singular values. */
const leading = (x: Tensor, axis: -1 | -2, few: number): Tensor =>
  x.shape[x.ndim + axis] === few ? x : x.narrow(axis, 0, few);

/**
 * Singular value decomposition of matrices [..., m, n]: `A = U diag(S) Vh` (PyTorch: `torch.linalg.svd`).
 *
 * The gradient with respect to U and Vh exists where the singular values differ, and for vectors beyond the smaller side it
 * is taken as zero; signs of vectors are LAPACK's.
 *
 * @throws TensorError `value` where an element is NaN or infinite, `shape` for fewer than two dimensions, `dtype` unless x is
 * floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.svd(tensor([[0, 2], [1, 0]])).S.toArray()); // [2, 1]
 * ```
 */
export function svd(x: Tensor, options?: SvdOptions): Svd {
  const op = 'svd';
  checkOptions(op, options, ['fullMatrices']);
  const full = checkBoolean(op, 'fullMatrices', options?.fullMatrices ?? true);
  const made = svdRaw(op, x, full);
  if (differentiates(x)) recordSvd(op, x, made);
  return made;
}

/** By linearity each output hands back its own part of the gradient (Ionescu et al. 2015). */
function recordSvd(op: string, x: Tensor, { U, S, Vh }: Svd): void {
  const [m, n] = x.shape.slice(-2);
  const few = Math.min(m, n);
  const saved = [U, S, Vh] as const;
  record(op, U, [x], saved, (g, [u, s, vh]) => {
    const [left, right, du] = [leading(u, -1, few), leading(vh, -2, few), leading(g, -1, few)];
    const inner = mT(left).matmul(du);
    const inside = left.matmul(skew(inner).div(gaps(s, 2)).mul(s.unsqueeze(-2)));
    const outside = m > few ? inside.add(du.sub(left.matmul(inner)).div(s.unsqueeze(-2))) : inside;
    return outside.matmul(right);
  });
  record(op, S, [x], saved, (g, [u, , vh]) =>
    leading(u, -1, few)
      .mul(g.unsqueeze(-2))
      .matmul(leading(vh, -2, few)),
  );
  record(op, Vh, [x], saved, (g, [u, s, vh]) => {
    const [left, right, dvh] = [leading(u, -1, few), leading(vh, -2, few), leading(g, -2, few)];
    const inner = dvh.matmul(mT(right));
    const inside = skew(mT(inner)).div(gaps(s, 2)).mul(s.unsqueeze(-1)).matmul(right);
    const outside = n > few ? inside.add(dvh.sub(inner.matmul(right)).div(s.unsqueeze(-1))) : inside;
    return left.matmul(outside);
  });
}

/** Singular values for the function `op`. */
export function singularValues(op: string, x: Tensor): Tensor {
  const { batch, m, n } = checkMatrix(op, x);
  if (differentiates(x)) {
    const { U, S, Vh } = svdRaw(op, x, false);
    return record(op, S, [x], [x, hidden(U), hidden(Vh)], (g, [a, u, vh]) => {
      // The second derivative needs vectors that are recorded; views, because an operation gives back hidden operands.
      const { U: left, Vh: right } = differentiates(a)
        ? svd(a, { fullMatrices: false })
        : { U: u.detach(), Vh: vh.detach() };
      return left.mul(g.unsqueeze(-2)).matmul(right);
    });
  }
  const S = make(op, [...batch, Math.min(m, n)], x.dtype);
  const info = makeInfo(op, batch);
  const a = dense(op, x);
  call(native.svd, x.dtype, batch, { m, n }, [null, S, null, info, a]);
  dropCopy(a, x);
  settle(op, info, [S], unsettled(op));
  return S;
}

/**
 * Singular values of matrices [..., m, n], the largest first: [..., min(m, n)]; `dA = U diag(g) Vh` (PyTorch:
 * `torch.linalg.svdvals`).
 *
 * @throws TensorError `value` where an element is NaN or infinite, `shape` for fewer than two dimensions, `dtype` unless x is
 * floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.svdvals(tensor([[0, 2], [1, 0]])).toArray()); // [2, 1]
 * ```
 */
export function svdvals(x: Tensor): Tensor {
  return singularValues('svdvals', x);
}

// ---- eigenvalues

/** The result of {@link eigh}. */
export interface Eigh {
  /** The smallest first. */
  eigenvalues: Tensor;
  /** As columns, orthonormal. */
  eigenvectors: Tensor;
}

/** Options of {@link eigh} and {@link eigvalsh}. */
export interface EighOptions {
  /** Which triangle is read: the lower one (unless given) or the upper. */
  UPLO?: 'L' | 'U';
}

function isUpper(op: string, options: EighOptions | undefined): boolean {
  checkOptions(op, options, ['UPLO']);
  const side: unknown = options?.UPLO ?? 'L';
  if (side === 'L' || side === 'U') return side === 'U';
  throw new TensorError('value', op, `expected UPLO to be 'L' or 'U', got ${describe(side)}`);
}

function eighRaw(op: string, x: Tensor, upper: boolean, vectors: boolean): [Tensor, Tensor | null] {
  const { batch, n } = checkSquare(op, x);
  const w = make(op, [...batch, n], x.dtype);
  const v = vectors ? make(op, x.shape, x.dtype) : null;
  const info = makeInfo(op, batch);
  const a = dense(op, x);
  call(native.eigh, x.dtype, batch, { n, upper, mode: vectors ? 1 : 0 }, [w, v, info, a]);
  dropCopy(a, x);
  settle(op, info, [w, v], unsettled(op));
  return [w, v];
}

function eighOf(op: string, x: Tensor, upper: boolean): Eigh {
  const [w, made] = eighRaw(op, x, upper, true);
  const v = made as Tensor;
  if (differentiates(x)) {
    record(op, w, [x], [w, v], (g, [, vectors]) => vectors.mul(g.unsqueeze(-2)).matmul(mT(vectors)));
    record(op, v, [x], [w, v], (g, [values, vectors]) => {
      const inner = mT(vectors).matmul(g).div(gaps(values, 1));
      // Vectors have length 1 and cannot change along themselves.
      const beside = inner.tril(-1).add(inner.triu(1));
      return vectors.matmul(beside).matmul(mT(vectors));
    });
  }
  return { eigenvalues: w, eigenvectors: v };
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices [..., n, n]: `A = V diag(w) V^T`; one triangle is read, the other taken
 * for its mirror image. Eigenvectors have a gradient where the eigenvalues differ; their signs are LAPACK's (PyTorch:
 * `torch.linalg.eigh`).
 *
 * @throws TensorError `value` where an element is NaN or infinite, `shape` unless the matrices are square, `dtype` unless they
 * are floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.eigh(tensor([[2, 0], [0, 1]])).eigenvalues.toArray()); // [1, 2]
 * ```
 */
export function eigh(x: Tensor, options?: EighOptions): Eigh {
  checkSquare('eigh', x);
  return eighOf('eigh', x, isUpper('eigh', options));
}

/**
 * Eigenvalues of symmetric matrices [..., n, n], the smallest first: [..., n]; one triangle is read. `dA = V diag(g) V^T`
 * (PyTorch: `torch.linalg.eigvalsh`).
 *
 * @throws TensorError `value` where an element is NaN or infinite, `shape` unless the matrices are square, `dtype` unless they
 * are floating point
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.eigvalsh(tensor([[2, 0], [0, 1]])).toArray()); // [1, 2]
 * ```
 */
export function eigvalsh(x: Tensor, options?: EighOptions): Tensor {
  const op = 'eigvalsh';
  checkSquare(op, x);
  const upper = isUpper(op, options);
  if (!differentiates(x)) return eighRaw(op, x, upper, false)[0];
  const [w, v] = eighRaw(op, x, upper, true);
  return record(op, w, [x], [x, hidden(v as Tensor)], (g, [a, vectors]) => {
    const columns = differentiates(a) ? eighOf(op, a, upper).eigenvectors : vectors.detach();
    return columns.mul(g.unsqueeze(-2)).matmul(mT(columns));
  });
}
