// Numbers on a line or a parabola, for regressions whose answer is known.
import { checkInteger, checkNumber } from '../../core/shape.js';
import { rand, randn } from '../../create.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { TensorDataset } from '../dataset.js';
import { CHANCE, generatorFor } from '../random.js';
import type { ToyOptions } from './points.js';

/** Options of {@link linearSet} and {@link quadraticSet}. */
export interface CurveOptions extends ToyOptions {
  /** Least and largest input; [-1, 1] unless given. */
  range?: readonly [low: number, high: number];
}

/** Inputs `[N, 1]` and targets `[N, 1]`, float32. */
export type Curve = TensorDataset<[x: Tensor, y: Tensor]>;

function curve(op: string, options: CurveOptions | undefined, f: (x: Tensor) => Tensor): Curve {
  checkOptions(op, options, ['count', 'noise', 'range', ...CHANCE]);
  const count = checkInteger(op, 'count', options?.count ?? 200, 0, 2 ** 28);
  const noise = checkNumber(op, 'noise', options?.noise ?? 0, 0, Number.MAX_VALUE);
  const range: unknown = options?.range ?? [-1, 1];
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [];
  if (!Number.isFinite(low) || !Number.isFinite(high) || low > high) {
    throw new TensorError('value', op, `expected a range [low, high] of numbers, got ${describe(range)}`);
  }
  const generator = generatorFor(op, options);
  const x = rand([count, 1], { generator })
    .mul(high - low)
    .add(low);
  return new TensorDataset(x, f(x).add(randn([count, 1], { generator }).mul(noise)));
}

/**
 * A line: `y = 2 x + 3` and normal noise.
 *
 * @param options `count`: 200; `noise`: its standard deviation, 0; `range` of x: [-1, 1]; `seed` or `generator`
 * @throws TensorError `value` for a count, noise or range that makes no sense
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const [x, y] = data.linearSet({ count: 5, seed: 1 }).tensors;
 * console.log(y.sub(x.mul(2)).round().flatten().toArray()); // [3, 3, 3, 3, 3]
 * ```
 */
export function linearSet(options?: CurveOptions): Curve {
  return curve('linearSet', options, (x) => x.mul(2).add(3));
}

/**
 * A parabola: `y = 8 x^2 + 7 x + 3` and normal noise.
 *
 * @param options `count`: 200; `noise`: its standard deviation, 0; `range` of x: [-1, 1]; `seed` or `generator`
 * @throws TensorError `value` for a count, noise or range that makes no sense
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * console.log(data.quadraticSet({ count: 1, range: [2, 2] }).tensors[1].item()); // 49
 * ```
 */
export function quadraticSet(options?: CurveOptions): Curve {
  return curve('quadraticSet', options, (x) => x.mul(8).add(7).mul(x).add(3));
}
