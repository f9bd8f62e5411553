// Norms of vectors and matrices, and condition numbers.
import { checkFloat, checkTensor, filled } from '../../core/dispatch.js';
import { checkDType, type DType, isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, formatShape, normalizeAxes } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { amax, amin, sum } from '../reduce/reduce.js';
import type { Axes, ReduceOptions } from '../reduce/reduction.js';
import { norm as normOf } from '../reduce/statistics.js';
import { where } from '../shape/join.js';
import { checkMatrix, checkSquare } from './call.js';
import { inverseOr } from './solve.js';
import { singularValues } from './spectral.js';

/** Options of norms. */
export interface NormOptions extends ReduceOptions {
  /** Convert to this floating dtype first. */
  dtype?: DType;
}

/** Kind of a matrix norm. */
export type MatrixNormOrder = 'fro' | 'nuc' | 1 | -1 | 2 | -2 | number;

interface Prepared {
  readonly x: Tensor;
  readonly keepdim: boolean;
}

function prepare(op: string, given: Tensor, options: NormOptions | undefined): Prepared {
  checkFloat(op, checkTensor(op, given));
  checkOptions(op, options, ['keepdim', 'dtype']);
  const keepdim = checkBoolean(op, 'keepdim', options?.keepdim ?? false);
  if (options?.dtype === undefined) return { x: given, keepdim };
  const dtype = checkDType(op, options.dtype);
  if (!isFloat(dtype)) throw new TensorError('dtype', op, `expected dtype to be float32 or float64, got ${dtype}`);
  return { x: given.to(dtype), keepdim };
}

/** Gives back a conversion that no graph holds. */
function released(y: Tensor, x: Tensor, given: Tensor): Tensor {
  if (x !== given && !x.requiresGrad && y !== x) x.dispose();
  return y;
}

function checkOrder(op: string, ord: unknown): number {
  if (typeof ord === 'number' && !Number.isNaN(ord)) return ord;
  throw new TensorError('value', op, `expected ord to be a number, got ${describe(ord)}`);
}

function vectorNormOf(op: string, x: Tensor, ord: number, axes: Axes | undefined, keepdim: boolean): Tensor {
  const over = normalizeAxes(op, axes, x.ndim);
  if ((ord < 0 || ord === Infinity) && over.some((axis) => x.shape[axis] === 0)) {
    const where = `${formatShape(x.shape)} over axes ${formatShape(over)}`;
    throw new TensorError('shape', op, `expected at least one element for ord ${ord}, got ${where}`);
  }
  return normOf(x, ord, axes, { keepdim });
}

/**
 * Vector norms over dimensions: `(sum |x|^ord)^(1 / ord)`, the largest |x| for Infinity, the smallest for -Infinity, the number of
 * nonzeros for 0 (PyTorch: `torch.linalg.vector_norm`).
 *
 * @param ord any number, 2 unless given
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `dtype` unless x is floating point, `axis` for an axis outside the tensor or named twice, `value` unless ord
 * is a number, `shape` where a negative or infinite ord has nothing to reduce
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.vectorNorm(tensor([3, 4])).item()); // 5
 * ```
 */
export function vectorNorm(x: Tensor, ord = 2, axes?: Axes, options?: NormOptions): Tensor {
  const op = 'vectorNorm';
  const p = prepare(op, x, options);
  return released(vectorNormOf(op, p.x, checkOrder(op, ord), axes, p.keepdim), p.x, x);
}

function checkPlane(op: string, axes: unknown, x: Tensor): [number, number] {
  if (!Array.isArray(axes) || axes.length !== 2 || x.ndim < 2) {
    throw new TensorError(
      'axis',
      op,
      `expected two of at least two dimensions, got ${describe(axes)} of ${formatShape(x.shape)}`,
    );
  }
  const [a, b] = normalizeAxes(op, axes, x.ndim);
  return [a, b];
}

function matrixNormOf(op: string, x: Tensor, ord: MatrixNormOrder, axes: unknown, keepdim: boolean): Tensor {
  const [a, b] = checkPlane(op, axes, x);
  const size = typeof ord === 'number' ? Math.abs(ord) : ord;
  if (size === 'fro') return normOf(x, 2, [a, b], { keepdim });
  if (size !== 'nuc' && size !== 1 && size !== 2 && size !== Infinity) {
    throw new TensorError(
      'value',
      op,
      `expected ord to be 'fro', 'nuc', 1, 2, Infinity or their negatives, got ${describe(ord)}`,
    );
  }
  // Sums over `summed`, of which the largest or smallest over `kept` is the norm.
  const [summed, kept] = size === 1 ? [a, b] : [b, a];
  const reduced = size === 2 ? Math.min(x.shape[a], x.shape[b]) : x.shape[kept];
  if (size !== 'nuc' && reduced === 0) {
    throw new TensorError('shape', op, `expected at least one element for ord ${ord}, got ${formatShape(x.shape)}`);
  }
  const pick = (ord as number) > 0 ? amax : amin;
  if (size === 1 || size === Infinity) {
    return composite(() => {
      const y = pick(normOf(x, 1, summed, { keepdim: true }), kept, { keepdim: true });
      return keepdim ? y : y.squeeze([a, b]);
    });
  }
  return composite(() => {
    const s = singularValues(op, x.movedim([a, b], [-2, -1]));
    const y = size === 'nuc' ? sum(s, -1) : pick(s, -1);
    return keepdim ? [a, b].sort((p, q) => p - q).reduce((z, axis) => z.unsqueeze(axis), y) : y;
  });
}

