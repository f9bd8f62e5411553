// Fractional maximum pooling: windows at places drawn by chance, for sizes that shrink by no whole number.

import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { arange } from '../create.js';
import { type RandomOptions, rand } from '../create-random.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import type { Extremes } from '../ops/reduce/reduce.js';
import { cat } from '../ops/shape/join.js';
import { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSizes, formatOptions, type Pair, type Triple } from './check.js';
import { Module } from './module.js';
import type { Pooled } from './pool.js';

/** Options of fractional pooling: one of `outputSize` and `outputRatio` is needed. */
export interface FractionalPoolOptions<S> {
  /** How many windows there are along each dimension. */
  outputSize?: S;
  /** Windows along each dimension as a share of the input's size, between 0 and 1. */
  outputRatio?: S;
  /** Return the places of the maxima too: their position in the plane (or volume) of the input, int32. */
  returnIndices?: boolean;
  /** Where the windows stand in each plane, from 0 to below 1, instead of drawn numbers: [N, C, 2] for columns and rows, [N, C, 3] for depth, rows and columns. */
  randomSamples?: Tensor;
  /** Where the numbers are drawn; the default generator unless given. */
  generator?: RandomOptions['generator'];
}

const KNOWN = ['outputSize', 'outputRatio', 'returnIndices', 'randomSamples', 'generator'];
const LAYOUTS = { 2: '[N, C, H, W]', 3: '[N, C, D, H, W]' } as const;
type Dimensions = keyof typeof LAYOUTS;

/** What can be checked before there is an input. */
function checkGiven<S>(op: string, n: Dimensions, kernelSize: S, options: FractionalPoolOptions<S>): readonly number[] {
  checkOptions(op, options, KNOWN);
  const { outputSize, outputRatio, returnIndices = false } = options ?? {};
  if ((outputSize === undefined) === (outputRatio === undefined)) {
    const got = outputSize === undefined ? 'neither' : 'both';
    throw new TensorError('value', op, `expected one of outputSize and outputRatio, got ${got}`);
  }
  if (outputSize !== undefined) checkSizes(op, 'outputSize', outputSize, n);
  const ratios = outputRatio === undefined ? [] : [outputRatio].flat();
  if (Array.isArray(outputRatio) && ratios.length !== n) {
    throw new TensorError(
      'value',
      op,
      `expected outputRatio to be a number or ${n} of them, got ${describe(outputRatio)}`,
    );
  }
  for (const ratio of ratios) {
    const share = checkNumber(op, 'outputRatio', ratio, 0, 1);
    if (share === 0 || share === 1) {
      throw new TensorError('value', op, `expected outputRatio between 0 and 1, got ${share}`);
    }
  }
  checkBoolean(op, 'returnIndices', returnIndices);
  return checkSizes(op, 'the window size', kernelSize, n);
}

/** Windows along each dimension of inputs of these sizes. */
function outputOf<S>(
  op: string,
  from: readonly number[],
  size: readonly number[],
  options: FractionalPoolOptions<S>,
): number[] {
  const { outputSize, outputRatio } = options;
  const ratios = [outputRatio].flat() as number[];
  const to =
    outputSize !== undefined
      ? [...checkSizes(op, 'outputSize', outputSize, from.length)]
      : from.map((k, i) => Math.floor(k * (ratios[i] ?? ratios[0])));
  for (const [i, k] of from.entries()) {
    if (to[i] >= 1 && to[i] + size[i] - 1 <= k) continue;
    const got = `windows of [${size.join(', ')}] and an output of [${to.join(', ')}] for [${from.join(', ')}]`;
    throw new TensorError('shape', op, `expected at least one and at most size - window + 1 windows, got ${got}`);
  }
  return to;
}

/** First places of the windows along one dimension: `floor((i + s) a) - floor(s a)`, the last at the end; s [N, C, 1] -> [N, C, to]. */
function startsOf(s: Tensor, from: number, to: number, size: number): Tensor {
  const last = s.mul(0).add(from - size);
  if (to === 1) return last.to('int32');
  const step = (from - size) / (to - 1);
  const steps = arange(to - 1, { dtype: s.dtype })
    .add(s)
    .mul(step)
    .floor();
  return cat([steps.sub(s.mul(step).floor()), last], 2).to('int32');
}

function fractional<S>(
  op: string,
  n: Dimensions,
  x: Tensor,
  kernelSize: S,
  options: FractionalPoolOptions<S>,
): Tensor | Extremes {
  const size = checkGiven(op, n, kernelSize, options);
  if (!(x instanceof Tensor) || (x.ndim !== n + 1 && x.ndim !== n + 2)) {
    throw new TensorError('shape', op, `expected the input of shape ${LAYOUTS[n]} or without N, got ${describe(x)}`);
  }
  const batched = x.ndim === n + 2 ? x : x.unsqueeze(0);
  const [batch, channels, ...from] = batched.shape;
  const to = outputOf(op, from, size, options);
  const { randomSamples, generator, returnIndices } = options;
  const wanted = [batch, channels, n];
  if (randomSamples !== undefined && randomSamples.shape?.join() !== wanted.join()) {
    throw new TensorError('shape', op, `expected randomSamples [${wanted.join(', ')}], got ${describe(randomSamples)}`);
  }
  const count = to.reduce((a, b) => a * b);
  const width = size.reduce((a, b) => a * b);
  // [N, C, to..., size...]: the position in its plane of everything that windows hold, then a window a row.
  const places = scope(() =>
    noGrad(() => {
      const samples =
        randomSamples ?? rand(wanted, { dtype: x.dtype === 'float64' ? 'float64' : 'float32', generator });
      let all: Tensor | null = null;
      for (const [i, k] of from.entries()) {
        // PyTorch's order: of two numbers the first is for columns, of three for depth.
        const s = samples.narrow(2, n === 2 ? 1 - i : i, 1);
        const along = startsOf(s, k, to[i], size[i])
          .unsqueeze(3)
          .add(arange(size[i], { dtype: 'int32' }));
        const shape = [
          batch,
          channels,
          ...to.map((t, j) => (j === i ? t : 1)),
          ...size.map((t, j) => (j === i ? t : 1)),
        ];
        const own: Tensor = along.reshape(shape).mul(from.slice(i + 1).reduce((a, b) => a * b, 1));
        all = all === null ? own : all.add(own);
      }
      return (all as Tensor).reshape([batch, channels, count * width]);
    }),
  );
  const shape = [...x.shape.slice(0, -n), ...to];
  const windows = batched.flatten(2).gather(2, places).reshape([batch, channels, count, width]);
  const { values, indices } = windows.max(3);
  if (!returnIndices) return values.reshape(shape);
  const rows = places.reshape([batch, channels, count, width]);
  return { values: values.reshape(shape), indices: rows.gather(3, indices.unsqueeze(3)).reshape(shape) };
}

