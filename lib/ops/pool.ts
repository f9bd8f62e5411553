// 2-d pooling, NCHW.
import { checkFloat, checkNdim, checkTensor, dense, dropCopy, hidden, make, offsetOf } from '../core/dispatch.js';
import { DTYPES } from '../core/dtype.js';
import { isGradEnabled } from '../core/mode.js';
import { checkBoolean, checkInteger, checkPair, formatShape } from '../core/shape.js';
import { record } from '../core/tape.js';
import { checkOptions, TensorError } from '../errors.js';
import { native } from '../native.js';
import type { Tensor } from '../tensor.js';
import { gather } from './index.js';

type Pair = number | readonly [number, number];

/** Options of {@link maxPool2d}; pairs are [height, width]. */
export interface MaxPool2dOptions {
  /** Step of the window; its size unless given. */
  stride?: Pair;
  /** Border of -Infinity on each side, at most half the window; 0 unless given. */
  padding?: Pair;
  /** Distance between the taps of the window; 1 unless given. */
  dilation?: Pair;
  /** Keep a window that begins inside and ends outside the padded input. */
  ceilMode?: boolean;
}

/** Options of {@link avgPool2d}; pairs are [height, width]. */
export interface AvgPool2dOptions {
  /** Step of the window; its size unless given. */
  stride?: Pair;
  /** Zeros on each side, at most half the window; 0 unless given. */
  padding?: Pair;
  /** Keep a window that begins inside and ends outside the padded input. */
  ceilMode?: boolean;
  /** Count padding in the mean; true unless given. */
  countIncludePad?: boolean;
  /** Divide by this number instead of the window's size. */
  divisorOverride?: number;
}

interface Window {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly includePad: boolean;
  readonly divisor: number;
}

const G = native.geometry;

function outputSize(op: string, x: Tensor, win: Window, ceil: boolean): [number, number] {
  const size = [0, 1].map((i) => {
    const n = x.shape[2 + i];
    if (win.padding[i] > win.size[i] / 2) {
      throw new TensorError(
        'value',
        op,
        `expected padding of at most half the window, got padding ${formatShape(win.padding)} for window ${formatShape(win.size)}`,
      );
    }
    const span = win.dilation[i] * (win.size[i] - 1) + 1;
    const free = n + 2 * win.padding[i] - span;
    const stride = win.stride[i];
    let out = (ceil ? Math.ceil(free / stride) : Math.floor(free / stride)) + 1;
    // A last window may not begin in the padding behind the input.
    if (ceil && (out - 1) * stride >= n + win.padding[i]) out--;
    if (out < 1) {
      throw new TensorError(
        'shape',
        op,
        `expected a window no larger than the padded input, got window ${formatShape(win.size)} for input ${formatShape(x.shape)}`,
      );
    }
    return out;
  });
  return [size[0], size[1]];
}

function geometry(
  x: readonly number[],
  y: readonly number[],
  dtype: Tensor['dtype'],
  win: Window,
  wide: boolean,
): void {
  G[0] = DTYPES[dtype].code;
  G[1] = x[0] * x[1];
  G[2] = x[2];
  G[3] = x[3];
  G[4] = y[2];
  G[5] = y[3];
  for (let i = 0; i < 2; i++) {
    G[6 + i] = win.size[i];
    G[8 + i] = win.stride[i];
    G[10 + i] = win.padding[i];
    G[12 + i] = win.dilation[i];
  }
  G[14] = win.includePad ? 1 : 0;
  G[15] = win.divisor;
  G[16] = wide ? 1 : 0;
}

/**
 * Largest value of each window: `[N,C,H,W] -> [N,C,H',W']`; the gradient goes to the first largest (PyTorch: `F.max_pool2d`).
 *
 * @param size of the window, one number or [height, width]
 * @throws TensorError `shape` where the window does not fit, `value` for padding above half of it
 *
 * @example
 * ```ts
 * import { maxPool2d, tensor } from 'chainrule';
 * console.log(maxPool2d(tensor([[[[1, 2], [3, 4]]]]), 2).item()); // 4
 * ```
 */
