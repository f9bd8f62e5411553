// Conv1d, Conv2d, Conv3d: convolutions with weights of their own, and what they share with the transposed ones.
import { checkOptions, TensorError } from '../errors.js';
import { type ConvOptions, conv1d, conv2d, conv3d } from '../ops/conv/conv.js';
import { type PadMode, pad } from '../ops/shape/pad.js';
import type { Tensor } from '../tensor.js';
import {
  checkBoolean,
  checkChoice,
  checkSize,
  checkSizes,
  formatOptions,
  type Pair,
  type ParameterOptions,
  type Single,
  type Triple,
} from './check.js';
import { Module } from './module.js';
import { linearDefaults, type Parameter, parameter } from './parameter.js';

/** Options of {@link Conv1d}, {@link Conv2d} and {@link Conv3d}. */
export interface ConvModuleOptions<Sizes extends readonly number[]> extends ConvOptions<Sizes>, ParameterOptions {
  /** What padding consists of: zeros (unless given), or the input mirrored, its ends repeated, or its other end. */
  paddingMode?: 'zeros' | 'reflect' | 'replicate' | 'circular';
}

/** What all convolutions own and how they are printed. */
export abstract class Convolution<
  Sizes extends readonly number[],
  Options extends ConvOptions<Sizes> & ParameterOptions,
  Inputs extends unknown[] = [x: Tensor],
> extends Module<Inputs> {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    op: string,
    protected readonly ndim: number,
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number | Sizes,
    protected readonly options: Options | undefined,
    own: readonly string[],
    readonly transposed: boolean,
  ) {
    super();
    checkOptions(op, options, ['stride', 'padding', 'dilation', 'groups', 'bias', 'dtype', 'generator', ...own]);
    const { stride = 1, dilation = 1, groups = 1, bias = true, dtype, generator } = options ?? ({} as Options);
    checkSize(op, 'the number of input channels', inChannels);
    checkSize(op, 'the number of output channels', outChannels);
    if (inChannels % checkSize(op, 'groups', groups) !== 0 || outChannels % groups !== 0) {
      throw new TensorError(
        'value',
        op,
        `expected groups that divide ${inChannels} and ${outChannels} channels, got ${groups}`,
      );
    }
    checkSizes(op, 'stride', stride, ndim);
    checkSizes(op, 'dilation', dilation, ndim);
    const window = checkSizes(op, 'the kernel size', kernelSize, ndim);
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = parameter([...channels, ...window], dtype);
    this.bias = checkBoolean(op, 'bias', bias) ? parameter([outChannels], dtype) : null;
    linearDefaults(this.weight, this.bias, generator);
  }

  /** Step of the window along each dimension. */
  get stride(): readonly number[] {
    return this.each(this.options?.stride ?? 1);
  }

  /** What is added on both sides of each dimension, or 'same', or 'valid'. */
  get padding(): readonly number[] | 'same' | 'valid' {
    const padding = this.options?.padding ?? 0;
    return typeof padding === 'string' ? padding : this.each(padding);
  }

  /** Step between the taps of the window along each dimension. */
  get dilation(): readonly number[] {
    return this.each(this.options?.dilation ?? 1);
  }

  /** Into how many parts the channels fall that have nothing to do with each other. */
  get groups(): number {
    return this.options?.groups ?? 1;
  }

  /** One number for each dimension. */
  protected each(value: number | readonly number[]): readonly number[] {
    return typeof value === 'number' ? new Array<number>(this.ndim).fill(value) : value;
  }

  protected override summary(): string {
    const { inChannels, outChannels, kernelSize, options } = this;
    const size = typeof kernelSize === 'number' ? kernelSize : `[${kernelSize.join(', ')}]`;
    const shown = formatOptions({ ...options, bias: this.bias === null ? false : undefined });
    return [inChannels, outChannels, size, shown].filter((part) => part !== '').join(', ');
  }
}

type Operation<Sizes extends readonly number[]> = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvOptions<Sizes>,
) => Tensor;

/** A convolution that pads in any mode. */
abstract class Padded<Sizes extends readonly number[]> extends Convolution<Sizes, ConvModuleOptions<Sizes>> {
  private readonly geometry: ConvOptions<Sizes>;
  /** What `pad` adds before the operation: pairs [before, after], the last dimension first; null for zeros. */
  private readonly borders: readonly number[] | null;

