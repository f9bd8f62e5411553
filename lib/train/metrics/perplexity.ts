// Perplexity: between how many equally likely tokens a language model seems to choose.
import { noGrad } from '../../core/mode.js';
import { scope } from '../../core/scope.js';
import { checkInteger } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { crossEntropy } from '../../ops/loss/loss.js';
import { Tensor } from '../../tensor.js';
import { elements, Metric, type Values } from './metric.js';

/**
 * Perplexity: `exp(mean cross entropy)` of all tokens that count (Jelinek et al. 1977).
 *
 * Predictions are logits [N, C], or [N, C, ...] as {@link crossEntropy} takes them; targets classes [N] or [N, ...].
 *
 * @param options `ignoreIndex`: targets that do not count, -100 unless given
 * @throws TensorError `value` unless both are tensors, and what `crossEntropy` throws
 *
 * @example
 * ```ts
 * import { tensor, train, zeros } from 'chainrule';
 * const perplexity = new train.metrics.Perplexity();
 * console.log(perplexity.update(zeros([2, 8]), tensor([3, 5], { dtype: 'int32' })).compute().toFixed(3)); // 8.000
 * ```
 */
export class Perplexity extends Metric {
  readonly #ignore: number;
  #sum = 0;
  #count = 0;

  constructor(options?: { ignoreIndex?: number }) {
    super();
    checkOptions('Perplexity', options, ['ignoreIndex']);
    this.#ignore = checkInteger('Perplexity', 'ignoreIndex', options?.ignoreIndex ?? -100);
  }

  update(pred: Values, target: Values): this {
    const op = 'Perplexity';
    if (!(pred instanceof Tensor) || !(target instanceof Tensor)) {
      throw new TensorError('value', op, `expected tensors, got ${describe(pred)} and ${describe(target)}`);
    }
    const ignoreIndex = this.#ignore;
    this.#sum += noGrad(() => scope(() => crossEntropy(pred, target, { reduction: 'sum', ignoreIndex }).item()));
    const labels = elements(op, 'targets', target);
    for (let i = 0; i < labels.length; i++) if (labels[i] !== ignoreIndex) this.#count++;
    return this;
  }

  compute(): number {
    return Math.exp(this.#sum / this.#count);
  }

  reset(): void {
    this.#sum = 0;
    this.#count = 0;
  }
}

/**
 * {@link Perplexity} of one batch.
 *
 * @throws TensorError what {@link Perplexity} refuses
 *
 * @example
 * ```ts
 * import { tensor, train, zeros } from 'chainrule';
 * console.log(train.metrics.perplexity(zeros([1, 4]), tensor([0], { dtype: 'int32' })).toFixed(3)); // 4.000
 * ```
 */
export function perplexity(pred: Tensor, target: Tensor, options?: { ignoreIndex?: number }): number {
  return new Perplexity(options).update(pred, target).compute();
}
