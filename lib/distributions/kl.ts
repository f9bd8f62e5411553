// Kullback-Leibler divergences of two distributions of one family.
import { composite } from '../core/scope.js';
import { describe, TensorError } from '../errors.js';
import { softplus } from '../ops/elementwise/activation.js';
import type { Tensor } from '../tensor.js';
import { Exponential, Normal, Uniform } from './continuous.js';
import { Bernoulli, Categorical } from './discrete.js';
import type { Distribution } from './distribution.js';

function normal(p: Normal, q: Normal): Tensor {
  const ratio = p.scale.div(q.scale).square();
  const apart = p.loc.sub(q.loc).div(q.scale).square();
  return ratio.add(apart).sub(1).sub(ratio.log()).mul(0.5);
}

function uniform(p: Uniform, q: Uniform): Tensor {
  const outside = q.low.gt(p.low).logicalOr(q.high.lt(p.high));
  return outside.where(Infinity, q.high.sub(q.low).div(p.high.sub(p.low)).log());
}

function exponential(p: Exponential, q: Exponential): Tensor {
  const ratio = q.rate.div(p.rate);
  return ratio.sub(1).sub(ratio.log());
}

/** `p log(p / q)`, 0 where p is, infinite where only q is 0. */
const weighed = (p: Tensor, q: Tensor, difference: Tensor): Tensor =>
  p.eq(0).where(0, q.eq(0).where(Infinity, p.mul(difference)));

function bernoulli(p: Bernoulli, q: Bernoulli): Tensor {
  const [a, b] = [p.probs, q.probs];
  const [x, y] = [p.logits, q.logits];
  const ones = weighed(a, b, softplus(y.neg()).sub(softplus(x.neg())));
  const rest = (v: Tensor) => v.neg().add(1);
  return ones.add(weighed(rest(a), rest(b), softplus(y).sub(softplus(x))));
}

function categorical(p: Categorical, q: Categorical): Tensor {
  return weighed(p.probs, q.probs, p.logits.sub(q.logits)).sum(-1);
}

/**
 * Kullback-Leibler divergence of two distributions of one family: the expectation of `log p(x) - log q(x)` for x drawn from p;
 * batches broadcast (PyTorch: `torch.distributions.kl_divergence`).
 *
 * @throws TensorError `value` for two families, `shape` where batches do not broadcast
 *
 * @example
 * ```ts
 * import { distributions } from 'chainrule';
 * const { Normal, klDivergence } = distributions;
 * console.log(klDivergence(new Normal(0, 1), new Normal(1, 2)).item().toFixed(4)); // 0.4431
 * ```
 */
export function klDivergence(p: Distribution, q: Distribution): Tensor {
  return composite(() => {
    if (p instanceof Normal && q instanceof Normal) return normal(p, q);
    if (p instanceof Categorical && q instanceof Categorical) return categorical(p, q);
    if (p instanceof Bernoulli && q instanceof Bernoulli) return bernoulli(p, q);
    if (p instanceof Uniform && q instanceof Uniform) return uniform(p, q);
    if (p instanceof Exponential && q instanceof Exponential) return exponential(p, q);
    throw new TensorError(
      'value',
      'klDivergence',
      `expected two distributions of one family, got ${describe(p)} and ${describe(q)}`,
    );
  });
}
