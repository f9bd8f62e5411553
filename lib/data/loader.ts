// DataLoader: batches of a dataset, in order or shuffled, by `for` or `for await`, made here or in worker threads.

import { mixWords, Generator as RandomGenerator } from '../core/random.js';
import { checkBoolean, checkInteger } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { askAhead, reachFor, type Until } from './ahead.js';
import { type Collated, collate } from './collate.js';
import { Crew, checkWorkers, type WorkerOptions } from './crew.js';
import { checkPlaces, type Dataset } from './dataset.js';
import { drop, isPromise, type Job, loadBatch, makesFresh } from './load.js';
import { checkPortable, draw, receive } from './pack.js';
import { drawOrder, generatorFor } from './random.js';
import { checkSampler, type Sampler } from './sampler.js';

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
  /**
   * Batches that `for await` asks for ahead of the one in use; 1 unless given, 2 for each worker, or up to 16 for each while all
   * together take no more than 8 MB. Pays where samples are promises, or made by workers.
   */
  prefetch?: number;
  /** Makes a batch of samples, for a dataset without `batch`. */
  collate?: (samples: S[]) => B;
  /**
   * Worker threads that make the batches, for `for await`; none unless given. Whatever their number, 0 included, the batches are the
   * same for the same seed: the random numbers of a sample follow from the seed, the pass and its place, not from what was drawn before.
   */
  workers?: number | WorkerOptions;
  /**
   * Give the memory of a batch back when the next is asked for, which spares the garbage collector a batch every step; false unless
   * given. Whoever keeps a batch longer clones it. Batches that a dataset or a `collate` of one's own has made in this thread stay.
   */
  reuse?: boolean;
  /** Ends reading with an error, even while it waits. */
  signal?: AbortSignal;
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
  'workers',
  'reuse',
  'signal',
];

