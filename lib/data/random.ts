// Where data sets take chance from: a seed of their own, a generator given, or the default one.
import { Generator as RandomGenerator } from '../core/random.js';
import { rand, randperm } from '../create.js';
import { generatorOf } from '../create-options.js';
import { TensorError } from '../errors.js';

/** Where random choices come from; the default generator unless one of both is given. */
export interface ChanceOptions {
  /** The same seed gives the same choices on every machine. */
  seed?: number;
  /** Instead of a seed. */
  generator?: RandomGenerator;
}

export const CHANCE = ['seed', 'generator'];

export function generatorFor(op: string, options: ChanceOptions | undefined): RandomGenerator {
  if (options?.seed === undefined) return generatorOf(op, options);
  if (options.generator !== undefined) {
    throw new TensorError('value', op, 'expected a seed or a generator, got both');
  }
  return new RandomGenerator(options.seed);
}

/** A random order of 0 to n - 1. */
export function drawOrder(n: number, generator: RandomGenerator): Int32Array {
  const drawn = randperm(n, { generator });
  const order = drawn.typed().slice() as Int32Array;
  drawn.dispose();
  return order;
}

/** Random numbers from 0 to below 1, one at a time, without end. */
export function* drawUniform(generator: RandomGenerator): Generator<number, never> {
  for (;;) {
    const drawn = rand([256], { dtype: 'float64', generator });
    const block = drawn.typed().slice();
    drawn.dispose();
    yield* block;
  }
}
