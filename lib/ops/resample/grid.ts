// Sampling at the points of a grid: spatial transformers (Jaderberg et al., 2015).
import { checkFloat, checkTensor, filled, make } from '../../core/dispatch.js';
import { noGrad } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkShape, formatShape, sizeOf } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { matmul } from '../product/matmul.js';
import { stack, where } from '../shape/join.js';
import { sample } from './sample.js';

/** Options of {@link gridSample}. */
export interface GridSampleOptions {
  /** 'bilinear' unless given (in volumes it weighs eight neighbours); 'bicubic' is for planes only. */
  mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What lies outside: zeros, the border, or the input mirrored; 'zeros' unless given. */
  paddingMode?: 'zeros' | 'border' | 'reflection';
  /** Whether -1 and 1 are the centers of the outermost places and not their outer edges; false unless given. */
  alignCorners?: boolean;
}

const MODES = ['bilinear', 'nearest', 'bicubic'];
const PADDINGS = ['zeros', 'border', 'reflection'];

/** One dimension of the input as a grid meets it. */
interface Axis {
  readonly size: number;
  readonly padding: string;
  readonly alignCorners: boolean;
}

/** A place along one dimension for every point, and what it weighs. */
interface Tap {
  readonly place: Tensor;
  readonly weight: Tensor;
}

/**
 * The input at the points of a grid: x `[N,C,H,W]`, grid `[N,H',W',2]` of (x, y) from -1 to 1 to `[N,C,H',W']`; or `[N,C,D,H,W]`,
 * `[N,D',H',W',3]` of (x, y, z) (PyTorch: `F.grid_sample`).
 *
 * @throws TensorError `shape` where input and grid do not go together or there is nothing to sample, `dtype` unless both are
 * of one floating dtype, `value` for 'bicubic' in volumes
 *
 * @example
 * ```ts
 * import { gridSample, tensor } from 'chainrule';
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * console.log(gridSample(x, tensor([[[[0, 0], [-0.5, 0.5]]]])).flatten().toArray()); // [2.5, 3]
 * ```
 */
export function gridSample(x: Tensor, grid: Tensor, options?: GridSampleOptions): Tensor {
  const op = 'gridSample';
  checkOptions(op, options, ['mode', 'paddingMode', 'alignCorners']);
  checkFloat(op, checkTensor(op, x));
  checkTensor(op, grid, 'a grid');
  const n = x.ndim - 2;
  const [batch, channels, ...size] = x.shape;
  if ((n !== 2 && n !== 3) || grid.ndim !== n + 2 || grid.shape[0] !== batch || grid.shape[n + 1] !== n) {
    throw new TensorError(
      'shape',
      op,
      `expected an input [N, C, H, W] and a grid [N, H', W', 2], or with a depth more and 3, got ${formatShape(x.shape)} and ${formatShape(grid.shape)}`,
    );
  }
  if (grid.dtype !== x.dtype) {
    throw new TensorError('dtype', op, `expected a grid of dtype ${x.dtype}, got ${grid.dtype}`);
  }
  // Sums of three places outside must stay above the least int32.
  if (sizeOf(size) === 0 || sizeOf(size) > 2 ** 29) {
    throw new TensorError('shape', op, `expected 1 to 2^29 places to sample from, got ${formatShape(x.shape)}`);
  }
  const mode = choose(op, 'mode', options?.mode ?? 'bilinear', MODES);
  const padding = choose(op, 'paddingMode', options?.paddingMode ?? 'zeros', PADDINGS);
  const alignCorners = checkBoolean(op, 'alignCorners', options?.alignCorners ?? false);
  if (mode === 'bicubic' && n === 3) {
    throw new TensorError('value', op, `expected 'bicubic' for planes only, got the volumes ${formatShape(x.shape)}`);
  }
  const out = grid.shape.slice(1, -1);
  const taps = mode === 'bilinear' ? linear : mode === 'nearest' ? nearest : cubic;
  return composite(() => {
    // The grid names the last dimension first.
    const along = size.map((k, i) => {
      const axis: Axis = { size: k, padding, alignCorners };
      const c = grid.narrow(n + 1, n - 1 - i, 1).reshape([batch, sizeOf(out)]);
      return taps(axis, unnormalized(axis, c));
    });
    const all = combined(along, size);
    const places = stack(
      all.map(({ place }) => place.clamp(-1)),
      1,
    );
    const weights = stack(
      all.map(({ weight }) => weight),
      1,
    );
    return sample(op, x, places, weights).reshape([batch, channels, ...out]);
  });
}

function choose(op: string, name: string, value: unknown, known: readonly string[]): string {
  if (typeof value === 'string' && known.includes(value)) return value;
  throw new TensorError('value', op, `expected ${name} to be one of ${known.join(', ')}, got ${describe(value)}`);
}

/** From -1 to 1 to places. */
function unnormalized({ size, alignCorners }: Axis, c: Tensor): Tensor {
  return alignCorners ? c.add(1).mul((size - 1) / 2) : c.add(1).mul(size).sub(1).div(2);
}

/** Coordinates brought inside, as the padding mode has it; at the border and beyond the gradient is 0. */
function padded(axis: Axis, c: Tensor): Tensor {
  if (axis.padding === 'zeros') return c;
  const inner = axis.padding === 'border' ? c : reflected(axis, c);
  const high = axis.size - 1;
  const positive = inner.gt(0);
  // NaN goes to the first place, as in PyTorch.
  const border = noGrad(() => positive.to(c.dtype).mul(high));
  return where(positive.logicalAnd(inner.lt(high)), inner, border);
}