export function maxPool2d(x: Tensor, size: Pair, options?: MaxPool2dOptions): Tensor {
  const op = 'maxPool2d';
  checkOptions(op, options, ['stride', 'padding', 'dilation', 'ceilMode']);
  if (checkTensor(op, x).ndim === 3) return maxPool2d(x.unsqueeze(0), size, options).squeeze(0);
  checkFloat(op, checkNdim(op, x, 4, '[N, C, H, W]'));
  const window = checkPair(op, 'the window size', size, 1);
  const win: Window = {
    size: window,
    stride: checkPair(op, 'stride', options?.stride ?? window, 1),
    padding: checkPair(op, 'padding', options?.padding ?? 0, 0),
    dilation: checkPair(op, 'dilation', options?.dilation ?? 1, 1),
    includePad: false,
    divisor: 0,
  };
  const [n, c] = x.shape;
  const y = make(
    op,
    [n, c, ...outputSize(op, x, win, checkBoolean(op, 'ceilMode', options?.ceilMode ?? false))],
    x.dtype,
  );
  const wide = window[0] * window[1] > 255;
  // Where each maximum stands inside its window: one byte instead of four keeps the backward pass in cache.
  const places = hidden(make(op, y.shape, wide ? 'int32' : 'uint8'));
  const input = dense(op, x);
  if (y.size > 0) {
    geometry(x.shape, y.shape, x.dtype, win, wide);
    G[17] = offsetOf(y);
    G[18] = offsetOf(input);
    G[19] = offsetOf(places);
    native.maxPool2d(y.storage.bytes, input.storage.bytes, places.storage.bytes);
  }
  dropCopy(input, x);
  const { shape } = x;
  return record(op, y, [x], [places], (g, [at]) => maxBackward(g, at, shape, win));
}

function maxBackward(g: Tensor, places: Tensor, shape: readonly number[], win: Window): Tensor {
  const op = 'maxPool2d backward';
  const dx = make(op, shape, g.dtype);
  const dy = dense(op, g);
  if (dx.size > 0) {
    geometry(shape, dy.shape, g.dtype, win, places.dtype === 'int32');
    G[17] = offsetOf(dx);
    G[18] = offsetOf(dy);
    G[19] = offsetOf(places);
    native.maxPool2dBackward(dx.storage.bytes, dy.storage.bytes, places.storage.bytes);
  }
  if (!isGradEnabled()) return dx;
  // The places die with the first backward pass; a second one picks by positions in the plane.
  const index = positions(places, shape, win);
  return record(op, dx, [g], [index], (gg, [at]) => {
    const [n, c, oh, ow] = at.shape;
    return gather(gg.reshape([n * c, shape[2] * shape[3]]), 1, at.reshape([n * c, oh * ow])).reshape([n, c, oh, ow]);
  });
}

/** Positions of the maxima in their planes, int32, from their places in the windows. */
function positions(places: Tensor, shape: readonly number[], win: Window): Tensor {
  const index = make('maxPool2d', places.shape, 'int32');
  const [oh, ow] = places.shape.slice(2);
  const from = places.typed();
  const to = index.typed();
  for (let i = 0; i < to.length; i++) {
    const [row, column] = [Math.floor(i / ow) % oh, i % ow];
    const [dy, dx] = [Math.floor(from[i] / win.size[1]), from[i] % win.size[1]];
    const y = row * win.stride[0] - win.padding[0] + dy * win.dilation[0];
    to[i] = y * shape[3] + column * win.stride[1] - win.padding[1] + dx * win.dilation[1];
  }
  return index;
}

/**
 * Mean of each window: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `F.avg_pool2d`).
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
  const op = 'avgPool2d';
  checkOptions(op, options, ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride']);
  if (checkTensor(op, x).ndim === 3) return avgPool2d(x.unsqueeze(0), size, options).squeeze(0);
  checkFloat(op, checkNdim(op, x, 4, '[N, C, H, W]'));
  const window = checkPair(op, 'the window size', size, 1);
  const divisor = options?.divisorOverride;
  const win: Window = {
    size: window,
    stride: checkPair(op, 'stride', options?.stride ?? window, 1),
    padding: checkPair(op, 'padding', options?.padding ?? 0, 0),
    dilation: [1, 1],
    includePad: checkBoolean(op, 'countIncludePad', options?.countIncludePad ?? true),
    divisor: divisor === undefined ? 0 : checkInteger(op, 'divisorOverride', divisor, 1),
  };
  const [n, c] = x.shape;
  const [oh, ow] = outputSize(op, x, win, checkBoolean(op, 'ceilMode', options?.ceilMode ?? false));
  return avgForward(x, [n, c, oh, ow], win);
}

function avgForward(x: Tensor, shape: readonly number[], win: Window): Tensor {
  const op = 'avgPool2d';
  const y = make(op, shape, x.dtype);
  const input = dense(op, x);
  if (y.size > 0) {
    geometry(x.shape, shape, x.dtype, win, false);
    G[17] = offsetOf(y);
    G[18] = offsetOf(input);
    native.avgPool2d(y.storage.bytes, input.storage.bytes);
  }
  dropCopy(input, x);
  const before = x.shape;
  return record(op, y, [x], [], (g) => avgBackward(g, before, win));
}

function avgBackward(g: Tensor, shape: readonly number[], win: Window): Tensor {
  const op = 'avgPool2d backward';
  const dx = make(op, shape, g.dtype);
  const dy = dense(op, g);
  if (dx.size > 0) {
    geometry(shape, dy.shape, g.dtype, win, false);
    G[17] = offsetOf(dx);
    G[18] = offsetOf(dy);
    native.avgPool2dBackward(dx.storage.bytes, dy.storage.bytes);
  }
  return record(op, dx, [g], [], (gg) => avgForward(gg, dy.shape, win));
}
