// The lines of a tensor along one dimension, as kernels take them, and results that know where in their line they stood.
import { DTYPES } from '../../core/dtype.js';
import { type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { scatterAddInto } from '../index/index.js';

const G = native.geometry;

/** Fills the slots 0 to 3: dtype and [outer, n, inner]. */
export function writeLines(x: Tensor, axis: number): void {
  const { shape } = x;
  G[0] = DTYPES[x.dtype].code;
  G[1] = sizeOf(shape.slice(0, axis));
  G[2] = lengthOf(x, axis);
  G[3] = sizeOf(shape.slice(axis + 1));
}

/** Elements of a line; a 0-d tensor is a line of one. */
export function lengthOf(x: Tensor, axis: number): number {
  return x.ndim === 0 ? 1 : x.shape[axis];
}

/** Values and where they stand. */
export interface Placed {
  values: Tensor;
  /** Places along the dimension, int32. */
  indices: Tensor;
}

/** Records values that were taken out of `x`: their gradient goes back to where they stood. `kept` has all dimensions of `x`. */
export function recordPlaced(
  op: string,
  x: Tensor,
  axis: number,
  values: Tensor,
  indices: Tensor,
  kept: Shape = values.shape,
): Placed {
  const { shape } = x;
  if (shape.length === 0) record(op, values, [x], [], (g) => g);
  else record(op, values, [x], [indices], (g, [at]) => scatterAddInto(g.reshape(kept), shape, axis, at.reshape(kept)));
  return { values, indices };
}
