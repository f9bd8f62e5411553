// Making tensors: from data, constants, ranges and random numbers.
import { checkTensor, isTensor, make, offsetOf, wrap } from './core/dispatch.js';
import { checkDType, DTYPES, type DType, isFloat, type TypedArray } from './core/dtype.js';
import { defaultGenerator, Generator } from './core/random.js';
import { checkBoolean, checkInteger, checkNumber, checkShape, formatShape, MAX_NDIM, type Shape, sizeOf } from './core/shape.js';
import { adopt } from './core/storage.js';
import { checkOptions, describe, TensorError } from './errors.js';
import { kernelId, native } from './native.js';
import { copyInto } from './core/dispatch.js';
import type { Tensor } from './tensor.js';

/** Options of the creation functions. */
export interface CreateOptions {
  /** Element type; float32 unless given (or unless the data says otherwise). */
  dtype?: DType;
  /** Record operations on the tensor for backward(); floating dtypes only. */
  requiresGrad?: boolean;
}
/** Options of the random creation functions. */
export interface RandomOptions extends CreateOptions {
  /** Where the numbers come from; the default generator unless given. */
  generator?: Generator;
}

const G = native.geometry;
const CREATE = ['dtype', 'requiresGrad'];
const RANDOM = [...CREATE, 'generator'];

function dtypeOf(op: string, options: CreateOptions | undefined, otherwise: DType, known = CREATE): DType {
  checkOptions(op, options, known);
  return options?.dtype === undefined ? otherwise : checkDType(op, options.dtype);
}

function finish(op: string, y: Tensor, options: CreateOptions | undefined): Tensor {
  if (options?.requiresGrad === undefined || !checkBoolean(op, 'requiresGrad', options.requiresGrad)) return y;
  if (!isFloat(y.dtype)) throw new TensorError('dtype', op, `expected a floating dtype for requiresGrad, got ${y.dtype}`);
  y.requiresGrad = true;
  return y;
}

/** Data for {@link tensor}: a number, a boolean, nested arrays of them, a typed array, or a tensor. */
export type TensorData = number | boolean | readonly TensorData[] | TypedArray | Tensor;

/** The shape nested arrays have, checked to be the same everywhere. */
function shapeOf(data: TensorData): number[] {
  const shape: number[] = [];
  let level: TensorData = data;
  while (Array.isArray(level)) {
    shape.push(level.length);
    if (shape.length > MAX_NDIM) throw new TensorError('shape', 'tensor', `expected at most ${MAX_NDIM} levels of nesting`);
    level = level[0] as TensorData;
  }
  return shape;
}

function flattenInto(out: (number | boolean)[], data: TensorData, shape: readonly number[], axis: number, path: string): void {
  if (axis === shape.length) {
    if (typeof data !== 'number' && typeof data !== 'boolean') {
      throw new TensorError(Array.isArray(data) ? 'shape' : 'value', 'tensor', `expected a number or a boolean at data${path}, got ${describe(data)}`);
    }
    out.push(data);
    return;
  }
  if (!Array.isArray(data) || data.length !== shape[axis]) {
    throw new TensorError('shape', 'tensor', `expected an array of ${shape[axis]} at data${path} as in the others (no ragged arrays), got ${describe(data)}`);
  }
  for (let i = 0; i < data.length; i++) flattenInto(out, data[i] as TensorData, shape, axis + 1, `${path}[${i}]`);
}

function dtypeOfArray(data: ArrayBufferView): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'uint8';
  throw new TensorError('dtype', 'tensor', `expected a Float32Array, Float64Array, Int32Array or Uint8Array, got ${describe(data)}`);
}

/**
 * A tensor of its own from numbers (PyTorch: `torch.tensor`). Numbers give float32, booleans bool, typed arrays their own dtype.
 *
 * @throws TensorError `shape` for ragged arrays, `value` for anything but numbers and booleans
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).shape); // [2, 2]
 * ```
 */
export function tensor(data: TensorData, options?: CreateOptions): Tensor {
  if (isTensor(data)) {
    const dtype = dtypeOf('tensor', options, data.dtype);
    const copy = make('tensor', checkTensor('tensor', data).shape, dtype);
    copyInto(copy, data);
    return finish('tensor', copy, options);
  }
  if (ArrayBuffer.isView(data)) {
    const from = dtypeOfArray(data);
    const dtype = dtypeOf('tensor', options, from);
    const source = wrap('tensor', adopt(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)), [data.length], from);
    const copy = make('tensor', [data.length], dtype);
    copyInto(copy, source);
    return finish('tensor', copy, options);
  }
  const shape = shapeOf(data);
  const flat: (number | boolean)[] = [];
  flattenInto(flat, data, shape, 0, '');
  const allBoolean = flat.length > 0 && flat.every((v) => typeof v === 'boolean');
  const dtype = dtypeOf('tensor', options, allBoolean ? 'bool' : 'float32');
  const y = make('tensor', shape, dtype);
  const out = y.typed();
  for (let i = 0; i < flat.length; i++) out[i] = element(Number(flat[i]), dtype, i);
  return finish('tensor', y, options);
}

