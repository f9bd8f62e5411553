// Drawing from distributions whose parameters are tensors.
import { castRaw, checkFloat, checkTensor, copyInto, make, offsetOf } from './core/dispatch.js';
import { DTYPES, promote } from './core/dtype.js';
import { fused } from './core/fused.js';
import { noGrad } from './core/mode.js';
import { drawnFrom, type Generator } from './core/random.js';
import { composite } from './core/scope.js';
import {
  broadcastShapes,
  checkBoolean,
  checkInteger,
  checkNumber,
  checkShape,
  formatShape,
  normalizeAxis,
  type Shape,
} from './core/shape.js';
import { arange } from './create.js';
import { generatorOf } from './create-options.js';
import { exponential, gumbel, type RandomOptions, rand, randn } from './create-random.js';
import { checkOptions, TensorError } from './errors.js';
import { kernelId, native } from './native.js';
import { searchsorted } from './ops/order/search.js';
import type { Tensor } from './tensor.js';

const G = native.geometry;

/** Options of what is drawn by the parameters of a tensor. */
export interface SampleOptions {
  /** Where the random numbers come from; the default generator unless given. */
  generator?: Generator;
}

const CREATE = ['requiresGrad', 'dtype', 'generator'];

/** Throws unless `all`, a tensor of booleans, is true everywhere. */
function demand(op: string, all: Tensor, expectation: string): void {
  const good = all.all();
  const holds = good.item() !== 0;
  good.dispose();
  if (!holds) throw new TensorError('value', op, `expected ${expectation}, got a value outside`);
}

/**
 * Normal random numbers, each of its own mean and deviation; shapes broadcast (PyTorch: `torch.normal`). Nothing is recorded:
 * `distributions.Normal` has `rsample` for gradients.
 *
 * @param std deviations, at least 0
 * @param shape the shape of the result where both are numbers
 * @throws TensorError `value` for a negative deviation, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { normal, tensor } from 'chainrule';
 * console.log(normal(tensor([1, 2, 3]), 0).toArray()); // [1, 2, 3]
 * console.log(normal(0, 1, [2, 2]).shape); // [2, 2]
 * ```
 */
export function normal(mean: Tensor, std: Tensor | number, options?: SampleOptions): Tensor;
export function normal(mean: number, std: Tensor, options?: SampleOptions): Tensor;
export function normal(mean: number, std: number, shape: Shape, options?: RandomOptions): Tensor;
export function normal(
  mean: Tensor | number,
  std: Tensor | number,
  shapeOrOptions?: Shape | SampleOptions,
  options?: RandomOptions,
): Tensor {
  const op = 'normal';
  if (typeof std === 'number') checkNumber(op, 'the deviation', std, 0);
  else checkFloat(op, checkTensor(op, std, 'a deviation, a tensor or a number'), 'the deviation');
  if (typeof mean === 'number') checkNumber(op, 'the mean', mean);
  else checkFloat(op, checkTensor(op, mean, 'a mean, a tensor or a number'), 'the mean');
  if (typeof mean === 'number' && typeof std === 'number') {
    checkOptions(op, options, CREATE);
    const noise = randn(checkShape(op, shapeOrOptions), options);
    const { requiresGrad } = noise;
    const y = noGrad(() => composite(() => noise.mul(std).add(mean)));
    noise.dispose();
    y.requiresGrad = requiresGrad;
    return y;
  }
  const given = shapeOrOptions as SampleOptions | undefined;
  checkOptions(op, given, ['generator']);
  const tensors = [mean, std].filter((x) => typeof x !== 'number');
  const dtype = tensors.map((x) => x.dtype).reduce(promote);
  const shape = tensors.map((x) => x.shape).reduce((a, b) => broadcastShapes(op, a, b));
  return noGrad(() =>
    composite(() => {
      if (typeof std !== 'number') demand(op, std.ge(0), 'deviations of at least 0');
      return randn(shape, { dtype, generator: given?.generator }).mul(std).add(mean);
    }),
  );
}

