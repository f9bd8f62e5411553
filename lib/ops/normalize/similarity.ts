// How near vectors are to each other: norms of differences and cosines.
import { checkFloat, checkNdim, checkTensor, make } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import {
  broadcastShapes,
  checkBoolean,
  checkNumber,
  checkShape,
  formatShape,
  normalizeAxis,
  sameShape,
} from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { norm } from '../reduce/statistics.js';

/** The operands of a distance, checked. */
export function checkVectors(op: string, x1: Tensor, x2: Tensor): void {
  checkFloat(op, checkTensor(op, x1, 'a first tensor'), 'the first tensor');
  checkFloat(op, checkTensor(op, x2, 'a second tensor'), 'the second tensor');
}

/**
 * `(sum |x|^p)^(1/p)` over one dimension, which stays with size 1; the largest for Infinity, the number of nonzeros for 0.
 * The gradient is 0 where the norm is, as PyTorch's.
 */
export function normOver(op: string, x: Tensor, p: number, axis: number): Tensor {
  const keepdim = { keepdim: true };
  if (p === Infinity) return x.abs().amax(axis, keepdim);
  if (p === 1) return x.abs().sum(axis, keepdim);
  if (p === 0) return x.ne(0).to(x.dtype).sum(axis, keepdim);
  const forward = () =>
    p === 2
      ? x.square().sum(axis, keepdim).sqrt()
      : x
          .abs()
          .pow(p)
          .sum(axis, keepdim)
          .pow(1 / p);
  return fused(op, [x], [x], forward, (g, [v]) => {
    // Computed anew in ops, so that a second derivative sees how it depends on x.
    const norm = normOver(op, v, p, axis);
    const zero = norm.eq(0);
    const safe = zero.where(1, norm);
    const scale = zero.where(0, g.div(p === 2 ? safe : safe.pow(p - 1)));
    if (p === 2) return scale.mul(v);
    const flat = v.eq(0);
    const size = flat.where(1, v.abs()).pow(p - 1);
    return flat.where(0, size.mul(v.sign()).mul(scale));
  });
}

function checkPower(op: string, value: unknown): number {
  return checkNumber(op, 'p', value, 0);
}

/** Options of {@link pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** Exponent of the norm, at least 0, Infinity too; 2 unless given. */
  p?: number;
  /** Added to every difference, so that no distance is 0; 1e-6 unless given. */
  eps?: number;
  /** Keep the last dimension with size 1; false unless given. */
  keepdim?: boolean;
}

/**
 * Distance of vectors along the last dimension: `(sum |x1 - x2 + eps|^p)^(1/p)`; shapes broadcast (PyTorch:
 * `F.pairwise_distance`).
 *
 * @throws TensorError `shape` where the shapes do not broadcast, `value` for a negative p
 *
 * @example
 * ```ts
 * import { pairwiseDistance, tensor } from 'chainrule';
 * console.log(pairwiseDistance(tensor([[0, 3]]), tensor([[4, 0]]), { eps: 0 }).toArray()); // [5]
 * ```
 */
export function pairwiseDistance(x1: Tensor, x2: Tensor, options?: PairwiseDistanceOptions): Tensor {
  const op = 'pairwiseDistance';
  checkOptions(op, options, ['p', 'eps', 'keepdim']);
  checkVectors(op, x1, x2);
  const p = checkPower(op, options?.p ?? 2);
  const eps = checkNumber(op, 'eps', options?.eps ?? 1e-6);
  const keepdim = checkBoolean(op, 'keepdim', options?.keepdim ?? false);
  if (broadcastShapes(op, x1.shape, x2.shape).length === 0) {
    throw new TensorError('shape', op, 'expected vectors in the last dimension, got [] and []');
  }
  return composite(() => {
    const y = normOver(op, x1.sub(x2).add(eps), p, -1);
    return keepdim ? y : y.squeeze(-1);
  });
}

/**
 * Distances between all rows of two matrices: `y[..., i, j] = (sum_k |x1[..., i, k] - x2[..., j, k]|^p)^(1/p)`, with
 * gradient 0 at distance 0 (PyTorch: `torch.cdist`). Takes memory for all differences.
 *
 * @param x1 [..., P, M]
 * @param x2 [..., R, M]; leading dimensions broadcast
 * @returns [..., P, R]
 * @throws TensorError `shape` where shapes do not go together, `value` for a negative p
 *
 * @example
 * ```ts
 * import { cdist, tensor } from 'chainrule';
 * console.log(cdist(tensor([[0, 0]]), tensor([[3, 4], [0, 1]])).toArray()); // [[5, 1]]
 * ```
 */
