// Measures of numbers against numbers: mean errors and the share of variance explained; and a plain mean.
import { describe, TensorError } from '../../errors.js';
import { Metric, pairs, type Values } from './metric.js';

/**
 * Mean of numbers, each with a weight: `sum w x / sum w`; losses of batches of different sizes for example.
 *
 * @throws TensorError `value` for what are no numbers, or a weight below 0
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.Mean().update(2, 3).update(6, 1).compute()); // 3
 * ```
 */
export class Mean {
  #sum = 0;
  #weight = 0;

  /** Takes in a number. */
  update(value: number, weight = 1): this {
    if (typeof value !== 'number' || typeof weight !== 'number' || !(weight >= 0)) {
      const got = `${describe(value)} and ${describe(weight)}`;
      throw new TensorError('value', 'Mean', `expected a number and a weight from 0 up, got ${got}`);
    }
    this.#sum += value * weight;
    this.#weight += weight;
    return this;
  }

  /** The mean so far; NaN where nothing was taken in. */
  compute(): number {
    return this.#sum / this.#weight;
  }

  /** Forgets all numbers. */
  reset(): void {
    this.#sum = 0;
    this.#weight = 0;
  }
}

/** A mean over elements of what `error` makes of a difference. */
abstract class ErrorMetric extends Metric {
  #sum = 0;
  #count = 0;

  protected abstract error(difference: number): number;

  update(pred: Values, target: Values): this {
    const [p, t] = pairs(this.constructor.name, pred, target);
    for (let i = 0; i < t.length; i++) this.#sum += this.error(p[i] - t[i]);
    this.#count += t.length;
    return this;
  }

  compute(): number {
    return this.#sum / this.#count;
  }

  reset(): void {
    this.#sum = 0;
    this.#count = 0;
  }
}

/**
 * Mean absolute error: `mean |pred - target|` over all elements (scikit-learn: `mean_absolute_error`).
 *
 * @throws TensorError `shape` where the shapes differ
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.MAE().update([2.5, 0, 2, 8], [3, -0.5, 2, 7]).compute()); // 0.5
 * ```
 */
export class MAE extends ErrorMetric {
  protected error(difference: number): number {
    return Math.abs(difference);
  }
}

/**
 * Mean squared error: `mean (pred - target)^2` over all elements (scikit-learn: `mean_squared_error`).
 *
 * @throws TensorError `shape` where the shapes differ
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.MSE().update([2.5, 0, 2, 8], [3, -0.5, 2, 7]).compute()); // 0.375
 * ```
 */
export class MSE extends ErrorMetric {
  protected error(difference: number): number {
    return difference * difference;
  }
}

/**
 * Root of the mean squared error: `sqrt(mean (pred - target)^2)` over all elements.
 *
 * @throws TensorError `shape` where the shapes differ
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.RMSE().update([1, 5], [1, 1]).compute().toFixed(4)); // 2.8284
 * ```
 */
export class RMSE extends MSE {
  override compute(): number {
    return Math.sqrt(super.compute());
  }
}

/**
 * Share of the targets' variance that the predictions explain: `1 - sum (target - pred)^2 / sum (target - mean)^2` over all elements
 * (scikit-learn: `r2_score`). Where the targets are all equal: 1 for perfect predictions, else 0; NaN for fewer than two.
 *
 * @throws TensorError `shape` where the shapes differ
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.R2().update([2.5, 0, 2, 8], [3, -0.5, 2, 7]).compute().toFixed(4)); // 0.9486
 * ```
 */
export class R2 extends Metric {
  #residual = 0;
  #count = 0;
  #mean = 0;
  /** Sum of squared distances from the mean, updated after Welford (1962): sums of squares would cancel. */
  #total = 0;

  update(pred: Values, target: Values): this {
    const [p, t] = pairs('R2', pred, target);
    for (let i = 0; i < t.length; i++) {
      this.#residual += (t[i] - p[i]) ** 2;
      const before = t[i] - this.#mean;
      this.#mean += before / ++this.#count;
      this.#total += before * (t[i] - this.#mean);
    }
    return this;
  }

  compute(): number {
    if (this.#count < 2) return Number.NaN;
    if (this.#total === 0) return this.#residual === 0 ? 1 : 0;
    return 1 - this.#residual / this.#total;
  }

  reset(): void {
    this.#residual = 0;
    this.#count = 0;
    this.#mean = 0;
    this.#total = 0;
  }
}

/**
 * {@link MAE} of one batch.
 *
 * @throws TensorError what {@link MAE} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.mae([1, 2], [2, 4])); // 1.5
 * ```
 */
export function mae(pred: Values, target: Values): number {
  return new MAE().update(pred, target).compute();
}

/**
 * {@link MSE} of one batch.
 *
 * @throws TensorError what {@link MSE} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.mse([1, 2], [2, 4])); // 2.5
 * ```
 */
export function mse(pred: Values, target: Values): number {
  return new MSE().update(pred, target).compute();
}

/**
 * {@link RMSE} of one batch.
 *
 * @throws TensorError what {@link RMSE} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.rmse([0, 0], [3, 3])); // 3
 * ```
 */
export function rmse(pred: Values, target: Values): number {
  return new RMSE().update(pred, target).compute();
}

/**
 * {@link R2} of one batch.
 *
 * @throws TensorError what {@link R2} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.r2([1, 2, 3], [1, 2, 3])); // 1
 * ```
 */
export function r2(pred: Values, target: Values): number {
  return new R2().update(pred, target).compute();
}
