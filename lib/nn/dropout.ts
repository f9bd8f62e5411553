// Dropout: what training leaves out at random.
import { checkOptions } from '../errors.js';
import { alphaDropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } from '../noise.js';
import { type DropoutOptions, dropout } from '../ops/elementwise/dropout.js';
import type { Tensor } from '../tensor.js';
import { checkNumber } from './check.js';
import { Module } from './module.js';

/** Options of {@link Dropout} and its relatives. */
export type DropoutModuleOptions = Pick<DropoutOptions, 'p' | 'generator'>;

/** An operation that draws while training, with a probability. */
abstract class Drawing extends Module {
  readonly p: number;
  private readonly operation: (x: Tensor, options: DropoutOptions) => Tensor;
  private readonly generator: DropoutOptions['generator'];

  constructor(
    op: string,
    operation: (x: Tensor, options: DropoutOptions) => Tensor,
    options: number | DropoutModuleOptions | undefined,
  ) {
    super();
    const given = typeof options === 'number' ? { p: options } : options;
    checkOptions(op, given, ['p', 'generator']);
    this.p = checkNumber(op, 'p', given?.p ?? 0.5, 0, 1);
    this.operation = operation;
    this.generator = given?.generator;
  }

  forward(x: Tensor): Tensor {
    return this.operation(x, { p: this.p, training: this.training, generator: this.generator });
  }

  protected override summary(): string {
    return `${this.p}`;
  }
}

/**
 * Zeroes elements with probability p while training and scales the others by `1 / (1 - p)`; passes everything on after
 * `eval()` (Srivastava et al. 2014; PyTorch: `nn.Dropout`).
 *
 * @param options the probability, 0.5 unless given, or `p` and `generator`
 * @throws TensorError `value` for a probability outside 0..1
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Dropout(0.2).eval().forward(ones([3])).toArray()); // [1, 1, 1]
 * ```
 */
export class Dropout extends Drawing {
  constructor(options?: number | DropoutModuleOptions) {
    super('Dropout', dropout, options);
  }
}

/**
 * {@link Dropout} of whole channels, input [N, C, L] or [C, L] (Tompson et al. 2015; PyTorch: `nn.Dropout1d`).
 *
 * @param options the probability, 0.5 unless given, or `p` and `generator`
 * @throws TensorError `value` for a probability outside 0..1, `shape` in forward for other dimensions
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Dropout1d(0.2).eval().forward(ones([1, 1, 3])).toArray()); // [[[1, 1, 1]]]
 * ```
 */
export class Dropout1d extends Drawing {
  constructor(options?: number | DropoutModuleOptions) {
    super('Dropout1d', dropout1d, options);
  }
}

/**
 * {@link Dropout} of whole channels, input [N, C, H, W] (Tompson et al. 2015; PyTorch: `nn.Dropout2d`).
 *
 * @param options the probability, 0.5 unless given, or `p` and `generator`
 * @throws TensorError `value` for a probability outside 0..1, `shape` in forward for other dimensions
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Dropout2d(0.2).eval().forward(ones([1, 1, 1, 2])).toArray()); // [[[[1, 1]]]]
 * ```
 */
export class Dropout2d extends Drawing {
  constructor(options?: number | DropoutModuleOptions) {
    super('Dropout2d', dropout2d, options);
  }
}

/**
 * {@link Dropout} of whole channels, input [N, C, D, H, W] or [C, D, H, W] (Tompson et al. 2015; PyTorch: `nn.Dropout3d`).
 *
 * @param options the probability, 0.5 unless given, or `p` and `generator`
 * @throws TensorError `value` for a probability outside 0..1, `shape` in forward for other dimensions
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.Dropout3d(0.2).eval().forward(ones([1, 1, 1, 1, 2])).toArray()); // [[[[[1, 1]]]]]
 * ```
 */
export class Dropout3d extends Drawing {
  constructor(options?: number | DropoutModuleOptions) {
    super('Dropout3d', dropout3d, options);
  }
}

/**
 * Dropout for networks of {@link SELU}: elements become its lowest value with probability p while training, and all are scaled
 * and moved so that mean and variance stay (Klambauer et al. 2017; PyTorch: `nn.AlphaDropout`).
 *
 * @param options the probability, 0.5 unless given, or `p` and `generator`
 * @throws TensorError `value` for a probability outside 0..1
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.AlphaDropout(0.2).eval().forward(ones([3])).toArray()); // [1, 1, 1]
 * ```
 */
export class AlphaDropout extends Drawing {
  constructor(options?: number | DropoutModuleOptions) {
    super('AlphaDropout', alphaDropout, options);
  }
}

/**
 * {@link AlphaDropout} of whole channels, input [N, C, ...] (PyTorch: `nn.FeatureAlphaDropout`).
 *
 * @param options the probability, 0.5 unless given, or `p` and `generator`
 * @throws TensorError `value` for a probability outside 0..1, `shape` in forward for other dimensions
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.FeatureAlphaDropout(0.2).eval().forward(ones([1, 1, 2])).toArray()); // [[[1, 1]]]
 * ```
 */
export class FeatureAlphaDropout extends Drawing {
  constructor(options?: number | DropoutModuleOptions) {
    super('FeatureAlphaDropout', featureAlphaDropout, options);
  }
}
