// Samplers: in which order, how often and by whom the samples of a dataset are read.
import type { Generator as RandomGenerator } from '../core/random.js';
import { checkBoolean, checkInteger } from '../core/shape.js';
import { randint, tensor } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { multinomial } from '../sample.js';
import { Tensor } from '../tensor.js';
import { checkPlaces } from './dataset.js';
import { CHANCE, type ChanceOptions, drawOrder, generatorFor } from './random.js';

/** Sample numbers, or whole batches of them, again from the start each time it is iterated (PyTorch: `Sampler`). */
export interface Sampler<T = number> extends Iterable<T> {
  /** How many come in one pass. */
  readonly length: number;
}

export function checkSampler<T>(op: string, name: string, sampler: Sampler<T>): Sampler<T> {
  const fits = sampler !== null && typeof sampler === 'object' && typeof sampler[Symbol.iterator] === 'function';
  if (fits && Number.isInteger(sampler.length)) return sampler;
  throw new TensorError('value', op, `expected ${name} to be iterable and to have a length, got ${describe(sampler)}`);
}

/** Anything with a length: a dataset, an array. */
type Sized = { readonly length: number };

function lengthOf(op: string, source: Sized): number {
  if (source === null || typeof source !== 'object') {
    throw new TensorError('value', op, `expected a dataset, got ${describe(source)}`);
  }
  return checkInteger(op, 'the length of the dataset', source.length, 0, 2 ** 31 - 1);
}

/**
 * The samples in their order (PyTorch: `SequentialSampler`).
 *
 * @throws TensorError `value` unless the source has a length
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * console.log([...new data.SequentialSampler({ length: 3 })]); // [0, 1, 2]
 * ```
 */
export class SequentialSampler implements Sampler {
  readonly length: number;

  constructor(source: Sized) {
    this.length = lengthOf('SequentialSampler', source);
  }

  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

/** Options of {@link RandomSampler}. */
export interface RandomSamplerOptions extends ChanceOptions {
  /** Whether a sample may come again before all have come; false unless given. */
  replacement?: boolean;
  /** How many come in one pass; as many as there are unless given. */
  numSamples?: number;
}

/**
 * The samples in a random order, another each time (PyTorch: `RandomSampler`).
 *
 * @param options `replacement`: false unless given; `numSamples`; `seed` or `generator`
 * @throws TensorError `value` unless the source has a length, or where there is nothing to draw from
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const sampler = new data.RandomSampler({ length: 5 }, { seed: 1 });
 * console.log([...sampler].sort()); // [0, 1, 2, 3, 4]
 * ```
 */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly generator: RandomGenerator;
  private readonly count: number;
  private readonly replacement: boolean;

  constructor(source: Sized, options?: RandomSamplerOptions) {
    const op = 'RandomSampler';
    checkOptions(op, options, ['replacement', 'numSamples', ...CHANCE]);
    this.count = lengthOf(op, source);
    this.replacement = checkBoolean(op, 'replacement', options?.replacement ?? false);
    this.length = checkInteger(op, 'numSamples', options?.numSamples ?? this.count, 0, 2 ** 31 - 1);
    if (this.count === 0 && this.length > 0) {
      throw new TensorError('value', op, `expected samples to draw ${this.length} from, got none`);
    }
    this.generator = generatorFor(op, options);
  }

  *[Symbol.iterator](): Generator<number> {
    const { length, count, generator } = this;
    for (let left = length; left > 0; left -= count) {
      const some = this.replacement ? drawAny(count, Math.min(left, count), generator) : drawOrder(count, generator);
      yield* some.subarray(0, left);
    }
  }
}

function drawAny(n: number, count: number, generator: RandomGenerator): Int32Array {
  const drawn = randint(0, n, [count], { generator });
  const numbers = drawn.typed().slice() as Int32Array;
  drawn.dispose();
  return numbers;
}

/**
 * These samples in a random order, another each time (PyTorch: `SubsetRandomSampler`).
 *
 * @param options `seed` or `generator`
 * @throws TensorError `value` for numbers that are no sample numbers
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * console.log([...new data.SubsetRandomSampler([4, 7, 9])].sort()); // [4, 7, 9]
 * ```
 */
export class SubsetRandomSampler implements Sampler {
  readonly length: number;
  readonly generator: RandomGenerator;
  private readonly indices: Int32Array;

  constructor(indices: ArrayLike<number>, options?: ChanceOptions) {
    const op = 'SubsetRandomSampler';
    checkOptions(op, options, CHANCE);
    this.indices = checkPlaces(op, indices, (i) => checkInteger(op, 'a sample number', i, 0, 2 ** 31 - 1));
    this.length = this.indices.length;
    this.generator = generatorFor(op, options);
  }

  *[Symbol.iterator](): Generator<number> {
    for (const place of drawOrder(this.length, this.generator)) yield this.indices[place];
  }
}

/** Options of {@link WeightedRandomSampler}. */
export interface WeightedSamplerOptions extends ChanceOptions {
  /** Whether a sample may come again; true unless given. */
  replacement?: boolean;
}

/**
 * Samples drawn in proportion to weights, for classes of unequal size for example (PyTorch: `WeightedRandomSampler`).
 *
 * @param weights one for each sample, at least 0; they need not sum to 1
 * @param numSamples how many come in one pass
 * @param options `replacement`: true unless given; `seed` or `generator`
 * @throws TensorError `value` for weights that are negative or not finite, or too few above 0
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const sampler = new data.WeightedRandomSampler([0, 1, 0, 3], 100, { seed: 1 });
 * console.log([...new Set(sampler)].sort()); // [1, 3]
 * ```
 */
