// Weighted sums of picked places of planes: linear in the values and in the weights. Each gradient is made of the other two
// functions, so that any derivative exists.
import { dense, dropCopy, filled, hidden, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { isGradEnabled } from '../../core/mode.js';
import { type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { clone } from '../shape/view.js';

const G = native.geometry;

type Kernel = (y: Bytes, x: Bytes, places: Bytes, weights: Bytes) => number;

function run(op: string, kernel: Kernel, y: Tensor, x: Tensor, places: Tensor, weights: Tensor): void {
  const given = [y, x, places, weights];
  const whole = given.map((t) => dense(op, t));
  const [n, c] = x.shape;
  G[0] = DTYPES[x.dtype].code;
  G[1] = n;
  G[2] = c;
  G[3] = sizeOf(x.shape.slice(2));
  G[4] = places.shape[1];
  G[5] = places.shape[2];
  whole.forEach((t, i) => {
    G[6 + i] = offsetOf(t);
  });
  const [a, b, d, e] = whole.map((t) => t.storage.bytes);
  kernel(a, b, d, e);
  whole.forEach((t, i) => {
    dropCopy(t, given[i]);
  });
}

/** A result of `shape`, zeros where there is nothing to compute it from. */
function room(op: string, shape: Shape, like: Tensor, empty: boolean): Tensor {
  return empty ? filled(op, shape, like.dtype, 0) : make(op, shape, like.dtype);
}

/**
 * Places of another pass: the first backward pass gives its own back to the pool.
 */
const kept = (places: Tensor): Tensor => (isGradEnabled() ? clone(places) : places);

/**
 * `y[n,c,p] = sum over t of weights[n,t,p] x[n,c,places[n,t,p]]`: x [N,C,...], places (int32, -1 reads 0) and weights
 * [N,T,P] to [N,C,P]. The places belong to the result from here on.
 */
export function sample(op: string, x: Tensor, places: Tensor, weights: Tensor): Tensor {
  const empty = x.size === 0 || places.size === 0;
  const y = room(op, [x.shape[0], x.shape[1], places.shape[2]], x, empty);
  if (!empty) run(op, native.sample, y, x, places, weights);
  return record(op, y, [x, weights], [x, weights, hidden(places)], (g, [v, w, at], needs) => {
    const again = kept(at);
    return [needs[0] && scattered(op, g, w, again, v.shape), needs[1] && dots(op, v, g, again)];
  });
}

/** The gradient to x: zeros of `shape` with `weights * g` added at the places. */
function scattered(op: string, g: Tensor, weights: Tensor, places: Tensor, shape: Shape): Tensor {
  const empty = g.size === 0 || places.size === 0 || sizeOf(shape) === 0;
  const dx = room(op, shape, g, empty);
  if (!empty) run(op, native.sampleScatter as Kernel, g, dx, places, weights);
  if (!isGradEnabled()) return dx;
  return record(op, dx, [g, weights], [g, weights, places], (v, [dy, w, at], needs) => {
    const again = clone(at);
    return [needs[0] && sample(op, v, again, w), needs[1] && dots(op, v, dy, kept(at))];
  });
}

/** The gradient to the weights: x at the places times g, summed over the channels. */
function dots(op: string, x: Tensor, g: Tensor, places: Tensor): Tensor {
  const empty = g.size === 0 || x.size === 0 || places.size === 0;
  const dw = room(op, places.shape, g, empty);
  if (!empty) run(op, native.sampleDot, g, x, places, dw);
  if (!isGradEnabled()) return dw;
  return record(op, dw, [x, g], [x, g, places], (v, [input, dy, at], needs) => [
    needs[0] && scattered(op, dy, v, kept(at), input.shape),
    needs[1] && sample(op, input, clone(at), v),
  ]);
}
