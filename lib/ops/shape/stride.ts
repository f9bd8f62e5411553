// Strided looks at a tensor's memory, which slices and other views are made of.
import { checkTensor, clear, copyInto, filled, make, view } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { isContiguous, type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import type { Tensor } from '../../tensor.js';

/** A second tensor on the same memory, recorded. */
export function alias(x: Tensor): Tensor {
  const y = view('alias', checkTensor('alias', x), x.shape, x.strides, x.offset, x.isContiguous);
  return record('alias', y, [x], [], (g) => g);
}

/** What a slice takes along one dimension. */
export interface Stretch {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** Takes a stretch along every dimension; a view. */
export function stride(x: Tensor, stretches: readonly Stretch[]): Tensor {
  const y = strideRaw(x, stretches);
  const before = x.shape;
  return record('slice', y, [x], [], (g) => unstride(g, before, stretches));
}

function strideRaw(x: Tensor, stretches: readonly Stretch[]): Tensor {
  let { offset } = x;
  const shape = new Array<number>(x.ndim);
  const strides = new Array<number>(x.ndim);
  for (let i = 0; i < x.ndim; i++) {
    const { start, step, length } = stretches[i];
    if (length > 0) offset += start * x.strides[i];
    shape[i] = length;
    strides[i] = x.strides[i] * step;
  }
  // An empty stretch at the very end would point behind the buffer.
  if (sizeOf(shape) === 0) offset = x.offset;
  return view('slice', x, shape, strides, offset, isContiguous(shape, strides));
}

/** The gradient of {@link stride}: zeros of `shape` with g in the stretches. */
function unstride(g: Tensor, shape: Shape, stretches: readonly Stretch[]): Tensor {
  const y = make('slice backward', shape, g.dtype);
  clear(y);
  const window = strideRaw(y, stretches);
  copyInto(window, g);
  window.dispose();
  return record('slice backward', y, [g], [], (gg) => stride(gg, stretches));
}

/**
 * A copy of `x` with `values` in the part that `look` shows of it, a view: `look(y) = values`, `dx = g` outside the part,
 * `dvalues = look(g)`. The values have the dtype of `x` and broadcast to the part.
 */
export function placed(op: string, x: Tensor, values: Tensor | number, look: (whole: Tensor) => Tensor): Tensor {
  const y = make(op, x.shape, x.dtype);
  copyInto(y, x);
  const window = composite(() => look(y));
  const source = typeof values === 'number' ? filled(op, [], x.dtype, values) : values;
  copyInto(window, source);
  window.dispose();
  if (source !== values) source.dispose();
  return record(op, y, [x, typeof values === 'number' ? null : values], [], (g, _, needs) => [
    needs[0] === null ? null : placed(op, g, 0, look),
    needs[1] === null ? null : look(g),
  ]);
}
