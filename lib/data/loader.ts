// DataLoader: batches of a dataset, in order or shuffled, by `for` or `for await`.

import type { TypedArray } from '../core/dtype.js';
import { defaultGenerator, Generator as RandomGenerator } from '../core/random.js';
import { checkBoolean, checkInteger } from '../core/shape.js';
import { randperm, tensor } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { stack } from '../ops/join.js';
import { Tensor } from '../tensor.js';
import type { Dataset } from './dataset.js';

/** What a batch of samples becomes: tensors are stacked, numbers and typed arrays become tensors, arrays and objects go by part. */
export type Collated<S> = S extends Tensor | number | boolean | TypedArray
  ? Tensor
  : S extends readonly unknown[]
    ? { -readonly [K in keyof S]: Collated<S[K]> }
    : S extends string
      ? string[]
      : S extends object
        ? { [K in keyof S]: Collated<S[K]> }
        : S[];

/** Options of {@link DataLoader}. */
export interface LoaderOptions<S = unknown, B = Collated<S>> {
  /** Samples in a batch; 1 unless given. */
  batchSize?: number;
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

const KNOWN = ['batchSize', 'shuffle', 'seed', 'generator', 'dropLast', 'prefetch', 'collate'];

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
    this.generator = generatorOf(op, options?.seed, options?.generator);
    const collateAny = (samples: S[]) => collate(samples) as B;
    this.collate = options?.collate ?? collateAny;
    if (typeof this.collate !== 'function') {
      throw new TensorError('value', op, `expected collate to be a function, got ${describe(options?.collate)}`);
    }
  }

  /** Number of batches. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Sample numbers of each batch; the order is drawn when the first is asked for. */
  private *indices(): Generator<Int32Array> {
    const { length: n } = this.dataset;
    const order = this.shuffle ? this.drawOrder(n) : new Int32Array(n);
    if (!this.shuffle) for (let i = 0; i < n; i++) order[i] = i;
    const batches = this.length;
    for (let i = 0; i < batches; i++) yield order.slice(i * this.batchSize, (i + 1) * this.batchSize);
  }

  private drawOrder(n: number): Int32Array {
    const drawn = randperm(n, { generator: this.generator });
    const order = drawn.typed().slice() as Int32Array;
    drawn.dispose();
    return order;
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

  *[Symbol.iterator](): Generator<B, void, undefined> {
    for (const indices of this.indices()) {
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

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const source = this.indices();
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
      const ready = await batch;
      ask();
      yield ready;
    }
  }
}

function generatorOf(op: string, seed: number | undefined, generator: RandomGenerator | undefined): RandomGenerator {
  if (seed !== undefined && generator !== undefined) {
    throw new TensorError('value', op, 'expected a seed or a generator, got both');
  }
  if (seed !== undefined) return new RandomGenerator(seed);
  if (generator === undefined || generator instanceof RandomGenerator) return generator ?? defaultGenerator;
  throw new TensorError('value', op, `expected a Generator, got ${describe(generator)}`);
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** One batch of samples of one form. */
function collate(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (first instanceof Tensor) return stack(samples as Tensor[]);
  if (typeof first === 'number' || typeof first === 'boolean') return tensor(samples as number[]);
  if (ArrayBuffer.isView(first)) return stack((samples as TypedArray[]).map((sample) => tensor(sample)));
  if (Array.isArray(first))
    return first.map((_, i) => collate(partsOf(samples, `place ${i}`, (s) => (s as unknown[])[i])));
  if (first !== null && typeof first === 'object') {
    const keys = Object.keys(first);
    const part = (key: string) => collate(partsOf(samples, `'${key}'`, (s) => (s as Record<string, unknown>)[key]));
    return Object.fromEntries(keys.map((key) => [key, part(key)]));
  }
  return samples;
}

/** The same part of every sample. */
function partsOf(samples: readonly unknown[], name: string, part: (sample: unknown) => unknown): unknown[] {
  return samples.map((sample, i) => {
    const value = sample !== null && typeof sample === 'object' ? part(sample) : undefined;
    if (value !== undefined) return value;
    throw new TensorError(
      'value',
      'DataLoader',
      `expected samples of one form, but sample ${i} of a batch has no ${name}`,
    );
  });
}
