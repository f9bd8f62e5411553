// Windows of pooling over one, two or three dimensions: their checks, the sizes they give, and how kernels get them.
import { checkFloat, checkTensor } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { checkBoolean, checkInteger, formatShape, type Shape } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

/** One size. */
export type Single = number | readonly [number];
/** One number for both directions, or [height, width]. */
export type Pair = number | readonly [number, number];
/** One number for all directions, or [depth, height, width]. */
export type Triple = number | readonly [number, number, number];

/** Windows over the last dimensions of a tensor, one number for each of them. */
export interface Windows {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** Windows as kernels have them: over rows and columns of planes. */
export interface Window extends Windows {
  readonly includePad: boolean;
  readonly divisor: number;
}

/** What the options of all windows have in common. */
export interface WindowOptions<S> {
  readonly stride?: S;
  readonly padding?: S;
  readonly dilation?: S;
  readonly ceilMode?: boolean;
}

export const LAYOUTS = ['', '[N, C, L]', '[N, C, H, W]', '[N, C, D, H, W]'];

/** One number for each of `n` dimensions. */
export function checkSizes(op: string, name: string, value: unknown, n: number, low: number): number[] {
  const list = Array.isArray(value) ? value : Array<unknown>(n).fill(value);
  if (list.length === n) return list.map((size) => checkInteger(op, name, size, low));
  throw new TensorError('value', op, `expected ${name} to be a number or ${n} of them, got ${describe(value)}`);
}

/** The input of an operation over the last `n` dimensions, with channels and perhaps a batch before them. */
export function checkPlanes(op: string, x: Tensor, n: number): Tensor {
  checkFloat(op, checkTensor(op, x));
  if (x.ndim === n + 2 || x.ndim === n + 1) return x;
  throw new TensorError(
    'shape',
    op,
    `expected the input of shape ${LAYOUTS[n]} or without N, got ${formatShape(x.shape)}`,
  );
}

/** The windows that were asked for, checked. */
export function windowsOf<S>(
  op: string,
  n: number,
  size: S,
  options: WindowOptions<S> | undefined,
): Windows & { ceil: boolean } {
  const window = checkSizes(op, 'the window size', size, n, 1);
  const padding = checkSizes(op, 'padding', options?.padding ?? 0, n, 0);
  if (padding.some((pad, i) => pad > window[i] / 2)) {
    throw new TensorError(
      'value',
      op,
      `expected padding of at most half the window, got padding ${formatShape(padding)} for window ${formatShape(window)}`,
    );
  }
  return {
    size: window,
    stride: checkSizes(op, 'stride', options?.stride ?? window, n, 1),
    padding,
    dilation: checkSizes(op, 'dilation', options?.dilation ?? 1, n, 1),
    ceil: checkBoolean(op, 'ceilMode', options?.ceilMode ?? false),
  };
}

/** How many windows fit along each of the last dimensions of `x`. */
export function outputSizes(op: string, x: Tensor, { size, stride, padding, dilation }: Windows, ceil: boolean) {
  const lead = x.ndim - size.length;
  return size.map((k, i) => {
    const n = x.shape[lead + i];
    const free = n + 2 * padding[i] - dilation[i] * (k - 1) - 1;
    let out = (ceil ? Math.ceil(free / stride[i]) : Math.floor(free / stride[i])) + 1;
    // A last window may not begin in the padding behind the input.
    if (ceil && (out - 1) * stride[i] >= n + padding[i]) out--;
    if (out < 1 || n === 0) {
      throw new TensorError(
        'shape',
        op,
        `expected a window no larger than the padded input, got window ${formatShape(size)} for input ${formatShape(x.shape)}`,
      );
    }
    return out;
  });
}

/** Windows over some of the dimensions as a kernel's window over rows and columns: 1 wide where there is none. */
export function plane(windows: Windows, rows: number | null, columns: number | null, divisor = 0, includePad = false) {
  const pick = (list: readonly number[], otherwise: number) =>
    [rows, columns].map((i) => (i === null ? otherwise : list[i]));
  const window: Window = {
    size: pick(windows.size, 1),
    stride: pick(windows.stride, 1),
    padding: pick(windows.padding, 0),
    dilation: pick(windows.dilation, 1),
    includePad,
    divisor,
  };
  return window;
}

const G = native.geometry;

/** Fills the slots that all pooling bindings share (see lib/native.ts). */
export function writeWindow(
  planes: number,
  from: Shape,
  to: Shape,
  dtype: Tensor['dtype'],
  window: Window,
  wide: boolean,
): void {
  G[0] = DTYPES[dtype].code;
  G[1] = planes;
  for (let i = 0; i < 2; i++) {
    G[2 + i] = from[i];
    G[4 + i] = to[i];
    G[6 + i] = window.size[i];
    G[8 + i] = window.stride[i];
    G[10 + i] = window.padding[i];
    G[12 + i] = window.dilation[i];
  }
  G[14] = window.includePad ? 1 : 0;
  G[15] = window.divisor;
  G[16] = wide ? 1 : 0;
}
