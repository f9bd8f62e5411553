// Linear: the affine map.
import { checkOptions } from '../errors.js';
import { linear } from '../ops/matmul.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { Module } from './module.js';
import { linearDefaults, type Parameter, parameter } from './parameter.js';

/**
 * Affine map of the last dimension: `y = x W^T + b`, `x [..., in]`, `W [out, in]`, `b [out]` (PyTorch: `nn.Linear`).
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Linear(784, 10, { bias: false }).forward(ones([2, 784])).shape); // [2, 10]
 * ```
 */
export class Linear extends Module {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    private readonly options?: ParameterOptions,
  ) {
    super();
    const op = 'Linear';
    checkOptions(op, options, ['bias', 'dtype', 'generator']);
    checkSize(op, 'the number of inputs', inFeatures);
    checkSize(op, 'the number of outputs', outFeatures);
    this.weight = parameter([outFeatures, inFeatures], options?.dtype);
    this.bias = checkBoolean(op, 'bias', options?.bias ?? true) ? parameter([outFeatures], options?.dtype) : null;
    linearDefaults(this.weight, this.bias, options?.generator);
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  protected override summary(): string {
    return [this.inFeatures, this.outFeatures, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }
}
