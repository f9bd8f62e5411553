// Distributions with a density: normal, uniform, exponential.
import { composite } from '../core/scope.js';
import type { Shape } from '../core/shape.js';
import { exponential, rand, randn } from '../create-random.js';
import type { SampleOptions } from '../sample.js';
import type { Tensor } from '../tensor.js';
import {
  checkValidate,
  type DistributionOptions,
  demand,
  parameterOf,
  Reparameterised,
  together,
} from './distribution.js';

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
const anywhere = (x: Tensor) => x.isNan().logicalNot();

/**
 * The normal distribution of density `exp(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi))`; parameters broadcast (PyTorch:
 * `torch.distributions.Normal`).
 *
 * @param loc means
 * @param scale standard deviations, above 0
 * @throws TensorError `value` for a scale that is not above 0, or a value that is NaN
 *
 * @example
 * ```ts
 * import { distributions } from 'chainrule';
 * const d = new distributions.Normal(0, 1);
 * console.log(d.logProb(0).item().toFixed(4), d.entropy().item().toFixed(4)); // -0.9189 1.4189
 * ```
 */
export class Normal extends Reparameterised {
  readonly loc: Tensor;
  readonly scale: Tensor;

  constructor(loc: Tensor | number, scale: Tensor | number, options?: DistributionOptions) {
    const op = 'Normal';
    const validate = checkValidate(op, options);
    const [a, b] = together(op, ['loc', 'scale'], [loc, scale]);
    if (validate) demand(op, () => b.gt(0).logicalAnd(anywhere(a)), 'means, and deviations above 0');
    super(a.shape, options);
    this.loc = a;
    this.scale = b;
  }

  get mean(): Tensor {
    return this.loc;
  }

  get variance(): Tensor {
    return this.scale.square();
  }

  override get stddev(): Tensor {
    return this.scale;
  }

  protected draw(shape: Shape, options: SampleOptions | undefined): Tensor {
    const { dtype } = this.scale;
    return randn(shape, { dtype, generator: options?.generator }).mul(this.scale).add(this.loc);
  }

  logProb(value: Tensor | number): Tensor {
    return composite(() => {
      const x = this.checkValue(value, 'numbers', anywhere);
      const far = x.sub(this.loc).div(this.scale).square().mul(-0.5);
      return far.sub(this.scale.log()).sub(HALF_LOG_TWO_PI);
    });
  }

  /** Probability of a value of at most `x`: `(1 + erf((x - loc) / (scale sqrt 2))) / 2`. */
  cdf(value: Tensor | number): Tensor {
    return composite(() => {
      const x = this.checkValue(value, 'numbers', anywhere);
      return x.sub(this.loc).div(this.scale).mul(Math.SQRT1_2).erf().add(1).mul(0.5);
    });
  }

  entropy(): Tensor {
    return composite(() => this.scale.log().add(0.5 + HALF_LOG_TWO_PI));
  }
}

/**
 * The uniform distribution of density `1 / (high - low)` from low to before high; parameters broadcast (PyTorch:
 * `torch.distributions.Uniform`).
 *
 * @throws TensorError `value` unless low is below high, or for a value outside
 *
 * @example
 * ```ts
 * import { distributions } from 'chainrule';
 * const d = new distributions.Uniform(1, 5);
 * console.log(d.mean.item(), d.logProb(2).item().toFixed(4)); // 3 -1.3863
 * ```
 */
export class Uniform extends Reparameterised {
  readonly low: Tensor;
  readonly high: Tensor;

  constructor(low: Tensor | number, high: Tensor | number, options?: DistributionOptions) {
    const op = 'Uniform';
    const validate = checkValidate(op, options);
    const [a, b] = together(op, ['low', 'high'], [low, high]);
    if (validate) demand(op, () => a.lt(b), 'low below high');
    super(a.shape, options);
    this.low = a;
    this.high = b;
  }

  get mean(): Tensor {
    return composite(() => this.low.add(this.high).div(2));
  }

  get variance(): Tensor {
    return composite(() => this.high.sub(this.low).square().div(12));
  }

  protected draw(shape: Shape, options: SampleOptions | undefined): Tensor {
    const { dtype } = this.low;
    return rand(shape, { dtype, generator: options?.generator }).mul(this.high.sub(this.low)).add(this.low);
  }

  logProb(value: Tensor | number): Tensor {
    return composite(() => {
      const x = this.checkValue(value, 'values from low to high', (v) => v.ge(this.low).logicalAnd(v.le(this.high)));
      // Without validation there are values outside, of density 0.
      const inside = x.ge(this.low).logicalAnd(x.lt(this.high));
      return inside.where(this.high.sub(this.low).log().neg(), -Infinity);
    });
  }

  entropy(): Tensor {
    return composite(() => this.high.sub(this.low).log());
  }
}

/**
 * The exponential distribution of density `rate exp(-rate x)` (PyTorch: `torch.distributions.Exponential`).
 *
 * @param rate one over the mean, above 0
 * @throws TensorError `value` for a rate that is not above 0, or a value below 0
 *
 * @example
 * ```ts
 * import { distributions } from 'chainrule';
 * const d = new distributions.Exponential(2);
 * console.log(d.mean.item(), d.logProb(1).item().toFixed(4)); // 0.5 -1.3069
 * ```
 */
export class Exponential extends Reparameterised {
  readonly rate: Tensor;

  constructor(rate: Tensor | number, options?: DistributionOptions) {
    const op = 'Exponential';
    const validate = checkValidate(op, options);
    const given = parameterOf(op, 'rate', rate);
    if (validate) demand(op, () => given.gt(0), 'rates above 0');
    super(given.shape, options);
    this.rate = given;
  }

  get mean(): Tensor {
    return this.rate.reciprocal();
  }

  get variance(): Tensor {
    return composite(() => this.rate.square().reciprocal());
  }

  protected draw(shape: Shape, options: SampleOptions | undefined): Tensor {
    return exponential(shape, { dtype: this.rate.dtype, generator: options?.generator }).div(this.rate);
  }

  logProb(value: Tensor | number): Tensor {
    return composite(() => {
      const x = this.checkValue(value, 'values of at least 0', (v) => v.ge(0));
      return this.rate.log().sub(this.rate.mul(x));
    });
  }

  entropy(): Tensor {
    return composite(() => this.rate.log().neg().add(1));
  }
}
