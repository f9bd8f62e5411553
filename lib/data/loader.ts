// DataLoader: batches of a dataset, in order or shuffled, by `for` or `for await`.

import { Generator as RandomGenerator } from '../core/random.js';
import { checkBoolean, checkInteger } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { type Collated, collate } from './collate.js';
import type { Dataset } from './dataset.js';
import { drawOrder, generatorFor } from './random.js';
import type { Sampler } from './sampler.js';

/** Options of {@link DataLoader}. */
export interface LoaderOptions<S = unknown, B = Collated<S>> {
  /** Samples in a batch; 1 unless given. */
  batchSize?: number;
  /** Whose numbers are read, in its order; instead of `shuffle`. */
  sampler?: Sampler;
  /** Whose batches of numbers are read; instead of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: Sampler<readonly number[]>;
  /** Another random order each time; false unless given. */
  shuffle?: boolean;
  /** Seed of the orders: the same seed gives the same sequence of orders. */
  seed?: number;
  /** Where the orders come from instead of a seed; the default generator unless given. */
  generator?: RandomGenerator;
  /** Leave out a last batch that is not full; false unless given. */
  dropLast?: boolean;
  /** Batches that `for await` asks for ahead of the one in use; 1 unless given. Pays where samples are promises. */
  prefetch?: number;
  /** Makes a batch of samples, for a dataset without `batch`. */
  collate?: (samples: S[]) => B;
}

const KNOWN = [
  'batchSize',
  'sampler',
  'batchSampler',
  'shuffle',
  'seed',
  'generator',
  'dropLast',
  'prefetch',
  'collate',
];

/**
 * Batches of a dataset, again from the start each time it is iterated (PyTorch: `DataLoader`).
 *
 * @throws TensorError `value` or `option` for wrong options; errors of the dataset come out as they are
 *
 * @example
 * ```ts
 * import { arange, data } from 'chainrule';
 * const loader = new data.DataLoader(new data.TensorDataset(arange(10)), { batchSize: 4, shuffle: true, seed: 1 });
 * for await (const [x] of loader) console.log(x.shape); // [4], [4], [2]
 * ```
 */
export class DataLoader<S, B = Collated<S>> implements Iterable<B>, AsyncIterable<B> {
  readonly batchSize: number;
  /** Where the orders come from; its state belongs into checkpoints. */
  readonly generator: RandomGenerator;
  private readonly shuffle: boolean;
  private readonly dropLast: boolean;
  private readonly prefetch: number;
  private readonly sampler: Sampler | undefined;
  private readonly batchSampler: Sampler<readonly number[]> | undefined;
  private readonly collate: (samples: S[]) => B;

  constructor(
    readonly dataset: Dataset<S, B>,
    options?: LoaderOptions<S, B>,
  ) {
    const op = 'DataLoader';
    checkOptions(op, options, KNOWN);
    if (dataset === null || typeof dataset !== 'object' || typeof dataset.get !== 'function') {
      throw new TensorError('value', op, `expected a dataset with length and get(i), got ${describe(dataset)}`);
    }
    checkInteger(op, 'the length of the dataset', dataset.length, 0, 2 ** 31 - 1);
    this.batchSize = checkInteger(op, 'batchSize', options?.batchSize ?? 1, 1);
    this.shuffle = checkBoolean(op, 'shuffle', options?.shuffle ?? false);
    this.dropLast = checkBoolean(op, 'dropLast', options?.dropLast ?? false);
    this.prefetch = checkInteger(op, 'prefetch', options?.prefetch ?? 1, 0);
    this.sampler = checkSampler(op, 'sampler', options?.sampler);
    this.batchSampler = checkSampler(op, 'batchSampler', options?.batchSampler);
    const others = ['batchSize', 'shuffle', 'sampler', 'dropLast'] as const;
    const excluded = this.batchSampler ? others : this.sampler ? (['shuffle'] as const) : [];
    const stray = excluded.find((name) => options?.[name] !== undefined && options[name] !== false);
    if (stray !== undefined) {
      const given = this.batchSampler ? 'batchSampler' : 'sampler';
      throw new TensorError('value', op, `expected ${stray} to be left out beside a ${given}, got both`);
    }
    this.generator = generatorFor(op, options);
    const collateAny = (samples: S[]) => collate(samples) as B;
    this.collate = options?.collate ?? collateAny;
    if (typeof this.collate !== 'function') {
      throw new TensorError('value', op, `expected collate to be a function, got ${describe(options?.collate)}`);
    }
  }

