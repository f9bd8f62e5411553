// Accuracy: how many predictions are right, or have the right class among their first k.
import { checkInteger } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import { checkClass, classesOf, Metric, scoresOf, type Values } from './metric.js';

/**
 * Share of predictions that are right: `right / all` (scikit-learn: `accuracy_score`).
 *
 * Predictions are classes [N], or scores [N, C] of which the highest counts; targets are classes [N].
 *
 * @throws TensorError `shape` where predictions and targets do not go together, `index` for a class below 0
 *
 * @example
 * ```ts
 * import { tensor, train } from 'chainrule';
 * const accuracy = new train.metrics.Accuracy();
 * accuracy.update(tensor([[0.1, 0.9], [0.8, 0.2]]), [1, 1]).update([0, 1], [0, 1]);
 * console.log(accuracy.compute()); // 0.75
 * ```
 */
export class Accuracy extends Metric {
  #right = 0;
  #all = 0;

  update(pred: Values, target: Values): this {
    const op = 'Accuracy';
    const [p, t] = classesOf(op, pred, target);
    let right = 0;
    for (let i = 0; i < t.length; i++) if (checkClass(op, p[i], i) === checkClass(op, t[i], i)) right++;
    this.#right += right;
    this.#all += t.length;
    return this;
  }

  compute(): number {
    return this.#right / this.#all;
  }

  reset(): void {
    this.#right = 0;
    this.#all = 0;
  }
}

/**
 * {@link Accuracy} of one batch.
 *
 * @throws TensorError what {@link Accuracy} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.accuracy([0, 2, 1], [0, 1, 1]).toFixed(4)); // 0.6667
 * ```
 */
export function accuracy(pred: Values, target: Values): number {
  return new Accuracy().update(pred, target).compute();
}

/**
 * Share of samples whose class is among the `k` with the highest scores (scikit-learn: `top_k_accuracy_score`).
 *
 * Scores are [N, C], targets classes [N]. Of equal scores the lower class comes first;
 * a class whose score is NaN is never found.
 *
 * @throws TensorError `shape` unless the predictions are scores, `index` for a class that has none
 *
 * @example
 * ```ts
 * import { tensor, train } from 'chainrule';
 * const scores = tensor([[0.5, 0.2, 0.3], [0.3, 0.4, 0.3]]);
 * console.log(new train.metrics.TopKAccuracy({ k: 2 }).update(scores, [2, 2]).compute()); // 0.5
 * ```
 */
export class TopKAccuracy extends Metric {
  /** How many classes count as found; 5 unless given. */
  readonly k: number;
  #found = 0;
  #all = 0;

  constructor(options?: { k?: number }) {
    super();
    checkOptions('TopKAccuracy', options, ['k']);
    this.k = checkInteger('TopKAccuracy', 'k', options?.k ?? 5, 1);
  }

  update(pred: Values, target: Values): this {
    const op = 'TopKAccuracy';
    const given = scoresOf(op, pred, target);
    if (given === null) throw new TensorError('shape', op, 'expected scores [N, C] and targets [N], got other shapes');
    const { scores, classes, step, start, target: labels } = given;
    let found = 0;
    for (let i = 0; i < labels.length; i++) {
      const label = checkClass(op, labels[i], i);
      if (label >= classes) {
        throw new TensorError('index', op, `expected classes from 0 to ${classes - 1}, got ${label} at place ${i}`);
      }
      const own = scores[start(i) + label * step];
      let before = 0;
      for (let c = 0; c < classes; c++) {
        const score = scores[start(i) + c * step];
        if (score > own || (score === own && c < label)) before++;
      }
      if (before < this.k && !Number.isNaN(own)) found++;
    }
    this.#found += found;
    this.#all += labels.length;
    return this;
  }

  compute(): number {
    return this.#found / this.#all;
  }

  reset(): void {
    this.#found = 0;
    this.#all = 0;
  }
}

/**
 * {@link TopKAccuracy} of one batch.
 *
 * @throws TensorError what {@link TopKAccuracy} refuses
 *
 * @example
 * ```ts
 * import { tensor, train } from 'chainrule';
 * console.log(train.metrics.topKAccuracy(tensor([[3, 2, 1]]), [1], { k: 2 })); // 1
 * ```
 */
export function topKAccuracy(pred: Values, target: Values, options?: { k?: number }): number {
  return new TopKAccuracy(options).update(pred, target).compute();
}