export function cdist(x1: Tensor, x2: Tensor, options?: { p?: number }): Tensor {
  const op = 'cdist';
  checkOptions(op, options, ['p']);
  checkVectors(op, x1, x2);
  const p = checkPower(op, options?.p ?? 2);
  if (x1.ndim < 2 || x2.ndim < 2 || x1.shape[x1.ndim - 1] !== x2.shape[x2.ndim - 1]) {
    throw new TensorError(
      'shape',
      op,
      `expected matrices with rows of one length, got ${formatShape(x1.shape)} and ${formatShape(x2.shape)}`,
    );
  }
  broadcastShapes(op, x1.shape.slice(0, -2), x2.shape.slice(0, -2));
  return composite(() => normOver(op, x1.unsqueeze(-2).sub(x2.unsqueeze(-3)), p, -1).squeeze(-1));
}

/**
 * Distances between the rows of a matrix, each pair once: the upper triangle of {@link cdist} with itself, row by row, with
 * gradient 0 at distance 0 (PyTorch: `torch.pdist`). Takes memory for all differences.
 *
 * @param x [N, M]
 * @returns [N (N - 1) / 2]
 * @throws TensorError `shape` unless x is a matrix, `value` for a negative p, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { pdist, tensor } from 'chainrule';
 * console.log(pdist(tensor([[0, 0], [3, 4], [0, 4]])).toArray()); // [5, 4, 3]
 * ```
 */
export function pdist(x: Tensor, options?: { p?: number }): Tensor {
  const op = 'pdist';
  checkOptions(op, options, ['p']);
  checkNdim(op, checkFloat(op, checkTensor(op, x)), 2, '[N, M]');
  const p = checkPower(op, options?.p ?? 2);
  const [n] = x.shape;
  return composite(() => {
    const pairs = make(op, checkShape(op, [2, (n * Math.max(0, n - 1)) / 2]), 'int32');
    const list = pairs.typed();
    let next = 0;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++, next++) {
        list[next] = i;
        list[next + pairs.shape[1]] = j;
      }
    }
    const [first, second] = [pairs.select(0, 0), pairs.select(0, 1)];
    return normOver(op, x.indexSelect(0, first).sub(x.indexSelect(0, second)), p, -1).squeeze(-1);
  });
}

/**
 * Norm of the difference of two tensors, over all elements; shapes broadcast (PyTorch: `torch.dist`).
 *
 * @param p exponent of the norm, any number, Infinity too; 2 unless given
 * @throws TensorError `shape` where the shapes do not broadcast, `dtype` unless both are floating point
 *
 * @example
 * ```ts
 * import { dist, tensor } from 'chainrule';
 * console.log(dist(tensor([0, 3]), tensor([4, 0])).item()); // 5
 * ```
 */
export function dist(a: Tensor, b: Tensor, p = 2): Tensor {
  const op = 'dist';
  checkVectors(op, a, b);
  checkNumber(op, 'p', p);
  return composite(() => norm(a.sub(b), p));
}

/**
 * Parts along a dimension scaled down to a norm of at most `maxNorm`; the others stay (PyTorch: `torch.renorm`).
 *
 * @param p exponent of the norm, above 0
 * @param axis the dimension along which each part lies
 * @throws TensorError `shape` for fewer than two dimensions, `axis` for one that is not there, `value` for a p or a norm out of
 * range, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { renorm, tensor } from 'chainrule';
 * console.log(renorm(tensor([[3, 4], [0, 1]]), 2, 0, 2.5).round({ decimals: 4 }).toArray()); // [[1.5, 2], [0, 1]]
 * ```
 */
export function renorm(x: Tensor, p: number, axis: number, maxNorm: number): Tensor {
  const op = 'renorm';
  const { ndim, shape } = checkFloat(op, checkTensor(op, x));
  if (ndim < 2) throw new TensorError('shape', op, `expected at least two dimensions, got ${formatShape(shape)}`);
  checkNumber(op, 'p', p, Number.MIN_VALUE);
  const at = normalizeAxis(op, axis, ndim);
  checkNumber(op, 'the largest norm', maxNorm, 0);
  const others = shape.map((_, i) => i).filter((i) => i !== at);
  return composite(() => {
    const size = norm(x, p, others, { keepdim: true });
    // PyTorch's small number keeps the result just below.
    const scale = size.gt(maxNorm).where(size.add(1e-7).reciprocal().mul(maxNorm), 1);
    return x.mul(scale);
  });
}

