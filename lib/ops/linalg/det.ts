// Determinants and traces.
import { checkNdim, checkTensor, filled } from '../../core/dispatch.js';
import { remembered } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { prod } from '../reduce/statistics.js';
import { where } from '../shape/join.js';
import { checkSquare, identity, mT } from './call.js';
import { luParts, luSolved } from './lu.js';
import { inverseOr } from './solve.js';
import { svd } from './spectral.js';

const corner = (x: Tensor): Tensor => x.unsqueeze(-1).unsqueeze(-1);

function detRaw(x: Tensor): Tensor {
  const { LU, sign } = luParts('det', x, false);
  return prod(LU.diagonal(0, -2, -1), -1).mul(sign);
}

/** Cofactors of singular matrices, from what the other singular values make: right where the inverse does not exist. */
function cofactors(x: Tensor): Tensor {
  const { U, S, Vh } = svd(x, { fullMatrices: false });
  const n = S.shape[S.ndim - 1];
  const others = prod(where(identity(n, x.dtype).to('bool'), 1, S.unsqueeze(-2)), -1);
  const sign = detRaw(U.detach()).mul(detRaw(Vh.detach())).round();
  return U.mul(others.unsqueeze(-2)).matmul(Vh).mul(corner(sign));
}

/** dA of the determinant: g times the cofactors. */
function detBackward(g: Tensor, x: Tensor, y: Tensor): Tensor {
  if (x.size === 0) return filled('zeros', x.shape, x.dtype, 0);
  const finite = x.isFinite().all().item() === 1;
  if (finite && y.eq(0).any().item() === 1) return corner(g).mul(cofactors(x));
  // From one factorisation: what is tiny in the determinant is huge in the inverse, and cancels exactly.
  const { LU, pivots, sign } = luParts('det', x, false);
  const det = prod(LU.diagonal(0, -2, -1), -1).mul(sign);
  const inverse = luSolved('det', LU, pivots, identity(x.shape[x.ndim - 1], x.dtype).expand(x.shape), true);
  return corner(g.mul(det)).mul(inverse);
}

/**
 * Determinants of square matrices [..., n, n]: [...], `dA = g det(A) A^-T`, the cofactors where A is singular (PyTorch:
 * `torch.linalg.det`).
 *
 * @throws TensorError `shape` unless the matrices are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[2, 1], [0, 3]]).det().item()); // 6
 * ```
 */
export function det(x: Tensor): Tensor {
  checkSquare('det', x);
  return remembered('det', x, () => detRaw(x), detBackward);
}

/** The result of {@link slogdet}. */
export interface SignedLog {
  /** -1, 0 or 1; NaN where the matrix holds NaN. */
  sign: Tensor;
  /** Logarithm of the absolute value, -Infinity for 0. */
  logabsdet: Tensor;
}

function slogdetOf(op: string, x: Tensor): SignedLog {
  checkSquare(op, x);
  const made = luParts(op, x.detach(), false);
  const sign = composite(() => prod(made.LU.diagonal(0, -2, -1).sign(), -1).mul(made.sign));
  const logabsdet = composite(() => made.LU.diagonal(0, -2, -1).abs().log().sum(-1));
  for (const t of [made.LU, made.pivots, made.sign]) t.dispose();
  record(op, logabsdet, [x], [x], (g, [a]) => corner(g).mul(mT(inverseOr(op, a, Number.NaN))));
  return { sign, logabsdet };
}

/**
 * Sign and logarithm of the absolute value of determinants, where the determinants themselves would overflow:
 * `det = sign e^logabsdet`, `dA = g A^-T` from the logarithm (PyTorch: `torch.linalg.slogdet`).
 *
 * @returns `sign` and `logabsdet`, both [...]; singular matrices give 0 and -Infinity, and NaN gradients
 * @throws TensorError `shape` unless the matrices are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { sign, logabsdet } = tensor([[0, 1], [1, 0]]).slogdet();
 * console.log(sign.item(), logabsdet.item()); // -1 0
 * ```
 */
export function slogdet(x: Tensor): SignedLog {
  return slogdetOf('slogdet', x);
}

/**
 * Logarithm of determinants: -Infinity for 0, NaN for negative ones; `dA = g A^-T` (PyTorch: `torch.logdet`).
 *
 * @throws TensorError `shape` unless the matrices are square, `dtype` unless they are floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 5], [0, 1]]).logdet().item()); // 0
 * ```
 */
export function logdet(x: Tensor): Tensor {
  const { sign, logabsdet } = slogdetOf('logdet', x);
  const y = composite(() => where(sign.eq(-1), Number.NaN, logabsdet));
  sign.dispose();
  if (!logabsdet.requiresGrad) logabsdet.dispose();
  return y;
}

/**
 * Sum of the diagonal of a matrix [m, n]: 0-d, `dA = g I`; integers give int32 (PyTorch: `torch.trace`).
 *
 * @throws TensorError `shape` unless there are two dimensions, `dtype` for booleans
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).trace().item()); // 5
 * ```
 */
export function trace(x: Tensor): Tensor {
  const op = 'trace';
  checkNdim(op, checkTensor(op, x), 2, '[m, n]');
  if (x.dtype === 'bool') {
    throw new TensorError('dtype', op, `expected numbers, got bool; convert it with x.to('int32')`);
  }
  return composite(() => x.diagonal().sum());
}