/** A number as an element; integers must be whole and fit. */
function element(value: number, dtype: DType, place: number): number {
  if (isFloat(dtype)) return value;
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  const [low, high] = dtype === 'uint8' ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1];
  if (Number.isNaN(value) || value < low || value > high) {
    throw new TensorError('value', 'tensor', `expected numbers from ${low} to ${high} for ${dtype}, got ${value} at element ${place}`);
  }
  return Math.trunc(value);
}

/**
 * A tensor on the memory of a typed array, without a copy: writing to one shows in the other (PyTorch: `torch.from_numpy`).
 *
 * @param data Float32Array, Float64Array, Int32Array or Uint8Array
 * @param shape one dimension of the array's length unless given
 * @throws TensorError `shape` where the number of elements differs
 *
 * @example
 * ```ts
 * import { fromTypedArray } from 'chainrule';
 * console.log(fromTypedArray(new Float32Array(6), [2, 3]).shape); // [2, 3]
 * ```
 */
export function fromTypedArray(data: TypedArray, shape?: Shape, options?: CreateOptions): Tensor {
  const op = 'fromTypedArray';
  if (!ArrayBuffer.isView(data)) throw new TensorError('value', op, `expected a typed array, got ${describe(data)}`);
  const own = dtypeOfArray(data);
  const dtype = dtypeOf(op, options, own);
  if (dtype !== own && !(dtype === 'bool' && own === 'uint8')) {
    throw new TensorError('dtype', op, `expected the array's own dtype ${own}, got ${dtype}; convert the tensor with .to('${dtype}')`);
  }
  const sizes = shape === undefined ? [data.length] : checkShape(op, shape);
  if (sizeOf(sizes) !== data.length) {
    throw new TensorError('shape', op, `expected ${sizeOf(sizes)} elements for ${formatShape(sizes)}, got ${data.length}`);
  }
  return finish(op, wrap(op, adopt(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)), sizes, dtype), options);
}

function filled(op: string, shape: Shape, value: number, dtype: DType, options: CreateOptions | undefined): Tensor {
  const y = make(op, [...checkShape(op, shape)], dtype);
  G[0] = DTYPES[dtype].code;
  G[1] = y.size;
  G[2] = offsetOf(y);
  G[3] = value;
  native.fill(y.storage.bytes);
  return finish(op, y, options);
}

/**
 * A tensor of zeros (PyTorch: `torch.zeros`).
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([2]).toArray()); // [0, 0]
 * ```
 */
export function zeros(shape: Shape, options?: CreateOptions): Tensor {
  return filled('zeros', shape, 0, dtypeOf('zeros', options, 'float32'), options);
}

/**
 * A tensor of ones (PyTorch: `torch.ones`).
 *
 * @example
 * ```ts
 * import { ones } from 'chainrule';
 * console.log(ones([2]).toArray()); // [1, 1]
 * ```
 */
export function ones(shape: Shape, options?: CreateOptions): Tensor {
  return filled('ones', shape, 1, dtypeOf('ones', options, 'float32'), options);
}

/**
 * A tensor of one value; booleans give bool (PyTorch: `torch.full`).
 *
 * @example
 * ```ts
 * import { full } from 'chainrule';
 * console.log(full([2], 7).toArray()); // [7, 7]
 * ```
 */
export function full(shape: Shape, value: number | boolean, options?: CreateOptions): Tensor {
  if (typeof value !== 'number' && typeof value !== 'boolean') {
    throw new TensorError('value', 'full', `expected a number or a boolean, got ${describe(value)}`);
  }
  const dtype = dtypeOf('full', options, typeof value === 'boolean' ? 'bool' : 'float32');
  return filled('full', shape, element(Number(value), dtype, 0), dtype, options);
}

/**
 * Zeros in the shape and dtype of another tensor (PyTorch: `torch.zeros_like`).
 *
 * @example
 * ```ts
 * import { tensor, zerosLike } from 'chainrule';
 * console.log(zerosLike(tensor([1, 2])).toArray()); // [0, 0]
 * ```
 */
export function zerosLike(x: Tensor, options?: CreateOptions): Tensor {
  return filled('zerosLike', checkTensor('zerosLike', x).shape, 0, dtypeOf('zerosLike', options, x.dtype), options);
}

