// nn.init: initial values of parameters. Every function overwrites its tensor in place and returns it.
import { full, type RandomOptions, rand, randn } from '../create.js';
import { checkOptions, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { checkChoice, checkFloating, checkNumber } from './check.js';
import { isSkipped } from './skip-init.js';

export * from './init-matrix.js';

/** Options of every random initialisation. */
export interface InitOptions {
  /** Where the numbers come from; the default generator unless given. */
  generator?: RandomOptions['generator'];
}

const NONLINEARITIES = [
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'sigmoid',
  'tanh',
  'relu',
  'leakyRelu',
  'selu',
] as const;
/** A function between layers, for {@link calculateGain}. */
export type Nonlinearity = (typeof NONLINEARITIES)[number];

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions extends InitOptions {
  /** Negative slope of leakyRelu; 0 unless given. */
  a?: number;
  /** Keep the variance of values ('fanIn', unless given) or of gradients ('fanOut'). */
  mode?: 'fanIn' | 'fanOut';
  /** What follows the layer; 'leakyRelu' unless given. */
  nonlinearity?: Nonlinearity;
}

/** Options of {@link xavierUniform} and {@link xavierNormal}. */
export interface XavierOptions extends InitOptions {
  /** Factor of the deviation; 1 unless given. */
  gain?: number;
}

/** x = factor noise + shift. */
function fill<T extends Tensor>(
  x: T,
  kind: 'uniform' | 'normal',
  factor: number,
  shift: number,
  options?: InitOptions,
): T {
  if (isSkipped()) return x;
  const draw = kind === 'uniform' ? rand : randn;
  const noise = draw(x.shape, { dtype: x.dtype, generator: options?.generator });
  const scaled = noise.mul(factor);
  const values = scaled.add(shift);
  x.assign(values);
  for (const temporary of [noise, scaled, values]) temporary.dispose();
  return x;
}

/**
 * Uniform numbers from a to b (PyTorch: `nn.init.uniform_`).
 *
 * @param options `a`, 0 unless given; `b`, 1 unless given; `generator`
 * @throws TensorError `dtype` for integers, `value` for ends that do not rise
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * const w = nn.init.uniform(zeros([100]), { a: -0.1, b: 0.1 });
 * console.log(w.abs().amax().item() <= 0.1); // true
 * ```
 */
export function uniform<T extends Tensor>(x: T, options?: InitOptions & { a?: number; b?: number }): T {
  const op = 'uniform';
  checkFloating(op, x);
  checkOptions(op, options, ['a', 'b', 'generator']);
  const a = checkNumber(op, 'a', options?.a ?? 0);
  return fill(x, 'uniform', checkNumber(op, 'b', options?.b ?? 1, a) - a, a, options);
}

/**
 * Normal numbers (PyTorch: `nn.init.normal_`).
 *
 * @param options `mean`, 0 unless given; `std`, 1 unless given; `generator`
 * @throws TensorError `dtype` for integers, `value` for a negative deviation
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.normal(zeros([3]), { std: 0.02 }).shape); // [3]
 * ```
 */
export function normal<T extends Tensor>(x: T, options?: InitOptions & { mean?: number; std?: number }): T {
  const op = 'normal';
  checkFloating(op, x);
  checkOptions(op, options, ['mean', 'std', 'generator']);
  const mean = checkNumber(op, 'mean', options?.mean ?? 0);
  return fill(x, 'normal', checkNumber(op, 'std', options?.std ?? 1, 0), mean, options);
}

function erfOf(number: number): number {
  const x = full([], number, { dtype: 'float64' });
  const y = x.erf();
  const value = y.item();
  for (const temporary of [x, y]) temporary.dispose();
  return value;
}

/** Options of {@link truncNormal}. */
export interface TruncNormalOptions extends InitOptions {
  /** 0 unless given. */
  mean?: number;
  /** Deviation before cutting, above 0; 1 unless given. */
  std?: number;
  /** Least value; -2 unless given. */
  a?: number;
  /** Largest value; 2 unless given. */
  b?: number;
}

/**
 * Normal numbers from a to b; those outside are drawn again, in effect: the inverse distribution function of uniform numbers
 * between the probabilities of both ends (PyTorch: `nn.init.trunc_normal_`).
 *
 * @throws TensorError `value` unless a is below b
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.truncNormal(zeros([100]), { std: 0.02, a: -0.04, b: 0.04 }).abs().amax().item() <= 0.04); // true
 * ```
 */
export function truncNormal<T extends Tensor>(x: T, options?: TruncNormalOptions): T {
  const op = 'truncNormal';
  checkFloating(op, x);
  checkOptions(op, options, ['mean', 'std', 'a', 'b', 'generator']);
  const mean = checkNumber(op, 'mean', options?.mean ?? 0);
  const std = checkNumber(op, 'std', options?.std ?? 1, Number.MIN_VALUE);
  const a = checkNumber(op, 'a', options?.a ?? -2);
  const b = checkNumber(op, 'b', options?.b ?? 2);
  if (a >= b) throw new TensorError('value', op, `expected a below b, got ${a} and ${b}`);
  if (isSkipped()) return x;
  // 2 p - 1 for the probabilities p of what lies below the ends.
  const low = erfOf((a - mean) / (std * Math.SQRT2));
  const high = erfOf((b - mean) / (std * Math.SQRT2));
  const steps: ((v: Tensor) => Tensor)[] = [
    (v) => v.mul(high - low),
    (v) => v.add(low),
    (v) => v.erfinv(),
    (v) => v.mul(std * Math.SQRT2),
    (v) => v.add(mean),
    (v) => v.clamp(a, b),
  ];
  let values = rand(x.shape, { dtype: x.dtype, generator: options?.generator });
  for (const step of steps) {
    const next = step(values);
    values.dispose();
    values = next;
  }
  x.assign(values);
  values.dispose();
  return x;
}

/**
 * One value everywhere (PyTorch: `nn.init.constant_`).
 *
 * @throws TensorError `dtype` for integers, `value` for what is no number
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.constant(zeros([2]), 0.5).toArray()); // [0.5, 0.5]
 * ```
 */
export function constant<T extends Tensor>(x: T, value: number): T {
  checkFloating('constant', x);
  const values = full(x.shape, checkNumber('constant', 'the value', value), { dtype: x.dtype });
  x.assign(values);
  values.dispose();
  return x;
}

/**
 * Zeros (PyTorch: `nn.init.zeros_`).
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(nn.init.zeros(ones([2])).toArray()); // [0, 0]
 * ```
 */
export function zeros<T extends Tensor>(x: T): T {
  return constant(x, 0);
}

/**
 * Ones (PyTorch: `nn.init.ones_`).
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.ones(zeros([2])).toArray()); // [1, 1]
 * ```
 */
export function ones<T extends Tensor>(x: T): T {
  return constant(x, 1);
}

/** Inputs and outputs of one unit of a weight [out, in, ...window]. */
function fans(op: string, x: Tensor): { fanIn: number; fanOut: number } {
  checkFloating(op, x);
  if (x.ndim < 2) {
    throw new TensorError('shape', op, `expected a weight [out, in, ...], got [${x.shape.join(', ')}]`);
  }
  const window = x.shape.slice(2).reduce((n, size) => n * size, 1);
  return { fanIn: x.shape[1] * window, fanOut: x.shape[0] * window };
}

/**
 * The factor that keeps the variance through a nonlinearity: 1 for linear, convolutions and sigmoid, 5/3 for tanh, sqrt(2) for
 * relu, `sqrt(2 / (1 + a^2))` for leakyRelu, 3/4 for selu (PyTorch: `nn.init.calculate_gain`).
 *
 * @param a the negative slope of leakyRelu, 0.01 unless given
 * @throws TensorError `value` for another word
 *
 * @example
 * ```ts
 * import { nn } from 'chainrule';
 * console.log(nn.init.calculateGain('tanh').toFixed(3)); // 1.667
 * ```
 */
export function calculateGain(nonlinearity: Nonlinearity, a = 0.01): number {
  switch (checkChoice('calculateGain', 'the nonlinearity', nonlinearity, NONLINEARITIES)) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + a * a));
    case 'selu':
      return 3 / 4;
    default:
      return 1;
  }
}

