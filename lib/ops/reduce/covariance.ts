// How variables vary together, and powers of them as columns.
import { cast, checkTensor, filled } from '../../core/dispatch.js';
import { floatOf, isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkInteger, checkShape, formatShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { cat } from '../shape/join.js';

/** Options of {@link cov}. */
export interface CovOptions {
  /** Taken off the number of observations in the divisor; 1 unless given. */
  correction?: number;
  /** How often each observation was made: whole numbers [observations]. */
  fweights?: Tensor;
  /** How much each observation counts: floating point [observations]. */
  aweights?: Tensor;
}

function checkWeights(op: string, weights: Tensor | undefined, name: 'fweights' | 'aweights', count: number): void {
  if (weights === undefined) return;
  const { shape, dtype } = checkTensor(op, weights, name);
  if (shape.length !== 1 || shape[0] !== count) {
    throw new TensorError('shape', op, `expected ${name} of shape [${count}], got ${formatShape(shape)}`);
  }
  if (isFloat(dtype) !== (name === 'aweights') || dtype === 'bool') {
    const kind = name === 'aweights' ? 'floating point' : 'whole numbers';
    throw new TensorError('dtype', op, `expected ${name} of ${kind}, got ${dtype}`);
  }
  const least = weights.size === 0 ? 0 : Math.min(...Array.from({ length: count }, (_, i) => weights.read(i)));
  if (least < 0) throw new TensorError('value', op, `expected ${name} of at least 0, got ${least}`);
}

/** The matrix of covariances, always [variables, variables]. */
function covariances(op: string, x: Tensor, options: CovOptions | undefined): Tensor {
  const correction = options?.correction ?? 1;
  const { fweights, aweights } = options ?? {};
  const rows = cast(op, x, floatOf(x.dtype)).reshape(x.ndim < 2 ? [1, x.size] : x.shape);
  const { dtype } = rows;
  const count = rows.shape[1];
  if (fweights === undefined && aweights === undefined) {
    const apart = rows.sub(rows.mean(1, { keepdim: true }));
    return apart.matmul(apart.t()).div(Math.max(0, count - correction));
  }
  const weights = (fweights ?? filled(op, [count], dtype, 1)).to(dtype).mul(aweights?.to(dtype) ?? 1);
  const sum = weights.sum();
  const mean = rows.mul(weights).sum(1, { keepdim: true }).div(sum);
  const lost =
    aweights === undefined || correction === 0
      ? correction
      : weights.mul(aweights.to(dtype)).sum().div(sum).mul(correction);
  const apart = rows.sub(mean);
  return apart.mul(weights).matmul(apart.t()).div(sum.sub(lost).clamp(0));
}

/**
 * Covariances of the variables in the rows of a matrix, one column per observation: `C[i][j] = sum_k (x[i][k] - mean_i)
 * (x[j][k] - mean_j) / (n - correction)` (PyTorch: `torch.cov`).
 *
 * @param x [variables, observations], or one variable [observations] or []
 * @returns [variables, variables]; [] for one variable
 * @throws TensorError `shape` for more than two dimensions or weights that do not fit, `dtype` for booleans or weights of the
 * wrong kind, `value` for negative weights
 *
 * @example
 * ```ts
 * import { cov, tensor } from 'chainrule';
 * console.log(cov(tensor([[0, 1, 2], [2, 1, 0]])).toArray()); // [[1, -1], [-1, 1]]
 * ```
 */
export function cov(x: Tensor, options?: CovOptions): Tensor {
  const op = 'cov';
  checkTable(op, x);
  checkOptions(op, options, ['correction', 'fweights', 'aweights']);
  checkInteger(op, 'correction', options?.correction ?? 1);
  const count = x.ndim === 2 ? x.shape[1] : x.size;
  checkWeights(op, options?.fweights, 'fweights', count);
  checkWeights(op, options?.aweights, 'aweights', count);
  return composite(() => {
    const y = covariances(op, x, options);
    return y.size === 1 ? y.reshape([]) : y;
  });
}

function checkTable(op: string, x: Tensor): void {
  const { ndim, shape, dtype } = checkTensor(op, x);
  if (ndim > 2) throw new TensorError('shape', op, `expected at most two dimensions, got ${formatShape(shape)}`);
  if (dtype === 'bool') throw new TensorError('dtype', op, "expected numbers, got bool; convert with x.to('float32')");
}

/**
 * Correlation coefficients of the variables in the rows of a matrix: `C[i][j] / sqrt(C[i][i] C[j][j])`, C from {@link cov};
 * between -1 and 1 (PyTorch: `torch.corrcoef`).
 *
 * @param x [variables, observations], or one variable [observations] or []
 * @returns [variables, variables]; [] for one variable
 * @throws TensorError `shape` for more than two dimensions, `dtype` for booleans
 *
 * @example
 * ```ts
 * import { corrcoef, tensor } from 'chainrule';
 * console.log(corrcoef(tensor([[0, 1, 2], [4, 2, 0]])).round({ decimals: 4 }).toArray()); // [[1, -1], [-1, 1]]
 * ```
 */
export function corrcoef(x: Tensor): Tensor {
  const op = 'corrcoef';
  checkTable(op, x);
  return composite(() => {
    const c = covariances(op, x, undefined);
    if (c.size === 1) return c.div(c).reshape([]);
    const spread = c.diagonal().sqrt();
    return c.div(spread.unsqueeze(1)).div(spread).clamp(-1, 1);
  });
}

/** Options of {@link vander}. */
export interface VanderOptions {
  /** Number of columns; the number of elements unless given. */
  n?: number;
  /** Whether powers grow from left to right; false unless given. */
  increasing?: boolean;
}

/** `x^0, x^1, ..., x^(n - 1)` in a new last dimension. */
export function powers(op: string, x: Tensor, n: number): Tensor {
  checkShape(op, [...x.shape, n]);
  const numbers = isFloat(x.dtype) ? x : x.to('int32');
  const parts = [filled(op, [...x.shape, Math.min(n, 1)], numbers.dtype, 1)];
  if (n > 1) {
    parts.push(
      numbers
        .unsqueeze(-1)
        .expand([...x.shape, n - 1])
        .cumprod(-1),
    );
  }
  return cat(parts, -1);
}

/**
 * Powers of the elements of a vector as columns, the highest first: `y[i][j] = x[i]^(n - 1 - j)`, the Vandermonde matrix
 * (PyTorch: `torch.vander`).
 *
 * @throws TensorError `shape` unless x is a vector, `value` for a negative n
 *
 * @example
 * ```ts
 * import { tensor, vander } from 'chainrule';
 * console.log(vander(tensor([1, 2, 3])).toArray()); // [[1, 1, 1], [4, 2, 1], [9, 3, 1]]
 * ```
 */
export function vander(x: Tensor, options?: VanderOptions): Tensor {
  const op = 'vander';
  if (checkTensor(op, x).ndim !== 1) {
    throw new TensorError('shape', op, `expected a vector [n], got ${formatShape(x.shape)}`);
  }
  checkOptions(op, options, ['n', 'increasing']);
  const n = checkInteger(op, 'n', options?.n ?? x.size, 0);
  const increasing = checkBoolean(op, 'increasing', options?.increasing ?? false);
  return composite(() => {
    const y = powers(op, x, n);
    return increasing ? y : y.flip(1);
  });
}