/**
 * Batches of a dataset, again from the start each time it is iterated (PyTorch: `DataLoader`).
 *
 * With `workers`, threads make the batches while this one computes; they come in the same order. Each thread makes its own dataset:
 * the library's do so by themselves, over memory that all threads share (a `transform` must be the library's or portable); a dataset of
 * one's own stands in a module of its own, which {@link fromModule} imports, or declares itself by {@link portable}. Tensors that a
 * dataset was made of are as they were when the pass began. Leaving the loop, an error and the signal end the threads.
 *
 * With `workers`, 0 included, a random transform draws other numbers than without: for each sample every generator, the default
 * one too, stands for one that follows from the seed of the loader, the pass, the batch, the place in it, and that generator's own seed.
 * So samples do not depend on the number of threads, nor on which made them; `Math.random` is not repeatable.
 *
 * @throws TensorError `value` or `option` for wrong options, `value` for a dataset or a `collate` that workers cannot make; when read,
 * `aborted` by the signal, `worker` where a thread ends; errors of the dataset come out as they are
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
  readonly shuffle: boolean;
  private readonly dropLast: boolean;
  private readonly prefetch: number | undefined;
  /** @internal */
  readonly reuse: boolean;
  private readonly sampler: Sampler | undefined;
  private readonly batchSampler: Sampler<readonly number[]> | undefined;
  private readonly collate: (samples: S[]) => B;
  private readonly signal: AbortSignal | undefined;
  private readonly workers: WorkerOptions | undefined;
  /** With workers: the seed of their random numbers, and which pass comes next. */
  private readonly chance: RandomGenerator | undefined;
  /** What a worker needs to make batches. */
  private readonly parts: { readonly dataset: Dataset<S, B>; readonly collate: LoaderOptions<S, B>['collate'] };
  private idle: Crew | null = null;

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
    this.reuse = checkBoolean(op, 'reuse', options?.reuse ?? false);
    this.workers = checkWorkers(op, options?.workers);
    this.prefetch = options?.prefetch === undefined ? undefined : checkInteger(op, 'prefetch', options.prefetch, 0);
    const { sampler, batchSampler } = options ?? {};
    this.sampler = sampler === undefined ? undefined : checkSampler(op, 'sampler', sampler);
    this.batchSampler = batchSampler === undefined ? undefined : checkSampler(op, 'batchSampler', batchSampler);
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
    this.signal = options?.signal;
    if (this.signal !== undefined && !(this.signal instanceof AbortSignal)) {
      throw new TensorError('value', op, `expected signal to be an AbortSignal, got ${describe(this.signal)}`);
    }
    this.parts = { dataset, collate: options?.collate };
    if (this.workers === undefined) return;
    if (this.workers.count > 0) checkPortable(this.parts, refuse);
    this.chance = new RandomGenerator().setState([...mixWords(this.generator.getState()), 0, 0]);
  }

  /** Every generator that the orders come from, those of samplers included. */
  get generators(): RandomGenerator[] {
    const inner = (this.batchSampler as { sampler?: unknown } | undefined)?.sampler;
    const sources = [this, this.sampler, this.batchSampler, inner] as ({ generator?: unknown } | undefined)[];
    const all = [...sources.map((source) => source?.generator), this.chance];
    return all.filter((generator) => generator instanceof RandomGenerator);
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
    for (const batch of this.batchSampler ?? []) yield checkPlaces('DataLoader', batch, check);
    let batch: number[] = [];
    for (const i of this.sampler ?? []) {
      batch.push(check(i));
      if (batch.length < this.batchSize) continue;
      yield Int32Array.from(batch);
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield Int32Array.from(batch);
  }

  /** The batches to make; where random numbers follow from the place, the pass counts when its first is asked for. */
  private *jobs(): Generator<Job> {
    const { chance } = this;
    const pass = chance?.getState();
    if (chance) chance.state[2]++;
    let number = 0;
    for (const indices of this.indices()) yield { indices, key: pass ? mixWords([...pass, number++]) : null };
  }

  private load(job: Job): B | Promise<B> {
    return loadBatch(this.dataset, this.collate, job);
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
    checkInteger('DataLoader.from', 'the number of the first batch', first, 0);
    const source = this.jobs();
    for (let i = 0; i < first && !source.next().done; i++);
    return {
      [Symbol.iterator]: () => this.batches(source),
      [Symbol.asyncIterator]: () => this.batchesAhead(source),
    };
  }

  [Symbol.iterator](): Generator<B, void, undefined> {
    return this.batches(this.jobs());
  }

  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    return this.batchesAhead(this.jobs());
  }

  /** Ends worker threads that were kept for the next pass; another pass starts new ones. */
  async close(): Promise<void> {
    const crew = this.idle;
    this.idle = null;
    await crew?.close();
  }

  /** @internal Whether this thread makes batches before they are asked for, and draws their random numbers then. */
  get readsAhead(): boolean {
    return this.workers === undefined && this.prefetch !== 0;
  }

  /** Whether the memory of batches made in this thread is given back. */
  private get drops(): boolean {
    return this.reuse && makesFresh(this.dataset, this.parts.collate);
  }

  private *batches(source: Iterable<Job>): Generator<B, void, undefined> {
    if (this.workers !== undefined && this.workers.count > 0) {
      throw new TensorError('value', 'DataLoader', "expected workers to be read with 'for await', got 'for'");
    }
    const drops = this.drops;
    for (const job of source) {
      if (this.signal?.aborted) throw aborted(this.signal);
      const batch = this.load(job);
      if (isPromise(batch)) {
        batch.catch(() => {});
        throw new TensorError(
          'value',
          'DataLoader',
          "expected a dataset without promises, got a promise; iterate with 'for await'",
        );
      }
      yield batch;
      if (drops) drop(batch);
    }
  }

  private async *batchesAhead(source: Iterator<Job>): AsyncGenerator<B, void, undefined> {
    const wait = waitingFor(this.signal);
    try {
      const { workers } = this;
      if (workers !== undefined && workers.count > 0) yield* this.batchesOfWorkers(source, workers, wait.until);
      else yield* this.batchesOfOwn(source, wait.until);
    } finally {
      wait.end();
    }
  }

  private async *batchesOfOwn(source: Iterator<Job>, until: Until): AsyncGenerator<B, void, undefined> {
    const { drops } = this;
    const start = (jobs: Job[]) => jobs.map(async (job) => this.load(job));
    for await (const batch of askAhead(source, start, until, { ahead: this.prefetch ?? 1, run: 1 })) {
      yield batch;
      if (drops) drop(batch);
    }
  }

  private async *batchesOfWorkers(
    source: Iterator<Job>,
    workers: WorkerOptions,
    until: Until,
  ): AsyncGenerator<B, void, undefined> {
    let crew = this.idle;
    this.idle = null;
    let complete = false;
    try {
      if (this.signal?.aborted) throw aborted(this.signal);
      const members = crew ?? new Crew(workers, draw('DataLoader', this.parts, refuse), this.dataset.length);
      crew = members;
      const request = (jobs: Job[], run: number) => members.request(jobs, run);
      const made: Until = (batch) => members.wait(until(batch));
      const reach = reachFor(workers.count, this.prefetch);
      for await (const parcel of askAhead(source, request, made, reach)) {
        Object.assign(reach, reachFor(workers.count, this.prefetch, parcel.bytes));
        const { value, tensors } = receive(parcel);
        members.giveBack(parcel);
        yield value as B;
        if (this.reuse) for (const x of tensors) x.dispose();
      }
      complete = true;
    } finally {
      if (complete && workers.persistent && this.idle === null) this.idle = crew;
      else await crew?.close();
    }
  }
}

function refuse(got: string): TensorError {
  const remedy =
    "export it from a module of its own and give data.fromModule(new URL('./photos.js', import.meta.url), 'Photos'), or declare it with data.portable";
  return new TensorError(
    'value',
    'DataLoader',
    `expected a dataset and a collate that worker threads can make themselves, got ${got}; ${remedy}`,
  );
}

function aborted(signal: AbortSignal): TensorError {
  const message = 'expected to read the batches to their end, got an abort signal';
  return new TensorError('aborted', 'DataLoader', message, { cause: signal.reason });
}

/** Waits for promises until a signal fires. */
function waitingFor(signal: AbortSignal | undefined): { until: Until; end(): void } {
  if (signal === undefined) return { until: (made) => made, end: () => {} };
  let abort = () => {};
  const fired = new Promise<never>((_, reject) => {
    abort = () => reject(aborted(signal));
    if (signal.aborted) abort();
  });
  fired.catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  return { until: (made) => Promise.race([fired, made]), end: () => signal.removeEventListener('abort', abort) };
}