function xavierStd(op: string, x: Tensor, options: XavierOptions | undefined): number {
  const { fanIn, fanOut } = fans(op, x);
  checkOptions(op, options, ['gain', 'generator']);
  return checkNumber(op, 'gain', options?.gain ?? 1, 0) * Math.sqrt(2 / Math.max(1, fanIn + fanOut));
}

/**
 * Uniform numbers of deviation `gain sqrt(2 / (fanIn + fanOut))` (Glorot and Bengio 2010; PyTorch: `nn.init.xavier_uniform_`).
 *
 * @param x a weight [out, in, ...window]
 * @throws TensorError `shape` for fewer than two dimensions
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.xavierUniform(zeros([2, 4])).abs().amax().item() <= 1); // true
 * ```
 */
export function xavierUniform<T extends Tensor>(x: T, options?: XavierOptions): T {
  const bound = Math.sqrt(3) * xavierStd('xavierUniform', x, options);
  return fill(x, 'uniform', 2 * bound, -bound, options);
}

/**
 * Normal numbers of deviation `gain sqrt(2 / (fanIn + fanOut))` (PyTorch: `nn.init.xavier_normal_`).
 *
 * @throws TensorError `shape` for fewer than two dimensions
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.xavierNormal(zeros([2, 4])).shape); // [2, 4]
 * ```
 */
