// Distributions of finitely many values: Bernoulli and categorical, by probabilities or by logits.
import { composite } from '../core/scope.js';
import { formatShape, type Shape, sizeOf } from '../core/shape.js';
import { full, rand } from '../create.js';
import { checkOptions, TensorError } from '../errors.js';
import { binaryCrossEntropyWithLogits } from '../ops/loss/loss.js';
import { multinomial, type SampleOptions } from '../sample.js';
import type { Tensor } from '../tensor.js';
import { Distribution, type DistributionOptions, demand, parameterOf } from './distribution.js';

/** Parameters of a discrete distribution: probabilities or logits, one of them. */
export interface DiscreteOptions extends DistributionOptions {
  probs?: Tensor | number;
  logits?: Tensor | number;
}

function checkOne(op: string, options: DiscreteOptions): [kind: 'probs' | 'logits', x: Tensor] {
  checkOptions(op, options ?? {}, ['probs', 'logits', 'validateArgs']);
  const { probs, logits } = options ?? {};
  if ((probs === undefined) === (logits === undefined)) {
    throw new TensorError('value', op, 'expected probs or logits, one of them');
  }
  return probs !== undefined
    ? ['probs', parameterOf(op, 'probs', probs)]
    : ['logits', parameterOf(op, 'logits', logits as Tensor)];
}

/** Probabilities that have a finite logarithm, as PyTorch has them: off 0 and 1 by the precision of the dtype. */
function offEnds(p: Tensor): Tensor {
  const eps = p.dtype === 'float64' ? 2 ** -52 : 2 ** -23;
  return p.clamp(eps, 1 - eps);
}

/**
 * 1 with probability p, else 0 (PyTorch: `torch.distributions.Bernoulli`).
 *
 * @param options `probs`, between 0 and 1, or `logits`, `log(p / (1 - p))`
 * @throws TensorError `value` unless exactly one is given, for probabilities outside 0..1, or a value that is neither 0 nor 1
 *
 * @example
 * ```ts
 * import { distributions } from 'chainrule';
 * const d = new distributions.Bernoulli({ probs: 0.25 });
 * console.log(d.variance.item(), d.logProb(1).exp().item().toFixed(4)); // 0.1875 0.2500
 * ```
 */
export class Bernoulli extends Distribution {
  private readonly given: Tensor;
  private readonly kind: 'probs' | 'logits';

  constructor(options: DiscreteOptions) {
    const op = 'Bernoulli';
    const [kind, x] = checkOne(op, options);
    super(x.shape, options);
    this.kind = kind;
    this.given = x;
    if (!this.validateArgs) return;
    if (kind === 'probs') demand(op, () => x.ge(0).logicalAnd(x.le(1)), 'probabilities between 0 and 1');
    else demand(op, () => x.isNan().logicalNot(), 'logits that are numbers');
  }

  /** Probability of 1. */
  get probs(): Tensor {
    return this.kind === 'probs' ? this.given : this.given.sigmoid();
  }

  /** `log(p / (1 - p))`. */
  get logits(): Tensor {
    if (this.kind === 'logits') return this.given;
    return composite(() => {
      const p = offEnds(this.given);
      return p.log().sub(p.neg().log1p());
    });
  }

  get mean(): Tensor {
    return this.probs;
  }

  get variance(): Tensor {
    return composite(() => {
      const p = this.probs;
      return p.mul(p.neg().add(1));
    });
  }

  protected draw(shape: Shape, options: SampleOptions | undefined): Tensor {
    const { dtype } = this.given;
    return rand(shape, { dtype, generator: options?.generator }).lt(this.probs).to(dtype);
  }

  logProb(value: Tensor | number): Tensor {
    return composite(() => {
      const x = this.checkValue(value, 'values 0 or 1', (v) => v.eq(0).logicalOr(v.eq(1)));
      return negativeEntropy(this.logits, x);
    });
  }

  entropy(): Tensor {
    return composite(() => negativeEntropy(this.logits, this.probs).neg());
  }
}

