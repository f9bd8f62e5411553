// Normalisation layers.
import { checkOptions, describe, TensorError } from '../errors.js';
import { layerNorm } from '../ops/normalization.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { ones } from './init.js';
import { Module } from './module.js';
import { type Parameter, parameter } from './parameter.js';

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions extends Omit<ParameterOptions, 'generator'> {
  /** Added to the variance; 1e-5 unless given. */
  eps?: number;
  /** Whether there are a weight and a bias; true unless given. */
  elementwiseAffine?: boolean;
}

/**
 * Normalises over the last dimensions: `(x - mean) / sqrt(variance + eps) weight + bias` (Ba et al. 2016; PyTorch:
 * `nn.LayerNorm`).
 *
 * @param normalizedShape sizes of the last dimensions, or the size of the last one
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; `shape` in forward where the input does not end in them
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.LayerNorm(2, { eps: 0 }).forward(tensor([[1, 3]])).toArray()); // [[-1, 1]]
 * ```
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  weight: Parameter | null = null;
  bias: Parameter | null = null;
  readonly eps: number;

  constructor(
    normalizedShape: number | readonly number[],
    private readonly options?: LayerNormOptions,
  ) {
    super();
    const op = 'LayerNorm';
    checkOptions(op, options, ['eps', 'elementwiseAffine', 'bias', 'dtype']);
    const sizes = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
    if (!Array.isArray(sizes) || sizes.length === 0) {
      throw new TensorError('value', op, `expected a size or a list of sizes, got ${describe(normalizedShape)}`);
    }
    this.normalizedShape = sizes.map((size) => checkSize(op, 'each size', size));
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-5, 0);
    const bias = checkBoolean(op, 'bias', options?.bias ?? true);
    if (checkBoolean(op, 'elementwiseAffine', options?.elementwiseAffine ?? true)) {
      this.weight = ones(parameter(this.normalizedShape, options?.dtype));
      if (bias) this.bias = parameter(this.normalizedShape, options?.dtype);
    }
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  protected override summary(): string {
    return [`[${this.normalizedShape.join(', ')}]`, formatOptions(this.options)]
      .filter((part) => part !== '')
      .join(', ');
  }
}
