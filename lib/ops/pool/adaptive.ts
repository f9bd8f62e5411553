// Adaptive pooling: as many windows as are asked for, whose sizes follow from the input's.
import { checkTensor, make } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkInteger, formatShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { type Extremes, mean } from '../reduce/reduce.js';
import { MAX_PLACES, resample, type Taps, tapsOf } from '../resample/taps.js';
import { clone } from '../shape/view.js';
import { maxOver, maxWithIndices, type WithIndices } from './max.js';
import { checkPlanes, type Single, type Windows } from './window.js';

/** Sizes of an output, null where it stays that of the input; one number stands for all directions. */
export type AdaptivePair = number | readonly [number | null, number | null];
/** Like {@link AdaptivePair}, for [depth, height, width]. */
export type AdaptiveTriple = number | readonly [number | null, number | null, number | null];

/** Options of adaptive maximum pooling. */
export interface AdaptiveMaxPoolOptions {
  /** Return the places of the maxima too: their position in the plane (or volume) of the input, int32. */
  returnIndices?: boolean;
}

/**
 * Means of windows that cover the input: `[N,C,L] -> [N,C,L']`; window i goes from `floor(i L / L')` to
 * `ceil((i + 1) L / L')`. The batch may be left out (PyTorch: `F.adaptive_avg_pool1d`).
 *
 * @param size L'
 * @throws TensorError `shape` for an input without elements to pool, `value` for a negative size
 *
 * @example
 * ```ts
 * import { adaptiveAvgPool1d, tensor } from 'chainrule';
 * console.log(adaptiveAvgPool1d(tensor([[1, 2, 3]]), 2).toArray()); // [[1.5, 2.5]]
 * ```
 */
export function adaptiveAvgPool1d(x: Tensor, size: Single): Tensor {
  return average('adaptiveAvgPool1d', x, 1, size);
}

/**
 * Means of windows that cover the input: `[N,C,H,W] -> [N,C,H',W']`; window i of the rows goes from `floor(i H / H')` to
 * `ceil((i + 1) H / H')`. The batch may be left out (PyTorch: `F.adaptive_avg_pool2d`).
 *
 * @param size one number, or [H', W'], where null keeps the input's size
 * @throws TensorError `shape` for an input without elements to pool, `value` for a negative size
 *
 * @example
 * ```ts
 * import { adaptiveAvgPool2d, tensor } from 'chainrule';
 * console.log(adaptiveAvgPool2d(tensor([[[1, 2], [3, 4]]]), [1, null]).toArray()); // [[[2, 3]]]
 * ```
 */
export function adaptiveAvgPool2d(x: Tensor, size: AdaptivePair): Tensor {
  return average('adaptiveAvgPool2d', x, 2, size);
}

/**
 * Means of windows that cover the input: `[N,C,D,H,W] -> [N,C,D',H',W']`, as {@link adaptiveAvgPool2d} (PyTorch:
 * `F.adaptive_avg_pool3d`).
 *
 * @param size one number, or [D', H', W'], where null keeps the input's size
 * @throws TensorError `shape` for an input without elements to pool, `value` for a negative size
 *
 * @example
 * ```ts
 * import { adaptiveAvgPool3d, ones } from 'chainrule';
 * console.log(adaptiveAvgPool3d(ones([2, 4, 6, 6]), [1, 2, null]).shape); // [2, 1, 2, 6]
 * ```
 */
export function adaptiveAvgPool3d(x: Tensor, size: AdaptiveTriple): Tensor {
  return average('adaptiveAvgPool3d', x, 3, size);
}

/**
 * Largest values of the windows of {@link adaptiveAvgPool1d}: `[N,C,L] -> [N,C,L']` (PyTorch: `F.adaptive_max_pool1d`).
 *
 * @param size L'
 * @param options with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `shape` for an input without elements to pool, `value` for a negative size
 *
 * @example
 * ```ts
 * import { adaptiveMaxPool1d, tensor } from 'chainrule';
 * console.log(adaptiveMaxPool1d(tensor([[1, 2, 3]]), 2).toArray()); // [[2, 3]]
 * ```
 */
export function adaptiveMaxPool1d(x: Tensor, size: Single, options: WithIndices<AdaptiveMaxPoolOptions>): Extremes;
export function adaptiveMaxPool1d(x: Tensor, size: Single, options?: AdaptiveMaxPoolOptions): Tensor;
export function adaptiveMaxPool1d(x: Tensor, size: Single, options?: AdaptiveMaxPoolOptions): Tensor | Extremes {
  return maximum('adaptiveMaxPool1d', x, 1, size, options);
}

/**
 * Largest values of the windows of {@link adaptiveAvgPool2d}: `[N,C,H,W] -> [N,C,H',W']` (PyTorch:
 * `F.adaptive_max_pool2d`).
 *
 * @param size one number, or [H', W'], where null keeps the input's size
 * @param options with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `shape` for an input without elements to pool, `value` for a negative size
 *
 * @example
 * ```ts
 * import { adaptiveMaxPool2d, tensor } from 'chainrule';
 * console.log(adaptiveMaxPool2d(tensor([[[1, 2], [3, 4]]]), [1, null]).toArray()); // [[[3, 4]]]
 * ```
 */
export function adaptiveMaxPool2d(
  x: Tensor,
  size: AdaptivePair,
  options: WithIndices<AdaptiveMaxPoolOptions>,
): Extremes;
export function adaptiveMaxPool2d(x: Tensor, size: AdaptivePair, options?: AdaptiveMaxPoolOptions): Tensor;
export function adaptiveMaxPool2d(x: Tensor, size: AdaptivePair, options?: AdaptiveMaxPoolOptions): Tensor | Extremes {
  return maximum('adaptiveMaxPool2d', x, 2, size, options);
}

