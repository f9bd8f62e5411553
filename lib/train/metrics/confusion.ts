// ConfusionMatrix: the confusion table, counted batch by batch.
import { checkInteger } from '../../core/shape.js';
import { accuracyOf, confusionTable } from '../confusion.js';
import { classesOf, Metric, type Values } from './metric.js';

/**
 * Counts predictions by class, batch by batch: `table[i][j]` samples of class i were taken for class j (scikit-learn:
 * `confusion_matrix`); `compute` gives the share on the diagonal.
 *
 * Predictions are classes [N], or scores [N, C] of which the highest counts; targets are classes [N].
 *
 * @throws TensorError `index` for a class outside 0 to classes - 1
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * const matrix = new train.metrics.ConfusionMatrix(2).update([0, 1], [0, 1]).update([0], [1]);
 * console.log(matrix.table); // [[1, 0], [1, 1]]
 * ```
 */
export class ConfusionMatrix extends Metric {
  readonly #classes: number;
  #table: number[][];

  constructor(classes: number) {
    super();
    this.#classes = checkInteger('ConfusionMatrix', 'classes', classes, 1, 2 ** 15);
    this.#table = confusionTable([], [], classes);
  }

  /** The counts so far, row = true class, column = predicted class. */
  get table(): number[][] {
    return this.#table.map((row) => [...row]);
  }

  update(pred: Values, target: Values): this {
    const [p, t] = classesOf('ConfusionMatrix', pred, target);
    const batch = confusionTable(t, p, this.#classes);
    for (const [i, row] of batch.entries()) for (const [j, count] of row.entries()) this.#table[i][j] += count;
    return this;
  }

  compute(): number {
    return accuracyOf(this.#table);
  }

  reset(): void {
    this.#table = confusionTable([], [], this.#classes);
  }
}