export class WeightedRandomSampler implements Sampler {
  readonly generator: RandomGenerator;
  private readonly weights: Tensor;
  private readonly replacement: boolean;

  constructor(
    weights: Tensor | ArrayLike<number>,
    readonly length: number,
    options?: WeightedSamplerOptions,
  ) {
    const op = 'WeightedRandomSampler';
    checkOptions(op, options, ['replacement', ...CHANCE]);
    this.replacement = checkBoolean(op, 'replacement', options?.replacement ?? true);
    checkInteger(op, 'numSamples', length, 1, 2 ** 31 - 1);
    const list = weights instanceof Tensor && weights.ndim === 1 ? (weights.toArray() as number[]) : weights;
    if (list === null || typeof list !== 'object' || list instanceof Tensor || !Number.isInteger(list.length)) {
      throw new TensorError('value', op, `expected one weight for each sample, got ${describe(weights)}`);
    }
    const values = Float64Array.from(list);
    const odd = values.findIndex((w) => !(w >= 0 && w < Number.POSITIVE_INFINITY));
    if (odd >= 0) throw new TensorError('value', op, `expected weights of at least 0, got ${values[odd]} at ${odd}`);
    const possible = values.reduce((n, w) => n + Number(w > 0), 0);
    const needed = this.replacement ? 1 : length;
    if (possible < needed) {
      throw new TensorError('value', op, `expected at least ${needed} weights above 0, got ${possible}`);
    }
    this.weights = tensor(values);
    this.generator = generatorFor(op, options);
  }

  *[Symbol.iterator](): Generator<number> {
    const { replacement, generator } = this;
    const drawn = multinomial(this.weights, this.length, { replacement, generator });
    const order = drawn.typed().slice();
    drawn.dispose();
    yield* order;
  }
}

/** Options of {@link DistributedSampler}. */
export interface DistributedSamplerOptions {
  /** Number of processes that share the work. */
  worldSize: number;
  /** Which of them this is, from 0 on. */
  rank: number;
  /** Another random order each epoch, the same for all; true unless given. */
  shuffle?: boolean;
  /** The same for all; 0 unless given. */
  seed?: number;
  /** Leave out what does not go round, instead of repeating some; false unless given. */
  dropLast?: boolean;
}

/**
 * The part of the samples that one of several processes reads, equally many for each (PyTorch: `DistributedSampler`).
 *
 * @param options `worldSize`, `rank`; `shuffle`: true unless given; `seed`: 0; `dropLast`: false
 * @throws TensorError `value` for a rank outside the world
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const sampler = new data.DistributedSampler({ length: 5 }, { worldSize: 2, rank: 1, shuffle: false });
 * console.log([...sampler]); // [1, 3, 0]
 * ```
 */
export class DistributedSampler implements Sampler {
  readonly length: number;
  /** Which pass comes next; each has its own order. */
  epoch = 0;
  private readonly options: Required<DistributedSamplerOptions>;
  private readonly count: number;

  constructor(source: Sized, options: DistributedSamplerOptions) {
    const op = 'DistributedSampler';
    checkOptions(op, options, ['worldSize', 'rank', 'shuffle', 'seed', 'dropLast']);
    this.count = lengthOf(op, source);
    const worldSize = checkInteger(op, 'worldSize', options?.worldSize, 1);
    this.options = {
      worldSize,
      rank: checkInteger(op, 'rank', options.rank, 0, worldSize - 1),
      shuffle: checkBoolean(op, 'shuffle', options.shuffle ?? true),
      seed: checkInteger(op, 'seed', options.seed ?? 0, 0, 2 ** 52),
      dropLast: checkBoolean(op, 'dropLast', options.dropLast ?? false),
    };
    const share = this.count / worldSize;
    this.length = this.options.dropLast ? Math.floor(share) : Math.ceil(share);
  }

  /** Says which epoch begins; without it every pass has the same order (PyTorch: `set_epoch`). */
  setEpoch(epoch: number): void {
    this.epoch = checkInteger('DistributedSampler', 'the epoch', epoch, 0, 2 ** 52);
  }

  *[Symbol.iterator](): Generator<number> {
    const { worldSize, rank, shuffle, seed } = this.options;
    const order = shuffle
      ? drawOrder(this.count, generatorFor('DistributedSampler', { seed: seed + this.epoch }))
      : undefined;
    for (let k = 0; k < this.length; k++) {
      const place = (rank + k * worldSize) % this.count;
      yield order === undefined ? place : order[place];
    }
  }
}

/**
 * The numbers of another sampler in batches (PyTorch: `BatchSampler`).
 *
 * @param options `dropLast`: leave out a last batch that is not full, false unless given
 * @throws TensorError `value` for a batch size below 1
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * console.log([...new data.BatchSampler(new data.SequentialSampler({ length: 5 }), 2)]); // [[0, 1], [2, 3], [4]]
 * ```
 */
export class BatchSampler implements Sampler<number[]> {
  private readonly dropLast: boolean;

  constructor(
    readonly sampler: Sampler,
    readonly batchSize: number,
    options?: { dropLast?: boolean },
  ) {
    const op = 'BatchSampler';
    checkOptions(op, options, ['dropLast']);
    checkSampler(op, 'the sampler', sampler);
    checkInteger(op, 'batchSize', batchSize, 1);
    this.dropLast = checkBoolean(op, 'dropLast', options?.dropLast ?? false);
  }

  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Generator<number[]> {
    let batch: number[] = [];
    for (const i of this.sampler) {
      batch.push(i);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}
