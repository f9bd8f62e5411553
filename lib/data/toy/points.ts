// Points in the plane with two classes: the sets of the neural-network playground, and scikit-learn's moons.
import type { Generator as RandomGenerator } from '../../core/random.js';
import { checkInteger, checkNumber } from '../../core/shape.js';
import { fromTypedArray, rand, randn } from '../../create.js';
import { checkOptions } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { TensorDataset } from '../dataset.js';
import { CHANCE, type ChanceOptions, generatorFor } from '../random.js';

/** Options of the toy sets. */
export interface ToyOptions extends ChanceOptions {
  /** Number of samples; 200 unless given. */
  count?: number;
  /** How far samples stray from their pattern; 0 unless given. */
  noise?: number;
}

/** Samples `[N, 2]`, float32, and their classes 0 or 1, `[N]`, int32. */
export type Points = TensorDataset<[points: Tensor, labels: Tensor]>;

/** Places on the plane, and their classes. */
interface Drawn {
  x: Float64Array;
  labels: Int32Array;
}

type Draw = (from: Chance, count: number, noise: number) => Drawn;

/** Random numbers by the array: the order in which they are drawn is part of a set's definition. */
class Chance {
  constructor(private readonly generator: RandomGenerator) {}

  /** Uniform from low to below high. */
  uniform(n: number, low: number, high: number): Float64Array {
    return this.take(rand([n], { dtype: 'float64', generator: this.generator })).map((u) => low + (high - low) * u);
  }

  normal(n: number, std: number): Float64Array {
    return this.take(randn([n], { dtype: 'float64', generator: this.generator })).map((z) => std * z);
  }

  private take(drawn: Tensor): Float64Array {
    const numbers = drawn.typed().slice() as Float64Array;
    drawn.dispose();
    return numbers;
  }
}

function points(op: string, options: ToyOptions | undefined, draw: Draw): Points {
  checkOptions(op, options, ['count', 'noise', ...CHANCE]);
  const count = checkInteger(op, 'count', options?.count ?? 200, 0, 2 ** 28);
  const noise = checkNumber(op, 'noise', options?.noise ?? 0, 0, Number.MAX_VALUE);
  const { x, labels } = draw(new Chance(generatorFor(op, options)), count, noise);
  return new TensorDataset(fromTypedArray(Float32Array.from(x), [count, 2]), fromTypedArray(labels));
}

/**
 * Exclusive or: points in a square of side 10, class 1 where both coordinates have the same sign (TensorFlow playground).
 *
 * @param options `count`: 200; `noise`: as the playground's, 0 to 0.5, 0 unless given: the class is taken up to `5 noise` away;
 * `seed` or `generator`
 * @throws TensorError `value` for a count or noise out of range
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const [x, y] = data.xor({ count: 4, seed: 1 }).tensors;
 * console.log(x.shape, y.shape, y.dtype); // [4, 2] [4] int32
 * ```
 */
export function xor(options?: ToyOptions): Points {
  return points('xor', options, (from, count, noise) => {
    const x = from.uniform(2 * count, -5, 5);
    const shift = from.uniform(2 * count, -5 * noise, 5 * noise);
    // The four squares stand apart, so that a class can be told from its neighbours.
    for (let i = 0; i < x.length; i++) x[i] += x[i] > 0 ? 0.3 : -0.3;
    const side = (i: number) => x[i] + shift[i];
    return { x, labels: Int32Array.from({ length: count }, (_, i) => Number(side(2 * i) * side(2 * i + 1) >= 0)) };
  });
}

/**
 * A disc of class 1 inside a ring of class 0: radii below 2.5, and from 3.5 to 5 (TensorFlow playground).
 *
 * @param options `count`: 200; `noise`: as the playground's, 0 to 0.5, 0 unless given: the class is taken up to `5 noise` away;
 * `seed` or `generator`
 * @throws TensorError `value` for a count or noise out of range
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const [x, y] = data.circle({ count: 100, seed: 1 }).tensors;
 * console.log(x.square().sum(1).lt(6.25).sum().item() === y.sum().item()); // true
 * ```
 */
