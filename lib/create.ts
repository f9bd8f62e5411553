// Making tensors: from data, constants, ranges and random numbers.
import { checkTensor, copyInto, filled, isTensor, make, offsetOf, wrap } from './core/dispatch.js';
import { DTYPES, type DType, type TypedArray } from './core/dtype.js';
import { element, flatten } from './core/nested.js';
import { recording } from './core/recording.js';
import { checkInteger, checkNumber, checkShape, formatShape, type Shape, sizeOf } from './core/shape.js';
import { adopt } from './core/storage.js';
import { type CreateOptions, dtypeOf, finish } from './create-options.js';
import { describe, TensorError } from './errors.js';
import { native } from './native.js';
import type { Tensor } from './tensor.js';

export * from './create-indices.js';
export type { CreateOptions } from './create-options.js';
export * from './create-random.js';
export * from './create-window.js';

const G = native.geometry;

/** Data for {@link tensor}: a number, a boolean, nested arrays of them, a typed array, or a tensor. */
export type TensorData = number | boolean | readonly TensorData[] | TypedArray | Tensor;

function dtypeOfArray(op: string, data: ArrayBufferView): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'uint8';
  throw new TensorError(
    'dtype',
    op,
    `expected a Float32Array, Float64Array, Int32Array or Uint8Array, got ${describe(data)}`,
  );
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
  if (recording !== null) recording.constant('tensor');
  if (ArrayBuffer.isView(data)) {
    const from = dtypeOfArray('tensor', data);
    const dtype = dtypeOf('tensor', options, from);
    const source = wrap(
      'tensor',
      adopt(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
      [data.length],
      from,
    );
    const copy = make('tensor', [data.length], dtype);
    copyInto(copy, source);
    return finish('tensor', copy, options);
  }
  const { shape, values } = flatten('tensor', data);
  const allBoolean = values.length > 0 && values.every((v) => typeof v === 'boolean');
  const dtype = dtypeOf('tensor', options, allBoolean ? 'bool' : 'float32');
  const y = make('tensor', shape, dtype);
  const out = y.typed();
  for (let i = 0; i < values.length; i++) out[i] = element('tensor', Number(values[i]), dtype, i);
  return finish('tensor', y, options);
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
  if (recording !== null) recording.constant(op);
  if (!ArrayBuffer.isView(data)) throw new TensorError('value', op, `expected a typed array, got ${describe(data)}`);
  const own = dtypeOfArray(op, data);
  const dtype = dtypeOf(op, options, own);
  if (dtype !== own && !(dtype === 'bool' && own === 'uint8')) {
    throw new TensorError(
      'dtype',
      op,
      `expected the array's own dtype ${own}, got ${dtype}; convert the tensor with .to('${dtype}')`,
    );
  }
  const sizes = shape === undefined ? [data.length] : [...checkShape(op, shape)];
  if (sizeOf(sizes) !== data.length) {
    throw new TensorError(
      'shape',
      op,
      `expected ${sizeOf(sizes)} elements for ${formatShape(sizes)}, got ${data.length}`,
    );
  }
  return finish(
    op,
    wrap(op, adopt(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)), sizes, dtype),
    options,
  );
}

function constant(op: string, shape: Shape, value: number, dtype: DType, options: CreateOptions | undefined): Tensor {
  return finish(op, filled(op, [...checkShape(op, shape)], dtype, value), options);
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
  return constant('zeros', shape, 0, dtypeOf('zeros', options, 'float32'), options);
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
  return constant('ones', shape, 1, dtypeOf('ones', options, 'float32'), options);
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
  return constant('full', shape, element('full', Number(value), dtype), dtype, options);
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
  return constant('zerosLike', checkTensor('zerosLike', x).shape, 0, dtypeOf('zerosLike', options, x.dtype), options);
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
  return constant('onesLike', checkTensor('onesLike', x).shape, 1, dtypeOf('onesLike', options, x.dtype), options);
}

/**
 * A tensor whose elements are not set: whatever the memory holds (PyTorch: `torch.empty`).
 *
 * @throws TensorError `shape` for sizes that are not whole numbers from 0 on
 *
 * @example
 * ```ts
 * import { empty } from 'chainrule';
 * console.log(empty([2, 3]).shape); // [2, 3]
 * ```
 */
export function empty(shape: Shape, options?: CreateOptions): Tensor {
  return unset('empty', shape, dtypeOf('empty', options, 'float32'), options);
}

/**
 * A tensor of the shape and dtype of another whose elements are not set (PyTorch: `torch.empty_like`).
 *
 * @example
 * ```ts
 * import { emptyLike, ones } from 'chainrule';
 * console.log(emptyLike(ones([2, 3])).shape); // [2, 3]
 * ```
 */
