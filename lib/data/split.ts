// Parts of datasets and datasets of parts: subsets, random and stratified splits, one dataset behind another.
import { checkBoolean, checkInteger, checkNumber } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import type { Collated } from './collate.js';
import { checkPlace, checkPlaces, type Dataset } from './dataset.js';
import { ofLibrary } from './portable.js';
import { CHANCE, type ChanceOptions, drawOrder, generatorFor } from './random.js';

function checkDataset(op: string, dataset: Dataset): number {
  if (dataset === null || typeof dataset !== 'object' || typeof dataset.get !== 'function') {
    throw new TensorError('value', op, `expected a dataset with length and get(i), got ${describe(dataset)}`);
  }
  return checkInteger(op, 'the length of the dataset', dataset.length, 0, 2 ** 31 - 1);
}

/**
 * Some samples of a dataset, in the order of their numbers here (PyTorch: `Subset`).
 *
 * @throws TensorError `index` for a number outside the dataset
 *
 * @example
 * ```ts
 * import { arange, data } from 'chainrule';
 * const odd = new data.Subset(new data.TensorDataset(arange(6)), [1, 3, 5]);
 * for (const [x] of new data.DataLoader(odd, { batchSize: 3 })) console.log(x.toArray()); // [1, 3, 5]
 * ```
 */
export class Subset<S, B = Collated<S>> implements Dataset<S, B> {
  readonly length: number;
  readonly indices: Int32Array;
  readonly batch?: (indices: Int32Array) => B | Promise<B>;

  constructor(
    readonly dataset: Dataset<S, B>,
    indices: ArrayLike<number>,
  ) {
    const op = 'Subset';
    const length = checkDataset(op, dataset as Dataset);
    this.indices = checkPlaces(op, indices, (i) => checkPlace(op, i, length));
    this.length = this.indices.length;
    if (dataset.batch !== undefined) {
      this.batch = (places) => (dataset as Required<typeof dataset>).batch(places.map((i) => this.number(i)));
    }
    if (new.target === Subset) ofLibrary(this, 'Subset', dataset, this.indices);
  }

  get(i: number): S | Promise<S> {
    return this.dataset.get(this.number(i));
  }

  /** What number a sample has in the dataset. */
  private number(i: number): number {
    return this.indices[checkPlace('Subset', i, this.length)];
  }
}

/**
 * Datasets one behind the other (PyTorch: `ConcatDataset`).
 *
 * @throws TensorError `value` for no dataset
 *
 * @example
 * ```ts
 * import { arange, data } from 'chainrule';
 * const both = new data.ConcatDataset([new data.TensorDataset(arange(3)), new data.TensorDataset(arange(10, 12))]);
 * for (const [x] of new data.DataLoader(both, { batchSize: 5 })) console.log(x.toArray()); // [0, 1, 2, 10, 11]
 * ```
 */
export class ConcatDataset<S> implements Dataset<S> {
  readonly length: number;
  /** Number of the first sample behind each dataset. */
  private readonly ends: number[] = [];

  // A batch may span several datasets, so samples are read one by one: how batches are made does not matter.
  constructor(readonly datasets: readonly Pick<Dataset<S>, 'length' | 'get'>[]) {
    const op = 'ConcatDataset';
    if (!Array.isArray(datasets) || datasets.length === 0) {
      throw new TensorError('value', op, `expected at least one dataset, got ${describe(datasets)}`);
    }
    let end = 0;
    for (const dataset of datasets) {
      end += checkDataset(op, dataset);
      this.ends.push(end);
    }
    this.length = checkInteger(op, 'the length of all together', end, 0, 2 ** 31 - 1);
    if (new.target === ConcatDataset) ofLibrary(this, 'ConcatDataset', datasets);
  }

  get(i: number): S | Promise<S> {
    const place = checkPlace('ConcatDataset', i, this.length);
    const which = this.ends.findIndex((end) => place < end);
    return this.datasets[which].get(place - (which > 0 ? this.ends[which - 1] : 0));
  }
}

/**
 * Parts of a dataset that share no sample, drawn at random (PyTorch: `random_split`).
 *
 * @param lengths of the parts, summing to that of the dataset; or fractions that sum to 1
 * @param options `seed` or `generator`
 * @throws TensorError `value` for lengths that do not sum up
 *
 * @example
 * ```ts
 * import { arange, data } from 'chainrule';
 * const parts = data.randomSplit(new data.TensorDataset(arange(10)), [0.8, 0.2], { seed: 1 });
 * console.log(parts.map((part) => part.length)); // [8, 2]
 * ```
 */
export function randomSplit<S, B = Collated<S>>(
  dataset: Dataset<S, B>,
  lengths: readonly number[],
  options?: ChanceOptions,
): Subset<S, B>[] {
  const op = 'randomSplit';
  checkOptions(op, options, CHANCE);
  const n = checkDataset(op, dataset as Dataset);
  if (!Array.isArray(lengths) || lengths.length === 0) {
    throw new TensorError('value', op, `expected the lengths of the parts, got ${describe(lengths)}`);
  }
  const whole = lengths.every((length) => Number.isInteger(length)) && lengths.reduce((a, b) => a + b) === n;
  const counts = whole ? lengths : countsOf(op, lengths, n);
  for (const count of counts) checkInteger(op, 'a length', count, 0);
  const order = drawOrder(n, generatorFor(op, options));
  let begin = 0;
  return counts.map((count) => {
    const part = new Subset(dataset, order.subarray(begin, begin + count));
    begin += count;
    return part;
  });
}

