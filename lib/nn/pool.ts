// Pooling: modules without parameters that make maps smaller, and back.
import { checkOptions } from '../errors.js';
import {
  type AvgPool1dOptions,
  type AvgPool2dOptions,
  type AvgPool3dOptions,
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
} from '../ops/pool/average.js';
import {
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  type MaxPool3dOptions,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from '../ops/pool/max.js';
import { type MaxUnpoolOptions, maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../ops/pool/unpool.js';
import type { Extremes } from '../ops/reduce/reduce.js';
import type { Tensor } from '../tensor.js';
import {
  checkBoolean,
  checkNumber,
  checkSize,
  checkSizes,
  formatOptions,
  type Pair,
  type Single,
  type Triple,
} from './check.js';
import { Module } from './module.js';

/** What maximum pooling returns: values and indices where its options ask for both. */
export type Pooled<O> = O extends { returnIndices: true } ? Extremes : Tensor;

type Options = MaxPoolOptions<unknown> & AvgPoolOptions<unknown> & { divisorOverride?: number };

/** A module of windows over `n` dimensions, whose options are checked as it is made. */
abstract class Windowed<S, O extends object, Inputs extends unknown[] = [x: Tensor], Output = Tensor> extends Module<
  Inputs,
  Output
> {
  constructor(
    op: string,
    n: number,
    readonly kernelSize: S,
    readonly options: O | undefined,
    known: readonly (keyof Options)[],
  ) {
    super();
    checkOptions(op, options, known);
    const given: Options = options ?? {};
    checkSizes(op, 'the kernel size', kernelSize, n);
    checkSizes(op, 'stride', given.stride ?? kernelSize, n);
    checkSizes(op, 'dilation', given.dilation ?? 1, n);
    checkSizes(op, 'padding', given.padding ?? 0, n, 0);
    checkBoolean(op, 'ceilMode', given.ceilMode ?? false);
    checkBoolean(op, 'countIncludePad', given.countIncludePad ?? true);
    checkBoolean(op, 'returnIndices', given.returnIndices ?? false);
    checkSize(op, 'divisorOverride', given.divisorOverride ?? 1);
  }

  /** Step of the window. */
  get stride(): S {
    return (this.options as { stride?: S } | undefined)?.stride ?? this.kernelSize;
  }

  protected override summary(): string {
    const { kernelSize, options } = this;
    return [formatSize(kernelSize), formatOptions(options)].filter((part) => part !== '').join(', ');
  }
}

const formatSize = (size: unknown) => (Array.isArray(size) ? `[${size.join(', ')}]` : `${size}`);

const MAX = ['stride', 'padding', 'dilation', 'ceilMode', 'returnIndices'] as const;
const AVERAGE = ['stride', 'padding', 'ceilMode', 'countIncludePad'] as const;

/**
 * Largest value of each window: `[N,C,L] -> [N,C,L']` (PyTorch: `nn.MaxPool1d`).
 *
 * @param kernelSize a number; also the stride unless given
 * @param options with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.MaxPool1d(2).forward(ones([1, 3, 8])).shape); // [1, 3, 4]
 * ```
 */
export class MaxPool1d<const O extends MaxPool1dOptions = MaxPool1dOptions> extends Windowed<
  Single,
  O,
  [x: Tensor],
  Pooled<O>
> {
  constructor(kernelSize: Single, options?: O) {
    super('MaxPool1d', 1, kernelSize, options, MAX);
  }

  forward(x: Tensor): Pooled<O> {
    return maxPool1d(x, this.kernelSize, this.options) as Pooled<O>;
  }
}

/**
 * Largest value of each window: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `nn.MaxPool2d`).
 *
 * @param kernelSize one number or [height, width]; also the stride unless given
 * @param options with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.MaxPool2d(2).forward(ones([1, 3, 8, 8])).shape); // [1, 3, 4, 4]
 * ```
 */
export class MaxPool2d<const O extends MaxPool2dOptions = MaxPool2dOptions> extends Windowed<
  Pair,
  O,
  [x: Tensor],
  Pooled<O>
> {
  constructor(kernelSize: Pair, options?: O) {
    super('MaxPool2d', 2, kernelSize, options, MAX);
  }

  forward(x: Tensor): Pooled<O> {
    return maxPool2d(x, this.kernelSize, this.options) as Pooled<O>;
  }
}

/**
 * Largest value of each window: `[N,C,D,H,W] -> [N,C,D',H',W']` (PyTorch: `nn.MaxPool3d`).
 *
 * @param kernelSize one number or [depth, height, width]; also the stride unless given
 * @param options with `returnIndices` forward returns `{ values, indices }`
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.MaxPool3d(2).forward(ones([1, 3, 8, 8, 8])).shape); // [1, 3, 4, 4, 4]
 * ```
 */
export class MaxPool3d<const O extends MaxPool3dOptions = MaxPool3dOptions> extends Windowed<
  Triple,
  O,
  [x: Tensor],
  Pooled<O>
> {
  constructor(kernelSize: Triple, options?: O) {
    super('MaxPool3d', 3, kernelSize, options, MAX);
  }

  forward(x: Tensor): Pooled<O> {
    return maxPool3d(x, this.kernelSize, this.options) as Pooled<O>;
  }
}

/**
 * Mean of each window: `[N,C,L] -> [N,C,L']` (PyTorch: `nn.AvgPool1d`).
 *
 * @param kernelSize a number; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AvgPool1d(2).forward(ones([1, 3, 8])).shape); // [1, 3, 4]
 * ```
 */
export class AvgPool1d extends Windowed<Single, AvgPool1dOptions> {
  constructor(kernelSize: Single, options?: AvgPool1dOptions) {
    super('AvgPool1d', 1, kernelSize, options, AVERAGE);
  }

  forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this.options);
  }
}