/**
 * Ones in the shape and dtype of another tensor (PyTorch: `torch.ones_like`).
 *
 * @example
 * ```ts
 * import { onesLike, tensor } from 'chainrule';
 * console.log(onesLike(tensor([1, 2])).toArray()); // [1, 1]
 * ```
 */
export function onesLike(x: Tensor, options?: CreateOptions): Tensor {
  return filled('onesLike', checkTensor('onesLike', x).shape, 1, dtypeOf('onesLike', options, x.dtype), options);
}

function range(op: string, n: number, start: number, step: number, dtype: DType, options: CreateOptions | undefined): Tensor {
  const y = make(op, checkShape(op, [n]), dtype);
  G[0] = DTYPES[dtype].code;
  G[1] = n;
  G[2] = offsetOf(y);
  G[3] = start;
  G[4] = step;
  native.arange(y.storage.bytes);
  return finish(op, y, options);
}

/**
 * Numbers from start to before end: `arange(end)`, `arange(start, end)`, `arange(start, end, step)` (PyTorch: `torch.arange`).
 *
 * @throws TensorError `value` for a step of 0 or away from the end
 *
 * @example
 * ```ts
 * import { arange } from 'chainrule';
 * console.log(arange(1, 7, 2).toArray()); // [1, 3, 5]
 * ```
 */
export function arange(start: number, end?: number | CreateOptions, step?: number | CreateOptions, options?: CreateOptions): Tensor {
  const op = 'arange';
  // The options may follow any number of bounds.
  const numbers = [start, end, step].filter((v) => typeof v === 'number') as number[];
  const given = [end, step, options].find((v) => typeof v === 'object') as CreateOptions | undefined;
  const [from, to, by] = numbers.length < 2 ? [0, numbers[0], 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
  for (const [name, value] of [['start', from], ['end', to], ['step', by]] as const) checkNumber(op, name, value);
  const count = Math.ceil((to - from) / by);
  if (by === 0 || !Number.isFinite(count) || count < 0) {
    throw new TensorError('value', op, `expected finite bounds and a step that leads from start to end, got ${from}, ${to}, ${by}`);
  }
  return range(op, count, from, by, dtypeOf(op, given, 'float32'), given);
}

/**
 * `steps` numbers evenly from start to end, both included (PyTorch: `torch.linspace`).
 *
 * @example
 * ```ts
 * import { linspace } from 'chainrule';
 * console.log(linspace(0, 1, 5).toArray()); // [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace(start: number, end: number, steps: number, options?: CreateOptions): Tensor {
  const op = 'linspace';
  const n = checkInteger(op, 'steps', steps, 0);
  const [from, to] = [checkNumber(op, 'start', start), checkNumber(op, 'end', end)];
  const y = range(op, n, from, n > 1 ? (to - from) / (n - 1) : 0, dtypeOf(op, options, 'float32'), options);
  // The end is exact, whatever rounding the steps made.
  if (n > 1) y.typed()[n - 1] = to;
  return y;
}

/**
 * The identity matrix [n, m], m = n unless given (PyTorch: `torch.eye`).
 *
 * @example
 * ```ts
 * import { eye } from 'chainrule';
 * console.log(eye(2).toArray()); // [[1, 0], [0, 1]]
 * ```
 */
export function eye(n: number, m: number = n, options?: CreateOptions): Tensor {
  const y = filled('eye', [n, m], 0, dtypeOf('eye', options, 'float32'), options);
  const out = y.typed();
  for (let i = 0; i < Math.min(n, m); i++) out[i * m + i] = 1;
  return y;
}

function generatorOf(op: string, options: RandomOptions | undefined): Generator {
  const generator = options?.generator ?? defaultGenerator;
  if (generator instanceof Generator) return generator;
  throw new TensorError('value', op, `expected a Generator, got ${describe(generator)}`);
}

function random(op: string, kernel: number, shape: Shape, p0: number, p1: number, dtype: DType, options: RandomOptions | undefined): Tensor {
  const y = make(op, [...checkShape(op, shape)], dtype);
  const { state } = generatorOf(op, options);
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

function floatDType(op: string, options: RandomOptions | undefined): DType {
  const dtype = dtypeOf(op, options, 'float32', RANDOM);
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
  const op = 'randint';
  checkInteger(op, 'low', low);
  if (checkInteger(op, 'high', high) <= low || high - low > 2 ** 32) {
    throw new TensorError('value', op, `expected low below high, at most 2^32 apart, got ${low} and ${high}`);
  }
  return random(op, INTEGERS, shape, low, high, dtypeOf(op, options, 'int32', RANDOM), options);
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
  native.randperm(y.storage.bytes, generatorOf(op, options).state);
  return y;
}
