// Conv2d: 2-d convolution with weights of its own.
import { checkOptions, TensorError } from '../errors.js';
import { type Conv2dOptions, conv2d } from '../ops/conv.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkPair, checkSize, formatOptions, type Pair, type ParameterOptions } from './check.js';
import { Module } from './module.js';
import { linearDefaults, type Parameter, parameter } from './parameter.js';

/**
 * 2-d convolution: `x [N,C,H,W]`, weight `[O,C/groups,kh,kw]`, bias `[O]` to `y [N,O,H',W']`,
 * `H' = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1` (PyTorch: `nn.Conv2d`).
 *
 * @param kernelSize one number or [height, width]
 * @param options `stride` 1, `padding` 0 (or 'same', 'valid'), `dilation` 1, `groups` 1, `bias` true unless given
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, or groups that do not divide the channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Conv2d(1, 20, 5, { padding: 2 }).forward(ones([2, 1, 28, 28])).shape); // [2, 20, 28, 28]
 * ```
 */
export class Conv2d extends Module {
  weight: Parameter;
  bias: Parameter | null;
  private readonly geometry: Conv2dOptions;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: Pair,
    private readonly options?: Conv2dOptions & ParameterOptions,
  ) {
    super();
    const op = 'Conv2d';
    checkOptions(op, options, ['stride', 'padding', 'dilation', 'groups', 'bias', 'dtype', 'generator']);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, dtype, generator } = options ?? {};
    checkSize(op, 'the number of input channels', inChannels);
    checkSize(op, 'the number of output channels', outChannels);
    if (inChannels % checkSize(op, 'groups', groups) !== 0 || outChannels % groups !== 0) {
      throw new TensorError(
        'value',
        op,
        `expected groups that divide ${inChannels} and ${outChannels} channels, got ${groups}`,
      );
    }
    checkPair(op, 'stride', stride);
    checkPair(op, 'dilation', dilation);
    if (padding !== 'same' && padding !== 'valid') checkPair(op, 'padding', padding, 0);
    this.geometry = { stride, padding, dilation, groups };
    const window = checkPair(op, 'the kernel size', kernelSize);
    this.weight = parameter([outChannels, inChannels / groups, ...window], dtype);
    this.bias = checkBoolean(op, 'bias', bias) ? parameter([outChannels], dtype) : null;
    linearDefaults(this.weight, this.bias, generator);
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.geometry);
  }

  protected override summary(): string {
    const { inChannels, outChannels, kernelSize, options } = this;
    const size = typeof kernelSize === 'number' ? kernelSize : `[${kernelSize.join(', ')}]`;
    return [inChannels, outChannels, size, formatOptions(options)].filter((part) => part !== '').join(', ');
  }
}
