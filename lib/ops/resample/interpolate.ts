// Interpolation: images, signals and volumes in other sizes. Each axis is a table of taps (taps.ts).
import { checkFloat, checkTensor } from '../../core/dispatch.js';
import { checkBoolean, checkInteger, checkNumber, formatShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from '../pool/adaptive.js';
import { MAX_PLACES, resample, type Taps, tapsOf } from './taps.js';

/** How values between places are found; see {@link interpolate}. */
export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area';

/** Options of {@link interpolate}; `size` or `scaleFactor` must be given. */
export interface InterpolateOptions {
  /** Sizes of the output, one number for all or one for each dimension. */
  size?: number | readonly number[];
  /** Sizes of the output as multiples of the input's, rounded down. */
  scaleFactor?: number | readonly number[];
  /** 'nearest' unless given. */
  mode?: InterpolationMode;
  /** Whether the corners keep their values; only for linear and cubic modes, false unless given. */
  alignCorners?: boolean;
  /** Whether places follow from the sizes and not from `scaleFactor`; false unless given. */
  recomputeScaleFactor?: boolean;
  /** Widen the taps where the output is smaller; only for 'bilinear' and 'bicubic', false unless given. */
  antialias?: boolean;
}

/** For how many dimensions a mode is; 0 for any. */
const MODES: Readonly<Record<InterpolationMode, number>> = {
  nearest: 0,
  'nearest-exact': 0,
  linear: 1,
  bilinear: 2,
  bicubic: 2,
  trilinear: 3,
  area: 0,
};

/** One axis of an interpolation. */
interface Axis {
  readonly from: number;
  readonly to: number;
  /** Input places per output place. */
  readonly scale: number;
  readonly alignCorners: boolean;
  /** Rounds to the tensor's dtype: places are chosen with the same bits as in PyTorch. */
  readonly round: (value: number) => number;
}

/**
 * The last dimensions in another size: `[N,C,L]`, `[N,C,H,W]` or `[N,C,D,H,W]` (PyTorch: `F.interpolate`).
 *
 * 'nearest' takes the place `floor(i n / m)`, 'nearest-exact' `floor((i + 1/2) n / m)`; 'linear', 'bilinear', 'trilinear' weigh the two
 * neighbours along each dimension, 'bicubic' four (Keys, a = -0.75); 'area' is adaptive average pooling. Differentiable as often
 * as wanted.
 *
 * @param options `size` or `scaleFactor`, and `mode`
 * @throws TensorError `value` for a mode that is not for so many dimensions, options that do not go with it, both or neither
 * of size and factor; `shape` for an input with nothing to interpolate; `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { interpolate, tensor } from 'chainrule';
 * const x = tensor([[[1, 3]]]);
 * console.log(interpolate(x, { scaleFactor: 2 }).toArray()); // [[[1, 1, 3, 3]]]
 * console.log(interpolate(x, { size: 4, mode: 'linear' }).toArray()); // [[[1, 1.5, 2.5, 3]]]
 * ```
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const op = 'interpolate';
  checkOptions(op, options, ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor', 'antialias']);
  checkFloat(op, checkTensor(op, x));
  const n = x.ndim - 2;
  if (n < 1 || n > 3) {
    throw new TensorError('shape', op, `expected an input [N, C, L] to [N, C, D, H, W], got ${formatShape(x.shape)}`);
  }
  const from = x.shape.slice(2);
  if (from.includes(0)) {
    throw new TensorError('shape', op, `expected an input with places to read, got ${formatShape(x.shape)}`);
  }
  const mode = checkMode(op, options?.mode ?? 'nearest', n);
  const weighs = MODES[mode] > 0;
  const align = options?.alignCorners;
  if (align !== undefined && checkBoolean(op, 'alignCorners', align) && !weighs) {
    throw new TensorError('value', op, `expected alignCorners only with linear and cubic modes, got '${mode}'`);
  }
  const antialias = checkBoolean(op, 'antialias', options?.antialias ?? false);
  if (antialias && MODES[mode] !== 2) {
    throw new TensorError('value', op, `expected antialias only with 'bilinear' and 'bicubic', got '${mode}'`);
  }
  const { to, factors } = sizesOf(op, from, options, mode);
  if (mode === 'area') {
    if (n === 1) return adaptiveAvgPool1d(x, to[0]);
    return n === 2 ? adaptiveAvgPool2d(x, [to[0], to[1]]) : adaptiveAvgPool3d(x, [to[0], to[1], to[2]]);
  }
  const round = x.dtype === 'float32' ? Math.fround : (value: number) => value;
  const tables = from.map((size, i) => {
    const alignCorners = align === true;
    const out = to[i];
    const ratio = round(factors === null ? round(size) / out : 1 / factors[i]);
    const scale = alignCorners ? (out > 1 ? round((size - 1) / (out - 1)) : 0) : ratio;
    const axis: Axis = { from: size, to: out, scale, alignCorners, round };
    if (mode === 'nearest' || mode === 'nearest-exact') return nearest(axis, mode === 'nearest' ? 0 : 0.5);
    if (antialias) return mode === 'bicubic' ? smooth(axis, 4, keys) : smooth(axis, 2, triangle);
    return mode === 'bicubic' ? cubic(axis) : linear(axis);
  });
  return resample(op, x, tables);
}

function checkMode(op: string, mode: unknown, n: number): InterpolationMode {
  const dimensions = typeof mode === 'string' && Object.hasOwn(MODES, mode) ? MODES[mode as InterpolationMode] : -1;
  if (dimensions === 0 || dimensions === n) return mode as InterpolationMode;
  const known = Object.entries(MODES).filter(([, k]) => k === 0 || k === n);
  throw new TensorError(
    'value',
    op,
    `expected a mode for ${n} dimensions (${known.map(([name]) => `'${name}'`).join(', ')}), got ${describe(mode)}`,
  );
}

/** Sizes of the output, and the factors that say which places it shows, or null where the sizes do. */
function sizesOf(
  op: string,
  from: readonly number[],
  options: InterpolateOptions,
  mode: InterpolationMode,
): { to: number[]; factors: readonly number[] | null } {
  const { size, scaleFactor } = options ?? {};
  const recompute = checkBoolean(op, 'recomputeScaleFactor', options?.recomputeScaleFactor ?? false);
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new TensorError('value', op, 'expected either size or scaleFactor, got both or neither');
  }
  const given: unknown = size ?? scaleFactor;
  const list: unknown[] = Array.isArray(given) ? given : Array<unknown>(from.length).fill(given);
  if (list.length !== from.length) {
    throw new TensorError('value', op, `expected one number or ${from.length} of them, got ${describe(given)}`);
  }
  if (size !== undefined) {
    if (recompute) throw new TensorError('value', op, 'expected recomputeScaleFactor only with scaleFactor, got size');
    return { to: list.map((k) => checkInteger(op, 'a size', k, 1, MAX_PLACES)), factors: null };
  }
  const factors = list.map((k) => checkNumber(op, 'scaleFactor', k, 0));
  const to = factors.map((factor, i) =>
    checkInteger(op, 'a size of the output', Math.floor(from[i] * factor), 1, MAX_PLACES),
  );
  return { to, factors: recompute || mode === 'area' ? null : factors };
}

