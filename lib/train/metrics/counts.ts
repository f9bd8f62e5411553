// Precision, recall and F: measures that follow from how often each class was predicted, was there, and both.
import { checkInteger } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import { checkChoice, checkNumber } from '../../nn/check.js';
import { checkClass, classesOf, Metric, type Values } from './metric.js';

/** How the values of several classes become one. */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted';

/** Options of {@link Precision}, {@link Recall} and {@link F1}. */
export interface AverageOptions {
  /**
   * 'binary', unless given: the value of `positive`, for classes 0 and 1; 'micro': of the counts of all classes together; 'macro': the
   * mean over classes; 'weighted': the mean weighted by how often each class is there.
   */
  average?: Average;
  /** The class that 'binary' asks about; 1 unless given. */
  positive?: number;
  /** Number of classes; unless given, 'macro' counts those that were predicted or there at least once. */
  classes?: number;
  /** What stands for 0 / 0; 0 unless given. */
  zeroDivision?: number;
}

/** Right predictions, predictions and samples of a class. */
interface Counts {
  hit: number;
  predicted: number;
  actual: number;
}

/** What the three have in common. */
abstract class CountMetric extends Metric {
  readonly #average: Average;
  readonly #positive: number;
  readonly #classes: number | null;
  protected readonly zeroDivision: number;
  readonly #counts = new Map<number, Counts>();

  constructor(options?: AverageOptions) {
    super();
    const op = this.constructor.name;
    checkOptions(op, options, ['average', 'positive', 'classes', 'zeroDivision']);
    this.#average = checkChoice(op, 'average', options?.average ?? 'binary', ['binary', 'micro', 'macro', 'weighted']);
    this.#positive = checkInteger(op, 'positive', options?.positive ?? 1, 0);
    this.#classes = options?.classes === undefined ? null : checkInteger(op, 'classes', options.classes, 1);
    this.zeroDivision = checkNumber(op, 'zeroDivision', options?.zeroDivision ?? 0);
  }

  /** The value of some counts. */
  protected abstract of(counts: Counts): number;

  protected divide(a: number, b: number): number {
    return b === 0 ? this.zeroDivision : a / b;
  }

  update(pred: Values, target: Values): this {
    const op = this.constructor.name;
    const [p, t] = classesOf(op, pred, target);
    for (let i = 0; i < t.length; i++) for (const value of [p[i], t[i]]) this.#check(op, value, i);
    for (let i = 0; i < t.length; i++) {
      this.#count(p[i]).predicted++;
      const actual = this.#count(t[i]);
      actual.actual++;
      if (p[i] === t[i]) actual.hit++;
    }
    return this;
  }

  #check(op: string, value: number, place: number): void {
    checkClass(op, value, place);
    if (value < (this.#classes ?? Infinity) && (this.#average !== 'binary' || value <= 1)) return;
    if (this.#average === 'binary' && value > 1) {
      const remedy = "pass { average: 'micro' }, 'macro' or 'weighted' for more classes";
      throw new TensorError('value', op, `expected classes 0 and 1, got ${value} at place ${place}; ${remedy}`);
    }
    throw new TensorError('index', op, `expected classes below ${this.#classes}, got ${value} at place ${place}`);
  }

  #count(label: number): Counts {
    let counts = this.#counts.get(label);
    if (counts === undefined) {
      counts = { hit: 0, predicted: 0, actual: 0 };
      this.#counts.set(label, counts);
    }
    return counts;
  }

  /** The value of each class by number; without `classes`, of those that occurred. */
  perClass(): Map<number, number> {
    const labels =
      this.#classes === null
        ? [...this.#counts.keys()].sort((a, b) => a - b)
        : Array.from({ length: this.#classes }, (_, i) => i);
    const none = { hit: 0, predicted: 0, actual: 0 };
    return new Map(labels.map((label) => [label, this.of(this.#counts.get(label) ?? none)]));
  }

  compute(): number {
    const all = [...this.#counts.values()];
    const total = (pick: (counts: Counts) => number) => all.reduce((sum, counts) => sum + pick(counts), 0);
    const samples = total((counts) => counts.actual);
    if (samples === 0) return Number.NaN;
    if (this.#average === 'binary')
      return this.of(this.#counts.get(this.#positive) ?? { hit: 0, predicted: 0, actual: 0 });
    if (this.#average === 'micro') {
      return this.of({ hit: total((c) => c.hit), predicted: total((c) => c.predicted), actual: samples });
    }
    if (this.#average === 'weighted') return total((counts) => this.of(counts) * counts.actual) / samples;
    const values = [...this.perClass().values()];
    return values.reduce((a, b) => a + b, 0) / values.length;
  }

  reset(): void {
    this.#counts.clear();
  }
}

/**
 * Of the predictions of a class, how many are right: `TP / (TP + FP)` (van Rijsbergen 1979; scikit-learn: `precision_score`).
 *
 * Predictions are classes [N], or scores [N, C] of which the highest counts; targets are classes [N].
 *
 * @throws TensorError `value` for a class above 1 with the average 'binary', `index` for one outside `classes`
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.Precision().update([1, 1, 1, 0], [1, 1, 0, 1]).compute().toFixed(4)); // 0.6667
 * ```
 */
export class Precision extends CountMetric {
  protected of({ hit, predicted }: Counts): number {
    return this.divide(hit, predicted);
  }
}

/**
 * Of the samples of a class, how many were found: `TP / (TP + FN)` (van Rijsbergen 1979; scikit-learn: `recall_score`); arguments as of
 * {@link Precision}.
 *
 * @throws TensorError what {@link Precision} throws
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.Recall({ average: 'macro' }).update([0, 1, 1, 1], [0, 0, 1, 1]).compute()); // 0.75
 * ```
 */
export class Recall extends CountMetric {
  protected of({ hit, actual }: Counts): number {
    return this.divide(hit, actual);
  }
}

/**
 * Harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)` (van Rijsbergen 1979; scikit-learn: `f1_score`); arguments as of
 * {@link Precision}.
 *
 * @throws TensorError what {@link Precision} throws
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.F1().update([1, 1, 0, 0], [1, 0, 1, 0]).compute()); // 0.5
 * ```
 */
export class F1 extends CountMetric {
  protected of({ hit, predicted, actual }: Counts): number {
    return this.divide(2 * hit, predicted + actual);
  }
}

/**
 * {@link Precision} of one batch.
 *
 * @throws TensorError what {@link Precision} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.precision([1, 1], [1, 0])); // 0.5
 * ```
 */
export function precision(pred: Values, target: Values, options?: AverageOptions): number {
  return new Precision(options).update(pred, target).compute();
}

/**
 * {@link Recall} of one batch.
 *
 * @throws TensorError what {@link Recall} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.recall([1, 0], [1, 1])); // 0.5
 * ```
 */
export function recall(pred: Values, target: Values, options?: AverageOptions): number {
  return new Recall(options).update(pred, target).compute();
}

/**
 * {@link F1} of one batch.
 *
 * @throws TensorError what {@link F1} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.f1([0, 1, 2, 2], [0, 1, 2, 1], { average: 'micro' })); // 0.75
 * ```
 */
export function f1(pred: Values, target: Values, options?: AverageOptions): number {
  return new F1(options).update(pred, target).compute();
}
