// Measures of a ranking: the area under the ROC curve and average precision, exact, with ties.
import { TensorError } from '../../errors.js';
import { checkBinary, Metric, pairs, type Values } from './metric.js';

/** Samples with one score, by class. */
interface Tie {
  score: number;
  positives: number;
  negatives: number;
}

/** Keeps how many samples of either class had each score: exact, and as large as there are different scores. */
abstract class RankingMetric extends Metric {
  readonly #ties = new Map<number, Tie>();

  update(pred: Values, target: Values): this {
    const op = this.constructor.name;
    const [p, t] = pairs(op, pred, target);
    for (let i = 0; i < t.length; i++) {
      checkBinary(op, t[i], i);
      if (Number.isNaN(p[i])) throw new TensorError('value', op, `expected scores, got NaN at place ${i}`);
    }
    for (let i = 0; i < t.length; i++) {
      let tie = this.#ties.get(p[i]);
      if (tie === undefined) {
        tie = { score: p[i], positives: 0, negatives: 0 };
        this.#ties.set(p[i], tie);
      }
      if (t[i] === 1) tie.positives++;
      else tie.negatives++;
    }
    return this;
  }

  /** From the highest score to the lowest. */
  protected ranked(): Tie[] {
    return [...this.#ties.values()].sort((a, b) => (a.score < b.score ? 1 : -1));
  }

  reset(): void {
    this.#ties.clear();
  }
}

/**
 * Area under the ROC curve: the probability that a positive sample has a higher score than a negative one, ties counting half,
 * `(pairs in order + ties / 2) / (P N)` (Hanley and McNeil 1982; scikit-learn: `roc_auc_score`).
 *
 * Scores are any numbers, [N]; targets 0 and 1, [N]. NaN where one of the classes is missing.
 *
 * @throws TensorError `value` for another target or a score that is NaN, `shape` where the shapes differ
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(new train.metrics.AUC().update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).compute()); // 0.75
 * ```
 */
export class AUC extends RankingMetric {
  compute(): number {
    let [positives, negatives, ordered] = [0, 0, 0];
    for (const tie of this.ranked()) {
      // Every negative of this score stands below the positives so far.
      ordered += tie.negatives * (positives + tie.positives / 2);
      positives += tie.positives;
      negatives += tie.negatives;
    }
    return ordered / (positives * negatives);
  }
}

/**
 * {@link AUC} of one batch.
 *
 * @throws TensorError what {@link AUC} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.auc([0.2, 0.2, 0.9], [0, 1, 1])); // 0.75
 * ```
 */
export function auc(pred: Values, target: Values): number {
  return new AUC().update(pred, target).compute();
}

/**
 * Average precision: the precision at every threshold weighted by the gain of recall, `sum (R_n - R_(n-1)) P_n`, without interpolation
 * (scikit-learn: `average_precision_score`); arguments as of {@link AUC}. NaN without a positive sample.
 *
 * @throws TensorError what {@link AUC} throws
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * const ap = new train.metrics.AveragePrecision().update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]);
 * console.log(ap.compute().toFixed(4)); // 0.8333
 * ```
 */
export class AveragePrecision extends RankingMetric {
  compute(): number {
    let [positives, seen, sum] = [0, 0, 0];
    for (const tie of this.ranked()) {
      positives += tie.positives;
      seen += tie.positives + tie.negatives;
      sum += tie.positives * (positives / seen);
    }
    return sum / positives;
  }
}

/**
 * {@link AveragePrecision} of one batch.
 *
 * @throws TensorError what {@link AveragePrecision} refuses
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * console.log(train.metrics.averagePrecision([3, 2, 1], [1, 1, 0])); // 1
 * ```
 */
export function averagePrecision(pred: Values, target: Values): number {
  return new AveragePrecision().update(pred, target).compute();
}
