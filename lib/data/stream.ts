// Streams: samples from anywhere, one after the other, through steps that pull and never push.
import type { Generator as RandomGenerator } from '../core/random.js';
import { checkBoolean, checkInteger } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { type Collated, collate } from './collate.js';
import { CHANCE, type ChanceOptions, drawUniform, generatorFor } from './random.js';
import { abortable, checkSource, close, read, type Source } from './source.js';

/** Options of {@link stream}. */
export interface StreamOptions {
  /** Ends the stream with an error, even while it waits. */
  signal?: AbortSignal;
}

/**
 * Samples that come one after the other; made by {@link stream}. Each step asks the one before it only when it is asked itself;
 * errors come out where the stream is read, and leaving the loop early closes the source. Where `prefetch` or calls of `map` have
 * asked a source that keeps silent, leaving waits a second for it; it is closed when it answers.
 *
 * @typeParam T a sample
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const odd = data.stream([1, 2, 3, 4, 5]).filter((x) => x % 2 === 1).map((x) => 10 * x);
 * console.log(await odd.toArray()); // [10, 30, 50]
 * ```
 */
export class Stream<T> implements AsyncIterable<T> {
  constructor(
    private readonly run: () => AsyncGenerator<T, void, undefined>,
    private readonly signal?: AbortSignal,
  ) {}

  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.signal ? abortable(this.run(), this.signal) : this.run();
  }

  private derive<U>(
    step: (source: AsyncGenerator<T, void, undefined>) => AsyncGenerator<U, void, undefined>,
  ): Stream<U> {
    return new Stream(() => step(this.run()), this.signal);
  }

  /**
   * What a function makes of every sample, in order.
   *
   * @param options `concurrency`: how many calls may be under way, 1 unless given
   * @throws TensorError `value` for no function
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * console.log(await data.stream([1, 2, 3]).map(async (x) => x * x, { concurrency: 2 }).toArray()); // [1, 4, 9]
   * ```
   */
  map<U>(fn: (sample: T, index: number) => U | Promise<U>, options?: { concurrency?: number }): Stream<U> {
    const op = 'stream.map';
    checkFunction(op, fn);
    checkOptions(op, options, ['concurrency']);
    const concurrency = checkInteger(op, 'concurrency', options?.concurrency ?? 1, 1);
    return this.derive(async function* (source) {
      const results: Promise<U>[] = [];
      let index = 0;
      let ended = false;
      let asking: Promise<void> | undefined;
      const ask = async () => {
        let result: Promise<U>;
        try {
          const step = await source.next();
          if (step.done || ended) {
            ended = true;
            return;
          }
          result = (async () => fn(step.value, index++))();
        } catch (error) {
          ended = true;
          result = Promise.reject(error);
        } finally {
          asking = undefined;
        }
        // Reported when its turn comes; until then, or if the reader leaves, it is nobody's.
        result.catch(() => {});
        results.push(result);
      };
      try {
        for (;;) {
          if (!ended && results.length < concurrency) asking ??= ask();
          const [first] = results;
          if (first === undefined) {
            if (asking === undefined) return;
            await asking;
            continue;
          }
          // A result waits for its turn, never for a source that keeps silent.
          const its = () => true;
          const ready = asking === undefined || (await Promise.race([first.then(its, its), asking.then(() => false)]));
          if (!ready) continue;
          results.shift();
          yield await first;
        }
      } finally {
        // A sample that is still on its way comes too late.
        ended = true;
        await close(source, asking !== undefined);
      }
    });
  }

  /**
   * The samples for which a function says true.
   *
   * @throws TensorError `value` for no function
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * console.log(await data.stream(['a', '', 'b']).filter((line) => line !== '').toArray()); // ['a', 'b']
   * ```
   */
  filter(fn: (sample: T, index: number) => boolean | Promise<boolean>): Stream<T> {
    checkFunction('stream.filter', fn);
    return this.derive(async function* (source) {
      let index = 0;
      for await (const sample of source) if (await fn(sample, index++)) yield sample;
    });
  }

  /**
   * Batches of samples, joined as a DataLoader does.
   *
   * @param options `dropLast`: leave out a last batch that is not full, false unless given; `collate`: joins the samples
   * @throws TensorError `value` for a size below 1
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * for await (const [x, y] of data.stream([[1, 0], [2, 1], [3, 0]]).batch(2)) console.log(x.shape, y.shape); // [2] [2], [1] [1]
   * ```
   */
  batch<B = Collated<T>>(
    size: number,
    options?: { dropLast?: boolean; collate?: (samples: T[]) => B | Promise<B> },
  ): Stream<B> {
    const op = 'stream.batch';
    checkInteger(op, 'the size', size, 1);
    checkOptions(op, options, ['dropLast', 'collate']);
    const dropLast = checkBoolean(op, 'dropLast', options?.dropLast ?? false);
    const join = options?.collate ?? ((samples: T[]) => collate(samples) as B);
    checkFunction(op, join);
    return this.derive(async function* (source) {
      let samples: T[] = [];
      for await (const sample of source) {
        samples.push(sample);
        if (samples.length < size) continue;
        const full = samples;
        samples = [];
        yield await join(full);
      }
      if (samples.length > 0 && !dropLast) yield await join(samples);
    });
  }

  /**
   * The samples in a random order as far as a buffer reaches: each that comes out is drawn from the next `size`.
   *
   * @param options `seed` or `generator`
   * @throws TensorError `value` for a size below 1
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * const mixed = await data.stream([1, 2, 3, 4]).shuffle(4, { seed: 1 }).toArray();
   * console.log(mixed.sort()); // [1, 2, 3, 4]
   * ```
   */
  shuffle(size: number, options?: ChanceOptions): Stream<T> {
    const op = 'stream.shuffle';
    checkInteger(op, 'the size', size, 1);
    checkOptions(op, options, CHANCE);
    const generator: RandomGenerator = generatorFor(op, options);
    return this.derive(async function* (source) {
      const chance = drawUniform(generator);
      const buffer: T[] = [];
      /** A random one; the last comes into its place. */
      const take = () => {
        const i = Math.floor(chance.next().value * buffer.length);
        const out = buffer[i];
        buffer[i] = buffer[buffer.length - 1];
        buffer.pop();
        return out;
      };
      for await (const sample of source) {
        buffer.push(sample);
        if (buffer.length === size) yield take();
      }
      while (buffer.length > 0) yield take();
    });
  }

  /**
   * What a function opens for every sample, in turns: one of the first, one of the second, ..., `cycle` of them at a time.
   *
   * @param options `cycle`: how many are open at a time, 2 unless given
   * @throws TensorError `value` for no function, or a result that cannot be iterated
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * const files = data.stream([[1, 2, 3], [10, 20]]);
   * console.log(await files.interleave((lines) => lines).toArray()); // [1, 10, 2, 20, 3]
   * ```
   */
  interleave<U>(fn: (sample: T) => Source<U>, options?: { cycle?: number }): Stream<U> {
    const op = 'stream.interleave';
    checkFunction(op, fn);
    checkOptions(op, options, ['cycle']);
    const cycle = checkInteger(op, 'cycle', options?.cycle ?? 2, 1);
    return this.derive(async function* (source) {
      const open: AsyncGenerator<U, void, undefined>[] = [];
      let ended = false;
      const refill = async () => {
        while (open.length < cycle && !ended) {
          const step = await source.next();
          if (step.done) ended = true;
          else open.push(read(checkSource(op, fn(step.value))));
        }
      };
      try {
        for (await refill(); open.length > 0; await refill()) {
          const turn = open.shift() as (typeof open)[0];
          // In line again before it is asked: whatever happens, it is closed.
          open.push(turn);
          const step = await turn.next();
          if (step.done) open.pop();
          else yield step.value;
        }
      } finally {
        await Promise.all([...open, source].map((one) => one.return()));
      }
    });
  }

  /**
   * Asks for samples ahead of the one in use, so that reading and computing overlap.
   *
   * @throws TensorError `value` for a number below 1
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * console.log(await data.stream([1, 2, 3]).prefetch(2).toArray()); // [1, 2, 3]
   * ```
   */
  prefetch(count: number): Stream<T> {
    checkInteger('stream.prefetch', 'the number', count, 1);
    return this.derive(async function* (source) {
      const ahead: Promise<IteratorResult<T, void>>[] = [];
      let unanswered = 0;
      const ask = () => {
        const step = source.next();
        const answered = () => void unanswered--;
        unanswered++;
        step.then(answered, answered);
        ahead.push(step);
      };
      try {
        for (let i = 0; i < count; i++) ask();
        for (;;) {
          ask();
          const step = await (ahead.shift() as (typeof ahead)[0]);
          if (step.done) return;
          yield step.value;
        }
      } finally {
        await close(source, unanswered > 0);
      }
    });
  }

  /**
   * The first samples; the source is closed behind them.
   *
   * @throws TensorError `value` for a negative number
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * console.log(await data.stream([1, 2, 3]).take(2).toArray()); // [1, 2]
   * ```
   */
  take(count: number): Stream<T> {
    checkInteger('stream.take', 'the number', count, 0);
    return this.derive(async function* (source) {
      if (count === 0) return;
      let left = count;
      for await (const sample of source) {
        yield sample;
        if (--left === 0) return;
      }
    });
  }

  /**
   * All samples as a list.
   *
   * @example
   * ```ts
   * import { data } from 'chainrule';
   * console.log(await data.stream('abc').toArray()); // ['a', 'b', 'c']
   * ```
   */
  async toArray(): Promise<T[]> {
    const all: T[] = [];
    for await (const sample of this) all.push(sample);
    return all;
  }
}

function checkFunction(op: string, fn: unknown): void {
  if (typeof fn !== 'function') throw new TensorError('value', op, `expected a function, got ${describe(fn)}`);
}

/**
 * A {@link Stream} of what can be iterated, with `for` or `for await`.
 *
 * @param source a list, a generator, a Node stream, ...; or a function that opens one, for every pass anew
 * @param options `signal` ends the stream with an error, even while it waits
 * @throws TensorError `value` for what cannot be iterated; `aborted`, when read, by the signal
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const batches = data.stream([1, 2, 3, 4, 5]).map((x) => [x, x * x]).batch(2);
 * for await (const [x, y] of batches) console.log(y.toArray()); // [1, 4], [9, 16], [25]
 * ```
 */
export function stream<T>(source: Source<T> | (() => Source<T>), options?: StreamOptions): Stream<T> {
  const op = 'stream';
  checkOptions(op, options, ['signal']);
  const { signal } = options ?? {};
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TensorError('value', op, `expected signal to be an AbortSignal, got ${describe(signal)}`);
  }
  if (typeof source === 'function') return new Stream(() => read(checkSource(op, source())), signal);
  checkSource(op, source);
  return new Stream(() => read(source), signal);
}