function nearest({ from, to, scale, round }: Axis, shift: number): Taps {
  return tapsOf(from, to, (i) => {
    const at = Math.floor(round((i + shift) * scale));
    return { start: Math.min(at, from - 1), weights: [1] };
  });
}

/** Where output place i lies between input places. */
function source({ scale, alignCorners, round }: Axis, i: number): number {
  return alignCorners ? round(scale * i) : round(round(scale * (i + 0.5)) - 0.5);
}

function linear(axis: Axis): Taps {
  const { from, to, round } = axis;
  return tapsOf(from, to, (i) => {
    if (from === to) return { start: i, weights: [1] };
    const at = Math.max(source(axis, i), 0);
    const start = Math.min(Math.floor(at), from - 1);
    if (start === from - 1) return { start, weights: [1] };
    const second = round(at - start);
    return { start, weights: [round(1 - second), second] };
  });
}

/** Keys' cubic convolution within one place and between one and two places away. */
const near = (t: number, a: number) => ((a + 2) * t - (a + 3)) * t * t + 1;
const far = (t: number, a: number) => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;

function cubic(axis: Axis): Taps {
  const { from, to } = axis;
  const a = -0.75;
  return tapsOf(from, to, (i) => {
    const at = source(axis, i);
    const first = Math.floor(at);
    const t = at - first;
    // Places outside stand for the nearest one inside, whose weights add up.
    const start = Math.min(Math.max(first - 1, 0), from - 1);
    const end = Math.min(Math.max(first + 2, 0), from - 1);
    const weights = Array<number>(end - start + 1).fill(0);
    [far(t + 1, a), near(t, a), near(1 - t, a), far(2 - t, a)].forEach((weight, k) => {
      weights[Math.min(Math.max(first - 1 + k, 0), from - 1) - start] += weight;
    });
    return { start, weights };
  });
}

// The filters of antialiasing are those of image libraries: a triangle, and Keys' cubic with a = -0.5.
const triangle = (t: number) => Math.max(1 - Math.abs(t), 0);
const keys = (t: number) => {
  const distance = Math.abs(t);
  return distance < 1 ? near(distance, -0.5) : distance < 2 ? far(distance, -0.5) : 0;
};

/** Taps of a filter that is `width` places wide, or as many times more as the output is smaller. */
function smooth({ from, to, scale, round }: Axis, width: number, filter: (t: number) => number): Taps {
  const stretch = Math.max(scale, 1);
  const support = round((width / 2) * stretch);
  return tapsOf(from, to, (i) => {
    const center = round(scale * (i + 0.5));
    const start = Math.max(Math.trunc(round(round(center - support) + 0.5)), 0);
    const end = Math.min(Math.trunc(round(round(center + support) + 0.5)), from);
    const weights = Array.from({ length: end - start }, (_, k) => filter((start + k - center + 0.5) / stretch));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { start, weights: weights.map((weight) => weight / total) };
  });
}
