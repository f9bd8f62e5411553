// What stands in the middle of a line, or anywhere else by rank: medians, modes, quantiles.
import { castRaw, checkFloat, checkTensor, filled, isTensor, make } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { noGrad } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape, normalizeAxis } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { gather } from '../index/index.js';
import type { ReduceOptions } from '../reduce/reduction.js';
import { cummax } from '../reduce/scan.js';
import { cat, where } from '../shape/join.js';
import { lengthOf, type Placed } from './lines.js';
import { checkLine, pick, sort } from './sort.js';

function middle(
  op: 'median' | 'nanmedian',
  x: Tensor,
  axis: number | undefined,
  options: ReduceOptions | undefined,
): Tensor | Placed {
  checkTensor(op, x);
  if (axis !== undefined) {
    const { at, keepdim } = checkLine(op, x, axis, options);
    return pick(op, x, at, op, keepdim);
  }
  checkOptions(op, options, []);
  if (x.size === 0) {
    if (isFloat(x.dtype)) return filled(op, [], x.dtype, Number.NaN);
    throw new TensorError('shape', op, `expected at least one element, got ${formatShape(x.shape)}`);
  }
  const middle = noGrad(() => {
    const flat = x.reshape([x.size]);
    const { values, indices } = pick(op, flat, 0, op, false);
    indices.dispose();
    flat.dispose();
    return values;
  });
  return record(op, middle, [x], [x, middle], (g, [input, out]) => {
    const mask = out.isNan().where(input.isNan(), input.eq(out));
    return mask.to(g.dtype).mul(g.div(mask.sum()));
  });
}

/**
 * The middle of all elements, or values and places of the middle along a dimension: of two middle elements the lower, NaN
 * where there is one; of all elements those equal to the middle share the gradient (PyTorch: `torch.median`).
 *
 * @throws TensorError `axis` for an axis outside the tensor, `shape` where it is empty; no elements at all give NaN
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[5, 1, 3], [4, 2, 6]]);
 * console.log(x.median().item(), x.median(1).values.toArray()); // 3 [3, 4]
 * ```
 */
export function median(x: Tensor): Tensor;
export function median(x: Tensor, axis: number, options?: ReduceOptions): Placed;
export function median(x: Tensor, axis?: number, options?: ReduceOptions): Tensor | Placed {
  return middle('median', x, axis, options);
}

/**
 * The middle of all elements but NaN, or values and places of the middle along a dimension: of two middle elements the
 * lower, NaN where there is nothing else; the gradient as {@link median}'s (PyTorch: `torch.nanmedian`).
 *
 * @throws TensorError `axis` for an axis outside the tensor, `shape` where it is empty; no elements at all give NaN
 *
 * @example
 * ```ts
 * import { nanmedian, tensor } from 'chainrule';
 * console.log(nanmedian(tensor([5, Number.NaN, 1, 3])).item()); // 3
 * ```
 */
export function nanmedian(x: Tensor): Tensor;
export function nanmedian(x: Tensor, axis: number, options?: ReduceOptions): Placed;
export function nanmedian(x: Tensor, axis?: number, options?: ReduceOptions): Tensor | Placed {
  return middle('nanmedian', x, axis, options);
}

/**
 * The last place of the longest run of equal elements in sorted lines; of equally long runs the first. NaN equals nothing:
 * a run of one, but the first among those, as in PyTorch.
 */
function longestRun(sorted: Tensor, axis: number): Tensor {
  const n = sorted.shape[axis];
  const changes = sorted.narrow(axis, 1, n - 1).ne(sorted.narrow(axis, 0, n - 1));
  const fresh = cat([filled('mode', sorted.shape.with(axis, 1), 'bool', 1), changes], axis);
  const counting = sorted.shape.map((_, i) => (i === axis ? n : 1));
  const places = countUp(n).reshape(counting);
  const starts = cummax(where(fresh, places, 0), axis).values;
  return places.sub(starts).mul(2).add(sorted.isNan()).argmax(axis, { keepdim: true });
}

