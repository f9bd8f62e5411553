// Average pooling over one, two or three dimensions, and the power means made of it.
import { dense, dropCopy, make, offsetOf } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkInteger, checkNumber, type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
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

/** Options of average pooling; each size is one number for all directions or a list of one for each. */
export interface AvgPoolOptions<S> {
  /** Step of the window; its size unless given. */
  stride?: S;
  /** Zeros on each side, at most half the window; 0 unless given. */
  padding?: S;
  /** Keep a window that begins inside and ends outside the padded input. */
  ceilMode?: boolean;
  /** Count padding in the mean; true unless given. */
  countIncludePad?: boolean;
}
/** Options of {@link avgPool1d}. */
export type AvgPool1dOptions = AvgPoolOptions<Single>;
/** Options of {@link avgPool2d}; pairs are [height, width]. */
export interface AvgPool2dOptions extends AvgPoolOptions<Pair> {
  /** Divide by this number instead of the window's size. */
  divisorOverride?: number;
}
/** Options of {@link avgPool3d}; triples are [depth, height, width]. */
export interface AvgPool3dOptions extends AvgPoolOptions<Triple> {
  /** Divide by this number instead of the window's size. */
  divisorOverride?: number;
}

const G = native.geometry;
const OPTIONS = ['stride', 'padding', 'ceilMode', 'countIncludePad'];

/**
 * Mean of each window: `[N,C,L] -> [N,C,L']`; the batch may be left out (PyTorch: `F.avg_pool1d`).
 *
 * @param size of the window
 * @throws TensorError `shape` where the window does not fit, `value` for padding above half of it
 *
 * @example
 * ```ts
 * import { avgPool1d, tensor } from 'chainrule';
 * console.log(avgPool1d(tensor([[1, 3, 2, 4]]), 2).toArray()); // [[2, 3]]
 * ```
 */
export function avgPool1d(x: Tensor, size: Single, options?: AvgPool1dOptions): Tensor {
  checkOptions('avgPool1d', options, OPTIONS);
  return pool('avgPool1d', x, 1, size, options);
}

/**
 * Mean of each window: `[N,C,H,W] -> [N,C,H',W']`; the batch may be left out (PyTorch: `F.avg_pool2d`).
 *
 * @param size of the window, one number or [height, width]
 * @throws TensorError `shape` where the window does not fit, `value` for padding above half of it
 *
 * @example
 * ```ts
 * import { avgPool2d, tensor } from 'chainrule';
 * console.log(avgPool2d(tensor([[[[1, 2], [3, 4]]]]), 2).item()); // 2.5
 * ```
 */
export function avgPool2d(x: Tensor, size: Pair, options?: AvgPool2dOptions): Tensor {
  checkOptions('avgPool2d', options, [...OPTIONS, 'divisorOverride']);
  return pool('avgPool2d', x, 2, size, options, options?.divisorOverride);
}

/**
 * Mean of each window: `[N,C,D,H,W] -> [N,C,D',H',W']`; the batch may be left out (PyTorch: `F.avg_pool3d`).
 *
 * @param size of the window, one number or [depth, height, width]
 * @throws TensorError `shape` where the window does not fit, `value` for padding above half of it
 *
 * @example
 * ```ts
 * import { avgPool3d, tensor } from 'chainrule';
 * console.log(avgPool3d(tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]), 2).item()); // 4.5
 * ```
 */
export function avgPool3d(x: Tensor, size: Triple, options?: AvgPool3dOptions): Tensor {
  checkOptions('avgPool3d', options, [...OPTIONS, 'divisorOverride']);
  return pool('avgPool3d', x, 3, size, options, options?.divisorOverride);
}

function pool<S>(
  op: string,
  x: Tensor,
  n: number,
  size: S,
  options: AvgPoolOptions<S> | undefined,
  divisor?: number,
): Tensor {
  checkPlanes(op, x, n);
  const windows = windowsOf(op, n, size, options);
  const includePad = checkBoolean(op, 'countIncludePad', options?.countIncludePad ?? true);
  const by = divisor === undefined ? 0 : checkInteger(op, 'divisorOverride', divisor, 1);
  return averageOver(x, windows, outputSizes(op, x, windows, windows.ceil), includePad, by);
}

/** Means of windows over the last dimensions, `out` of them along each; a divisor of 0 is the window's size. */
function averageOver(
  x: Tensor,
  windows: Windows,
  out: readonly number[],
  includePad: boolean,
  divisor: number,
): Tensor {
  const n = out.length;
  const lead = x.shape.slice(0, x.ndim - n);
  const size = x.shape.slice(x.ndim - n);
  const shape = [...lead, ...out];
  if (n === 1) return meanOfPlanes(x, [1, ...size], shape, [1, ...out], plane(windows, null, 0, divisor, includePad));
  if (n === 2) return meanOfPlanes(x, size, shape, out, plane(windows, 0, 1, divisor, includePad));
  // The size of a window is a product over its dimensions, whatever part of it counts; a given divisor divides once.
  return composite(() => {
    const [d, ...rest] = size;
    const [deep, ...flat] = out;
    const y = meanOfPlanes(x, rest, [...lead, d, ...flat], flat, plane(windows, 1, 2, divisor, includePad));
    const each = sizeOf(flat);
    const window = plane(windows, 0, null, divisor === 0 ? 0 : 1, includePad);
    return meanOfPlanes(y, [d, each], shape, [deep, each], window);
  });
}

