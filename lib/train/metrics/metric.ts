// Metric: what is measured over many batches and asked for once; and how predictions and targets are read.
import { dense } from '../../core/dispatch.js';
import { describe, TensorError } from '../../errors.js';
import { Tensor } from '../../tensor.js';

/** Numbers in a row, or a tensor of them. */
export type Values = Tensor | ArrayLike<number>;

/**
 * A measure that is taken batch by batch: the value after several updates is that of all their samples together, not a mean of
 * means.
 *
 * @example
 * ```ts
 * import { train } from 'chainrule';
 * class Largest extends train.metrics.Metric {
 *   #most = -Infinity;
 *   update(pred: ArrayLike<number>) {
 *     this.#most = Math.max(this.#most, ...Array.from(pred));
 *     return this;
 *   }
 *   compute() { return this.#most; }
 *   reset() { this.#most = -Infinity; }
 * }
 * console.log(new Largest().update([1, 3]).update([2]).compute()); // 3
 * ```
 */
export abstract class Metric {
  /** Takes in a batch. */
  abstract update(pred: Values, target: Values): this;
  /** The value of all batches so far; NaN where there was nothing to measure, unless said otherwise. */
  abstract compute(): number;
  /** Forgets all batches. */
  abstract reset(): void;
}

/** The elements in row-major order; to be read at once, for the memory of a tensor may be used again. */
export function elements(op: string, name: string, values: Values): ArrayLike<number> {
  if (values instanceof Tensor) {
    values.check(op);
    const row = dense(op, values);
    return row.typed();
  }
  if (values !== null && typeof values === 'object' && typeof values.length === 'number') return values;
  throw new TensorError('value', op, `expected ${name} to be a tensor or an array of numbers, got ${describe(values)}`);
}

/** Predictions and targets, as many of one as of the other. */
export function pairs(op: string, pred: Values, target: Values): [pred: ArrayLike<number>, target: ArrayLike<number>] {
  const [p, t] = [elements(op, 'predictions', pred), elements(op, 'targets', target)];
  const same = !(pred instanceof Tensor && target instanceof Tensor) || pred.shape.join() === target.shape.join();
  if (p.length === t.length && same) return [p, t];
  const got = `${pred instanceof Tensor ? describe(pred) : p.length} and ${target instanceof Tensor ? describe(target) : t.length}`;
  throw new TensorError('shape', op, `expected as many predictions as targets, in one shape, got ${got}`);
}

/** A class number: a whole number from 0 up. */
export function checkClass(op: string, value: number, place: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new TensorError('index', op, `expected classes from 0 up, got ${describe(value)} at place ${place}`);
}

/** A label of two classes: 0 or 1. */
export function checkBinary(op: string, value: number, place: number): number {
  if (value === 0 || value === 1) return value;
  throw new TensorError('value', op, `expected targets of 0 and 1, got ${describe(value)} at place ${place}`);
}

/** Scores of classes [N, C], or [N, C, ...] with a target [N, ...]. */
export interface Scores {
  readonly scores: ArrayLike<number>;
  readonly classes: number;
  /** The score of class `c` in row `i` stands at `start(i) + c * step`. */
  readonly step: number;
  readonly start: (i: number) => number;
  readonly target: ArrayLike<number>;
}

/** Reads scores by class, or null where the predictions are classes already. */
export function scoresOf(op: string, pred: Values, target: Values): Scores | null {
  const ndim = target instanceof Tensor ? target.ndim : 1;
  if (!(pred instanceof Tensor) || pred.ndim !== ndim + 1) return null;
  const [n, classes, ...rest] = pred.shape;
  const step = rest.reduce((a, b) => a * b, 1);
  const labels = elements(op, 'targets', target);
  const fits = target instanceof Tensor ? target.shape.join() === [n, ...rest].join() : labels.length === n;
  if (!fits || classes === 0) {
    const got = `${describe(pred)} and ${target instanceof Tensor ? describe(target) : labels.length}`;
    throw new TensorError('shape', op, `expected scores [N, C, ...] and targets [N, ...], got ${got}`);
  }
  const start = (i: number) => Math.floor(i / step) * classes * step + (i % step);
  return { scores: elements(op, 'predictions', pred), classes, step, start, target: labels };
}

/** Predicted and true classes; of scores, the class with the highest, the first of equals, NaN above all. */
export function classesOf(
  op: string,
  pred: Values,
  target: Values,
): [pred: ArrayLike<number>, target: ArrayLike<number>] {
  const given = scoresOf(op, pred, target);
  if (given === null) return pairs(op, pred, target);
  const { scores, classes, step, start, target: labels } = given;
  const chosen = new Int32Array(labels.length);
  for (let i = 0; i < chosen.length; i++) {
    const first = start(i);
    let best = 0;
    for (let c = 1; c < classes && !Number.isNaN(scores[first + best * step]); c++) {
      const score = scores[first + c * step];
      if (score > scores[first + best * step] || Number.isNaN(score)) best = c;
    }
    chosen[i] = best;
  }
  return [chosen, labels];
}