function countUp(n: number): Tensor {
  const y = make('arange', [n], 'int32');
  y.typed().forEach((_, i, places) => {
    places[i] = i;
  });
  return y;
}

/**
 * The most frequent element along a dimension and the last place where it stands; of equally frequent ones the smallest.
 * NaN equals nothing, itself included, and counts as the smallest (PyTorch: `torch.mode`).
 *
 * @param axis the last dimension unless given
 * @throws TensorError `axis` for an axis outside the tensor, `shape` where it is empty
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { values, indices } = tensor([2, 1, 2, 3]).mode();
 * console.log(values.item(), indices.item()); // 2 2
 * ```
 */
export function mode(x: Tensor, axis = -1, options?: ReduceOptions): Placed {
  const { at, keepdim } = checkLine('mode', x, axis, options);
  const found = noGrad(() =>
    composite(() => {
      const line = x.ndim === 0 ? x.reshape([1]) : x;
      const { values, indices } = sort(line, at);
      const place = gather(indices, at, longestRun(values, at));
      return x.ndim === 0 ? place.reshape([]) : place;
    }),
  );
  const drop = (y: Tensor) => (keepdim || x.ndim === 0 ? y : y.squeeze(at));
  const values = composite(() => drop(gather(x, at, found)));
  const indices = drop(found);
  if (indices !== found && !values.requiresGrad) found.dispose();
  return { values, indices };
}

/** How {@link quantile} chooses between two elements: on the line between them, one of them, or their mean. */
export type Interpolation = 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint';

/** Options of {@link quantile} and {@link nanquantile}. */
export interface QuantileOptions extends ReduceOptions {
  /** Between two elements; linear unless given. */
  interpolation?: Interpolation;
}

const INTERPOLATIONS: readonly Interpolation[] = ['linear', 'lower', 'higher', 'nearest', 'midpoint'];

/** The wanted fractions as numbers, as the dtype holds them. */
function fractions(op: string, q: unknown, x: Tensor): number[] {
  let list: readonly unknown[];
  if (isTensor(q)) {
    if (checkTensor(op, q).ndim > 1) {
      throw new TensorError('shape', op, `expected q with at most one dimension, got ${formatShape(q.shape)}`);
    }
    if (q.dtype !== x.dtype) {
      throw new TensorError(
        'dtype',
        op,
        `expected q of the input's dtype ${x.dtype}, got ${q.dtype}; convert it with q.to('${x.dtype}')`,
      );
    }
    list = Array.from({ length: q.size }, (_, i) => q.read(i));
  } else list = Array.isArray(q) ? q : [q];
  return list.map((value) => {
    const fraction = checkNumber(op, 'q', value, 0, 1);
    return x.dtype === 'float32' ? Math.fround(fraction) : fraction;
  });
}

function quantiles(
  op: 'quantile' | 'nanquantile',
  x: Tensor,
  q: number | readonly number[] | Tensor,
  axis: number | undefined,
  options: QuantileOptions | undefined,
): Tensor {
  checkFloat(op, checkTensor(op, x));
  checkOptions(op, options, ['keepdim', 'interpolation']);
  const keepdim = checkBoolean(op, 'keepdim', options?.keepdim ?? false);
  const interpolation = options?.interpolation ?? 'linear';
  if (!INTERPOLATIONS.includes(interpolation)) {
    throw new TensorError(
      'value',
      op,
      `expected interpolation to be one of ${INTERPOLATIONS.join(', ')}, got ${describe(interpolation)}`,
    );
  }
  const given = fractions(op, q, x);
  const at = axis === undefined ? -1 : normalizeAxis(op, axis, x.ndim);
  if (x.size === 0) throw new TensorError('shape', op, `expected at least one element, got ${formatShape(x.shape)}`);
  const several = isTensor(q) ? q.ndim > 0 : typeof q !== 'number';
  const kept = axis === undefined ? x.shape.map(() => 1) : x.ndim === 0 ? [] : x.shape.with(at, 1);
  const shape = keepdim ? kept : axis === undefined || x.ndim === 0 ? [] : x.shape.toSpliced(at, 1);
  return composite(() => {
    // Lines to the end, so that all fractions are one more dimension of places in sorted lines [..., n].
    const whole = axis === undefined || x.ndim === 0;
    const lines = whole ? x.reshape([x.size]) : x.movedim(at, -1);
    const { values } = sort(lines, -1);
    const n = lengthOf(lines, lines.ndim - 1);
    const ranks = ranksOf(op, values, given, n);
    const taken = between(values, ranks, interpolation);
    return several ? taken.movedim(-1, 0).reshape([given.length, ...shape]) : taken.reshape(shape);
  });
}

