// x.at(...): NumPy's and PyTorch's square brackets.
import { checkTensor, dense, dropCopy, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { checkValues } from '../../core/range.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkInteger, checkShape, formatShape, type Shape, sizeOf } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { countNonzero } from '../reduce/statistics.js';
import { type Stretch, stride } from '../shape/stride.js';
import { indexSelect, outOfRange } from './index.js';

const G = native.geometry;

/** A range with a step, made by {@link slice}. */
export class Slice {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number,
  ) {}
}

/** One subscript: a place, a range, `'...'`, null for a new axis, or an integer or boolean tensor. */
export type Subscript = number | Slice | '...' | null | Tensor;

/**
 * A range for {@link at}: from start to before stop, by step; null stands for the end on that side (Python: `start:stop:step`).
 *
 * @throws TensorError `value` for a step below 1; reverse with `flip`
 *
 * @example
 * ```ts
 * import { arange, slice } from 'chainrule';
 * console.log(arange(6).at(slice(1, null, 2)).toArray()); // [1, 3, 5]
 * ```
 */
export function slice(start: number | null = null, stop: number | null = null, step = 1): Slice {
  for (const [name, value] of [
    ['start', start],
    ['stop', stop],
  ] as const) {
    if (value !== null) checkInteger('slice', name, value);
  }
  return new Slice(start, stop, checkInteger('slice', 'step', step, 1));
}

/** What a range takes of a dimension of size n. */
export function stretchOf({ start, stop, step }: Slice, n: number): Stretch {
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + n : i, 0), n);
  const from = start === null ? 0 : clamp(start);
  const to = stop === null ? n : clamp(stop);
  return { start: from, step, length: Math.max(0, Math.ceil((to - from) / step)) };
}

/** How many dimensions of the tensor a subscript takes. */
function width(op: string, s: Subscript): number {
  if (s === null || s === '...') return 0;
  if (typeof s === 'number' || s instanceof Slice) return 1;
  checkTensor(op, s, "a number, slice(), '...', null or an index tensor");
  if (s.dtype === 'bool' && s.ndim > 0) return s.ndim;
  if (s.dtype === 'int32') return 1;
  throw new TensorError(
    'dtype',
    op,
    `expected index tensors of dtype int32, or bool with at least one dimension, got ${s.dtype} ${formatShape(s.shape)}; convert with .to('int32') or .to('bool')`,
  );
}

/**
 * Part of a tensor, by one subscript per dimension: places and ranges give views, index tensors copies
 * (PyTorch: `x[...]`).
 *
 * @param subscripts numbers (negative: from the end), `slice()`, `'...'`, null for a new axis, int32 or bool tensors
 * @throws TensorError `index` for a place outside its dimension, `shape` for too many subscripts
 *
 * @example
 * ```ts
 * import { arange, slice } from 'chainrule';
 * const x = arange(6).reshape([2, 3]);
 * console.log(x.at(1).toArray(), x.at('...', slice(1)).toArray()); // [3, 4, 5] [[1, 2], [4, 5]]
 * ```
 */
export function at(x: Tensor, ...subscripts: Subscript[]): Tensor {
  const op = 'at';
  checkTensor(op, x);
  return composite(() => {
    const { stretches, shape, picks } = readSubscripts(op, x, subscripts);
    const looked = stride(x, stretches).reshape(shape);
    return picks.length === 0 ? looked : pick(op, looked, picks);
  });
}

/** An index tensor and the dimension it picks from. */
export interface Pick {
  readonly axis: number;
  readonly index: Tensor;
}

/** Subscripts as a view, strided and then of another shape, and what index tensors pick from that. */
export interface Reading {
  readonly stretches: readonly Stretch[];
  readonly shape: Shape;
  readonly picks: readonly Pick[];
}

/** What subscripts of `x` mean; to be called inside a composite. */
export function readSubscripts(op: string, x: Tensor, subscripts: readonly Subscript[]): Reading {
  const list = complete(op, x, subscripts);
  // First everything that is a view: ranges, places (kept with size 1 for now) and new axes.
  const stretches: Stretch[] = [];
  const shape: number[] = [];
  const picks: Pick[] = [];
  for (const s of list) {
    const n = x.shape[stretches.length];
    if (s === null) shape.push(1);
    else if (typeof s === 'number') {
      const place = checkInteger(op, 'an index', s) < 0 ? s + n : s;
      if (place < 0 || place >= n) {
        throw new TensorError(
          'index',
          op,
          `expected an index between ${-n} and ${n - 1} in dimension ${stretches.length} of ${formatShape(x.shape)}, got ${s}`,
        );
      }
      stretches.push({ start: place, step: 1, length: 1 });
    } else if (s instanceof Slice) {
      const stretch = stretchOf(s, n);
      stretches.push(stretch);
      shape.push(stretch.length);
    } else if (s !== '...') {
      for (const index of s.dtype === 'bool' ? nonzeroIn(op, s, x.shape, stretches.length) : [s]) {
        picks.push({ axis: shape.length, index });
        const size = x.shape[stretches.length];
        stretches.push({ start: 0, step: 1, length: size });
        shape.push(size);
      }
    }
  }
  return { stretches, shape: checkShape(op, shape), picks };
}

