// Maximum pooling over one, two or three dimensions.
import { dense, dropCopy, hidden, make, offsetOf } from '../../core/dispatch.js';
import { isGradEnabled } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, type Shape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { gather } from '../index/index.js';
import type { Extremes } from '../reduce/reduce.js';
import {
  checkPlanes,
  outputSizes,
  type Pair,
  plane,
  type Single,
  type Triple,
  type Window,
  type Windows,
  windowsOf,
  writeWindow,
} from './window.js';

/** Options of maximum pooling; each size is one number for all directions or a list of one for each. */
export interface MaxPoolOptions<S> {
  /** Step of the window; its size unless given. */
  stride?: S;
  /** Border of -Infinity on each side, at most half the window; 0 unless given. */
  padding?: S;
  /** Distance between the taps of the window; 1 unless given. */
  dilation?: S;
  /** Keep a window that begins inside and ends outside the padded input. */
  ceilMode?: boolean;
  /** Return the places of the maxima too: their position in the plane (or volume) of the input, int32. */
  returnIndices?: boolean;
}
/** Options of {@link maxPool1d}. */
export type MaxPool1dOptions = MaxPoolOptions<Single>;
/** Options of {@link maxPool2d}; pairs are [height, width]. */
export type MaxPool2dOptions = MaxPoolOptions<Pair>;
/** Options of {@link maxPool3d}; triples are [depth, height, width]. */
export type MaxPool3dOptions = MaxPoolOptions<Triple>;

/** Options that ask for values and indices. */
export type WithIndices<O> = O & { returnIndices: true };

const G = native.geometry;
const OPTIONS = ['stride', 'padding', 'dilation', 'ceilMode', 'returnIndices'];

/**
 * Largest value of each window: `[N,C,L] -> [N,C,L']`; the gradient goes to the first largest. The batch may be left out
 * (PyTorch: `F.max_pool1d`).
 *
 * @param size of the window
 * @param options with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `shape` where the window does not fit, `value` for padding above half of it
 *
 * @example
 * ```ts
 * import { maxPool1d, tensor } from 'chainrule';
 * console.log(maxPool1d(tensor([[1, 3, 2, 4]]), 2).toArray()); // [[3, 4]]
 * ```
 */
export function maxPool1d(x: Tensor, size: Single, options: WithIndices<MaxPool1dOptions>): Extremes;
export function maxPool1d(x: Tensor, size: Single, options?: MaxPool1dOptions): Tensor;
export function maxPool1d(x: Tensor, size: Single, options?: MaxPool1dOptions): Tensor | Extremes {
  return pool('maxPool1d', x, 1, size, options);
}

/**
 * Largest value of each window: `[N,C,H,W] -> [N,C,H',W']`; the gradient goes to the first largest. The batch may be left
 * out (PyTorch: `F.max_pool2d`).
 *
 * @param size of the window, one number or [height, width]
 * @param options with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `shape` where the window does not fit, `value` for padding above half of it
 *
 * @example
 * ```ts
 * import { maxPool2d, tensor } from 'chainrule';
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * console.log(maxPool2d(x, 2).item()); // 4
 * console.log(maxPool2d(x, 2, { returnIndices: true }).indices.item()); // 3
 * ```
 */
export function maxPool2d(x: Tensor, size: Pair, options: WithIndices<MaxPool2dOptions>): Extremes;
export function maxPool2d(x: Tensor, size: Pair, options?: MaxPool2dOptions): Tensor;
export function maxPool2d(x: Tensor, size: Pair, options?: MaxPool2dOptions): Tensor | Extremes {
  return pool('maxPool2d', x, 2, size, options);
}

/**
 * Largest value of each window: `[N,C,D,H,W] -> [N,C,D',H',W']`; the gradient goes to the first largest. The batch may be
 * left out (PyTorch: `F.max_pool3d`).
 *
 * @param size of the window, one number or [depth, height, width]
 * @param options with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `shape` where the window does not fit, `value` for padding above half of it
 *
 * @example
 * ```ts
 * import { maxPool3d, tensor } from 'chainrule';
 * console.log(maxPool3d(tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]), 2).item()); // 8
 * ```
 */
export function maxPool3d(x: Tensor, size: Triple, options: WithIndices<MaxPool3dOptions>): Extremes;
export function maxPool3d(x: Tensor, size: Triple, options?: MaxPool3dOptions): Tensor;
export function maxPool3d(x: Tensor, size: Triple, options?: MaxPool3dOptions): Tensor | Extremes {
  return pool('maxPool3d', x, 3, size, options);
}

function pool<S>(op: string, x: Tensor, n: number, size: S, options: MaxPoolOptions<S> | undefined): Tensor | Extremes {
  checkOptions(op, options, OPTIONS);
  checkPlanes(op, x, n);
  const windows = windowsOf(op, n, size, options);
  const wanted = checkBoolean(op, 'returnIndices', options?.returnIndices ?? false);
  const out = outputSizes(op, x, windows, windows.ceil);
  return wanted ? maxWithIndices(op, x, windows, out) : maxOver(op, x, windows, out);
}

/** Largest values of windows over the last dimensions, `out` of them along each. */
export function maxOver(op: string, x: Tensor, windows: Windows, out: readonly number[]): Tensor {
  if (out.length < 3) return overPlane(op, x, windows, out, false).values;
  // The first of equal ones over planes and then over depth is the first of the whole window, and the last NaN the last.
  return composite(() => {
    const flat = overPlane(op, x, windows, out.slice(1), false).values;
    return overDepth(op, flat, windows, out, false).values;
  });
}