/** Places [..., q] with fractions in lines of n, the last of which is NaN if any is. */
function ranksOf(op: 'quantile' | 'nanquantile', sorted: Tensor, given: readonly number[], n: number): Tensor {
  const { dtype } = sorted;
  const q = make(op, [given.length], dtype);
  q.typed().set(given);
  return noGrad(() => {
    if (op === 'nanquantile') {
      const numbers = sorted.isNan().logicalNot().sum(-1, { keepdim: true }).sub(1).clamp(0);
      return q.mul(castRaw(op, numbers, dtype));
    }
    const poisoned = sorted.narrow(-1, n - 1, 1).isNan();
    return where(poisoned, n - 1, q.mul(n - 1));
  });
}

function between(sorted: Tensor, ranks: Tensor, interpolation: Interpolation): Tensor {
  const takeAt = (places: Tensor) => gather(sorted, -1, places.to('int32'));
  if (interpolation === 'lower') return takeAt(ranks.floor());
  if (interpolation === 'higher') return takeAt(ranks.ceil());
  if (interpolation === 'nearest') return takeAt(ranks.round());
  const low = ranks.floor();
  const weight = interpolation === 'midpoint' ? 0.5 : ranks.sub(low);
  return takeAt(low).lerp(takeAt(ranks.ceil()), weight);
}

/**
 * The values below which fractions `q` of a line lie: of the sorted line `v[q (n - 1)]`, between two elements as
 * `interpolation` says; NaN where there is one (PyTorch: `torch.quantile`).
 *
 * @param q from 0 to 1: a number, or several, which become the first dimension of the result
 * @param axis the dimension; all elements unless given
 * @param options `interpolation`, linear unless given; `keepdim`
 * @throws TensorError `value` for a q outside 0 to 1, NaN too, or an unknown interpolation; `shape` for no elements; `dtype`
 * unless x is floating point and q, as a tensor, of the same dtype; `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([0, 10, 20, 30]);
 * console.log(x.quantile(0.5).item(), x.quantile([0, 1]).toArray()); // 15 [0, 30]
 * ```
 */
export function quantile(
  x: Tensor,
  q: number | readonly number[] | Tensor,
  axis?: number,
  options?: QuantileOptions,
): Tensor {
  return quantiles('quantile', x, q, axis, options);
}

/**
 * Like {@link quantile}, but NaN is left out; NaN where there is nothing else (PyTorch: `torch.nanquantile`).
 *
 * @param q from 0 to 1: a number, or several, which become the first dimension of the result
 * @param axis the dimension; all elements unless given
 * @param options `interpolation`, linear unless given; `keepdim`
 * @throws TensorError as {@link quantile}
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, Number.NaN, 20]).nanquantile(0.5).item()); // 10
 * ```
 */
export function nanquantile(
  x: Tensor,
  q: number | readonly number[] | Tensor,
  axis?: number,
  options?: QuantileOptions,
): Tensor {
  return quantiles('nanquantile', x, q, axis, options);
}