/**
 * 1 with the probability that each element gives, else 0, in the dtype of the probabilities (PyTorch: `torch.bernoulli`).
 *
 * @param p probabilities between 0 and 1, or one for a whole shape
 * @throws TensorError `value` for a probability outside 0..1
 *
 * @example
 * ```ts
 * import { bernoulli, tensor } from 'chainrule';
 * console.log(bernoulli(tensor([0, 1, 1])).toArray()); // [0, 1, 1]
 * console.log(bernoulli(0.5, [10]).shape); // [10]
 * ```
 */
export function bernoulli(p: Tensor, options?: SampleOptions): Tensor;
export function bernoulli(p: number, shape: Shape, options?: Omit<RandomOptions, 'requiresGrad'>): Tensor;
export function bernoulli(p: Tensor | number, shapeOrOptions?: Shape | SampleOptions, options?: RandomOptions): Tensor {
  const op = 'bernoulli';
  if (typeof p === 'number') {
    checkNumber(op, 'the probability', p, 0, 1);
    checkOptions(op, options, CREATE.slice(1));
    return noGrad(() =>
      composite(() => {
        const u = rand(checkShape(op, shapeOrOptions), options);
        return u.lt(p).to(u.dtype);
      }),
    );
  }
  const given = shapeOrOptions as SampleOptions | undefined;
  checkOptions(op, given, ['generator']);
  const { shape, dtype } = checkFloat(op, checkTensor(op, p, 'probabilities'), 'the probabilities');
  return noGrad(() =>
    composite(() => {
      demand(op, p.ge(0).logicalAnd(p.le(1)), 'probabilities between 0 and 1');
      return rand(shape, { dtype, generator: given?.generator }).lt(p).to(dtype);
    }),
  );
}

const POISSON = kernelId('random', 'poisson');

/**
 * Poisson random numbers, each of its own rate: how many events there are where `rate` are expected, in the dtype of the rates
 * (PyTorch: `torch.poisson`). Rates from 2^53 on come back as they are.
 *
 * @throws TensorError `value` for a rate below 0
 *
 * @example
 * ```ts
 * import { poisson, tensor } from 'chainrule';
 * console.log(poisson(tensor([0, 5])).at(0).item()); // 0
 * ```
 */
export function poisson(rates: Tensor, options?: SampleOptions): Tensor {
  const op = 'poisson';
  checkOptions(op, options, ['generator']);
  const { shape, dtype } = checkFloat(op, checkTensor(op, rates, 'rates'), 'the rates');
  const { state } = drawnFrom(generatorOf(op, options));
  return noGrad(() =>
    composite(() => {
      demand(op, rates.ge(0), 'rates of at least 0');
      const y = make(op, shape, dtype);
      copyInto(y, rates);
      G[0] = POISSON;
      G[1] = DTYPES[dtype].code;
      G[2] = y.size;
      G[3] = offsetOf(y);
      G[4] = 0;
      G[5] = 0;
      native.random(y.storage.bytes, state);
      return y;
    }),
  );
}

/** Options of {@link multinomial}. */
export interface MultinomialOptions extends SampleOptions {
  /** Whether a category may be drawn more than once; false unless given. */
  replacement?: boolean;
}

/**
 * Categories drawn by their weights, int32; without replacement those drawn do not come again (PyTorch: `torch.multinomial`).
 *
 * @param weights [n], or [rows, n] for a draw of each row; at least 0, and they need not add up to 1
 * @param count how many to draw, from 1
 * @returns [count] or [rows, count]
 * @throws TensorError `value` for weights that are negative, infinite, NaN or all 0, and for more draws than categories above 0
 * without replacement; `shape` unless there are one or two dimensions
 *
 * @example
 * ```ts
 * import { multinomial, tensor } from 'chainrule';
 * console.log(multinomial(tensor([0, 3, 0]), 4, { replacement: true }).toArray()); // [1, 1, 1, 1]
 * ```
 */
