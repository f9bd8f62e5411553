// Softmax and its logarithm. Every export is also a method of Tensor.
import { cast, checkTensor, dense, dropCopy, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES, floatOf } from '../../core/dtype.js';
import { isGradEnabled } from '../../core/mode.js';
import { normalizeAxis, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { kernelId, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
const SOFTMAX = kernelId('softmax', 'softmax');
const LOG_SOFTMAX = kernelId('softmax', 'logSoftmax');

function geometry(kernel: number, x: Tensor, axis: number): void {
  G[0] = kernel;
  G[1] = DTYPES[x.dtype].code;
  G[2] = sizeOf(x.shape.slice(0, axis));
  G[3] = x.shape[axis] ?? 1;
  G[4] = sizeOf(x.shape.slice(axis + 1));
}

/** The forward kernel alone, on a floating tensor; not recorded. */
export function logSoftmaxRaw(x: Tensor, axis: number): Tensor {
  return forward('logSoftmax', LOG_SOFTMAX, x, axis);
}

function forward(op: string, kernel: number, input: Tensor, axis: number): Tensor {
  const x = dense(op, input);
  const y = make(op, x.shape, x.dtype);
  if (y.size === 0) return y;
  geometry(kernel, x, axis);
  G[5] = offsetOf(y);
  G[6] = offsetOf(x);
  native.softmax(y.storage.bytes, x.storage.bytes);
  dropCopy(x, input);
  return y;
}

function backward(kernel: number, g: Tensor, y: Tensor, axis: number): Tensor {
  const dy = dense('softmax', g);
  const dx = make('softmax backward', y.shape, y.dtype);
  if (dx.size === 0) return dx;
  geometry(kernel, y, axis);
  G[5] = offsetOf(dx);
  G[6] = offsetOf(dy);
  G[7] = offsetOf(y);
  native.softmaxBackward(dx.storage.bytes, dy.storage.bytes, y.storage.bytes);
  return dx;
}

/**
 * `y_i = e^x_i / sum_j e^x_j` along one dimension, without overflow (PyTorch: `F.softmax`).
 *
 * @param axis the dimension whose values sum to 1
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, 0]).softmax(0).toArray()); // [0.5, 0.5]
 * ```
 */
export function softmax(x: Tensor, axis: number): Tensor {
  const input = cast('softmax', checkTensor('softmax', x), floatOf(x.dtype));
  const at = normalizeAxis('softmax', axis, x.ndim);
  const y = forward('softmax', SOFTMAX, input, at);
  return record('softmax', y, [input], [y], (g, [out]) => {
    // The fused kernel cannot be differentiated again; the composition can.
    if (!isGradEnabled()) return backward(SOFTMAX, g, out, at);
    const gy = g.mul(out);
    return gy.sub(out.mul(gy.sum(at, { keepdim: true })));
  });
}

/**
 * `y_i = x_i - log sum_j e^x_j` along one dimension, without overflow (PyTorch: `F.log_softmax`).
 *
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1000, 1000]).logSoftmax(0).exp().toArray()); // [0.5, 0.5]
 * ```
 */
export function logSoftmax(x: Tensor, axis: number): Tensor {
  const input = cast('logSoftmax', checkTensor('logSoftmax', x), floatOf(x.dtype));
  const at = normalizeAxis('logSoftmax', axis, x.ndim);
  const y = logSoftmaxRaw(input, at);
  return record('logSoftmax', y, [input], [y], (g, [out]) => {
    if (!isGradEnabled()) return backward(LOG_SOFTMAX, g, out, at);
    return g.sub(out.exp().mul(g.sum(at, { keepdim: true })));
  });
}
