// Making tensors of random numbers.
import { checkTensor, make, offsetOf } from './core/dispatch.js';
import { DTYPES, type DType, isFloat } from './core/dtype.js';
import { rangeOf } from './core/nested.js';
import { drawnFrom, type Generator } from './core/random.js';
import { checkInteger, checkNumber, checkShape, type Shape } from './core/shape.js';
import { type CreateOptions, dtypeOf, finish, generatorOf } from './create-options.js';
import { checkOptions, TensorError } from './errors.js';
import { kernelId, native } from './native.js';
import type { Tensor } from './tensor.js';

/** Options of the random creation functions. */
export interface RandomOptions extends CreateOptions {
  /** Where the numbers come from; the default generator unless given. */
  generator?: Generator;
}

const G = native.geometry;
const GENERATOR = ['generator'];

function random(
  op: string,
  kernel: number,
  shape: Shape,
  p0: number,
  p1: number,
  dtype: DType,
  options: RandomOptions | undefined,
): Tensor {
  const y = make(op, [...checkShape(op, shape)], dtype);
  const { state } = drawnFrom(generatorOf(op, options));
  G[0] = kernel;
  G[1] = DTYPES[dtype].code;
  G[2] = y.size;
  G[3] = offsetOf(y);
  G[4] = p0;
  G[5] = p1;
  native.random(y.storage.bytes, state);
  return finish(op, y, options);
}

const UNIFORM = kernelId('random', 'uniform');
const NORMAL = kernelId('random', 'normal');
const INTEGERS = kernelId('random', 'integers');
const EXPONENTIAL = kernelId('random', 'exponential');
const GUMBEL = kernelId('random', 'gumbel');

function floatDType(
  op: string,
  options: RandomOptions | undefined,
  otherwise: DType = 'float32',
  more: readonly string[] = [],
): DType {
  const dtype = dtypeOf(op, options, otherwise, [...GENERATOR, ...more]);
  if (isFloat(dtype)) return dtype;
  throw new TensorError('dtype', op, `expected float32 or float64, got ${dtype}`);
}

/**
 * Uniform random numbers, 0 included, 1 not (PyTorch: `torch.rand`).
 *
 * @example
 * ```ts
 * import { rand } from 'chainrule';
 * console.log(rand([100]).amax().item() < 1); // true
 * ```
 */
export function rand(shape: Shape, options?: RandomOptions): Tensor {
  return random('rand', UNIFORM, shape, 0, 1, floatDType('rand', options), options);
}

/**
 * Normal random numbers, mean 0 and deviation 1 (PyTorch: `torch.randn`).
 *
 * @example
 * ```ts
 * import { randn } from 'chainrule';
 * console.log(randn([2, 3]).shape); // [2, 3]
 * ```
 */
export function randn(shape: Shape, options?: RandomOptions): Tensor {
  return random('randn', NORMAL, shape, 0, 1, floatDType('randn', options), options);
}

/**
 * Random whole numbers from low to before high, int32 unless a dtype is given (PyTorch: `torch.randint`).
 *
 * @throws TensorError `value` unless low is below high
 *
 * @example
 * ```ts
 * import { randint } from 'chainrule';
 * console.log(randint(0, 10, [3]).dtype); // int32
 * ```
 */
export function randint(low: number, high: number, shape: Shape, options?: RandomOptions): Tensor {
  return integers('randint', low, high, shape, dtypeOf('randint', options, 'int32', GENERATOR), options);
}

function integers(
  op: string,
  low: number,
  high: number,
  shape: Shape,
  dtype: DType,
  options: RandomOptions | undefined,
): Tensor {
  checkInteger(op, 'low', low);
  if (checkInteger(op, 'high', high) <= low || high - low > 2 ** 32) {
    throw new TensorError('value', op, `expected low below high, at most 2^32 apart, got ${low} and ${high}`);
  }
  const [least, most] = rangeOf(dtype);
  if (low < least || high - 1 > most) {
    throw new TensorError(
      'value',
      op,
      `expected numbers from ${least} to ${most} for ${dtype}, got ${low} to ${high - 1}`,
    );
  }
  return random(op, INTEGERS, shape, low, high, dtype, options);
}

