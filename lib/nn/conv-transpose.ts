// ConvTranspose1d, ConvTranspose2d, ConvTranspose3d: transposed convolutions with weights of their own.
import { describe, TensorError } from '../errors.js';
import { type ConvTransposeOptions, convTranspose1d, convTranspose2d, convTranspose3d } from '../ops/conv/transpose.js';
import type { Tensor } from '../tensor.js';
import { checkChoice, checkSizes, type Pair, type ParameterOptions, type Single, type Triple } from './check.js';
import { Convolution } from './conv.js';

/** Options of {@link ConvTranspose1d}, {@link ConvTranspose2d} and {@link ConvTranspose3d}. */
export interface ConvTransposeModuleOptions<Sizes extends readonly number[]>
  extends ConvTransposeOptions<Sizes>,
    ParameterOptions {
  /** Nothing is padded but with zeros. */
  paddingMode?: 'zeros';
}

type Operation<Sizes extends readonly number[]> = (
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvTransposeOptions<Sizes>,
) => Tensor;

/** A transposed convolution whose call may ask for an output size. */
abstract class Transposed<Sizes extends readonly number[]> extends Convolution<
  Sizes,
  ConvTransposeModuleOptions<Sizes>,
  [x: Tensor, outputSize?: readonly number[]]
> {
  private readonly geometry: ConvTransposeOptions<Sizes>;

  constructor(
    private readonly operation: Operation<Sizes>,
    private readonly name: string,
    ndim: number,
    inChannels: number,
    outChannels: number,
    kernelSize: number | Sizes,
    options: ConvTransposeModuleOptions<Sizes> | undefined,
  ) {
    super(name, ndim, inChannels, outChannels, kernelSize, options, ['outputPadding', 'paddingMode'], true);
    const {
      stride = 1,
      padding = 0,
      outputPadding = 0,
      groups = 1,
      dilation = 1,
      paddingMode = 'zeros',
    } = options ?? {};
    checkChoice(name, 'paddingMode', paddingMode, ['zeros']);
    checkSizes(name, 'padding', padding, ndim, 0);
    checkSizes(name, 'outputPadding', outputPadding, ndim, 0);
    this.geometry = { stride, padding, outputPadding, groups, dilation };
  }

  /** What is added at the end of each dimension of the output. */
  get outputPadding(): readonly number[] {
    return this.each(this.options?.outputPadding ?? 0);
  }

  forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    const { operation, weight, bias, geometry } = this;
    if (outputSize === undefined) return operation(x, weight, bias, geometry);
    const outputPadding = this.paddingFor(x, outputSize);
    return operation(x, weight, bias, { ...geometry, outputPadding });
  }

  /** The output padding that makes the result as large as asked: its spatial sizes, or all of its sizes. */
  private paddingFor(x: Tensor, outputSize: readonly number[]): Sizes {
    const { name, geometry } = this;
    const taps = this.weight.shape.slice(2);
    const ndim = taps.length;
    if (!Array.isArray(outputSize) || (outputSize.length !== ndim && outputSize.length !== x.ndim)) {
      throw new TensorError(
        'value',
        name,
        `expected an output size of ${ndim} or ${x.ndim} numbers, got ${describe(outputSize)}`,
      );
    }
    const wanted: readonly number[] = outputSize.slice(-ndim);
    const { stride, dilation } = this;
    const border = this.each(geometry.padding ?? 0);
    const least = taps.map(
      (k, i) => (x.shape[x.ndim - ndim + i] - 1) * stride[i] - 2 * border[i] + dilation[i] * (k - 1) + 1,
    );
    const most = least.map((n, i) => n + stride[i] - 1);
    if (!wanted.every((n, i) => Number.isInteger(n) && n >= least[i] && n <= most[i])) {
      throw new TensorError(
        'value',
        name,
        `expected an output size between [${least.join(', ')}] and [${most.join(', ')}] for the input [${x.shape.join(', ')}], got ${describe(outputSize)}`,
      );
    }
    const padding: readonly number[] = wanted.map((n, i) => n - least[i]);
    return padding as Sizes;
  }
}

/**
 * 1-d transposed convolution: `x [N,C,L]`, weight `[C,O/groups,k]`, bias `[O]` to `y [N,O,L']`,
 * `L' = (L - 1) stride - 2 padding + dilation (k - 1) + outputPadding + 1` (PyTorch: `nn.ConvTranspose1d`).
 *
 * `forward(x, outputSize)` chooses the output padding that makes the result as large as asked.
 *
 * @param options `stride` 1, `padding` 0, `outputPadding` 0, `groups` 1, `dilation` 1, `bias` true unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, or groups that do not divide the channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ConvTranspose1d(8, 4, 4, { stride: 2, padding: 1 }).forward(ones([2, 8, 50])).shape); // [2, 4, 100]
 * ```
 */
export class ConvTranspose1d extends Transposed<readonly [number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Single,
    options?: ConvTransposeModuleOptions<readonly [number]>,
  ) {
    super(convTranspose1d, 'ConvTranspose1d', 1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * 2-d transposed convolution: `x [N,C,H,W]`, weight `[C,O/groups,kh,kw]`, bias `[O]` to `y [N,O,H',W']`,
 * `H' = (H - 1) stride - 2 padding + dilation (kh - 1) + outputPadding + 1` (PyTorch: `nn.ConvTranspose2d`).
 *
 * `forward(x, outputSize)` chooses the output padding that makes the result as large as asked.
 *
 * @param kernelSize one number or [height, width]
 * @param options `stride` 1, `padding` 0, `outputPadding` 0, `groups` 1, `dilation` 1, `bias` true unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, or groups that do not divide the channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const up = new nn.ConvTranspose2d(16, 8, 3, { stride: 2, padding: 1 });
 * console.log(up.forward(ones([1, 16, 6, 6]), [12, 12]).shape); // [1, 8, 12, 12]
 * ```
 */
export class ConvTranspose2d extends Transposed<readonly [number, number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options?: ConvTransposeModuleOptions<readonly [number, number]>,
  ) {
    super(convTranspose2d, 'ConvTranspose2d', 2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * 3-d transposed convolution: `x [N,C,D,H,W]`, weight `[C,O/groups,kd,kh,kw]`, bias `[O]` to `y [N,O,D',H',W']`,
 * `D' = (D - 1) stride - 2 padding + dilation (kd - 1) + outputPadding + 1` (PyTorch: `nn.ConvTranspose3d`).
 *
 * `forward(x, outputSize)` chooses the output padding that makes the result as large as asked.
 *
 * @param kernelSize one number or [depth, height, width]
 * @param options `stride` 1, `padding` 0, `outputPadding` 0, `groups` 1, `dilation` 1, `bias` true unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, or groups that do not divide the channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ConvTranspose3d(4, 2, 2, { stride: 2 }).forward(ones([1, 4, 2, 3, 3])).shape); // [1, 2, 4, 6, 6]
 * ```
 */
export class ConvTranspose3d extends Transposed<readonly [number, number, number]> {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Triple,
    options?: ConvTransposeModuleOptions<readonly [number, number, number]>,
  ) {
    super(convTranspose3d, 'ConvTranspose3d', 3, inChannels, outChannels, kernelSize, options);
  }
}
