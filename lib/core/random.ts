// The seeded generator behind everything random: counter-based (Philox4x32-10), so its whole state is four words.
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, TensorError } from '../errors.js';
import { recording } from './recording.js';

/**
 * A source of random numbers: the same seed gives the same numbers on every machine, whatever the thread count.
 *
 * Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
 *
 * @example
 * ```ts
 * import { Generator, rand } from 'chainrule';
 * const a = rand([3], { generator: new Generator(7) });
 * const b = rand([3], { generator: new Generator(7) });
 * console.log(a.eq(b).all().item()); // 1
 * ```
 */
export class Generator {
  /** Key and counter, low word first; kernels advance the counter in place. */
  readonly state = new Uint32Array(4);

  constructor(seed = 0) {
    this.seed(seed);
  }

  /** Starts anew from a seed, a whole number from 0 to 2^53 - 1. */
  seed(seed: number): this {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new TensorError('value', 'seed', `expected a whole number from 0 to 2^53 - 1, got ${describe(seed)}`);
    }
    this.state.set([seed % 2 ** 32, Math.floor(seed / 2 ** 32), 0, 0]);
    if (recording !== null) recording.seeded(this.state);
    return this;
  }

  /** The state as four numbers, for checkpoints. */
  getState(): number[] {
    return [...this.state];
  }

  /** Goes back to a state from {@link getState}. */
  setState(state: readonly number[]): this {
    const fits =
      Array.isArray(state) && state.length === 4 && state.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32);
    if (!fits)
      throw new TensorError('value', 'setState', `expected four 32-bit words from getState(), got ${describe(state)}`);
    this.state.set(state);
    if (recording !== null) recording.seeded(this.state);
    return this;
  }
}

/** The generator used wherever none is given. */
export const defaultGenerator = new Generator(0);
// Unseeded programs differ from run to run, as in PyTorch.
defaultGenerator.seed(Math.floor(Math.random() * 2 ** 48));

/**
 * Seeds the default generator: weights, dropout, shuffles and random tensors repeat from here (PyTorch: `torch.manual_seed`).
 *
 * @example
 * ```ts
 * import { manualSeed, randn } from 'chainrule';
 * manualSeed(1);
 * const a = randn([2]);
 * manualSeed(1);
 * console.log(a.eq(randn([2])).all().item()); // 1
 * ```
 */
export function manualSeed(seed: number): Generator {
  return defaultGenerator.seed(seed);
}

/** Two well mixed words made of others, in which every bit of each counts (the finalizer of Appleby's MurmurHash3). */
export function mixWords(words: readonly number[]): [number, number] {
  const half = (start: number): number => {
    let h = start;
    for (const word of words) {
      h = (h ^ word) + 0x9e3779b9;
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      h ^= h >>> 16;
    }
    return h >>> 0;
  };
  return [half(0x243f6a88), half(0x13198a2e)];
}

/** A generator that belongs to one {@link Chance}. */
class OwnGenerator extends Generator {}

/**
 * Random numbers of one sample: while it is made, every generator stands for one of its own, whose numbers follow from a key, a
 * place and the seed alone. So it does not matter what was made before, by which thread, or at the same time.
 */
export class Chance {
  private readonly own = new Map<Generator, Generator>();
  private readonly kept = new Map<Generator, unknown>();

  constructor(
    private readonly key: readonly [number, number],
    private readonly place: number,
  ) {}

  /** The generator that stands for another. */
  of(generator: Generator): Generator {
    if (generator instanceof OwnGenerator) return generator;
    let own = this.own.get(generator);
    if (own === undefined) {
      // The default generator is another in each thread and each run: its seed must not count.
      const seed = generator === defaultGenerator ? [] : generator.state.subarray(0, 2);
      own = new OwnGenerator().setState([...mixWords([...this.key, ...seed]), 0, this.place]);
      this.own.set(generator, own);
    }
    return own;
  }

  /** What was made for a generator before, or is now. */
  keep<T>(generator: Generator, make: () => T): T {
    if (!this.kept.has(generator)) this.kept.set(generator, make());
    return this.kept.get(generator) as T;
  }
}

let everUsed = false;
const chances = new AsyncLocalStorage<Chance>();

/** Runs a function, and what it awaits, with the random numbers of one sample. */
export function withChance<T>(chance: Chance, fn: () => T): T {
  everUsed = true;
  return chances.run(chance, fn);
}

/** The random numbers of the sample that is being made, if one is. */
export function currentChance(): Chance | undefined {
  return everUsed ? chances.getStore() : undefined;
}

/** The generator to draw from now: the given one, but while a sample is made the one that stands for it. */
export function drawnFrom(generator: Generator): Generator {
  return currentChance()?.of(generator) ?? generator;
}
