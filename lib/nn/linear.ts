// Linear and Bilinear: maps of the last dimension.
import { checkOptions } from '../errors.js';
import { bilinear } from '../ops/product/many.js';
import { linear } from '../ops/product/matmul.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { uniform } from './init.js';
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
    const options = formatOptions({ ...this.options, bias: this.bias === null ? false : undefined });
    return [this.inFeatures, this.outFeatures, options].filter((part) => part !== '').join(', ');
  }
}

/**
 * Bilinear map of the last dimensions: `y[..., o] = sum_ij x1[..., i] W[o, i, j] x2[..., j] + b[o]`, `x1 [..., in1]`,
 * `x2 [..., in2]`, `W [out, in1, in2]`, `b [out]` (PyTorch: `nn.Bilinear`).
 *
 * Weight and bias begin uniform within `1 / sqrt(in1)`, as PyTorch's.
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Bilinear(3, 5, 2).forward(ones([4, 3]), ones([4, 5])).shape); // [4, 2]
 * ```
 */
export class Bilinear extends Module<[x1: Tensor, x2: Tensor]> {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly in1Features: number,
    readonly in2Features: number,
    readonly outFeatures: number,
    private readonly options?: ParameterOptions,
  ) {
    super();
    const op = 'Bilinear';
    checkOptions(op, options, ['bias', 'dtype', 'generator']);
    checkSize(op, 'the number of first inputs', in1Features);
    checkSize(op, 'the number of second inputs', in2Features);
    checkSize(op, 'the number of outputs', outFeatures);
    this.weight = parameter([outFeatures, in1Features, in2Features], options?.dtype);
    this.bias = checkBoolean(op, 'bias', options?.bias ?? true) ? parameter([outFeatures], options?.dtype) : null;
    const b = 1 / Math.sqrt(in1Features);
    for (const p of [this.weight, this.bias]) if (p !== null) uniform(p, { a: -b, b, generator: options?.generator });
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return bilinear(x1, x2, this.weight, this.bias);
  }

  protected override summary(): string {
    const sizes = [this.in1Features, this.in2Features, this.outFeatures];
    return [...sizes, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }
}