/**
 * Mean of each window: `[N,C,H,W] -> [N,C,H',W']` (PyTorch: `nn.AvgPool2d`).
 *
 * @param kernelSize one number or [height, width]; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AvgPool2d(2).forward(ones([1, 3, 8, 8])).shape); // [1, 3, 4, 4]
 * ```
 */
export class AvgPool2d extends Windowed<Pair, AvgPool2dOptions> {
  constructor(kernelSize: Pair, options?: AvgPool2dOptions) {
    super('AvgPool2d', 2, kernelSize, options, [...AVERAGE, 'divisorOverride']);
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }
}

/**
 * Mean of each window: `[N,C,D,H,W] -> [N,C,D',H',W']` (PyTorch: `nn.AvgPool3d`).
 *
 * @param kernelSize one number or [depth, height, width]; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AvgPool3d(2).forward(ones([1, 3, 8, 8, 8])).shape); // [1, 3, 4, 4, 4]
 * ```
 */
export class AvgPool3d extends Windowed<Triple, AvgPool3dOptions> {
  constructor(kernelSize: Triple, options?: AvgPool3dOptions) {
    super('AvgPool3d', 3, kernelSize, options, [...AVERAGE, 'divisorOverride']);
  }

  forward(x: Tensor): Tensor {
    return avgPool3d(x, this.kernelSize, this.options);
  }
}

/**
 * Norm of each window: `[N,C,L] -> [N,C,L']`, `y = (sum x^p)^(1/p)` (PyTorch: `nn.LPPool1d`).
 *
 * @param p the exponent, a finite number other than 0
 * @param kernelSize a number; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.LPPool1d(2, 2).forward(ones([1, 3, 8])).shape); // [1, 3, 4]
 * ```
 */
export class LPPool1d extends Windowed<Single, LpPoolOptions<Single>> {
  constructor(
    readonly p: number,
    kernelSize: Single,
    options?: LpPoolOptions<Single>,
  ) {
    super('LPPool1d', 1, kernelSize, options, ['stride', 'ceilMode']);
    checkNumber('LPPool1d', 'p', p);
  }

  forward(x: Tensor): Tensor {
    return lpPool1d(x, this.p, this.kernelSize, this.options);
  }
}