export function xavierNormal<T extends Tensor>(x: T, options?: XavierOptions): T {
  return fill(x, 'normal', xavierStd('xavierNormal', x, options), 0, options);
}

function kaimingStd(op: string, x: Tensor, options: KaimingOptions | undefined): number {
  const both = fans(op, x);
  checkOptions(op, options, ['a', 'mode', 'nonlinearity', 'generator']);
  const fan = both[checkChoice(op, 'mode', options?.mode ?? 'fanIn', ['fanIn', 'fanOut'])];
  const a = checkNumber(op, 'a', options?.a ?? 0);
  return calculateGain(options?.nonlinearity ?? 'leakyRelu', a) / Math.sqrt(Math.max(1, fan));
}

/**
 * Uniform numbers of deviation `gain / sqrt(fan)` (He et al. 2015; PyTorch: `nn.init.kaiming_uniform_`).
 *
 * With `a: Math.sqrt(5)` the bound is `1 / sqrt(fanIn)`: how Linear and Conv2d begin.
 *
 * @param x a weight [out, in, ...window]
 * @throws TensorError `shape` for fewer than two dimensions
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.kaimingUniform(zeros([2, 4]), { a: Math.sqrt(5) }).abs().amax().item() <= 0.5); // true
 * ```
 */
export function kaimingUniform<T extends Tensor>(x: T, options?: KaimingOptions): T {
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform', x, options);
  return fill(x, 'uniform', 2 * bound, -bound, options);
}

/**
 * Normal numbers of deviation `gain / sqrt(fan)` (PyTorch: `nn.init.kaiming_normal_`).
 *
 * @throws TensorError `shape` for fewer than two dimensions
 *
 * @example
 * ```ts
 * import { nn, zeros } from 'chainrule';
 * console.log(nn.init.kaimingNormal(zeros([2, 4])).shape); // [2, 4]
 * ```
 */
export function kaimingNormal<T extends Tensor>(x: T, options?: KaimingOptions): T {
  return fill(x, 'normal', kaimingStd('kaimingNormal', x, options), 0, options);
}