/**
 * Largest values of windows at places drawn for every plane, which overlap: `[N,C,H,W] -> [N,C,H',W']`. Window i of the rows starts at
 * `floor((i + s) a) - floor(s a)`, `a = (H - k) / (H' - 1)`, s drawn from 0 to 1, and the last at `H - k`. The batch may be left out
 * (Graham 2014, Fractional Max-Pooling; PyTorch: `F.fractional_max_pool2d`).
 *
 * @param kernelSize one number or [height, width]
 * @param options `outputSize` or `outputRatio`; with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `value` unless one of both is given, `shape` for an input with no room for so many windows
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(nn.functional.fractionalMaxPool2d(ones([1, 3, 9, 8]), 2, { outputRatio: 0.7 }).shape); // [1, 3, 6, 5]
 * ```
 */
export function fractionalMaxPool2d<const O extends FractionalPoolOptions<Pair>>(
  x: Tensor,
  kernelSize: Pair,
  options: O,
): Pooled<O> {
  return fractional('fractionalMaxPool2d', 2, x, kernelSize, options) as Pooled<O>;
}

/**
 * Largest values of windows at places drawn for every volume: `[N,C,D,H,W] -> [N,C,D',H',W']`, as {@link fractionalMaxPool2d} (PyTorch:
 * `F.fractional_max_pool3d`).
 *
 * @param kernelSize one number or [depth, height, width]
 * @param options `outputSize` or `outputRatio`; with `returnIndices` the result is `{ values, indices }`
 * @throws TensorError `value` unless one of both is given, `shape` for an input with no room for so many windows
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(nn.functional.fractionalMaxPool3d(ones([1, 2, 5, 5, 5]), 2, { outputSize: [2, 3, 4] }).shape); // [1, 2, 2, 3, 4]
 * ```
 */
export function fractionalMaxPool3d<const O extends FractionalPoolOptions<Triple>>(
  x: Tensor,
  kernelSize: Triple,
  options: O,
): Pooled<O> {
  return fractional('fractionalMaxPool3d', 3, x, kernelSize, options) as Pooled<O>;
}

abstract class Fractional<S, O extends FractionalPoolOptions<S>> extends Module<[x: Tensor], Pooled<O>> {
  constructor(
    op: string,
    n: Dimensions,
    readonly kernelSize: S,
    readonly options: O,
  ) {
    super();
    checkGiven(op, n, kernelSize, options);
  }

  protected override summary(): string {
    const { randomSamples: _, ...shown } = this.options;
    return `${describe(this.kernelSize)}, ${formatOptions(shown)}`;
  }
}

/**
 * Largest values of windows at drawn places: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `nn.FractionalMaxPool2d`).
 *
 * @param kernelSize one number or [height, width]
 * @param options those of {@link fractionalMaxPool2d}; with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` unless one of `outputSize` and `outputRatio` is given
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.FractionalMaxPool2d(2, { outputSize: [5, 4] }).forward(ones([1, 3, 9, 8])).shape); // [1, 3, 5, 4]
 * ```
 */
export class FractionalMaxPool2d<
  const O extends FractionalPoolOptions<Pair> = FractionalPoolOptions<Pair>,
> extends Fractional<Pair, O> {
  constructor(kernelSize: Pair, options: O) {
    super('FractionalMaxPool2d', 2, kernelSize, options);
  }

  forward(x: Tensor): Pooled<O> {
    return fractionalMaxPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * Largest values of windows at drawn places: `[N,C,D,H,W] -> [N,C,D',H',W']` (PyTorch: `nn.FractionalMaxPool3d`).
 *
 * @param kernelSize one number or [depth, height, width]
 * @param options those of {@link fractionalMaxPool3d}; with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` unless one of `outputSize` and `outputRatio` is given
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.FractionalMaxPool3d(2, { outputRatio: 0.5 }).forward(ones([2, 3, 4, 6, 8])).shape); // [2, 3, 2, 3, 4]
 * ```
 */
export class FractionalMaxPool3d<
  const O extends FractionalPoolOptions<Triple> = FractionalPoolOptions<Triple>,
> extends Fractional<Triple, O> {
  constructor(kernelSize: Triple, options: O) {
    super('FractionalMaxPool3d', 3, kernelSize, options);
  }

  forward(x: Tensor): Pooled<O> {
    return fractionalMaxPool3d(x, this.kernelSize, this.options);
  }
}
