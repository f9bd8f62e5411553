// Running sums, products, extremes and logarithms of sums along a dimension. Every export is also a method of Tensor.
import { cast, checkFloat, checkTensor, dense, dropCopy, filled, make, offsetOf } from '../../core/dispatch.js';
import { checkDType, type DType, isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { normalizeAxis } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { type Placed, recordPlaced, writeLines } from '../order/lines.js';
import { cat, where } from '../shape/join.js';

/** Options of {@link cumsum} and {@link cumprod}. */
export interface ScanOptions {
  /** Element type to compute in and of the result; unless given that of x, int32 for integers and booleans. */
  dtype?: DType;
}

const G = native.geometry;

/** Runs a kernel outside the tape; `reverse` starts at the last element. */
function scanRaw(
  op: string,
  kernel: (y: Bytes, x: Bytes) => void,
  input: Tensor,
  axis: number,
  reverse: boolean,
): Tensor {
  const x = dense(op, input);
  const y = make(op, x.shape, x.dtype);
  if (y.size > 0) {
    writeLines(x, axis);
    G[4] = reverse ? 1 : 0;
    G[5] = offsetOf(y);
    G[6] = offsetOf(x);
    kernel(y.storage.bytes, x.storage.bytes);
  }
  dropCopy(x, input);
  return y;
}

/** `x` one step further along a dimension, with `first` in front. */
function shifted(x: Tensor, axis: number, first: number): Tensor {
  const front = filled('cat', x.shape.with(axis, 1), x.dtype, first);
  return cat([front, x.narrow(axis, 0, x.shape[axis] - 1)], axis);
}

/**
 * `y[k] = b[k] + a[k] y[k-1]` along a dimension, in reverse `y[k] = b[k] + a[k+1] y[k+1]`; `a[0]` has no part in it. Each
 * is the other's gradient, so what is written with it can be differentiated any number of times without a division.
 */
function recurrence(b: Tensor, a: Tensor, axis: number, reverse: boolean): Tensor {
  const op = 'recurrence';
  const x = dense(op, b);
  const factors = dense(op, a);
  const y = make(op, x.shape, x.dtype);
  if (y.size > 0) {
    writeLines(x, axis);
    G[4] = reverse ? 1 : 0;
    G[5] = offsetOf(y);
    G[6] = offsetOf(x);
    G[7] = offsetOf(factors);
    native.recurrence(y.storage.bytes, x.storage.bytes, factors.storage.bytes);
  }
  dropCopy(x, b);
  dropCopy(factors, a);
  return record(op, y, [b, a], [a, y], (g, [by, out], needs) => {
    const db = recurrence(g, by, axis, !reverse);
    if (needs[1] === null) return [db, null];
    const da = reverse ? shifted(db, axis, 0).mul(out) : shifted(out, axis, 0).mul(db);
    return [needs[0] === null ? null : db, da];
  });
}

/** The axis and the operand in the dtype of the result; scans of small integers run in int32. */
function prepare(
  op: string,
  x: Tensor,
  axis: number,
  options: ScanOptions | undefined,
  scan: (x: Tensor, axis: number) => Tensor,
): Tensor {
  checkTensor(op, x);
  checkOptions(op, options, ['dtype']);
  const at = normalizeAxis(op, axis, x.ndim);
  const wanted = options?.dtype === undefined ? null : checkDType(op, options.dtype);
  const dtype = wanted ?? (isFloat(x.dtype) ? x.dtype : 'int32');
  if (dtype === x.dtype && (isFloat(dtype) || dtype === 'int32')) return scan(x, at);
  return composite(() => {
    const input = cast(op, x, dtype);
    return isFloat(dtype) ? scan(input, at) : cast(op, scan(cast(op, input, 'int32'), at), dtype);
  });
}

function sumAlong(x: Tensor, axis: number, reverse: boolean): Tensor {
  const y = scanRaw('cumsum', native.cumsum, x, axis, reverse);
  return record('cumsum', y, [x], [], (g) => sumAlong(g, axis, !reverse));
}

/**
 * Running sum along a dimension: `y[k] = x[0] + ... + x[k]`; float32 adds up in double precision. Integers and booleans
 * give int32 (PyTorch: `torch.cumsum`).
 *
 * @throws TensorError `axis` for an axis outside the tensor, `dtype` for an unknown dtype
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).cumsum(1).toArray()); // [[1, 3], [3, 7]]
 * ```
 */
export function cumsum(x: Tensor, axis: number, options?: ScanOptions): Tensor {
  return prepare('cumsum', x, axis, options, (input, at) => sumAlong(input, at, false));
}

/**
 * Running product along a dimension: `y[k] = x[0] ... x[k]`; float32 multiplies in double precision, and gradients are right
 * with zeros too. Integers and booleans give int32 (PyTorch: `torch.cumprod`).
 *
 * @throws TensorError `axis` for an axis outside the tensor, `dtype` for an unknown dtype
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3, 4]).cumprod(0).toArray()); // [1, 2, 6, 24]
 * ```
 */
export function cumprod(x: Tensor, axis: number, options?: ScanOptions): Tensor {
  return prepare('cumprod', x, axis, options, (input, at) => {
    const y = scanRaw('cumprod', native.cumprod, input, at, false);
    // dx[k] is the product before k times g[k] + x[k+1] (g[k+1] + x[k+2] (...)): no division by a factor that may be 0.
    return record('cumprod', y, [input], [input, y], (g, [factors, out]) =>
      g.ndim === 0 || g.size === 0 ? g : shifted(out, at, 1).mul(recurrence(g, factors, at, true)),
    );
  });
}

/**
 * `y[k] = log(e^x[0] + ... + e^x[k])` along a dimension, without overflow; `dx[k] = sum over i >= k of g[i] e^(x[k] - y[i])`,
 * 0 at -Infinity (PyTorch: `torch.logcumsumexp`).
 *
 * @throws TensorError `axis` for an axis outside the tensor, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const y = tensor([1000, 1000]).logcumsumexp(0);
 * console.log(y.at(1).item().toFixed(3)); // 1000.693
 * ```
 */
export function logcumsumexp(x: Tensor, axis: number): Tensor {
  const op = 'logcumsumexp';
  checkFloat(op, checkTensor(op, x));
  const at = normalizeAxis(op, axis, x.ndim);
  const y = scanRaw(op, native.logcumsumexp, x, at, false);
  return record(op, y, [x], [x, y], (g, [input, out]) => {
    if (g.ndim === 0 || g.size === 0) return g;
    // Weights e^(y[k-1] - y[k]) are at most 1, whatever the size of x. Before the first finite element they do not matter.
    const before = shifted(out, at, -Infinity);
    const weights = where(before.eq(-Infinity), 0, before.sub(out)).exp();
    const none = input.eq(-Infinity);
    const share = where(none, 0, input.sub(out)).exp();
    return where(none, 0, share.mul(recurrence(g, weights, at, true)));
  });
}

function extreme(op: 'cummax' | 'cummin', x: Tensor, axis: number): Placed {
  checkTensor(op, x);
  const at = normalizeAxis(op, axis, x.ndim);
  const source = dense(op, x);
  const values = make(op, x.shape, x.dtype);
  const indices = make(op, x.shape, 'int32');
  if (values.size > 0) {
    writeLines(source, at);
    G[4] = 0;
    G[5] = offsetOf(values);
    G[6] = offsetOf(indices);
    G[7] = offsetOf(source);
    native[op](values.storage.bytes, indices.storage.bytes, source.storage.bytes);
  }
  dropCopy(source, x);
  return recordPlaced(op, x, at, values, indices);
}

/**
 * Running maximum along a dimension and where it stands, the last of equal ones; NaN stays once met. Its gradient goes to
 * these places (PyTorch: `torch.cummax`).
 *
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { values, indices } = tensor([1, 3, 2]).cummax(0);
 * console.log(values.toArray(), indices.toArray()); // [1, 3, 3] [0, 1, 1]
 * ```
 */
export function cummax(x: Tensor, axis: number): Placed {
  return extreme('cummax', x, axis);
}

/**
 * Running minimum along a dimension and where it stands, the last of equal ones; NaN stays once met. Its gradient goes to
 * these places (PyTorch: `torch.cummin`).
 *
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { values, indices } = tensor([3, 1, 2]).cummin(0);
 * console.log(values.toArray(), indices.toArray()); // [3, 1, 1] [0, 1, 1]
 * ```
 */
export function cummin(x: Tensor, axis: number): Placed {
  return extreme('cummin', x, axis);
}
