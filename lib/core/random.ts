// The seeded generator behind everything random: counter-based (Philox4x32-10), so its whole state is four words.
import { describe, TensorError } from '../errors.js';

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