  constructor(
    private readonly operation: Operation<Sizes>,
    op: string,
    ndim: number,
    inChannels: number,
    outChannels: number,
    kernelSize: number | Sizes,
    options: ConvModuleOptions<Sizes> | undefined,
  ) {
    super(op, ndim, inChannels, outChannels, kernelSize, options, ['paddingMode'], false);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, paddingMode = 'zeros' } = options ?? {};
    checkChoice(op, 'paddingMode', paddingMode, ['zeros', 'reflect', 'replicate', 'circular']);
    if (typeof padding === 'string') checkChoice(op, 'padding', padding, ['same', 'valid']);
    if (padding === 'same' && checkSizes(op, 'stride', stride, ndim).some((step) => step !== 1)) {
      throw new TensorError('value', op, "expected stride 1 with padding 'same'");
    }
    const each = typeof padding === 'string' ? [] : checkSizes(op, 'padding', padding, ndim, 0);
    const zeros = paddingMode === 'zeros';
    this.geometry = { stride, padding: zeros ? padding : 0, dilation, groups };
    const reach = checkSizes(op, 'dilation', dilation, ndim).map((n, i) => n * (this.weight.shape[2 + i] - 1));
    const pairs = reach.map((n, i) => {
      if (padding === 'same') return [Math.floor(n / 2), Math.ceil(n / 2)];
      return padding === 'valid' ? [0, 0] : [each[i], each[i]];
    });
    this.borders = zeros ? null : pairs.reverse().flat();
  }

  /** What padding consists of. */
  get paddingMode(): NonNullable<ConvModuleOptions<Sizes>['paddingMode']> {
    return this.options?.paddingMode ?? 'zeros';
  }

  forward(x: Tensor): Tensor {
    const { operation, weight, bias, geometry, borders } = this;
    if (borders === null) return operation(x, weight, bias, geometry);
    const padded = pad(x, borders, { mode: this.paddingMode as PadMode });
    const y = operation(padded, weight, bias, geometry);
    if (!y.requiresGrad) padded.dispose();
    return y;
  }
}

/**
 * 1-d convolution: `x [N,C,L]`, weight `[O,C/groups,k]`, bias `[O]` to `y [N,O,L']`,
 * `L' = floor((L + 2 padding - dilation (k - 1) - 1) / stride) + 1` (PyTorch: `nn.Conv1d`).
 *
 * @param options `stride` 1, `padding` 0 (or 'same', 'valid'), `paddingMode` 'zeros', `dilation` 1, `groups` 1, `bias` true unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, or groups that do not divide the channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Conv1d(16, 33, 3, { stride: 2 }).forward(ones([20, 16, 50])).shape); // [20, 33, 24]
 * ```
 */
export class Conv1d extends Padded<readonly [number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Single,
    options?: ConvModuleOptions<readonly [number]>,
  ) {
    super(conv1d, 'Conv1d', 1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * 2-d convolution: `x [N,C,H,W]`, weight `[O,C/groups,kh,kw]`, bias `[O]` to `y [N,O,H',W']`,
 * `H' = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1` (PyTorch: `nn.Conv2d`).
 *
 * @param kernelSize one number or [height, width]
 * @param options `stride` 1, `padding` 0 (or 'same', 'valid'), `paddingMode` 'zeros', `dilation` 1, `groups` 1, `bias` true unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, or groups that do not divide the channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Conv2d(1, 20, 5, { padding: 2 }).forward(ones([2, 1, 28, 28])).shape); // [2, 20, 28, 28]
 * ```
 */
export class Conv2d extends Padded<readonly [number, number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options?: ConvModuleOptions<readonly [number, number]>,
  ) {
    super(conv2d, 'Conv2d', 2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * 3-d convolution: `x [N,C,D,H,W]`, weight `[O,C/groups,kd,kh,kw]`, bias `[O]` to `y [N,O,D',H',W']`,
 * `D' = floor((D + 2 padding - dilation (kd - 1) - 1) / stride) + 1` (PyTorch: `nn.Conv3d`).
 *
 * @param kernelSize one number or [depth, height, width]
 * @param options `stride` 1, `padding` 0 (or 'same', 'valid'), `paddingMode` 'zeros', `dilation` 1, `groups` 1, `bias` true unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, or groups that do not divide the channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Conv3d(3, 8, 3, { padding: 'same' }).forward(ones([2, 3, 4, 8, 8])).shape); // [2, 8, 4, 8, 8]
 * ```
 */
export class Conv3d extends Padded<readonly [number, number, number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Triple,
    options?: ConvModuleOptions<readonly [number, number, number]>,
  ) {
    super(conv3d, 'Conv3d', 3, inChannels, outChannels, kernelSize, options);
  }
}