export function circle(options?: ToyOptions): Points {
  const RADIUS = 5;
  return points('circle', options, (from, count, noise) => {
    const inner = Math.floor(count / 2);
    const part = from.uniform(count, 0, 1);
    const angle = from.uniform(count, 0, 2 * Math.PI);
    const shift = from.uniform(2 * count, -RADIUS * noise, RADIUS * noise);
    const x = new Float64Array(2 * count);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const r = i < inner ? part[i] * RADIUS * 0.5 : RADIUS * (0.7 + 0.3 * part[i]);
      x[2 * i] = r * Math.sin(angle[i]);
      x[2 * i + 1] = r * Math.cos(angle[i]);
      labels[i] = Number(Math.hypot(x[2 * i] + shift[2 * i], x[2 * i + 1] + shift[2 * i + 1]) < RADIUS * 0.5);
    }
    return { x, labels };
  });
}

/**
 * Two arms of a spiral, each one turn and three quarters (TensorFlow playground).
 *
 * @param options `count`: 200; `noise`: as the playground's, 0 to 0.5, 0 unless given: each coordinate strays by up to `noise`;
 * `seed` or `generator`
 * @throws TensorError `value` for a count or noise out of range
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const [x, y] = data.spiral({ count: 4 }).tensors;
 * console.log(y.toArray(), x.narrow(0, 0, 1).abs().sum().item()); // [1, 1, 0, 0] 0
 * ```
 */
export function spiral(options?: ToyOptions): Points {
  return points('spiral', options, (from, count, noise) => {
    const half = Math.floor(count / 2);
    const x = from.uniform(2 * count, -noise, noise);
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const first = i < half;
      const part = first ? i / half : (i - half) / (count - half);
      const angle = 1.75 * part * 2 * Math.PI + (first ? 0 : Math.PI);
      x[2 * i] += 5 * part * Math.sin(angle);
      x[2 * i + 1] += 5 * part * Math.cos(angle);
      labels[i] = Number(first);
    }
    return { x, labels };
  });
}

/**
 * Two round clouds around (2, 2), class 1, and (-2, -2), class 0 (TensorFlow playground).
 *
 * @param options `count`: 200; `noise`: as the playground's, 0 to 0.5, 0 unless given: the variance of the clouds goes from 0.5
 * to 4; `seed` or `generator`
 * @throws TensorError `value` for a count or noise out of range
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * console.log(data.twoGaussians({ count: 7 }).tensors[1].sum().item()); // 3
 * ```
 */
export function twoGaussians(options?: ToyOptions): Points {
  return points('twoGaussians', options, (from, count, noise) => {
    // The playground's second argument of a normal distribution is its variance.
    const x = from.normal(2 * count, Math.sqrt(0.5 + 7 * noise));
    const half = Math.floor(count / 2);
    for (let i = 0; i < 2 * count; i++) x[i] += i < 2 * half ? 2 : -2;
    return { x, labels: Int32Array.from({ length: count }, (_, i) => Number(i < half)) };
  });
}

/**
 * Two half circles that reach into each other (scikit-learn: `make_moons`, not shuffled).
 *
 * @param options `count`: 200; `noise`: standard deviation of each coordinate, 0 unless given; `seed` or `generator`
 * @throws TensorError `value` for a count or noise out of range
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const [x, y] = data.moons({ count: 4 }).tensors;
 * console.log(x.mul(2).round().div(2).toArray(), y.toArray()); // [[1, 0], [-1, 0], [0, 0.5], [2, 0.5]] [0, 0, 1, 1]
 * ```
 */
export function moons(options?: ToyOptions): Points {
  return points('moons', options, (from, count, noise) => {
    const outer = Math.floor(count / 2);
    const x = from.normal(2 * count, noise);
    for (let i = 0; i < count; i++) {
      const first = i < outer;
      const [place, of] = first ? [i, outer] : [i - outer, count - outer];
      const angle = of > 1 ? (Math.PI * place) / (of - 1) : 0;
      x[2 * i] += first ? Math.cos(angle) : 1 - Math.cos(angle);
      x[2 * i + 1] += first ? Math.sin(angle) : 0.5 - Math.sin(angle);
    }
    return { x, labels: Int32Array.from({ length: count }, (_, i) => Number(i >= outer)) };
  });
}