export function emptyLike(x: Tensor, options?: CreateOptions): Tensor {
  return unset('emptyLike', checkTensor('emptyLike', x).shape, dtypeOf('emptyLike', options, x.dtype), options);
}

function unset(op: string, shape: Shape, dtype: DType, options: CreateOptions | undefined): Tensor {
  // A byte of a boolean must be 0 or 1.
  if (dtype === 'bool') return constant(op, shape, 0, dtype, options);
  return finish(op, make(op, [...checkShape(op, shape)], dtype), options);
}

/**
 * A tensor of the shape and dtype of another with one value everywhere (PyTorch: `torch.full_like`).
 *
 * @throws TensorError `value` for what is no number, or one that the dtype cannot hold
 *
 * @example
 * ```ts
 * import { fullLike, ones } from 'chainrule';
 * console.log(fullLike(ones([2]), 7).toArray()); // [7, 7]
 * ```
 */
export function fullLike(x: Tensor, value: number | boolean, options?: CreateOptions): Tensor {
  const op = 'fullLike';
  const { shape, dtype: own } = checkTensor(op, x);
  if (typeof value !== 'number' && typeof value !== 'boolean') {
    throw new TensorError('value', op, `expected a number or a boolean, got ${describe(value)}`);
  }
  const dtype = dtypeOf(op, options, own);
  return constant(op, shape, element(op, Number(value), dtype), dtype, options);
}

function range(
  op: string,
  n: number,
  start: number,
  step: number,
  dtype: DType,
  options: CreateOptions | undefined,
): Tensor {
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
export function arange(
  start: number,
  end?: number | CreateOptions,
  step?: number | CreateOptions,
  options?: CreateOptions,
): Tensor {
  const op = 'arange';
  // The options may follow any number of bounds.
  const given = [start, end, step, options].filter((v) => v !== undefined);
  const last = typeof given.at(-1) === 'number' ? undefined : (given.pop() as CreateOptions | undefined);
  const numbers = given.map((v, i) => checkNumber(op, `bound ${i + 1}`, v));
  const [from, to, by] =
    numbers.length < 2 ? [0, checkNumber(op, 'end', numbers[0]), 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
  const count = Math.ceil((to - from) / by);
  if (by === 0 || !Number.isFinite(count) || count < 0) {
    throw new TensorError(
      'value',
      op,
      `expected finite bounds and a step that leads from start to end, got ${from}, ${to}, ${by}`,
    );
  }
  const dtype = dtypeOf(op, last, 'float32');
  for (const bound of count > 0 ? [from, from + (count - 1) * by] : []) element(op, bound, dtype);
  return range(op, count, from, by, dtype, last);
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
  const dtype = dtypeOf(op, options, 'float32');
  for (const bound of [from, to]) element(op, bound, dtype);
  const y = range(op, n, from, n > 1 ? (to - from) / (n - 1) : 0, dtype, options);
  // The end is exact, whatever rounding the steps made.
  if (n > 1) y.typed()[n - 1] = to;
  return y;
}

/** Options of {@link logspace}. */
export interface LogspaceOptions extends CreateOptions {
  /** What is raised to the powers; 10 unless given. */
  base?: number;
}

/**
 * Numbers whose logarithms are evenly spaced: `base^start` to `base^end`, both included (PyTorch: `torch.logspace`).
 *
 * @throws TensorError `value` for a negative number of steps, or numbers that the dtype cannot hold
 *
 * @example
 * ```ts
 * import { logspace } from 'chainrule';
 * console.log(logspace(0, 3, 4).toArray()); // [1, 10, 100, 1000]
 * ```
 */
export function logspace(start: number, end: number, steps: number, options?: LogspaceOptions): Tensor {
  const op = 'logspace';
  const n = checkInteger(op, 'steps', steps, 0);
  const [from, to] = [checkNumber(op, 'start', start), checkNumber(op, 'end', end)];
  const dtype = dtypeOf(op, options, 'float32', ['base']);
  const base = checkNumber(op, 'base', options?.base ?? 10);
  const y = make(op, checkShape(op, [n]), dtype);
  const out = y.typed();
  const step = n > 1 ? (to - from) / (n - 1) : 0;
  for (let i = 0; i < n; i++) out[i] = element(op, base ** (i > 0 && i === n - 1 ? to : from + i * step), dtype);
  return finish(op, y, options);
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
export function eye(n: number, options?: CreateOptions): Tensor;
export function eye(n: number, m?: number, options?: CreateOptions): Tensor;
export function eye(n: number, m?: number | CreateOptions, options?: CreateOptions): Tensor {
  if (typeof m === 'object' && m !== null) return eye(n, undefined, m);
  const columns = m ?? n;
  const y = constant('eye', [n, columns], 0, dtypeOf('eye', options, 'float32'), options);
  const out = y.typed();
  for (let i = 0; i < Math.min(n, columns); i++) out[i * columns + i] = 1;
  return y;
}