/** Whole lengths for fractions: rounded down, what is left over goes to the first parts, one each. */
function countsOf(op: string, fractions: readonly number[], n: number): number[] {
  const sum = fractions.reduce((total, f) => total + checkNumber(op, 'a fraction', f, 0), 0);
  if (Math.abs(sum - 1) > 1e-9) {
    throw new TensorError('value', op, `expected lengths that sum to ${n} or fractions that sum to 1, got ${sum}`);
  }
  // 0.29 * 100 is 28.999999999999996: rounded down only where it is not a whole number up to rounding.
  const counts = fractions.map((f) => Math.floor(f * n + 1e-9));
  for (let left = n - counts.reduce((a, b) => a + b, 0), i = 0; left > 0; left--, i++) counts[i % counts.length]++;
  return counts;
}

/** Options of {@link trainTestSplit}. */
export interface TrainTestOptions extends ChanceOptions {
  /** Part of the samples to test on, or how many if 1 or more; 0.25 unless given. */
  testSize?: number;
  /** Take them at random and not from the end; true unless given. */
  shuffle?: boolean;
  /** The class of each sample: every class is split in the same proportion. */
  stratify?: Tensor | ArrayLike<number | string>;
}

/**
 * A part to train on and a part to test on (scikit-learn: `train_test_split`).
 *
 * @param options `testSize`: 0.25 unless given; `shuffle`: true unless given; `stratify`: a class for each sample; `seed` or
 * `generator`
 * @throws TensorError `value` for a size that leaves one part empty, or labels that are not one for each sample
 *
 * @example
 * ```ts
 * import { arange, data, tensor } from 'chainrule';
 * const labels = tensor([0, 0, 0, 0, 1, 1, 1, 1]);
 * const set = new data.TensorDataset(arange(8), labels);
 * const [train, test] = data.trainTestSplit(set, { stratify: labels, seed: 1 });
 * const [, y] = data.collate([test.get(0), test.get(1)] as (typeof set.tensors)[]);
 * console.log(train.length, y.sum().item()); // 6 1
 * ```
 */
export function trainTestSplit<S, B = Collated<S>>(
  dataset: Dataset<S, B>,
  options?: TrainTestOptions,
): [train: Subset<S, B>, test: Subset<S, B>] {
  const op = 'trainTestSplit';
  checkOptions(op, options, ['testSize', 'shuffle', 'stratify', ...CHANCE]);
  const n = checkDataset(op, dataset as Dataset);
  const testSize = checkNumber(op, 'testSize', options?.testSize ?? 0.25);
  const count = testSize < 1 ? Math.ceil(testSize * n - 1e-9) : testSize;
  if (!(Number.isInteger(count) && count > 0 && count < n)) {
    throw new TensorError('value', op, `expected testSize to leave both parts samples of ${n}, got ${testSize}`);
  }
  const shuffle = checkBoolean(op, 'shuffle', options?.shuffle ?? true);
  if (!shuffle) {
    if (options?.stratify !== undefined) {
      throw new TensorError('value', op, 'expected shuffle with stratify, got shuffle: false');
    }
    const all = Int32Array.from({ length: n }, (_, i) => i);
    return [new Subset(dataset, all.subarray(0, n - count)), new Subset(dataset, all.subarray(n - count))];
  }
  const order = drawOrder(n, generatorFor(op, options));
  const chosen =
    options?.stratify === undefined ? order.subarray(0, count) : pickByClass(op, order, count, options.stratify);
  const tested = new Set(chosen);
  return [
    new Subset(
      dataset,
      order.filter((i) => !tested.has(i)),
    ),
    new Subset(dataset, chosen),
  ];
}

/** The first of each class in a random order: as many as its share, what is left over by the largest remainder. */
function pickByClass(
  op: string,
  order: Int32Array,
  count: number,
  stratify: Tensor | ArrayLike<number | string>,
): Int32Array {
  const n = order.length;
  const labels = stratify instanceof Tensor && stratify.ndim === 1 ? (stratify.toArray() as number[]) : stratify;
  if (labels === null || typeof labels !== 'object' || labels instanceof Tensor || labels.length !== n) {
    throw new TensorError('value', op, `expected one class for each of ${n} samples, got ${describe(stratify)}`);
  }
  const members = new Map<number | string, number[]>();
  for (const i of order) {
    const group = members.get(labels[i]);
    if (group) group.push(i);
    else members.set(labels[i], [i]);
  }
  const groups = [...members.values()].map((group) => {
    const share = (group.length * count) / n;
    return { group, take: Math.floor(share), rest: share - Math.floor(share) };
  });
  const byRest = groups.toSorted((a, b) => b.rest - a.rest);
  for (let left = count - groups.reduce((sum, { take }) => sum + take, 0), i = 0; left > 0; left--, i++)
    byRest[i].take++;
  const chosen = new Set(groups.flatMap(({ group, take }) => group.slice(0, take)));
  return order.filter((i) => chosen.has(i));
}
