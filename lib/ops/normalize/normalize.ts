// Normalisation to mean 0 and variance 1 as one native pass forward and one backward; lib/ops/normalize/normalization.ts says over what.
import { copyInto, dense, dropCopy, hidden, make, offsetOf, view } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { differentiate, fused } from '../../core/fused.js';
import { isGradEnabled } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { type Node, record } from '../../core/tape.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);
const KEEP = { keepdim: true };

/** Where statistics are taken from; weight and bias are [groups, channels], in any shape. */
export interface Sites {
  readonly shape: readonly [outer: number, groups: number, channels: number, inner: number];
  /** Each group has statistics over all of `outer`, and one channel; else each [outer, group] has its own. */
  readonly batch: boolean;
  /** False to divide by the root mean square alone. */
  readonly centered: boolean;
  readonly eps: number;
}

/** Mean and variance [groups]. */
export interface Statistics {
  readonly mean: Tensor | null;
  readonly variance: Tensor | null;
}

const axesOf = (sites: Sites): number[] => (sites.batch ? [0, 2, 3] : [2, 3]);

function moments(x: Tensor, axes: number[], eps: number): { hat: Tensor; scale: Tensor } {
  const d = x.sub(x.mean(axes, KEEP));
  const scale = d.square().mean(axes, KEEP).add(eps).rsqrt();
  return { hat: d.mul(scale), scale };
}

/** `(x - mean) / sqrt(variance + eps)` over dimensions; `dx = (g - mean(g) - y mean(g y)) / sqrt(variance + eps)`. */
function standardize(op: string, x: Tensor, axes: number[], eps: number): Tensor {
  return fused(
    op,
    [x],
    [x],
    () => moments(x, axes, eps).hat,
    (g, [v]) => {
      const { hat, scale } = moments(v, axes, eps);
      const along = hat.mul(g.mul(hat).mean(axes, KEEP));
      return g.sub(g.mean(axes, KEEP)).sub(along).mul(scale);
    },
  );
}

/** The same as the kernel but for the bias, in operations, which can be differentiated any number of times. */
function compose(op: string, x: Tensor, weight: Tensor | null, sites: Sites, given: Tensor | null): Tensor {
  const { shape, centered, eps } = sites;
  const [, groups, channels] = shape;
  const v = x.reshape(shape);
  let y: Tensor;
  if (given !== null) {
    const [mean, variance] = [0, 1].map((i) => given.select(0, i).reshape([groups, 1, 1]));
    y = v.sub(mean.to(x.dtype)).mul(variance.add(eps).rsqrt().to(x.dtype));
  } else if (centered) {
    y = standardize(op, v, axesOf(sites), eps);
  } else {
    y = v.mul(v.square().mean(axesOf(sites), KEEP).add(eps).rsqrt());
  }
  return (weight === null ? y : y.mul(weight.reshape([groups, channels, 1]))).reshape(x.shape);
}

/** The gradient of a bias in the shape of another tensor of [groups, channels]. */
function biasGradient(g: Tensor, sites: Sites, shape: readonly number[]): Tensor {
  return g.reshape(sites.shape).sum([0, 3]).reshape(shape);
}

/** Slots that forward and backward share. */
function writeGeometry(sites: Sites, given: boolean, stats: Tensor, x: Tensor, weight: Tensor | null): void {
  G[0] = DTYPES[x.dtype].code;
  G[1] = sites.batch ? 1 : 0;
  G[2] = sites.centered ? 1 : 0;
  G[3] = given ? 1 : 0;
  for (let i = 0; i < 4; i++) G[4 + i] = sites.shape[i];
  G[8] = sites.eps;
  G[9] = offsetOf(stats);
  G[10] = offsetOf(x);
  G[11] = weight === null ? -1 : offsetOf(weight);
}

const offsetOr = (x: Tensor | null): number => (x === null ? -1 : offsetOf(x));
const bytesOr = (x: Tensor | null): Bytes => x?.storage.bytes ?? NO_BYTES;
const denseOr = (op: string, x: Tensor | null): Tensor | null => x && dense(op, x);

/** A copy to be changed. */
function copied(op: string, x: Tensor): Tensor {
  const y = make(op, x.shape, x.dtype);
  copyInto(y, x);
  return y;
}

/** Statistics as kernels take them: means, then variances. */
function packed(op: string, { mean, variance }: Statistics): Tensor {
  const count = (mean as Tensor).size;
  const stats = make(op, [2, count], 'float64');
  for (const [i, part] of [mean as Tensor, variance as Tensor].entries()) {
    const row = view(op, stats, [count], [1], i * count, true);
    copyInto(row, part);
    row.dispose();
  }
  return stats;
}