/**
 * Matrix norms: `'fro'` the root of the sum of squares, `'nuc'` the sum of singular values, 2 and -2 the largest and smallest of
 * them, 1 and -1 the largest and smallest sum of |x| down a column, Infinity and -Infinity along a row (PyTorch:
 * `torch.linalg.matrix_norm`).
 *
 * @param ord kind of norm, `'fro'` unless given
 * @param axes the two dimensions of the matrices, `[-2, -1]` unless given
 * @throws TensorError `dtype` unless x is floating point, `axis` unless these are two different dimensions, `value` for another
 * ord or NaN and infinity where singular values are needed, `shape` where an extreme has nothing to reduce
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.matrixNorm(tensor([[3, 0], [4, 0]]), 1).item()); // 7
 * ```
 */
export function matrixNorm(
  x: Tensor,
  ord: MatrixNormOrder = 'fro',
  axes: readonly [number, number] = [-2, -1],
  options?: NormOptions,
): Tensor {
  const op = 'matrixNorm';
  const p = prepare(op, x, options);
  return released(matrixNormOf(op, p.x, ord, axes, p.keepdim), p.x, x);
}

/**
 * Norm of vectors or matrices, by the number of dimensions: without `ord` the root of the sum of squares; with one
 * {@link vectorNorm} over one dimension and {@link matrixNorm} over two (PyTorch: `torch.linalg.norm`).
 *
 * @param ord kind of norm, or null
 * @param axes one dimension, two, or left out (then x must be 1-d or 2-d, unless ord is left out too)
 * @throws TensorError `dtype` unless x is floating point, `axis` for more than two axes, `shape` where ord is given without axes for
 * other than 1-d and 2-d tensors, and what `vectorNorm` and `matrixNorm` throw
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.norm(tensor([[3, 0], [4, 0]])).item()); // 5
 * console.log(linalg.norm(tensor([[3, 0], [4, 0]]), Infinity).item()); // 4
 * ```
 */
export function norm(x: Tensor, ord: MatrixNormOrder | null = null, axes?: Axes, options?: NormOptions): Tensor {
  const op = 'linalg.norm';
  const p = prepare(op, x, options);
  const list = axes === undefined ? undefined : Array.isArray(axes) ? axes : [axes as number];
  if (list !== undefined && list.length !== 1 && list.length !== 2) {
    throw new TensorError('axis', op, `expected one or two axes, got ${describe(axes)}`);
  }
  if (ord === null) return released(vectorNormOf(op, p.x, 2, axes, p.keepdim), p.x, x);
  if (list === undefined && x.ndim !== 1 && x.ndim !== 2) {
    throw new TensorError(
      'shape',
      op,
      `expected a 1-d or 2-d tensor for ord without axes, got ${formatShape(x.shape)}`,
    );
  }
  const matrix = typeof ord === 'string' || (list?.length ?? x.ndim) === 2;
  const y = matrix
    ? matrixNormOf(op, p.x, ord, list ?? [-2, -1], p.keepdim)
    : vectorNormOf(op, p.x, checkOrder(op, ord), axes, p.keepdim);
  return released(y, p.x, x);
}

/**
 * Condition numbers of matrices with respect to inversion: `|A| |A^-1|`, for 2 (unless given) the largest singular value over the
 * smallest, for -2 the smallest over the largest; infinite where A has no inverse (PyTorch: `torch.linalg.cond`).
 *
 * @param p kind of {@link matrixNorm}; all but 2 and -2 need square matrices
 * @throws TensorError `dtype` unless x is floating point, `shape` unless the matrices suit p, `value` for another p or, where
 * singular values are needed, NaN and infinity
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.cond(tensor([[4, 0], [0, 2]])).item()); // 2
 * ```
 */
export function cond(x: Tensor, p: MatrixNormOrder | null = null): Tensor {
  const op = 'cond';
  const { batch, m, n } = checkMatrix(op, x);
  const ord = p ?? 2;
  const spectral = ord === 2 || ord === -2;
  if (!spectral) checkSquare(op, x);
  if (m === 0 || n === 0) return filled(op, batch, x.dtype, 0);
  return composite(() => {
    if (!spectral && ord !== 'nuc') {
      const whole = matrixNormOf(op, x, ord, [-2, -1], false);
      const inverse = matrixNormOf(op, inverseOr(op, x, Infinity), ord, [-2, -1], false);
      // Also where the norm itself is 0.
      return where(inverse.isInf(), Infinity, whole.mul(inverse));
    }
    const s = singularValues(op, x);
    if (ord === 'nuc') return sum(s, -1).mul(sum(s.reciprocal(), -1));
    const [top, bottom] = [s.narrow(-1, 0, 1).squeeze(-1), s.narrow(-1, Math.min(m, n) - 1, 1).squeeze(-1)];
    return ord === 2 ? top.div(bottom) : bottom.div(top);
  });
}
