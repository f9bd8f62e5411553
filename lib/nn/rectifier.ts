// Activations with numbers of their own: slopes, bounds, thresholds.
import { checkOptions, TensorError } from '../errors.js';
import { type RreluOptions, rrelu } from '../noise.js';
import { softplus } from '../ops/elementwise/activation.js';
import {
  celu,
  elu,
  hardshrink,
  hardtanh,
  leakyRelu,
  prelu,
  softshrink,
  threshold,
} from '../ops/elementwise/rectifier.js';
import type { Tensor } from '../tensor.js';
import { checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { constant } from './init.js';
import { Module } from './module.js';
import { type Parameter, parameter } from './parameter.js';

/** An activation whose options are numbers, kept under their names. */
abstract class Tuned<Name extends string> extends Module {
  private readonly names: readonly Name[];

  constructor(
    op: string,
    options: Partial<Record<Name, number>> | undefined,
    defaults: Readonly<Record<Name, number>>,
  ) {
    super();
    this.names = Object.keys(defaults) as Name[];
    checkOptions(op, options, this.names);
    for (const name of this.names) {
      Object.assign(this, { [name]: checkNumber(op, name, options?.[name] ?? defaults[name]) });
    }
  }

  protected override summary(): string {
    return formatOptions(Object.fromEntries(this.names.map((name) => [name, Reflect.get(this, name)])));
  }
}

/**
 * `y = x` above 0, `negativeSlope * x` elsewhere (PyTorch: `nn.LeakyReLU`).
 *
 * @param options `negativeSlope`, 0.01 unless given
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.LeakyReLU({ negativeSlope: 0.5 }).forward(tensor([1, -2])).toArray()); // [1, -1]
 * ```
 */
export class LeakyReLU extends Tuned<'negativeSlope'> {
  declare readonly negativeSlope: number;

  constructor(options?: { negativeSlope?: number }) {
    super('LeakyReLU', options, { negativeSlope: 0.01 });
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, { negativeSlope: this.negativeSlope });
  }
}

/**
 * `y = x` above 0, `alpha (e^x - 1)` elsewhere (Clevert et al. 2015; PyTorch: `nn.ELU`).
 *
 * @param options `alpha`, 1 unless given
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.ELU().forward(tensor([2, 0])).toArray()); // [2, 0]
 * ```
 */
export class ELU extends Tuned<'alpha'> {
  declare readonly alpha: number;

  constructor(options?: { alpha?: number }) {
    super('ELU', options, { alpha: 1 });
  }

  forward(x: Tensor): Tensor {
    return elu(x, { alpha: this.alpha });
  }
}

/**
 * Exponential linear unit with a continuous derivative: `y = max(x, 0) + alpha (e^(min(x, 0) / alpha) - 1)` (Barron 2017;
 * PyTorch: `nn.CELU`).
 *
 * @param options `alpha`, 1 unless given, not 0
 * @throws TensorError `value` in forward for an alpha of 0
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.CELU().forward(tensor([2, 0])).toArray()); // [2, 0]
 * ```
 */
export class CELU extends Tuned<'alpha'> {
  declare readonly alpha: number;

  constructor(options?: { alpha?: number }) {
    super('CELU', options, { alpha: 1 });
  }

  forward(x: Tensor): Tensor {
    return celu(x, { alpha: this.alpha });
  }
}

/**
 * Smooth relu: `y = log(1 + e^(beta x)) / beta`, and `y = x` where `beta x > threshold` (PyTorch: `nn.Softplus`).
 *
 * @param options `beta`, 1 unless given, not 0; `threshold`, 20 unless given
 * @throws TensorError `value` in forward for a beta of 0
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Softplus().forward(tensor([1000])).toArray()); // [1000]
 * ```
 */
export class Softplus extends Tuned<'beta' | 'threshold'> {
  declare readonly beta: number;
  declare readonly threshold: number;

  constructor(options?: { beta?: number; threshold?: number }) {
    super('Softplus', options, { beta: 1, threshold: 20 });
  }

  forward(x: Tensor): Tensor {
    return softplus(x, { beta: this.beta, threshold: this.threshold });
  }
}

/**
 * Limits values: `y = min(max(x, minVal), maxVal)` (PyTorch: `nn.Hardtanh`).
 *
 * @param options `minVal`, -1 unless given; `maxVal`, 1 unless given
 * @throws TensorError `value` in forward where minVal is above maxVal
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Hardtanh({ minVal: 0 }).forward(tensor([-2, 0.5, 2])).toArray()); // [0, 0.5, 1]
 * ```
 */
export class Hardtanh extends Tuned<'minVal' | 'maxVal'> {
  declare readonly minVal: number;
  declare readonly maxVal: number;

  constructor(options?: { minVal?: number; maxVal?: number }) {
    super('Hardtanh', options, { minVal: -1, maxVal: 1 });
  }

