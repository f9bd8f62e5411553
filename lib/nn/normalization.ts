// Normalisation layers.
import { checkOptions, describe, TensorError } from '../errors.js';
import {
  groupNorm,
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
  rmsNorm,
} from '../ops/normalize/normalization.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { ones } from './init.js';
import { Module } from './module.js';
import { type Parameter, parameter } from './parameter.js';

function checkSizes(op: string, given: number | readonly number[]): number[] {
  const sizes = typeof given === 'number' ? [given] : given;
  if (!Array.isArray(sizes) || sizes.length === 0) {
    throw new TensorError('value', op, `expected a size or a list of sizes, got ${describe(given)}`);
  }
  return sizes.map((size) => checkSize(op, 'each size', size));
}

const joined = (...parts: string[]) => parts.filter((part) => part !== '').join(', ');

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
    this.normalizedShape = checkSizes(op, normalizedShape);
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
    return joined(`[${this.normalizedShape.join(', ')}]`, formatOptions(this.options));
  }
}

/** Options of {@link RMSNorm}. */
export interface RMSNormOptions {
  /** Added to the mean square; the distance from 1 to the next number of the dtype unless given. */
  eps?: number;
  /** Whether there is a weight; true unless given. */
  elementwiseAffine?: boolean;
  /** Element type of the weight; float32 unless given. */
  dtype?: ParameterOptions['dtype'];
}

/**
 * Divides by the root mean square over the last dimensions: `x / sqrt(mean(x^2) + eps) weight` (Zhang and Sennrich 2019;
 * PyTorch 2.4: `nn.RMSNorm`).
 *
 * @param normalizedShape sizes of the last dimensions, or the size of the last one
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up; `shape` in forward where the input does not end in them
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.RMSNorm(2, { eps: 0 }).forward(tensor([[1, 7]])).mul(5).toArray()); // [[1, 7]]
 * ```
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  weight: Parameter | null = null;
  readonly eps: number | undefined;

  constructor(
    normalizedShape: number | readonly number[],
    private readonly options?: RMSNormOptions,
  ) {
    super();
    const op = 'RMSNorm';
    checkOptions(op, options, ['eps', 'elementwiseAffine', 'dtype']);
    this.normalizedShape = checkSizes(op, normalizedShape);
    this.eps = options?.eps === undefined ? undefined : checkNumber(op, 'eps', options.eps, 0);
    if (checkBoolean(op, 'elementwiseAffine', options?.elementwiseAffine ?? true)) {
      this.weight = ones(parameter(this.normalizedShape, options?.dtype));
    }
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps });
  }

  protected override summary(): string {
    return joined(`[${this.normalizedShape.join(', ')}]`, formatOptions(this.options));
  }
}

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance; 1e-5 unless given. */
  eps?: number;
  /** Whether there are a weight and a bias; true unless given. */
  affine?: boolean;
  /** Element type of the parameters; float32 unless given. */
  dtype?: ParameterOptions['dtype'];
}

/**
 * Normalises over groups of channels and all positions of `[N, C, ...]` (Wu and He 2018; PyTorch: `nn.GroupNorm`).
 *
 * @throws TensorError `value` for groups that do not divide the channels; `shape` in forward for other channels
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.GroupNorm(2, 6).forward(ones([1, 6, 4, 4])).shape); // [1, 6, 4, 4]
 * ```
 */
export class GroupNorm extends Module {
  weight: Parameter | null = null;
  bias: Parameter | null = null;
  readonly eps: number;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    private readonly options?: GroupNormOptions,
  ) {
    super();
    const op = 'GroupNorm';
    checkOptions(op, options, ['eps', 'affine', 'dtype']);
    checkSize(op, 'the number of channels', numChannels);
    if (numChannels % checkSize(op, 'the number of groups', numGroups) !== 0) {
      throw new TensorError('value', op, `expected groups that divide ${numChannels} channels, got ${numGroups}`);
    }
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-5, 0);
    if (checkBoolean(op, 'affine', options?.affine ?? true)) {
      this.weight = ones(parameter([numChannels], options?.dtype));
      this.bias = parameter([numChannels], options?.dtype);
    }
  }

  forward(x: Tensor): Tensor {
    if (x.ndim < 2 || x.shape[1] !== this.numChannels) {
      const got = `[${x.shape.join(', ')}]`;
      throw new TensorError('shape', 'GroupNorm', `expected an input [N, ${this.numChannels}, ...], got ${got}`);
    }
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps });
  }

  protected override summary(): string {
    return joined(`${this.numGroups}`, `${this.numChannels}`, formatOptions(this.options));
  }
}

/**
 * Divides by the neighbouring channels of `[N, C, L, ...]`: `x / (k + alpha m)^beta`, m the mean square over `size` channels
 * around (Krizhevsky et al. 2012; PyTorch: `nn.LocalResponseNorm`).
 *
 * @param options `alpha` 1e-4, `beta` 0.75, `k` 1 unless given
 * @throws TensorError `value` for a size that is no whole number from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.LocalResponseNorm(3).forward(ones([1, 6, 4, 4])).shape); // [1, 6, 4, 4]
 * ```
 */
export class LocalResponseNorm extends Module {
  constructor(
    readonly size: number,
    private readonly options?: LocalResponseNormOptions,
  ) {
    super();
    const op = 'LocalResponseNorm';
    checkOptions(op, options, ['alpha', 'beta', 'k']);
    checkSize(op, 'the number of neighbours', size);
    for (const name of ['alpha', 'beta', 'k'] as const) checkNumber(op, name, options?.[name] ?? 1);
  }

  forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.options);
  }

  protected override summary(): string {
    return joined(`${this.size}`, formatOptions(this.options));
  }
}