/**
 * Norm of each window: `[N,C,H,W] -> [N,C,H',W']`, `y = (sum x^p)^(1/p)` (PyTorch: `nn.LPPool2d`).
 *
 * @param p the exponent, a finite number other than 0
 * @param kernelSize one number or [height, width]; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.LPPool2d(2, 2).forward(ones([1, 3, 8, 8])).shape); // [1, 3, 4, 4]
 * ```
 */
export class LPPool2d extends Windowed<Pair, LpPoolOptions<Pair>> {
  constructor(
    readonly p: number,
    kernelSize: Pair,
    options?: LpPoolOptions<Pair>,
  ) {
    super('LPPool2d', 2, kernelSize, options, ['stride', 'ceilMode']);
    checkNumber('LPPool2d', 'p', p);
  }

  forward(x: Tensor): Tensor {
    return lpPool2d(x, this.p, this.kernelSize, this.options);
  }
}

/**
 * Puts the values of {@link MaxPool1d} back to where they stood, zeros elsewhere (PyTorch: `nn.MaxUnpool1d`).
 *
 * @param kernelSize a number; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const { values, indices } = new nn.MaxPool1d(2, { returnIndices: true }).forward(ones([1, 3, 8]));
 * console.log(new nn.MaxUnpool1d(2).forward(values, indices).shape); // [1, 3, 8]
 * ```
 */
export class MaxUnpool1d extends Windowed<
  Single,
  Omit<MaxUnpoolOptions<Single>, 'outputSize'>,
  [x: Tensor, indices: Tensor, outputSize?: readonly number[]]
> {
  constructor(kernelSize: Single, options?: Omit<MaxUnpoolOptions<Single>, 'outputSize'>) {
    super('MaxUnpool1d', 1, kernelSize, options, ['stride', 'padding']);
  }

  forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool1d(x, indices, this.kernelSize, { ...this.options, outputSize });
  }
}

/**
 * Puts the values of {@link MaxPool2d} back to where they stood, zeros elsewhere (PyTorch: `nn.MaxUnpool2d`).
 *
 * @param kernelSize one number or [height, width]; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const { values, indices } = new nn.MaxPool2d(2, { returnIndices: true }).forward(ones([1, 3, 8, 8]));
 * console.log(new nn.MaxUnpool2d(2).forward(values, indices).shape); // [1, 3, 8, 8]
 * ```
 */
export class MaxUnpool2d extends Windowed<
  Pair,
  Omit<MaxUnpoolOptions<Pair>, 'outputSize'>,
  [x: Tensor, indices: Tensor, outputSize?: readonly number[]]
> {
  constructor(kernelSize: Pair, options?: Omit<MaxUnpoolOptions<Pair>, 'outputSize'>) {
    super('MaxUnpool2d', 2, kernelSize, options, ['stride', 'padding']);
  }

  forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool2d(x, indices, this.kernelSize, { ...this.options, outputSize });
  }
}

/**
 * Puts the values of {@link MaxPool3d} back to where they stood, zeros elsewhere (PyTorch: `nn.MaxUnpool3d`).
 *
 * @param kernelSize one number or [depth, height, width]; also the stride unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const { values, indices } = new nn.MaxPool3d(2, { returnIndices: true }).forward(ones([1, 3, 8, 8, 8]));
 * console.log(new nn.MaxUnpool3d(2).forward(values, indices).shape); // [1, 3, 8, 8, 8]
 * ```
 */
export class MaxUnpool3d extends Windowed<
  Triple,
  Omit<MaxUnpoolOptions<Triple>, 'outputSize'>,
  [x: Tensor, indices: Tensor, outputSize?: readonly number[]]
> {
  constructor(kernelSize: Triple, options?: Omit<MaxUnpoolOptions<Triple>, 'outputSize'>) {
    super('MaxUnpool3d', 3, kernelSize, options, ['stride', 'padding']);
  }

  forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return maxUnpool3d(x, indices, this.kernelSize, { ...this.options, outputSize });
  }
}