export function multinomial(weights: Tensor, count: number, options?: MultinomialOptions): Tensor {
  const op = 'multinomial';
  checkOptions(op, options, ['replacement', 'generator']);
  const { shape, ndim } = checkFloat(op, checkTensor(op, weights, 'weights'), 'the weights');
  if (ndim < 1 || ndim > 2 || shape[ndim - 1] === 0) {
    throw new TensorError('shape', op, `expected weights [n] or [rows, n], got ${formatShape(shape)}`);
  }
  checkInteger(op, 'count', count, 1, 2 ** 31 - 1);
  const replacement = checkBoolean(op, 'replacement', options?.replacement ?? false);
  const generator = options?.generator;
  return noGrad(() =>
    composite(() => {
      // In double, and at most 1, so that sums and quotients neither overflow nor lose what is small.
      const given = castRaw(op, weights, 'float64');
      const w = given.div(given.amax(-1, { keepdim: true }));
      demand(op, given.isFinite().logicalAnd(given.ge(0)), 'weights that are finite and at least 0');
      const positive = w.gt(0).sum(-1);
      const needed = replacement ? 1 : count;
      demand(op, positive.ge(needed), `at least ${needed} categories of a weight above 0 in every row`);
      if (!replacement) {
        // The largest of w / e, e exponential, are a draw without replacement (Efraimidis and Spirakis 2006).
        return w.div(exponential(shape, { dtype: 'float64', generator })).topk(count).indices;
      }
      const sums = w.cumsum(-1);
      const u = rand(shape.with(-1, count), { dtype: 'float64', generator });
      return searchsorted(sums, u.mul(sums.narrow(-1, shape[ndim - 1] - 1, 1)), { right: true });
    }),
  );
}

/** Options of {@link gumbelSoftmax}. */
export interface GumbelSoftmaxOptions extends SampleOptions {
  /** Temperature, above 0: the lower, the nearer to one-hot; 1 unless given. */
  tau?: number;
  /** Give one-hot samples, with the gradient of the soft ones; false unless given. */
  hard?: boolean;
  /** The dimension of the categories; the last unless given. */
  dim?: number;
}

/**
 * Samples of categories that gradients flow through: `softmax((logits + gumbel noise) / tau)` (Jang et al., "Categorical
 * reparameterization with Gumbel-softmax", 2017; PyTorch: `F.gumbel_softmax`).
 *
 * @throws TensorError `value` unless tau is above 0, `axis` for a dimension that is not there
 *
 * @example
 * ```ts
 * import { gumbelSoftmax, zeros } from 'chainrule';
 * console.log(gumbelSoftmax(zeros([4, 3]), { hard: true }).sum().item()); // 4
 * ```
 */
export function gumbelSoftmax(logits: Tensor, options?: GumbelSoftmaxOptions): Tensor {
  const op = 'gumbelSoftmax';
  checkOptions(op, options, ['tau', 'hard', 'dim', 'generator']);
  const { shape, ndim, dtype } = checkFloat(op, checkTensor(op, logits, 'logits'), 'the logits');
  const axis = normalizeAxis(op, options?.dim ?? -1, ndim);
  const tau = checkNumber(op, 'tau', options?.tau ?? 1, Number.MIN_VALUE);
  const hard = checkBoolean(op, 'hard', options?.hard ?? false);
  return composite(() => {
    const soft = logits
      .add(gumbel(shape, { dtype, generator: options?.generator }))
      .div(tau)
      .softmax(axis);
    if (!hard) return soft;
    // One-hot in value, soft in gradient.
    const oneHot = () => {
      const classes = shape[axis] ?? 1;
      const best = soft.argmax(axis, { keepdim: true });
      const places = arange(classes, { dtype: 'int32' }).reshape(shape.map((_, i) => (i === axis ? classes : 1)));
      return places.eq(best).to(dtype);
    };
    return fused(op, [soft], [], oneHot, (g) => g);
  });
}
