// What every reduction shares: its options, its plan, and the call of a kernel.
import { make, offsetOf } from '../../core/dispatch.js';
import { DTYPES, type DType } from '../../core/dtype.js';
import { checkBoolean, MAX_NDIM, normalizeAxes, type Shape } from '../../core/shape.js';
import { checkOptions } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

/** Which dimensions: one, several, or all when left out. */
export type Axes = number | readonly number[];
/** Options of a reduction. */
export interface ReduceOptions {
  /** Keep the reduced dimensions with size 1. */
  keepdim?: boolean;
}

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** Which dimensions go, and what remains. */
export interface Plan {
  readonly axes: readonly number[];
  /** Shape with the reduced dimensions kept at size 1. */
  readonly kept: Shape;
  /** Shape of the result. */
  readonly shape: Shape;
  /** Elements reduced into one. */
  readonly count: number;
  /** For the reductions that this one is made of. */
  readonly options: ReduceOptions;
}

const KEEPDIM: readonly string[] = ['keepdim'];
const KEEP: ReduceOptions = { keepdim: true };
const NO_OPTIONS: ReduceOptions = { keepdim: false };
const ALL: readonly (readonly number[])[] = Array.from({ length: MAX_NDIM + 1 }, (_, n) => normalizeAxes('', [], n));
const ONES: readonly Shape[] = Array.from({ length: MAX_NDIM + 1 }, (_, n) => new Array<number>(n).fill(1));

/** Checks axes and options; `known` are the option names of the op. */
export function plan(
  op: string,
  x: Tensor,
  axes: unknown,
  options: ReduceOptions | undefined,
  known: readonly string[] = KEEPDIM,
): Plan {
  checkOptions(op, options, known);
  const keepdim = checkBoolean(op, 'keepdim', options?.keepdim ?? false);
  const { ndim } = x;
  const list = axes === undefined ? ALL[ndim] : normalizeAxes(op, axes, ndim);
  if (list.length === ndim && !keepdim) {
    return { axes: list, kept: ONES[ndim], shape: ONES[0], count: x.size, options: NO_OPTIONS };
  }
  const kept = x.shape.slice();
  let count = 1;
  for (let i = 0; i < list.length; i++) {
    count *= kept[list[i]];
    kept[list[i]] = 1;
  }
  const shape = keepdim ? kept : x.shape.filter((_, i) => !list.includes(i));
  return { axes: list, kept, shape, count, options: keepdim ? KEEP : NO_OPTIONS };
}

/** Runs a reduction kernel outside the tape. */
export function reduceRaw(
  op: string,
  kernel: number,
  x: Tensor,
  p: Plan,
  dtype: DType,
  indices: Tensor | null = null,
): Tensor {
  const y = make(op, p.shape, dtype);
  const { ndim } = x;
  G[0] = kernel;
  G[1] = DTYPES[x.dtype].code;
  G[2] = DTYPES[dtype].code;
  G[3] = ndim;
  G[4] = offsetOf(y);
  G[5] = offsetOf(x);
  G[6] = indices === null ? -1 : offsetOf(indices);
  G[7] = 0;
  for (let i = 0; i < ndim; i++) {
    G[8 + i] = x.shape[i];
    G[8 + ndim + i] = x.strides[i];
    G[8 + 2 * ndim + i] = 0;
  }
  for (const axis of p.axes) G[8 + 2 * ndim + axis] = 1;
  native.reduce(y.storage.bytes, x.storage.bytes, indices?.storage.bytes ?? NO_BYTES);
  return y;
}
