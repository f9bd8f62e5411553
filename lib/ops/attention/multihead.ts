// Multi-head attention: attention in several projections at once.
import { checkFloat, checkTensor, filled, view } from '../../core/dispatch.js';
import type { DType } from '../../core/dtype.js';
import { isGradEnabled } from '../../core/mode.js';
import type { Generator } from '../../core/random.js';
import { composites } from '../../core/scope.js';
import { checkBoolean, checkInteger, checkNumber, formatShape, type Shape, sameShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { logicalNot, logicalOr } from '../elementwise/compare.js';
import { maskedFill } from '../index/mask.js';
import { linear, matmul } from '../product/matmul.js';
import { cat } from '../shape/join.js';
import { attend, attentionWeights } from './attention.js';
import type { HeadLayout } from './blocked.js';

/** The learnt parts of {@link multiHeadAttention}, for E features. */
export interface AttentionParts {
  /** Projections of query, key and value under each other [3E, E], or three of their own: [E, E], [E, kdim], [E, vdim]. */
  inWeight: Tensor | readonly [q: Tensor, k: Tensor, v: Tensor];
  /** [3E]; none unless given. */
  inBias?: Tensor | null;
  /** [E, E]. */
  outWeight: Tensor;
  /** [E]; none unless given. */
  outBias?: Tensor | null;
  /** A key and a value of E features that follow every sequence; none unless given. */
  extra?: readonly [key: Tensor, value: Tensor] | null;
}

/** Options of {@link multiHeadAttention}. */
export interface MultiheadOptions {
  /** Keys to leave out: [N, S], bool (true: left out) or floating (added to the scores). */
  keyPaddingMask?: Tensor | null;
  /** Pairs to leave out: [L, S] or [N numHeads, L, S], bool (true: left out) or floating (added to the scores). */
  attnMask?: Tensor | null;
  /** Whether to return the attention weights too; true unless given. */
  needWeights?: boolean;
  /** Whether those are averaged over the heads; true unless given. */
  averageAttnWeights?: boolean;
  /** Whether a key and a value of zeros follow every sequence; false unless given. */
  addZeroAttn?: boolean;
  /** Probability of an attention weight to be zeroed; 0 unless given. */
  dropoutP?: number;
  /** Whether inputs are [N, L, E] rather than [L, N, E]; false unless given. */
  batchFirst?: boolean;
  /** Where dropout takes its random numbers from; the default generator unless given. */
  generator?: Generator;
}

const KNOWN = [
  'keyPaddingMask',
  'attnMask',
  'needWeights',
  'averageAttnWeights',
  'addZeroAttn',
  'dropoutP',
  'batchFirst',
  'generator',
];

/** Sizes: batch, queries, keys (as given), features, heads. */
interface Sizes {
  n: number;
  l: number;
  s: number;
  e: number;
  heads: number;
}

function checkInputs(op: string, inputs: readonly Tensor[], heads: number, batchFirst: boolean): Sizes {
  const names = ['query', 'key', 'value'];
  for (const [i, name] of names.entries()) {
    checkFloat(op, checkTensor(op, inputs[i], `a ${name} tensor`), `the ${name}`);
  }
  const [q, k, v] = inputs;
  if (inputs.some((x) => x.ndim !== q.ndim) || (q.ndim !== 2 && q.ndim !== 3)) {
    throw new TensorError(
      'shape',
      op,
      `expected query, key and value all [length, features] or all with a batch, got ${inputs.map((x) => formatShape(x.shape)).join(', ')}`,
    );
  }
  const batchAt = q.ndim === 2 ? -1 : batchFirst ? 0 : 1;
  const lengthAt = batchAt === 0 ? 1 : 0;
  const n = batchAt < 0 ? 1 : q.shape[batchAt];
  const [l, s] = [q.shape[lengthAt], k.shape[lengthAt]];
  const sameBatch = batchAt < 0 || (k.shape[batchAt] === n && v.shape[batchAt] === n);
  if (!sameBatch || v.shape[lengthAt] !== s) {
    throw new TensorError(
      'shape',
      op,
      `expected one batch size and as many values as keys, got ${inputs.map((x) => formatShape(x.shape)).join(', ')}`,
    );
  }
  const e = q.shape[q.ndim - 1];
  if (checkInteger(op, 'numHeads', heads, 1) > e || e % heads !== 0) {
    throw new TensorError('value', op, `expected numHeads that divides the ${e} features of the query, got ${heads}`);
  }
  return { n, l, s, e, heads };
}

function checkParts(op: string, parts: AttentionParts): void {
  const { inWeight, outWeight, inBias, outBias, extra } = parts ?? {};
  const all = Array.isArray(inWeight) && inWeight.length === 3 ? inWeight : [inWeight];
  for (const weight of [...all, outWeight]) checkTensor(op, weight, 'weights as tensors in inWeight and outWeight');
  for (const bias of [inBias, outBias]) if (bias) checkTensor(op, bias, 'a bias as a tensor');
  if (extra) for (const x of [extra[0], extra[1]]) checkTensor(op, x, 'an extra key and value as tensors');
}

function checkMask(op: string, name: string, mask: Tensor | null | undefined, dtype: DType, shapes: readonly Shape[]) {
  if (mask === null || mask === undefined) return null;
  checkTensor(op, mask, `${name} as a tensor`);
  if (mask.dtype !== 'bool' && mask.dtype !== dtype) {
    throw new TensorError('dtype', op, `expected ${name} of dtype bool or ${dtype}, got ${mask.dtype}`);
  }
  if (shapes.some((shape) => sameShape(shape, mask.shape))) return mask;
  throw new TensorError(
    'shape',
    op,
    `expected ${name} of shape ${shapes.map(formatShape).join(' or ')}, got ${formatShape(mask.shape)}`,
  );
}

/** Both masks as one for [N, heads, L, S], true or 0 where a pair takes part; null without any. */
function mergeMasks(op: string, padding: Tensor | null, pairs: Tensor | null, sizes: Sizes, dtype: DType) {
  const { n, l, s, heads } = sizes;
  const masks: Tensor[] = [];
  if (padding !== null) masks.push(padding.reshape([n, 1, 1, s]));
  if (pairs !== null) masks.push(pairs.ndim === 2 ? pairs : pairs.reshape([n, heads, l, s]));
  if (masks.length === 0) return null;
  if (masks.every((mask) => mask.dtype === 'bool')) return logicalNot(masks.reduce((a, b) => logicalOr(a, b)));
  const added = masks.map((mask) =>
    mask.dtype === 'bool' ? maskedFill(filled(op, mask.shape, dtype, 0), mask, -Infinity) : mask,
  );
  return added.reduce((a, b) => a.add(b));
}

/** More columns, which take part. */
function widen(op: string, mask: Tensor | null, columns: number): Tensor | null {
  if (mask === null || columns === 0) return mask;
  const more = filled(op, [...mask.shape.slice(0, -1), columns], mask.dtype, mask.dtype === 'bool' ? 1 : 0);
  return cat([mask, more], -1);
}

/** Query, key and value after their projections; inputs that are one tensor share one product, and lie beside each other then. */
function project(inputs: readonly Tensor[], parts: AttentionParts, e: number): Tensor[] {
  const { inWeight, inBias = null } = parts;
  const [q, k, v] = inputs;
  const rows = (x: Tensor, from: number, count: number) => x.narrow(0, from * e, count * e);
  const through = (x: Tensor, from: number, count: number) => {
    const weight = 'shape' in inWeight ? (count === 3 ? inWeight : rows(inWeight, from, count)) : inWeight[from];
    return linear(x, weight, inBias && (count === 3 ? inBias : rows(inBias, from, count)));
  };
  if ('shape' in inWeight && q === k && k === v) return [through(q, 0, 3)];
  if ('shape' in inWeight && k === v) return [through(q, 0, 1), through(k, 1, 2)];
  return [through(q, 0, 1), through(k, 1, 1), through(v, 2, 1)];
}

/** [N, heads, L, E / heads] of the elements from place `start` on in each row of [L, N, c E], [N, L, c E] or [L, c E]; not recorded. */
function headsView(
  op: string,
  x: Tensor,
  start: number,
  [n, heads, size]: readonly [n: number, heads: number, size: number],
  batchFirst: boolean,
): Tensor {
  const [length, batch] = x.ndim === 2 ? [0, -1] : batchFirst ? [1, 0] : [0, 1];
  const strides = [batch < 0 ? 0 : x.strides[batch], size, x.strides[length], 1];
  return view(op, x, [n, heads, x.shape[length], size], strides, x.offset + start, false);
}

/** Where {@link project} put queries, keys and values: the source, and the place inside it. */
const PLACES: readonly (readonly (readonly [source: number, place: number])[])[] = [
  [],
  [
    [0, 0],
    [0, 1],
    [0, 2],
  ],
  [
    [0, 0],
    [1, 0],
    [1, 1],
  ],
  [
    [0, 0],
    [1, 0],
    [2, 0],
  ],
];

/**
 * Attention in `numHeads` projections: `concat(softmax(Q_i K_i^T / sqrt(E / numHeads)) V_i) W_o^T + b_o`, where `Q`, `K`, `V` are
 * affine maps of query, key and value (Vaswani et al. 2017; PyTorch: `F.multi_head_attention_forward`).
 *
 * @param query [L, N, E], or [N, L, E] with `batchFirst`, or [L, E]
 * @param key [S, N, kdim] or likewise
 * @param value [S, N, vdim] or likewise
 * @param numHeads divides E
 * @returns the result, shaped as the query, and the weights [N, L, S] ([N, numHeads, L, S] not averaged) or null
 * @throws TensorError `shape` where sizes do not go together, `dtype` for dtypes that differ or a mask neither bool nor of the input's dtype, `value` for a
 * number of heads that does not divide E
 *
 * @example
 * ```ts
 * import { eye, multiHeadAttention, ones, zeros } from 'chainrule';
 * const x = ones([3, 2]);
 * const [y, weights] = multiHeadAttention(x, x, x, 1, { inWeight: zeros([6, 2]), outWeight: eye(2) });
 * console.log(y.shape, weights?.shape); // [3, 2] [3, 3]
 * ```
 */
export function multiHeadAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  numHeads: number,
  parts: AttentionParts,
  options?: MultiheadOptions,
): [output: Tensor, weights: Tensor | null] {
  const op = 'multiHeadAttention';
  checkOptions(op, options, KNOWN);
  const batchFirst = checkBoolean(op, 'batchFirst', options?.batchFirst ?? false);
  const needWeights = checkBoolean(op, 'needWeights', options?.needWeights ?? true);
  const average = checkBoolean(op, 'averageAttnWeights', options?.averageAttnWeights ?? true);
  const addZeroAttn = checkBoolean(op, 'addZeroAttn', options?.addZeroAttn ?? false);
  const dropoutP = checkNumber(op, 'dropoutP', options?.dropoutP ?? 0, 0, 1);
  const given = [query, key, value];
  checkParts(op, parts);
  const sizes = checkInputs(op, given, numHeads, batchFirst);
  const { n, l, s, e } = sizes;
  const alone = query.ndim === 2;
  const padding = checkMask(op, 'keyPaddingMask', options?.keyPaddingMask, query.dtype, alone ? [[s]] : [[n, s]]);
  const pairs = checkMask(op, 'attnMask', options?.attnMask, query.dtype, [
    [l, s],
    [n * numHeads, l, s],
  ]);
  const extra = parts.extra ?? null;

  // [L, N, c E] or [N, L, c E] or [L, c E] -> [N, heads, L, E / heads]
  const order = alone ? [1, 0, 2] : batchFirst ? [0, 2, 1, 3] : [1, 2, 0, 3];
  const split = (x: Tensor, place = 0) => {
    const count = x.shape[x.ndim - 1] / e;
    if (!isGradEnabled() && x.strides[x.ndim - 1] === 1)
      return headsView(op, x, place * e, [n, numHeads, e / numHeads], batchFirst);
    const y = x.reshape([...x.shape.slice(0, -1), count, numHeads, e / numHeads]).select(-3, place);
    return alone ? y.permute(order).unsqueeze(0) : y.permute(order);
  };
  const back = alone ? [1, 0, 2] : batchFirst ? [0, 2, 1, 3] : [2, 0, 1, 3];
  const join = (x: Tensor) => (alone ? x.squeeze(0) : x).permute(back).reshape(query.shape);
  // Keys or values with what follows every sequence: [N, heads, S + extra, E / heads]
  const follow = (x: Tensor, more: Tensor | null) => {
    const tail = [n, numHeads, 1, e / numHeads];
    const all = [x];
    if (more !== null) all.push(more.reshape([1, numHeads, 1, e / numHeads]).expand(tail));
    if (addZeroAttn) all.push(filled(op, tail, x.dtype, 0));
    return all.length === 1 ? x : cat(all, 2);
  };

  return composites(() => {
    const sources = project(given, parts, e);
    const places = PLACES[sources.length];
    const columns = (extra === null ? 0 : 1) + (addZeroAttn ? 1 : 0);
    const attnMask = widen(op, mergeMasks(op, padding, pairs, sizes, query.dtype), columns);
    const call = { attnMask, dropoutP, generator: options?.generator };
    if (!needWeights && columns === 0) {
      const layout: HeadLayout = {
        from: [places[0][0], places[1][0], places[2][0]],
        features: e / numHeads,
        head: (x, which) => split(x, places[which][1]),
        result: query.shape,
        split,
        join,
        gradients: sources.map((x) => x.shape),
      };
      return [linear(attend(op, sources, layout, call), parts.outWeight, parts.outBias ?? null), null];
    }
    const [q, k, v] = places.map(([source, place]) => split(sources[source], place));
    const [keys, values] = [follow(k, extra?.[0] ?? null), follow(v, extra?.[1] ?? null)];
    if (!needWeights) {
      const heads = attend(op, [q, keys, values], null, call);
      return [linear(join(heads), parts.outWeight, parts.outBias ?? null), null];
    }
    const weights = attentionWeights(op, q, keys, call);
    const y = linear(join(matmul(weights, values)), parts.outWeight, parts.outBias ?? null);
    const shown = average ? weights.mean(1) : weights;
    return [y, alone ? shown.squeeze(0) : shown];
  });
}