/** {@link maxOver} with the places of the maxima in their planes or volumes, int32. */
export function maxWithIndices(op: string, x: Tensor, windows: Windows, out: readonly number[]): Extremes {
  if (out.length < 3) return overPlane(op, x, windows, out, true);
  const flat = overPlane(op, x, windows, out.slice(1), true);
  const deep = overDepth(op, flat.values, windows, out, true);
  const [d, h, w] = x.shape.slice(-3);
  const each = out[1] * out[2];
  const indices = composite(() => {
    // Which plane of the volume, and where in it.
    const volumes = deep.indices.size === 0 ? 0 : deep.indices.size / (out[0] * each);
    const at = deep.indices.reshape([volumes, out[0] * each]);
    const inside = gather(flat.indices.reshape([volumes, d * each]), 1, at);
    return at
      .floorDivide(each)
      .mul(h * w)
      .add(inside)
      .reshape(deep.values.shape);
  });
  flat.indices.dispose();
  deep.indices.dispose();
  if (!flat.values.requiresGrad) flat.values.dispose();
  return { values: deep.values, indices };
}

/** Windows over the last two dimensions, or the only one. */
function overPlane(op: string, x: Tensor, windows: Windows, out: readonly number[], wanted: boolean): Extremes {
  const n = windows.size.length;
  const column = x.ndim - 1;
  const shape = [...x.shape.slice(0, x.ndim - out.length), ...out];
  if (n === 1) {
    const window = plane(windows, null, 0);
    return maxOfPlanes(op, x, [1, x.shape[column]], shape, [1, ...out], window, wanted);
  }
  return maxOfPlanes(op, x, x.shape.slice(-2), shape, out, plane(windows, n - 2, n - 1), wanted);
}

/** Windows over depth alone: each plane of the volume is one row. */
function overDepth(op: string, x: Tensor, windows: Windows, out: readonly number[], wanted: boolean): Extremes {
  const each = out[1] * out[2];
  const shape = [...x.shape.slice(0, -3), ...out];
  return maxOfPlanes(op, x, [x.shape[x.ndim - 3], each], shape, [out[0], each], plane(windows, 0, null), wanted);
}

/** x in planes of `from` rows and columns, to as many planes of `to`; `indices` means something only where it is wanted. */
function maxOfPlanes(
  op: string,
  x: Tensor,
  from: Shape,
  shape: Shape,
  to: Shape,
  window: Window,
  wanted: boolean,
): Extremes {
  const y = make(op, shape, x.dtype);
  const wide = window.size[0] * window.size[1] > 255;
  // Where each maximum stands inside its window: one byte instead of four keeps the backward pass in cache.
  const places = hidden(make(op, shape, wide ? 'int32' : 'uint8'));
  const input = dense(op, x);
  if (y.size > 0) {
    writeWindow(y.size / (to[0] * to[1]), from, to, x.dtype, window, wide);
    G[17] = offsetOf(y);
    G[18] = offsetOf(input);
    G[19] = offsetOf(places);
    native.maxPool2d(y.storage.bytes, input.storage.bytes, places.storage.bytes);
  }
  dropCopy(input, x);
  const indices = wanted ? positions(places, from, to, window) : y;
  const before = x.shape;
  const values = record(op, y, [x], [places], (g, [at]) => backward(g, at, before, from, to, window));
  return { values, indices };
}

function backward(g: Tensor, places: Tensor, shape: Shape, from: Shape, to: Shape, window: Window): Tensor {
  const op = 'maxPool backward';
  const dx = make(op, shape, g.dtype);
  const dy = dense(op, g);
  const planes = dx.size / (from[0] * from[1]);
  if (dx.size > 0) {
    writeWindow(planes, from, to, g.dtype, window, places.dtype === 'int32');
    G[17] = offsetOf(dx);
    G[18] = offsetOf(dy);
    G[19] = offsetOf(places);
    native.maxPool2dBackward(dx.storage.bytes, dy.storage.bytes, places.storage.bytes);
  }
  if (!isGradEnabled()) return dx;
  // The places die with the first backward pass; a second one picks by positions in the plane.
  const index = positions(places, from, to, window);
  return record(op, dx, [g], [index], (gg, [at]) =>
    gather(gg.reshape([planes, from[0] * from[1]]), 1, at.reshape([planes, to[0] * to[1]])).reshape(at.shape),
  );
}

/** Positions of the maxima in their planes, int32, from their places in the windows. */
function positions(places: Tensor, from: Shape, to: Shape, window: Window): Tensor {
  return composite(() => {
    const op = 'maxPool';
    const first = make(op, to, 'int32');
    const corner = (i: number, axis: number) => i * window.stride[axis] - window.padding[axis];
    first.typed().forEach((_, i, all) => {
      all[i] = corner(Math.floor(i / to[1]), 0) * from[1] + corner(i % to[1], 1);
    });
    const offsets = make(op, [window.size[0] * window.size[1]], 'int32');
    offsets.typed().forEach((_, i, all) => {
      const [row, column] = [Math.floor(i / window.size[1]), i % window.size[1]];
      all[i] = row * window.dilation[0] * from[1] + column * window.dilation[1];
    });
    const planes = places.size === 0 ? 0 : places.size / (to[0] * to[1]);
    const inside = offsets.indexSelect(0, places.reshape([places.size]));
    return inside
      .reshape([planes, ...to])
      .add(first)
      .reshape(places.shape);
  });
}
