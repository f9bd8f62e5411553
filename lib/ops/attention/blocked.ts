// Attention without its score matrix: one native pass forward and one backward, which makes the weights again from what each
// row kept (Dao et al. 2022, FlashAttention). `npm run bench -- transformer` shows what it saves.
import { dense, dropCopy, hidden, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { differentiate } from '../../core/fused.js';
import { isGradEnabled, restoreGradEnabled, setGradEnabled } from '../../core/mode.js';
import { composites } from '../../core/scope.js';
import { broadcastShapes, broadcastStrides, type Shape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);
/** Dimensions in front of [L, E] that the native side counts. */
const MOST_BATCH = 6;

/** Queries [..., L, E], keys [..., S, E], values [..., S, Ev]. */
export type Heads = readonly [q: Tensor, k: Tensor, v: Tensor];

/** How the heads lie in what they were made from, so that projections are read and their gradients written in place. */
export interface HeadLayout {
  /** Which source holds queries, keys and values. */
  readonly from: readonly [q: number, k: number, v: number];
  /** Elements of a query. */
  readonly features: number;
  /** Queries (0), keys (1) or values (2) as a view of their source, or of a tensor of its gradient's shape. */
  readonly head: (source: Tensor, which: number) => Tensor;
  /** Shape of the result. */
  readonly result: Shape;
  /** The result as [..., L, Ev]. */
  readonly split: (y: Tensor) => Tensor;
  /** The way back. */
  readonly join: (y: Tensor) => Tensor;
  /** Shapes of the sources' gradients. */
  readonly gradients: readonly Shape[];
}

/** What is done to the scores. */
export interface Scoring {
  readonly mask: Tensor | null;
  readonly isCausal: boolean;
  readonly scale: number;
}

/** Heads that are tensors of their own; those of the result too. */
export function plainLayout(op: string, [q, k, v]: Heads): HeadLayout {
  const same = (x: Tensor) => x;
  const batch = broadcastShapes(
    op,
    broadcastShapes(op, q.shape.slice(0, -2), k.shape.slice(0, -2)),
    v.shape.slice(0, -2),
  );
  return {
    from: [0, 1, 2],
    features: q.shape[q.ndim - 1],
    head: same,
    result: [...batch, q.shape[q.ndim - 2], v.shape[v.ndim - 1]],
    split: same,
    join: same,
    gradients: [q, k, v].map((x) => [...batch, ...x.shape.slice(-2)]),
  };
}

/** Whether the native passes can do it: not without elements, and not for the gradient of a mask, which is as large as the scores. */
export function isBlocked(sources: readonly Tensor[], mask: Tensor | null): boolean {
  if (sources.some((x) => x.size === 0) || (mask?.requiresGrad && isGradEnabled())) return false;
  return Math.max(...sources.map((x) => x.ndim), mask?.ndim ?? 0) <= MOST_BATCH + 2;
}

/** Writes an operand's offset, batch strides and row stride; null: none. */
function writeView(slot: number, x: Tensor | null, batch: Shape): number {
  if (x === null) {
    G[slot] = -1;
  } else {
    const strides = broadcastStrides(x.shape, x.strides, [...batch, ...x.shape.slice(-2)]);
    G[slot] = offsetOf(x);
    for (let i = 0; i <= batch.length; i++) G[slot + 1 + i] = strides[i];
  }
  return slot + batch.length + 2;
}

function writeMask(slot: number, mask: Tensor | null, scores: Shape): void {
  if (mask === null) return;
  G[slot] = offsetOf(mask);
  const strides = broadcastStrides(mask.shape, mask.strides, scores);
  for (let i = 0; i < strides.length; i++) G[slot + 1 + i] = strides[i];
}

/** The slots in front of the views; the first of these is returned. */
function geometry([q, k, v]: Heads, { mask, isCausal, scale }: Scoring, batch: Shape): number {
  G[0] = DTYPES[q.dtype].code;
  G[1] = isCausal ? 1 : 0;
  G[2] = q.shape[q.ndim - 2];
  G[3] = k.shape[k.ndim - 2];
  G[4] = q.shape[q.ndim - 1];
  G[5] = v.shape[v.ndim - 1];
  G[6] = scale;
  G[7] = mask === null ? 0 : mask.dtype === 'bool' ? 1 : 2;
  G[8] = batch.length;
  for (let i = 0; i < batch.length; i++) G[9 + i] = batch[i];
  return 9 + batch.length;
}

/** Runs `body` on operands whose rows are runs of elements. */
function onRows<T>(op: string, heads: readonly Tensor[], body: (heads: readonly Tensor[]) => T): T {
  const own = heads.map((x) => (x.strides[x.ndim - 1] === 1 || x.shape[x.ndim - 1] === 1 ? x : dense(op, x)));
  try {
    return body(own);
  } finally {
    for (const [i, x] of own.entries()) dropCopy(x, heads[i]);
  }
}

const bytesOf = (x: Tensor | null | undefined): Bytes => x?.storage.bytes ?? NO_BYTES;

/** Statistics [2, heads, L] of the rows are kept for backward. */
function forward(op: string, heads: Heads, scoring: Scoring, y: Tensor, stats: Tensor | null): void {
  onRows(op, heads, ([q, k, v]) => {
    const batch = y.shape.slice(0, -2);
    let slot = writeView(geometry([q, k, v], scoring, batch), y, batch);
    G[slot++] = stats === null ? -1 : offsetOf(stats);
    for (const x of [q, k, v]) slot = writeView(slot, x, batch);
    writeMask(slot, scoring.mask, [...batch, q.shape[q.ndim - 2], k.shape[k.ndim - 2]]);
    native.attention(bytesOf(y), bytesOf(stats), bytesOf(q), bytesOf(k), bytesOf(v), bytesOf(scoring.mask));
  });
}

function backward(
  op: string,
  heads: Heads,
  scoring: Scoring,
  [dy, y, stats]: readonly Tensor[],
  grads: readonly (Tensor | null)[],
): void {
  onRows(op, [...heads, dy], ([q, k, v, g]) => {
    const batch = y.shape.slice(0, -2);
    let slot = geometry([q, k, v], scoring, batch);
    for (const x of [...grads, g, y]) slot = writeView(slot, x, batch);
    G[slot++] = offsetOf(stats);
    for (const x of [q, k, v]) slot = writeView(slot, x, batch);
    writeMask(slot, scoring.mask, [...batch, q.shape[q.ndim - 2], k.shape[k.ndim - 2]]);
    const [dq, dk, dv] = grads;
    native.attentionBackward(
      ...([bytesOf(dq), bytesOf(dk), bytesOf(dv), bytesOf(g), bytesOf(y), bytesOf(stats)] as const),
      ...([bytesOf(q), bytesOf(k), bytesOf(v), bytesOf(scoring.mask)] as const),
    );
  });
}

/** The heads as the sources hold them. */
export function headsOf(layout: HeadLayout, sources: readonly Tensor[]): Heads {
  return layout.from.map((source, which) => layout.head(sources[source], which)) as unknown as Heads;
}

/**
 * Attention of the heads in `sources` as one step of the tape.
 *
 * @param compose the same in operations
 */
export function blockedAttention(
  op: string,
  sources: readonly Tensor[],
  layout: HeadLayout,
  scoring: Scoring,
  compose: (heads: Heads) => Tensor,
): Tensor {
  const y = make(op, layout.result, sources[0].dtype);
  const keep = isGradEnabled() && sources.some((x) => x.requiresGrad);
  let stats: Tensor | null;
  const before = setGradEnabled(false);
  try {
    [stats] = composites(() => {
      const out = layout.split(y);
      const kept = keep ? make(op, [2, ...out.shape.slice(0, -1)], y.dtype) : null;
      forward(op, headsOf(layout, sources), scoring, out, kept);
      return [kept];
    });
  } finally {
    restoreGradEnabled(before);
  }
  if (stats === null) return y;
  const { mask } = scoring;
  const saved = [...sources, y, hidden(stats), ...(mask === null ? [] : [mask])];
  return record(op, y, sources, saved, (g, all, needs) => {
    const given = all.slice(0, sources.length);
    const [out, kept] = all.slice(sources.length);
    if (isGradEnabled()) {
      const again = (inputs: readonly (Tensor | null)[]) => layout.join(compose(headsOf(layout, inputs as Tensor[])));
      return differentiate(op, given, needs, again, g);
    }
    const grads = layout.gradients.map((shape, i) => needs[i] && make(op, shape, g.dtype));
    const views = layout.from.map((source, which) => {
      const whole = grads[source];
      return whole && layout.head(whole, which);
    });
    backward(op, headsOf(layout, given), scoring, [layout.split(g), layout.split(out), kept], views);
    return grads;
  });
}