  forward(x: Tensor): Tensor {
    return hardtanh(x, { minVal: this.minVal, maxVal: this.maxVal });
  }
}

/**
 * Pulls values towards 0: `y = x - lambd` above lambd, `x + lambd` below -lambd, 0 elsewhere (PyTorch: `nn.Softshrink`).
 *
 * @param options `lambd`, 0.5 unless given
 * @throws TensorError `value` in forward for a negative lambd
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Softshrink().forward(tensor([-2, 0.25, 2])).toArray()); // [-1.5, 0, 1.5]
 * ```
 */
export class Softshrink extends Tuned<'lambd'> {
  declare readonly lambd: number;

  constructor(options?: { lambd?: number }) {
    super('Softshrink', options, { lambd: 0.5 });
  }

  forward(x: Tensor): Tensor {
    return softshrink(x, { lambd: this.lambd });
  }
}

/**
 * Drops small values: `y = x` where `|x| > lambd`, else 0 (PyTorch: `nn.Hardshrink`).
 *
 * @param options `lambd`, 0.5 unless given
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Hardshrink().forward(tensor([-2, 0.25, 2])).toArray()); // [-2, 0, 2]
 * ```
 */
export class Hardshrink extends Tuned<'lambd'> {
  declare readonly lambd: number;

  constructor(options?: { lambd?: number }) {
    super('Hardshrink', options, { lambd: 0.5 });
  }

  forward(x: Tensor): Tensor {
    return hardshrink(x, { lambd: this.lambd });
  }
}

/**
 * `y = x` above the threshold, `value` elsewhere (PyTorch: `nn.Threshold`).
 *
 * @throws TensorError `value` for what is no number
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.Threshold(1, -1).forward(tensor([0.5, 2])).toArray()); // [-1, 2]
 * ```
 */
export class Threshold extends Module {
  constructor(
    readonly threshold: number,
    readonly value: number,
  ) {
    super();
    checkNumber('Threshold', 'threshold', threshold);
    checkNumber('Threshold', 'value', value);
  }

  forward(x: Tensor): Tensor {
    return threshold(x, this.threshold, this.value);
  }

  protected override summary(): string {
    return `${this.threshold}, ${this.value}`;
  }
}

/** Options of {@link PReLU}. */
export interface PReLUOptions extends Omit<ParameterOptions, 'bias' | 'generator'> {
  /** One slope for everything, or as many as there are channels; 1 unless given. */
  numParameters?: number;
  /** What the slopes begin with; 0.25 unless given. */
  init?: number;
}

/**
 * Leaky rectified linear unit with learnt slopes: `y = x` above 0, `weight * x` elsewhere, `x [N, C, ...]`, `weight [1]` or
 * `[C]` (He et al. 2015; PyTorch: `nn.PReLU`).
 *
 * @throws TensorError `shape` in forward for another number of channels
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.PReLU().forward(tensor([1, -2])).toArray()); // [1, -0.5]
 * ```
 */
export class PReLU extends Module {
  weight: Parameter;

  constructor(private readonly options?: PReLUOptions) {
    super();
    const op = 'PReLU';
    checkOptions(op, options, ['numParameters', 'init', 'dtype']);
    const n = checkSize(op, 'numParameters', options?.numParameters ?? 1);
    this.weight = constant(parameter([n], options?.dtype), checkNumber(op, 'init', options?.init ?? 0.25));
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/** Options of {@link RReLU}. */
export type RReLUOptions = Omit<RreluOptions, 'training'>;

/**
 * Rectifier with a slope below 0 that is drawn for each element between `lower` and `upper` while training, the middle one after
 * `eval()`: `y = x > 0 ? x : slope x` (Xu et al. 2015; PyTorch: `nn.RReLU`).
 *
 * @param options `lower`, 1/8 unless given; `upper`, 1/3 unless given; `generator`
 * @throws TensorError `value` for lower above upper
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const rrelu = new nn.RReLU({ lower: 0.25, upper: 0.75 });
 * console.log(rrelu.eval().forward(tensor([-2, 2])).toArray()); // [-1, 2]
 * ```
 */
export class RReLU extends Module {
  readonly lower: number;
  readonly upper: number;

  constructor(private readonly options?: RReLUOptions) {
    super();
    const op = 'RReLU';
    checkOptions(op, options, ['lower', 'upper', 'generator']);
    this.lower = checkNumber(op, 'lower', options?.lower ?? 1 / 8);
    this.upper = checkNumber(op, 'upper', options?.upper ?? 1 / 3);
    if (this.lower > this.upper) {
      throw new TensorError('value', op, `expected lower at most upper, got ${this.lower} and ${this.upper}`);
    }
  }

  forward(x: Tensor): Tensor {
    const { lower, upper, training, options } = this;
    return rrelu(x, { lower, upper, training, ...(options?.generator && { generator: options.generator }) });
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}