/** Coordinates mirrored at the centers of the outermost places, or at their edges, as often as it takes. */
function reflected({ size, alignCorners }: Axis, c: Tensor): Tensor {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return filled('zeros', c.shape, c.dtype, 0);
  const from = c.sub(low);
  const distance = from.mul(noGrad(() => where(from.lt(0), -1, 1).to(c.dtype)));
  const turns = noGrad(() => distance.div(span).floor());
  const rest = distance.sub(noGrad(() => turns.mul(span)));
  return where(turns.remainder(2).eq(0), rest.add(low), rest.neg().add(span + low));
}

/** Taps at `first`, `first + 1` and so on, one for each weight. */
function tapsFrom(axis: Axis, first: Tensor, weights: readonly Tensor[], pad = false): Tap[] {
  return weights.map((weight, k) => {
    const place = noGrad(() => (pad ? padded(axis, first.add(k)) : first.add(k)));
    return { place, weight };
  });
}

function linear(axis: Axis, c: Tensor): Tap[] {
  const at = padded(axis, c);
  const first = noGrad(() => at.floor());
  const second = at.sub(first);
  return tapsFrom(axis, first, [second.neg().add(1), second]);
}

function nearest(axis: Axis, c: Tensor): Tap[] {
  const first = noGrad(() => padded(axis, c).round());
  return tapsFrom(axis, first, [filled('ones', c.shape, c.dtype, 1)]);
}

/** Keys' cubic convolution with a = -0.75; here the places are padded, not the point between them. */
function cubic(axis: Axis, c: Tensor): Tap[] {
  const a = -0.75;
  const floor = noGrad(() => c.floor());
  const near = (t: Tensor) =>
    t
      .mul(a + 2)
      .sub(a + 3)
      .mul(t)
      .mul(t)
      .add(1);
  const far = (t: Tensor) =>
    t
      .mul(a)
      .sub(5 * a)
      .mul(t)
      .add(8 * a)
      .mul(t)
      .sub(4 * a);
  const t = c.sub(floor);
  const s = t.neg().add(1);
  const weights = [far(t.add(1)), near(t), near(s), far(s.add(1))];
  return tapsFrom(
    axis,
    noGrad(() => floor.sub(1)),
    weights,
    true,
  );
}

/** Every choice of one tap along each dimension, its place in the plane or volume; negative where one lies outside. */
function combined(along: readonly (readonly Tap[])[], size: readonly number[]): Tap[] {
  const whole = sizeOf(size);
  return along.reduce<Tap[]>((before, taps, i) => {
    const step = sizeOf(size.slice(i + 1));
    const inside = taps.map(({ place, weight }) => {
      const there = place.ge(0).logicalAnd(place.le(size[i] - 1));
      return { place: where(there, place.to('int32').mul(step), -whole), weight };
    });
    if (i === 0) return inside;
    return before.flatMap((a) => inside.map((b) => ({ place: a.place.add(b.place), weight: a.weight.mul(b.weight) })));
  }, []);
}

/**
 * The grid of an affine map, for {@link gridSample}: theta `[N,2,3]` and the size `[N,C,H,W]` to `[N,H,W,2]`, or `[N,3,4]` and
 * `[N,C,D,H,W]` to `[N,D,H,W,3]`; `grid = theta (x, y, 1)` (PyTorch: `F.affine_grid`).
 *
 * @param size of the output that is to be sampled
 * @param options `alignCorners`: whether -1 and 1 are the centers of the outermost places; false unless given
 * @throws TensorError `shape` where theta and the size do not go together, `dtype` unless theta is floating point
 *
 * @example
 * ```ts
 * import { affineGrid, tensor } from 'chainrule';
 * const turned = tensor([[[0, -1, 0], [1, 0, 0]]]);
 * console.log(affineGrid(turned, [1, 1, 1, 2], { alignCorners: true }).squeeze().toArray()); // [[0, -1], [0, 1]]
 * ```
 */
export function affineGrid(theta: Tensor, size: readonly number[], options?: { alignCorners?: boolean }): Tensor {
  const op = 'affineGrid';
  checkOptions(op, options, ['alignCorners']);
  checkFloat(op, checkTensor(op, theta), 'theta');
  const alignCorners = checkBoolean(op, 'alignCorners', options?.alignCorners ?? false);
  const [batch, , ...out] = checkShape(op, size);
  const n = out.length;
  if ((n !== 2 && n !== 3) || theta.ndim !== 3 || theta.shape.some((k, i) => k !== [batch, n, n + 1][i])) {
    throw new TensorError(
      'shape',
      op,
      `expected theta [N, 2, 3] and a size [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W], got ${formatShape(theta.shape)} and ${formatShape(size)}`,
    );
  }
  return composite(() => {
    const points = sizeOf(out);
    const base = make(op, [points, n + 1], theta.dtype);
    const to = base.typed();
    let step = 1;
    for (let axis = 0; axis < n; axis++) {
      const k = out[n - 1 - axis];
      for (let p = 0; p < points; p++) to[p * (n + 1) + axis] = normalized(Math.floor(p / step) % k, k, alignCorners);
      step *= k;
    }
    for (let p = 0; p < points; p++) to[p * (n + 1) + n] = 1;
    return matmul(base, theta.transpose(1, 2)).reshape([batch, ...out, n]);
  });
}

/** Place i of k as a number from -1 to 1; 0 where there is only one. */
function normalized(i: number, k: number, alignCorners: boolean): number {
  if (k <= 1) return 0;
  return alignCorners ? (2 * i) / (k - 1) - 1 : (2 * i + 1) / k - 1;
}