/** `z log p + (1 - z) log(1 - p)` in the shape both broadcast to. */
function negativeEntropy(logits: Tensor, z: Tensor): Tensor {
  const zero = logits.mul(0).add(z.to(logits.dtype).mul(0));
  const shape = zero.shape;
  return binaryCrossEntropyWithLogits(logits.expand(shape), z.to(logits.dtype).expand(shape), {
    reduction: 'none',
  }).neg();
}

/**
 * One of the categories 0..n-1, n the last size of the parameters (PyTorch: `torch.distributions.Categorical`).
 *
 * @param options `probs`, at least 0, which are divided by their sum, or `logits`, whose softmax they are
 * @throws TensorError `value` unless exactly one is given, for negative probabilities, or a value that is no category; `shape`
 * without a dimension of categories
 *
 * @example
 * ```ts
 * import { distributions, tensor } from 'chainrule';
 * const d = new distributions.Categorical({ probs: tensor([1, 1, 2]) });
 * console.log(d.probs.toArray(), d.logProb(2).exp().item().toFixed(4)); // [0.25, 0.25, 0.5] 0.5000
 * ```
 */
export class Categorical extends Distribution {
  private readonly given: Tensor;
  private readonly kind: 'probs' | 'logits';

  constructor(options: DiscreteOptions) {
    const op = 'Categorical';
    const [kind, x] = checkOne(op, options);
    if (x.ndim === 0 || x.shape[x.ndim - 1] === 0) {
      throw new TensorError('shape', op, `expected a last dimension of categories, got ${formatShape(x.shape)}`);
    }
    super(x.shape.slice(0, -1), options);
    this.kind = kind;
    this.given = x;
    if (!this.validateArgs) return;
    if (kind === 'probs') {
      demand(op, () => x.ge(0).all(-1).logicalAnd(x.sum(-1).gt(0)), 'probabilities of at least 0 with a sum above 0');
    } else demand(op, () => x.isNan().logicalNot(), 'logits that are numbers');
  }

  /** Number of categories. */
  get numEvents(): number {
    return this.given.shape[this.given.ndim - 1];
  }

  /** Probabilities of the categories, which add up to 1. */
  get probs(): Tensor {
    return this.kind === 'logits'
      ? this.given.softmax(-1)
      : composite(() => this.given.div(this.given.sum(-1, { keepdim: true })));
  }

  /** Logarithms of the probabilities. */
  get logits(): Tensor {
    return this.kind === 'logits' ? this.given.logSoftmax(-1) : composite(() => offEnds(this.probs).log());
  }

  /** Categories are names, not numbers: NaN. */
  get mean(): Tensor {
    return full(this.batchShape, Number.NaN, { dtype: this.given.dtype as 'float32' });
  }

  /** Categories are names, not numbers: NaN. */
  get variance(): Tensor {
    return full(this.batchShape, Number.NaN, { dtype: this.given.dtype as 'float32' });
  }

  protected draw(shape: Shape, options: SampleOptions | undefined): Tensor {
    const rows = sizeOf(this.batchShape);
    const count = sizeOf(shape.slice(0, shape.length - this.batchShape.length));
    if (rows === 0 || count === 0) return full(shape, 0, { dtype: 'int32' });
    const probs = this.probs.reshape([rows, this.numEvents]);
    return multinomial(probs, count, { replacement: true, generator: options?.generator }).t().reshape(shape);
  }

  logProb(value: Tensor | number): Tensor {
    return composite(() => {
      const n = this.numEvents;
      const x = this.checkValue(value, `categories 0 to ${n - 1}`, (v) =>
        v.ge(0).logicalAnd(v.lt(n)).logicalAnd(v.eq(v.floor())),
      );
      const picks = x.to('int32');
      const zero = picks.unsqueeze(-1).mul(0).to(this.given.dtype);
      const logits = this.logits.add(zero);
      const shape = logits.shape.slice(0, -1);
      return logits.gather(-1, picks.expand(shape).unsqueeze(-1)).squeeze(-1);
    });
  }

  entropy(): Tensor {
    return composite(() => {
      const least = this.given.dtype === 'float64' ? -Number.MAX_VALUE : -3.4028234663852886e38;
      return this.probs.mul(this.logits.clamp(least)).sum(-1).neg();
    });
  }
}