/** x of `shape` in planes of `from` rows and columns, to as many planes of `to`. */
function meanOfPlanes(x: Tensor, from: Shape, shape: Shape, to: Shape, window: Window): Tensor {
  const op = 'avgPool';
  const y = make(op, shape, x.dtype);
  const input = dense(op, x);
  if (y.size > 0) {
    writeWindow(y.size / sizeOf(to), from, to, x.dtype, window, false);
    G[17] = offsetOf(y);
    G[18] = offsetOf(input);
    native.avgPool2d(y.storage.bytes, input.storage.bytes);
  }
  dropCopy(input, x);
  const before = x.shape;
  return record(op, y, [x], [], (g) => backward(g, from, before, to, window));
}

function backward(g: Tensor, from: Shape, shape: Shape, to: Shape, window: Window): Tensor {
  const op = 'avgPool backward';
  const dx = make(op, shape, g.dtype);
  const dy = dense(op, g);
  if (dx.size > 0) {
    writeWindow(dx.size / sizeOf(from), from, to, g.dtype, window, false);
    G[17] = offsetOf(dx);
    G[18] = offsetOf(dy);
    native.avgPool2dBackward(dx.storage.bytes, dy.storage.bytes);
  }
  const after = g.shape;
  return record(op, dx, [g], [], (gg) => meanOfPlanes(gg, from, after, to, window));
}

// ---- power means

/** Options of {@link lpPool1d} and {@link lpPool2d}. */
export interface LpPoolOptions<S> {
  /** Step of the window; its size unless given. */
  stride?: S;
  /** Keep a window that begins inside and ends outside the input. */
  ceilMode?: boolean;
}

/**
 * Norm of each window: `[N,C,L] -> [N,C,L']`, `y = (sum x^p)^(1/p)`, with gradient 0 where the sum is 0. As in PyTorch the
 * sum is the mean times the size of the window, also for one cut off by `ceilMode` (PyTorch: `F.lp_pool1d`).
 *
 * @param p the exponent, a finite number other than 0
 * @param size of the window
 * @throws TensorError `shape` where the window does not fit, `value` for p = 0
 *
 * @example
 * ```ts
 * import { lpPool1d, tensor } from 'chainrule';
 * console.log(lpPool1d(tensor([[3, 4]]), 2, 2).toArray()); // [[5]]
 * ```
 */
export function lpPool1d(x: Tensor, p: number, size: Single, options?: LpPoolOptions<Single>): Tensor {
  return powers('lpPool1d', x, 1, p, size, options);
}

/**
 * Norm of each window: `[N,C,H,W] -> [N,C,H',W']`, `y = (sum x^p)^(1/p)`, with gradient 0 where the sum is 0. As in PyTorch
 * the sum is the mean times the size of the window, also for one cut off by `ceilMode` (PyTorch: `F.lp_pool2d`).
 *
 * @param p the exponent, a finite number other than 0
 * @param size of the window, one number or [height, width]
 * @throws TensorError `shape` where the window does not fit, `value` for p = 0
 *
 * @example
 * ```ts
 * import { lpPool2d, tensor } from 'chainrule';
 * console.log(lpPool2d(tensor([[[1, 5], [5, 7]]]), 2, 2).item()); // 10
 * ```
 */
export function lpPool2d(x: Tensor, p: number, size: Pair, options?: LpPoolOptions<Pair>): Tensor {
  return powers('lpPool2d', x, 2, p, size, options);
}

function powers<S>(
  op: string,
  x: Tensor,
  n: number,
  p: number,
  size: S,
  options: LpPoolOptions<S> | undefined,
): Tensor {
  checkOptions(op, options, ['stride', 'ceilMode']);
  if (checkNumber(op, 'p', p) === 0 || !Number.isFinite(p)) {
    throw new TensorError('value', op, `expected p to be a finite number other than 0, got ${p}`);
  }
  checkPlanes(op, x, n);
  const windows = windowsOf(op, n, size, options);
  const out = outputSizes(op, x, windows, windows.ceil);
  return composite(() => {
    const mean = averageOver(x.pow(p), windows, out, true, 0);
    // relu stops the gradient where the mean is 0.
    const sum = mean.sign().mul(mean.abs().relu()).mul(sizeOf(windows.size));
    return sum.pow(1 / p);
  });
}
