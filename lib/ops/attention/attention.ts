// Scaled dot-product attention: what transformers are made of.
import { checkFloat, checkTensor, filled } from '../../core/dispatch.js';
import type { Generator } from '../../core/random.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkBoolean, checkNumber, formatShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { logicalNot } from '../elementwise/compare.js';
import { dropout } from '../elementwise/dropout.js';
import { maskedFill, tril } from '../index/mask.js';
import { matmul } from '../product/matmul.js';
import { blockedAttention, type HeadLayout, type Heads, headsOf, isBlocked, plainLayout } from './blocked.js';

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Broadcasts to [..., L, S]: bool, true takes part; or floating, added to the scores. */
  attnMask?: Tensor | null;
  /** Probability of an attention weight to be zeroed; 0 unless given. */
  dropoutP?: number;
  /** Query i sees the keys 0..i only; not together with a mask. */
  isCausal?: boolean;
  /** Factor of the scores; `1 / sqrt(E)` unless given. */
  scale?: number;
  /** Where dropout takes its random numbers from; the default generator unless given. */
  generator?: Generator;
}

function checkHeads(op: string, q: Tensor, k: Tensor, v: Tensor): void {
  for (const [name, x] of Object.entries({ query: q, key: k, value: v })) {
    checkFloat(op, checkTensor(op, x, `a ${name} tensor`), `the ${name}`);
    if (x.ndim < 2) {
      throw new TensorError(
        'shape',
        op,
        `expected a ${name} of shape [..., ${name === 'query' ? 'L' : 'S'}, E], got ${formatShape(x.shape)}`,
      );
    }
  }
  if (q.dtype !== k.dtype || q.dtype !== v.dtype) {
    throw new TensorError(
      'dtype',
      op,
      `expected one dtype, got ${q.dtype}, ${k.dtype}, ${v.dtype}; convert with x.to(...)`,
    );
  }
  if (q.shape[q.ndim - 1] !== k.shape[k.ndim - 1] || k.shape[k.ndim - 2] !== v.shape[v.ndim - 2]) {
    throw new TensorError(
      'shape',
      op,
      `expected query [..., L, E], key [..., S, E], value [..., S, Ev], got ${[q, k, v].map((x) => formatShape(x.shape)).join(', ')}`,
    );
  }
}

function checkMask(
  op: string,
  q: Tensor,
  k: Tensor,
  mask: Tensor | null | undefined,
  isCausal: boolean,
): Tensor | null {
  if (mask === null || mask === undefined) return null;
  checkTensor(op, mask, 'a mask tensor');
  if (isCausal)
    throw new TensorError('value', op, 'expected either attnMask or isCausal, got both; put them into one mask');
  if (mask.dtype !== 'bool' && mask.dtype !== q.dtype) {
    throw new TensorError('dtype', op, `expected a mask of dtype bool or ${q.dtype}, got ${mask.dtype}`);
  }
  const batch = broadcastShapes(op, q.shape.slice(0, -2), k.shape.slice(0, -2));
  const scores = [...batch, q.shape[q.ndim - 2], k.shape[k.ndim - 2]];
  const spread = mask.ndim > scores.length ? mask.shape : broadcastShapes(op, scores, mask.shape);
  if (spread.length !== scores.length || spread.some((size, i) => size !== scores[i])) {
    throw new TensorError(
      'shape',
      op,
      `expected a mask that broadcasts to ${formatShape(scores)}, got ${formatShape(mask.shape)}`,
    );
  }
  return mask;
}

/**
 * The weights `softmax(scale Q K^T + mask)` after dropout, [..., L, S]; attention is these times the values.
 *
 * @internal
 */
export function attentionWeights(op: string, q: Tensor, k: Tensor, options: AttentionOptions): Tensor {
  const { attnMask: mask, isCausal = false, dropoutP = 0, generator } = options;
  const scale = options.scale ?? 1 / Math.sqrt(q.shape[q.ndim - 1]);
  return composite(() => {
    let scores = matmul(q.mul(scale), k.transpose(-2, -1));
    const [rows, columns] = scores.shape.slice(-2);
    if (isCausal) scores = maskedFill(scores, logicalNot(tril(filled(op, [rows, columns], 'bool', 1))), -Infinity);
    else if (mask?.dtype === 'bool') scores = maskedFill(scores, logicalNot(mask), -Infinity);
    else if (mask) scores = scores.add(mask);
    const weights = scores.softmax(-1);
    return dropoutP === 0 ? weights : dropout(weights, { p: dropoutP, generator });
  });
}

/**
 * Each query looks at every key and takes the average of the values, weighted by how well they match:
 * `softmax(scale Q K^T + mask) V` (Vaswani et al. 2017; PyTorch: `F.scaled_dot_product_attention`).
 *
 * @param q queries [..., L, E]
 * @param k keys [..., S, E]
 * @param v values [..., S, Ev]; the dimensions in front broadcast
 * @returns [..., L, Ev]; NaN in the rows of queries that may see no key
 * @throws TensorError `shape` where the sizes do not go together or the mask does not broadcast to [..., L, S], `dtype` for dtypes
 * that differ, `value` for a mask together with `isCausal`, or a probability outside 0..1
 *
 * @example
 * ```ts
 * import { scaledDotProductAttention, tensor } from 'chainrule';
 * const q = tensor([[0, 0]]);
 * const k = tensor([[1, 0], [0, 1]]);
 * const v = tensor([[1, 2], [3, 4]]);
 * console.log(scaledDotProductAttention(q, k, v).toArray()); // [[2, 3]]
 * ```
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options?: AttentionOptions): Tensor {
  const op = 'scaledDotProductAttention';
  checkOptions(op, options, ['attnMask', 'dropoutP', 'isCausal', 'scale', 'generator']);
  checkHeads(op, q, k, v);
  const isCausal = checkBoolean(op, 'isCausal', options?.isCausal ?? false);
  const attnMask = checkMask(op, q, k, options?.attnMask, isCausal);
  const dropoutP = checkNumber(op, 'dropoutP', options?.dropoutP ?? 0, 0, 1);
  const given = options?.scale === undefined ? undefined : checkNumber(op, 'scale', options.scale);
  return attend(op, [q, k, v], null, { attnMask, isCausal, dropoutP, scale: given, generator: options?.generator });
}

/**
 * Attention without its weights. With a layout the heads are views of `sources`, and so is the result; else they are the sources.
 *
 * @internal
 */
export function attend(
  op: string,
  sources: readonly Tensor[],
  layout: HeadLayout | null,
  options: AttentionOptions,
): Tensor {
  const { attnMask: mask = null, isCausal = false, dropoutP = 0 } = options;
  const compose = (heads: Heads) => matmul(attentionWeights(op, heads[0], heads[1], options), heads[2]);
  return composite(() => {
    const how = layout ?? plainLayout(op, sources as unknown as Heads);
    if (dropoutP > 0 || !isBlocked(sources, mask)) return how.join(compose(headsOf(how, sources)));
    const scale = options.scale ?? 1 / Math.sqrt(how.features);
    return blockedAttention(op, sources, how, { mask, isCausal, scale }, compose);
  });
}