/** Options of {@link exponential}. */
export interface ExponentialOptions extends RandomOptions {
  /** One over the mean, above 0; 1 unless given. */
  rate?: number;
}

/**
 * Exponential random numbers of density `rate exp(-rate x)`, never 0 (PyTorch: `Tensor.exponential_`).
 *
 * @throws TensorError `value` unless the rate is above 0
 *
 * @example
 * ```ts
 * import { exponential } from 'chainrule';
 * console.log(exponential([100], { rate: 2 }).amin().item() > 0); // true
 * ```
 */
export function exponential(shape: Shape, options?: ExponentialOptions): Tensor {
  const op = 'exponential';
  const dtype = floatDType(op, options, 'float32', ['rate']);
  const rate = checkNumber(op, 'rate', options?.rate ?? 1, Number.MIN_VALUE, Number.MAX_VALUE);
  return random(op, EXPONENTIAL, shape, rate, 0, dtype, options);
}

/**
 * Random numbers of the standard Gumbel distribution: `-log(-log u)`, u uniform. The place of the largest of logits with this
 * noise is drawn by their softmax (Maddison et al., "A* sampling", 2014).
 *
 * @example
 * ```ts
 * import { gumbel } from 'chainrule';
 * console.log(gumbel([3]).isFinite().all().item()); // 1
 * ```
 */
export function gumbel(shape: Shape, options?: RandomOptions): Tensor {
  return random('gumbel', GUMBEL, shape, 0, 1, floatDType('gumbel', options), options);
}

/**
 * Uniform random numbers in the shape and dtype of another tensor (PyTorch: `torch.rand_like`).
 *
 * @throws TensorError `dtype` unless it is floating point
 *
 * @example
 * ```ts
 * import { randLike, zeros } from 'chainrule';
 * console.log(randLike(zeros([2, 3])).shape); // [2, 3]
 * ```
 */
export function randLike(x: Tensor, options?: RandomOptions): Tensor {
  const { shape, dtype } = checkTensor('randLike', x);
  return random('randLike', UNIFORM, shape, 0, 1, floatDType('randLike', options, dtype), options);
}

/**
 * Normal random numbers in the shape and dtype of another tensor (PyTorch: `torch.randn_like`).
 *
 * @throws TensorError `dtype` unless it is floating point
 *
 * @example
 * ```ts
 * import { randnLike, zeros } from 'chainrule';
 * console.log(randnLike(zeros([2, 3])).shape); // [2, 3]
 * ```
 */
export function randnLike(x: Tensor, options?: RandomOptions): Tensor {
  const { shape, dtype } = checkTensor('randnLike', x);
  return random('randnLike', NORMAL, shape, 0, 1, floatDType('randnLike', options, dtype), options);
}

/**
 * Random whole numbers from low to before high, in the shape and dtype of another tensor (PyTorch: `torch.randint_like`).
 *
 * @throws TensorError `value` unless low is below high and the dtype holds both
 *
 * @example
 * ```ts
 * import { randintLike, zeros } from 'chainrule';
 * console.log(randintLike(zeros([2]), 0, 10).dtype); // float32
 * ```
 */
export function randintLike(x: Tensor, low: number, high: number, options?: RandomOptions): Tensor {
  const op = 'randintLike';
  const { shape, dtype } = checkTensor(op, x);
  return integers(op, low, high, shape, dtypeOf(op, options, dtype, GENERATOR), options);
}

/**
 * A random order of 0..n-1, int32 (PyTorch: `torch.randperm`).
 *
 * @example
 * ```ts
 * import { randperm } from 'chainrule';
 * console.log(randperm(5).sum().item()); // 10
 * ```
 */
export function randperm(n: number, options?: { generator?: Generator }): Tensor {
  const op = 'randperm';
  checkOptions(op, options, ['generator']);
  const y = make(op, [checkInteger(op, 'n', n, 0, 2 ** 31 - 1)], 'int32');
  G[0] = n;
  G[1] = offsetOf(y);
  native.randperm(y.storage.bytes, drawnFrom(generatorOf(op, options)).state);
  return y;
}