/**
 * Cosine of the angle between vectors: `sum x1 x2 / (max(|x1|, eps) max(|x2|, eps))`; shapes broadcast (PyTorch:
 * `F.cosine_similarity`).
 *
 * @param options `dim`: the dimension of the vectors after broadcasting, 1 unless given; `eps`: least length, 1e-8 unless given
 * @throws TensorError `shape` where the shapes do not broadcast, `axis` for a dimension that is not there
 *
 * @example
 * ```ts
 * import { cosineSimilarity, tensor } from 'chainrule';
 * console.log(cosineSimilarity(tensor([3, 4]), tensor([6, 8]), { dim: 0 }).item().toFixed(4)); // 1.0000
 * ```
 */
export function cosineSimilarity(x1: Tensor, x2: Tensor, options?: { dim?: number; eps?: number }): Tensor {
  const op = 'cosineSimilarity';
  checkOptions(op, options, ['dim', 'eps']);
  checkVectors(op, x1, x2);
  const eps = checkNumber(op, 'eps', options?.eps ?? 1e-8, 0);
  const shape = broadcastShapes(op, x1.shape, x2.shape);
  const axis = normalizeAxis(op, options?.dim ?? 1, shape.length);
  return composite(() => {
    const a = x1.expand(shape);
    const b = x2.expand(shape);
    const lengths = normOver(op, a, 2, axis)
      .clamp(eps)
      .mul(normOver(op, b, 2, axis).clamp(eps));
    return a.mul(b).sum(axis).div(lengths.squeeze(axis));
  });
}

/** Options of {@link normalize}. */
export interface NormalizeOptions {
  /** Exponent of the norm, at least 0, Infinity too; 2 unless given. */
  p?: number;
  /** The dimension of the vectors; 1 unless given. */
  dim?: number;
  /** Least length to divide by; 1e-12 unless given. */
  eps?: number;
}

/**
 * Vectors of length 1: `x / max(|x|_p, eps)` along a dimension (PyTorch: `F.normalize`).
 *
 * @throws TensorError `axis` for a dimension that is not there, `value` for a negative p
 *
 * @example
 * ```ts
 * import { normalize, tensor } from 'chainrule';
 * console.log(normalize(tensor([[4, 0]])).toArray()); // [[1, 0]]
 * ```
 */
export function normalize(x: Tensor, options?: NormalizeOptions): Tensor {
  const op = 'normalize';
  checkOptions(op, options, ['p', 'dim', 'eps']);
  checkFloat(op, checkTensor(op, x));
  const p = checkPower(op, options?.p ?? 2);
  const axis = normalizeAxis(op, options?.dim ?? 1, x.ndim);
  const eps = checkNumber(op, 'eps', options?.eps ?? 1e-12);
  return composite(() => x.div(normOver(op, x, p, axis).clamp(eps)));
}

/**
 * Radial basis functions: how near vectors are to centres, `y[..., j] = e^(-beta_j |x - c_j|^2)` (Broomhead and Lowe,
 * "Multivariable functional interpolation and adaptive networks", 1988). Takes memory for all differences.
 *
 * @param x [..., M]
 * @param centres [K, M]
 * @param beta [K]
 * @returns [..., K]
 * @throws TensorError `shape` where shapes do not go together
 *
 * @example
 * ```ts
 * import { rbf, tensor } from 'chainrule';
 * const y = rbf(tensor([0, 0]), tensor([[0, 0], [1, 2]]), tensor([1, 0.1]));
 * console.log(y.at(0).item(), y.at(1).item().toFixed(4)); // 1 0.6065
 * ```
 */
export function rbf(x: Tensor, centres: Tensor, beta: Tensor): Tensor {
  const op = 'rbf';
  checkFloat(op, checkTensor(op, x));
  checkFloat(op, checkTensor(op, centres, 'a tensor of centres'), 'the centres');
  checkFloat(op, checkTensor(op, beta, 'a tensor of factors'), 'the factors');
  const [count, size] = centres.shape;
  if (centres.ndim !== 2 || x.shape.at(-1) !== size || !sameShape(beta.shape, [count])) {
    throw new TensorError(
      'shape',
      op,
      `expected vectors [..., M], centres [K, M] and factors [K], got ${formatShape(x.shape)}, ${formatShape(centres.shape)} and ${formatShape(beta.shape)}`,
    );
  }
  return composite(() => x.unsqueeze(-2).sub(centres).square().sum(-1).mul(beta).neg().exp());
}