/**
 * Largest values of the windows of {@link adaptiveAvgPool3d}: `[N,C,D,H,W] -> [N,C,D',H',W']` (PyTorch:
 * `F.adaptive_max_pool3d`).
 *
 * @param size one number, or [D', H', W'], where null keeps the input's size
 * @param options with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `shape` for an input without elements to pool, `value` for a negative size
 *
 * @example
 * ```ts
 * import { adaptiveMaxPool3d, ones } from 'chainrule';
 * console.log(adaptiveMaxPool3d(ones([2, 4, 6, 6]), [1, 2, null]).shape); // [2, 1, 2, 6]
 * ```
 */
export function adaptiveMaxPool3d(
  x: Tensor,
  size: AdaptiveTriple,
  options: WithIndices<AdaptiveMaxPoolOptions>,
): Extremes;
export function adaptiveMaxPool3d(x: Tensor, size: AdaptiveTriple, options?: AdaptiveMaxPoolOptions): Tensor;
export function adaptiveMaxPool3d(
  x: Tensor,
  size: AdaptiveTriple,
  options?: AdaptiveMaxPoolOptions,
): Tensor | Extremes {
  return maximum('adaptiveMaxPool3d', x, 3, size, options);
}

/** The sizes of input and output along the last `n` dimensions, checked. */
function sizesOf(op: string, x: Tensor, n: number, size: unknown): { from: readonly number[]; to: number[] } {
  checkPlanes(op, checkTensor(op, x), n);
  const from = x.shape.slice(x.ndim - n);
  if (from.includes(0)) {
    throw new TensorError('shape', op, `expected elements in every window, got an input of ${formatShape(x.shape)}`);
  }
  const list: unknown[] = Array.isArray(size) ? size : Array<unknown>(n).fill(size);
  if (list.length !== n) {
    throw new TensorError('value', op, `expected an output size of one number or ${n} of them, got ${describe(size)}`);
  }
  return {
    from,
    to: list.map((k, i) => (k === null ? from[i] : checkInteger(op, 'the output size', k, 0, MAX_PLACES))),
  };
}

/** Where window i of `to` windows over `from` places begins, and how many places it has. */
function bin(i: number, from: number, to: number): { start: number; count: number } {
  const start = Math.floor((i * from) / to);
  return { start, count: Math.ceil(((i + 1) * from) / to) - start };
}

/** The table that takes the mean of each window. */
function meanTaps(from: number, to: number): Taps {
  return tapsOf(from, to, (i) => {
    const { start, count } = bin(i, from, to);
    return { start, weights: Array<number>(count).fill(1 / count) };
  });
}

function average(op: string, x: Tensor, n: number, size: unknown): Tensor {
  const { from, to } = sizesOf(op, x, n, size);
  if (to.every((k, i) => k === from[i])) return clone(x);
  if (to.every((k) => k === 1)) {
    const axes = to.map((_, i) => i - n);
    return mean(x, axes, { keepdim: true });
  }
  return resample(
    op,
    x,
    to.map((k, i) => (k === from[i] ? null : meanTaps(from[i], k))),
  );
}

/** One dimension of adaptive maximum pooling; `width` is the size of the widest window. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  /** Whether the windows lie side by side as they are. */
  readonly even: boolean;
}

function axisOf(from: number, to: number): Axis {
  let width = 1;
  for (let i = 0; i < to; i++) width = Math.max(width, bin(i, from, to).count);
  return { from, to, width, even: width * to === from };
}

/**
 * Places of an axis so that windows of one size lie side by side on them: shorter ones repeat their last place, which
 * changes neither the maximum nor where it stands.
 */
function sideBySide(op: string, { from, to, width }: Axis): Tensor {
  const places = make(op, [to * width], 'int32');
  places.typed().forEach((_, k, all) => {
    const { start, count } = bin(Math.floor(k / width), from, to);
    all[k] = start + Math.min(k % width, count - 1);
  });
  return places;
}

function maximum(
  op: string,
  x: Tensor,
  n: number,
  size: unknown,
  options: AdaptiveMaxPoolOptions | undefined,
): Tensor | Extremes {
  checkOptions(op, options, ['returnIndices']);
  const { from, to } = sizesOf(op, x, n, size);
  const wanted = checkBoolean(op, 'returnIndices', options?.returnIndices ?? false);
  const axes = from.map((k, i) => axisOf(k, to[i]));
  const width = axes.map((axis) => axis.width);
  const windows: Windows = { size: width, stride: width, padding: to.map(() => 0), dilation: to.map(() => 1) };
  const spread = () =>
    axes.reduce((y, axis, i) => (axis.even ? y : y.indexSelect(x.ndim - n + i, sideBySide(op, axis))), x);
  if (!wanted) return composite(() => maxOver(op, spread(), windows, to));
  if (axes.every((axis) => axis.even)) return maxWithIndices(op, x, windows, to);
  const wide = composite(spread);
  const { values, indices: inWide } = maxWithIndices(op, wide, windows, to);
  const indices = composite(() => inOriginal(op, inWide, axes));
  inWide.dispose();
  if (!wide.requiresGrad) wide.dispose();
  return { values, indices };
}

/** Positions in the input from positions in what was spread out of it. */
function inOriginal(op: string, inWide: Tensor, axes: readonly Axis[]): Tensor {
  let rest = inWide;
  let step = 1;
  let y = inWide.mul(0);
  for (const axis of [...axes].reverse()) {
    const n = axis.to * axis.width;
    const along = rest.remainder(n).reshape([inWide.size]);
    const place = axis.even ? along : sideBySide(op, axis).indexSelect(0, along);
    y = y.add(place.reshape(inWide.shape).mul(step));
    rest = rest.floorDivide(n);
    step *= axis.from;
  }
  return y;
}