/** Subscripts for every dimension: the ellipsis and what was left out become full ranges. */
function complete(op: string, x: Tensor, subscripts: readonly Subscript[]): Subscript[] {
  const used = subscripts.reduce<number>((n, s) => n + width(op, s), 0);
  const dots = subscripts.filter((s) => s === '...').length;
  if (used > x.ndim || dots > 1) {
    throw new TensorError(
      'shape',
      op,
      `expected at most ${x.ndim} subscripts and one '...' for ${formatShape(x.shape)}, got ${describe(subscripts)}`,
    );
  }
  const rest = Array.from({ length: x.ndim - used }, () => new Slice(null, null, 1));
  if (dots === 0) return [...subscripts, ...rest];
  const place = subscripts.indexOf('...');
  return [...subscripts.slice(0, place), ...rest, ...subscripts.slice(place + 1)];
}

/** Places of the true elements of a mask, one index tensor per dimension of it. */
function nonzeroIn(op: string, mask: Tensor, shape: Shape, axis: number): Tensor[] {
  const covered = shape.slice(axis, axis + mask.ndim);
  if (mask.shape.some((n, i) => n !== covered[i])) {
    throw new TensorError(
      'shape',
      op,
      `expected a mask of shape ${formatShape(covered)} at dimension ${axis}, got ${formatShape(mask.shape)}`,
    );
  }
  const found = nonzero(mask);
  return mask.shape.map((_, i) => found.narrow(1, i, 1).squeeze(1));
}

/**
 * Places of the elements that are not 0, a row for each, int32 [count, ndim] (PyTorch: `torch.nonzero`).
 *
 * @example
 * ```ts
 * import { nonzero, tensor } from 'chainrule';
 * console.log(nonzero(tensor([[0, 1], [2, 0]])).toArray()); // [[0, 1], [1, 0]]
 * ```
 */
export function nonzero(x: Tensor): Tensor {
  const op = 'nonzero';
  const { shape, ndim } = checkTensor(op, x);
  const source = dense(op, x);
  const count = countNonzero(source);
  const y = make(op, [count.item(), ndim], 'int32');
  if (y.size > 0) {
    G[0] = DTYPES[x.dtype].code;
    G[1] = y.shape[0];
    G[2] = offsetOf(y);
    G[3] = offsetOf(source);
    G[4] = ndim;
    for (let d = 0; d < ndim; d++) G[5 + d] = shape[d];
    native.nonzero(y.storage.bytes, source.storage.bytes);
  }
  count.dispose();
  dropCopy(source, x);
  return y;
}

/** Several index tensors as one index into the dimensions they name, joined in front of the rest. */
export interface Joined {
  /** Places in the joined dimension, 1-d. */
  readonly index: Tensor;
  /** The order of dimensions that brings the indexed ones to the front. */
  readonly order: readonly number[];
  /** Shape of what is indexed once they are one. */
  readonly from: Shape;
  /** Shape of what is found, before its dimensions take their places. */
  readonly found: Shape;
  /** The order of dimensions that brings what is found into place, null where it is there. */
  readonly back: readonly number[] | null;
}

/** How index tensors pick from a tensor of a shape: they broadcast. To be called inside a composite. */
export function joinPicks(op: string, shape: Shape, picks: readonly Pick[]): Joined {
  const axes = picks.map((p) => p.axis);
  const rest = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const common = picks.reduce<Shape>((all, { index }) => broadcastShapes(op, all, index.shape), []);
  const n = sizeOf(axes.map((i) => shape[i]));
  if (n > 2 ** 31) {
    throw new TensorError(
      'index',
      op,
      `expected index tensors for dimensions of at most 2^31 elements together, got ${formatShape(axes.map((i) => shape[i]))}`,
    );
  }
  let flat: Tensor | null = null;
  for (const { axis, index } of picks) {
    const size = shape[axis];
    checkRange(op, index, size);
    const place = index.add(index.lt(0).to('int32').mul(size));
    flat = flat === null ? place : flat.mul(size).add(place);
  }
  const sizes = rest.map((i) => shape[i]);
  // Indexed dimensions side by side keep their place; otherwise the result's come first, as in NumPy.
  const together = axes.every((axis, i) => i === 0 || axis === axes[i - 1] + 1);
  const k = common.length;
  const before = together ? rest.filter((i) => i < axes[0]).length : 0;
  const others = rest.map((_, i) => i + k);
  const front = Array.from({ length: k }, (_, i) => i);
  return {
    index: (flat as Tensor).expand(common).reshape([sizeOf(common)]),
    order: [...axes, ...rest],
    from: [n, ...sizes],
    found: checkShape(op, [...common, ...sizes]),
    back: before === 0 ? null : [...others.slice(0, before), ...front, ...others.slice(before)],
  };
}

function pick(op: string, x: Tensor, picks: readonly Pick[]): Tensor {
  const { index, order, from, found, back } = joinPicks(op, x.shape, picks);
  const y = indexSelect(x.permute(order).reshape(from), 0, index).reshape(found);
  return back === null ? y : y.permute(back);
}

function checkRange(op: string, index: Tensor, n: number): void {
  checkValues(op, index, -n, n - 1, (read, place) => outOfRange(op, read, place, -n, n));
}