/** How running statistics [groups] follow those of the input: by a share, the variance without bias. */
export interface Running extends Statistics {
  readonly momentum: number;
}

/**
 * `(x - mean) / sqrt(variance + eps) weight + bias` by the input's own statistics, which move `running` ones in place, or by
 * statistics given, which are constants.
 */
export function normalize(
  op: string,
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  sites: Sites,
  given: Statistics | null = null,
  running: Running | null = null,
): Tensor {
  const stats =
    given === null ? make(op, [2, sites.shape[1] * (sites.batch ? 1 : sites.shape[0])], 'float64') : packed(op, given);
  if (x.size === 0) return hollow(op, x, weight, bias, sites, given && stats, running);
  const y = make(op, x.shape, x.dtype);
  const [p, w, b] = [dense(op, x), denseOr(op, weight), denseOr(op, bias)];
  const mean = running?.mean ? copied(op, running.mean) : null;
  const variance = running?.variance ? copied(op, running.variance) : null;
  writeGeometry(sites, given !== null, stats, p, w);
  G[12] = offsetOf(y);
  G[13] = offsetOr(b);
  G[14] = offsetOr(mean);
  G[15] = offsetOr(variance);
  G[16] = running?.momentum ?? 0;
  native.norm(
    y.storage.bytes,
    stats.storage.bytes,
    p.storage.bytes,
    bytesOr(w),
    bytesOr(b),
    bytesOr(mean),
    bytesOr(variance),
  );
  dropCopy(p, x);
  if (w !== null) dropCopy(w, weight as Tensor);
  if (b !== null) dropCopy(b, bias as Tensor);
  settle(running?.mean, mean);
  settle(running?.variance, variance);
  const saved = weight === null ? [hidden(stats), x] : [hidden(stats), x, weight];
  const biasShape = bias?.shape ?? [];
  return record(op, y, [x, weight, bias], saved, (g, [s, input, factor = null], needs) => {
    if (!isGradEnabled()) return backward(op, g, s, input, factor, sites, given !== null, needs, biasShape);
    const fixed = given === null ? null : s;
    const again = (parts: readonly (Tensor | null)[]) => compose(op, parts[0] as Tensor, parts[1], sites, fixed);
    const some = needs[0] !== null || needs[1] !== null;
    const [dx, dweight] = some ? differentiate(op, [input, factor], needs.slice(0, 2), again, g) : [null, null];
    return [dx, dweight, needs[2] && biasGradient(g, sites, biasShape)];
  });
}

/** Running statistics as the kernel left a copy of them. */
function settle(running: Tensor | null | undefined, moved: Tensor | null): void {
  if (moved === null) return;
  running?.assign(moved);
  moved.dispose();
}

/** Without elements there is nothing but shapes and derivatives of 0; statistics of nothing are NaN. */
function hollow(
  op: string,
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  sites: Sites,
  given: Tensor | null,
  running: Running | null,
): Tensor {
  for (const part of [running?.mean, running?.variance]) if (part) settle(part, part.detach().mul(Number.NaN));
  return composite(() => {
    const y = compose(op, x, weight, sites, given);
    return bias === null
      ? y
      : y
          .reshape(sites.shape)
          .add(bias.reshape([...sites.shape.slice(1, 3), 1]))
          .reshape(x.shape);
  });
}

function backward(
  op: string,
  g: Tensor,
  stats: Tensor,
  x: Tensor,
  weight: Tensor | null,
  sites: Sites,
  given: boolean,
  needs: readonly (Node | null)[],
  biasShape: readonly number[],
): (Tensor | null)[] {
  const [dy, p, w] = [dense(op, g), dense(op, x), denseOr(op, weight)];
  const dx = needs[0] && make(`${op} backward`, x.shape, x.dtype);
  const dweight = needs[1] && make(`${op} backward`, (weight as Tensor).shape, x.dtype);
  const dbias = needs[2] && make(`${op} backward`, [...biasShape], x.dtype);
  writeGeometry(sites, given, stats, p, w);
  G[12] = offsetOr(dx);
  G[13] = offsetOr(dweight);
  G[14] = offsetOr(dbias);
  G[15] = offsetOf(dy);
  native.normBackward(
    bytesOr(dx),
    bytesOr(dweight),
    bytesOr(dbias),
    stats.storage.bytes,
    p.storage.bytes,
    bytesOr(w),
    dy.storage.bytes,
  );
  return [dx, dweight, dbias];
}