  /** Every generator that the orders come from, those of samplers included. */
  get generators(): RandomGenerator[] {
    const inner = (this.batchSampler as { sampler?: unknown } | undefined)?.sampler;
    const sources = [this, this.sampler, this.batchSampler, inner] as ({ generator?: unknown } | undefined)[];
    return sources.map((source) => source?.generator).filter((generator) => generator instanceof RandomGenerator);
  }

  /** Number of batches. */
  get length(): number {
    if (this.batchSampler) return this.batchSampler.length;
    const batches = (this.sampler ?? this.dataset).length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Sample numbers of each batch; the order is drawn when the first is asked for. */
  private *indices(): Generator<Int32Array> {
    if (this.sampler ?? this.batchSampler) {
      yield* this.sampledIndices();
      return;
    }
    const { length: n } = this.dataset;
    const order = this.shuffle ? drawOrder(n, this.generator) : new Int32Array(n);
    if (!this.shuffle) for (let i = 0; i < n; i++) order[i] = i;
    const batches = this.length;
    for (let i = 0; i < batches; i++) yield order.slice(i * this.batchSize, (i + 1) * this.batchSize);
  }

  private *sampledIndices(): Generator<Int32Array> {
    const check = (i: number): number => {
      if (Number.isInteger(i) && i >= 0 && i < this.dataset.length) return i;
      const wanted = `sample numbers from 0 to ${this.dataset.length - 1}`;
      throw new TensorError('index', 'DataLoader', `expected the sampler to give ${wanted}, got ${describe(i)}`);
    };
    for (const batch of this.batchSampler ?? []) yield Int32Array.from(batch, check);
    let batch: number[] = [];
    for (const i of this.sampler ?? []) {
      batch.push(check(i));
      if (batch.length < this.batchSize) continue;
      yield Int32Array.from(batch);
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield Int32Array.from(batch);
  }

  private load(indices: Int32Array): B | Promise<B> {
    const { dataset } = this;
    if (dataset.batch !== undefined) return dataset.batch(indices);
    const samples = Array.from(indices, (i) => {
      const sample = dataset.get(i);
      // Whatever becomes of the batch: Promise.all reports the first failure, the others are nobody's.
      if (isPromise(sample)) sample.catch(() => {});
      return sample;
    });
    if (!samples.some(isPromise)) return this.collate(samples as S[]);
    return Promise.all(samples).then((all) => this.collate(all));
  }

  /**
   * The batches of the next order from number `first` on, once, without loading those before: where an interrupted run goes on. The
   * order up to there is drawn at once.
   *
   * @throws TensorError `value` for a number below 0
   *
   * @example
   * ```ts
   * import { arange, data } from 'chainrule';
   * const loader = new data.DataLoader(new data.TensorDataset(arange(6)), { batchSize: 2 });
   * for (const [x] of loader.from(2)) console.log(x.toArray()); // [4, 5]
   * ```
   */
  from(first: number): Iterable<B> & AsyncIterable<B> {
    checkInteger('from', 'the number of the first batch', first, 0);
    const source = this.indices();
    for (let i = 0; i < first && !source.next().done; i++);
    return {
      [Symbol.iterator]: () => this.batches(source),
      [Symbol.asyncIterator]: () => this.batchesAhead(source),
    };
  }

  [Symbol.iterator](): Generator<B, void, undefined> {
    return this.batches(this.indices());
  }

  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    return this.batchesAhead(this.indices());
  }

  private *batches(source: Iterable<Int32Array>): Generator<B, void, undefined> {
    for (const indices of source) {
      const batch = this.load(indices);
      if (isPromise(batch)) {
        batch.catch(() => {});
        throw new TensorError(
          'value',
          'DataLoader',
          "expected a dataset without promises, got a promise; iterate with 'for await'",
        );
      }
      yield batch;
    }
  }

  private async *batchesAhead(source: Iterator<Int32Array>): AsyncGenerator<B, void, undefined> {
    const ahead: Promise<B>[] = [];
    const ask = () => {
      const next = source.next();
      if (next.done) return;
      const batch = (async () => this.load(next.value))();
      // Whoever stops early never looks at the rest: their errors are nobody's.
      batch.catch(() => {});
      ahead.push(batch);
    };
    for (let i = 0; i <= this.prefetch; i++) ask();
    for (let batch = ahead.shift(); batch !== undefined; batch = ahead.shift()) {
      yield await batch;
      ask();
    }
  }
}

function checkSampler<T>(op: string, name: string, sampler: Sampler<T> | undefined): Sampler<T> | undefined {
  if (sampler === undefined) return undefined;
  const fits = sampler !== null && typeof sampler === 'object' && typeof sampler[Symbol.iterator] === 'function';
  if (fits && Number.isInteger(sampler.length)) return sampler;
  throw new TensorError('value', op, `expected ${name} to be iterable and to have a length, got ${describe(sampler)}`);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}
