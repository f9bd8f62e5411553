// Elements in another order or several times: moved dimensions, flips, rolls, repeats. Every export is also a method of Tensor.
import { checkTensor, make } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import {
  checkInteger,
  checkShape,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sizeOf,
} from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { indexSelect, places } from '../index/index.js';
import { cat } from './join.js';
import { clone, permute } from './view.js';

/** A number or a list of them, as a list. */
function listOf(op: string, name: string, value: unknown): number[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map((n) => checkInteger(op, name, n));
}

/** Distinct dimension numbers; unlike {@link normalizeAxes}, `[]` means none. */
function someAxes(op: string, axes: unknown, ndim: number): number[] {
  return Array.isArray(axes) && axes.length === 0 ? [] : normalizeAxes(op, axes ?? [null], ndim);
}

/**
 * Moves dimensions to other places; the rest keep their order (PyTorch: `torch.movedim`). A view.
 *
 * @param source dimension or dimensions to move
 * @param destination where each of them goes
 * @throws TensorError `axis` for a dimension outside the tensor or named twice, or lists of different lengths
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([2, 3, 4]).movedim(0, -1).shape); // [3, 4, 2]
 * ```
 */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  const op = 'movedim';
  const { ndim } = checkTensor(op, x);
  const from = someAxes(op, source, ndim);
  const to = someAxes(op, destination, ndim);
  if (from.length !== to.length) {
    throw new TensorError(
      'axis',
      op,
      `expected as many destinations as sources, got ${describe(source)} and ${describe(destination)}`,
    );
  }
  const rest = x.shape.map((_, i) => i).filter((i) => !from.includes(i));
  const order = x.shape.map((_, i) => {
    const moved = to.indexOf(i);
    return moved < 0 ? -1 : from[moved];
  });
  return permute(
    x,
    order.map((i) => (i < 0 ? (rest.shift() as number) : i)),
  );
}

/**
 * The slice of `x` at one place of a dimension, which goes away (PyTorch: `torch.select`). A view.
 *
 * @param index a place; negative ones count from the end
 * @throws TensorError `index` for a place outside the dimension, `shape` for a 0-d tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).select(1, -1).toArray()); // [2, 4]
 * ```
 */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const op = 'select';
  const { shape, ndim } = checkTensor(op, x);
  if (ndim === 0) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  const at = normalizeAxis(op, axis, ndim);
  const n = shape[at];
  const place = checkInteger(op, 'index', index) < 0 ? index + n : index;
  if (place < 0 || place >= n) {
    throw new TensorError(
      'index',
      op,
      `expected an index between ${-n} and ${n - 1} in dimension ${at} of ${formatShape(shape)}, got ${index}`,
    );
  }
  return composite(() => x.narrow(at, place, 1).squeeze(at));
}

/**
 * The elements in reverse order along some dimensions: for one `y[i] = x[n - 1 - i]` (PyTorch: `torch.flip`).
 *
 * @throws TensorError `axis` for a dimension outside the tensor or named twice
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).flip(1).toArray()); // [[2, 1], [4, 3]]
 * ```
 */
export function flip(x: Tensor, axes: number | readonly number[]): Tensor {
  const op = 'flip';
  const { shape, ndim } = checkTensor(op, x);
  const turned = someAxes(op, axes, ndim);
  if (turned.length === 0) return clone(x);
  return composite(() =>
    turned.reduce((y, axis) => indexSelect(y, axis, places(op, shape[axis], shape[axis] - 1, -1)), x),
  );
}

/**
 * Shifts the elements along dimensions, those that fall out coming in again: `y[(i + shift) mod n] = x[i]`
 * (PyTorch: `torch.roll`).
 *
 * @param shifts one number for each dimension
 * @param axes the dimensions; all elements as one row unless given
 * @throws TensorError `value` unless there are as many shifts as dimensions, `axis` for a dimension outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3, 4]).roll(1).toArray()); // [4, 1, 2, 3]
 * ```
 */
export function roll(x: Tensor, shifts: number | readonly number[], axes?: number | readonly number[]): Tensor {
  const op = 'roll';
  const { shape, ndim } = checkTensor(op, x);
  const by = listOf(op, 'shifts', shifts);
  const along = axes === undefined ? [] : (Array.isArray(axes) ? axes : [axes]).map((a) => normalizeAxis(op, a, ndim));
  if (by.length !== (axes === undefined ? 1 : along.length)) {
    throw new TensorError(
      'value',
      op,
      `expected ${axes === undefined ? 'one shift without axes' : 'as many shifts as axes'}, got ${describe(shifts)} and ${describe(axes)}`,
    );
  }
  if (x.size === 0 || ndim === 0 || by.length === 0) return clone(x);
  return composite(() => {
    if (axes === undefined) return rolled(x.reshape([x.size]), by[0], 0).reshape(shape);
    return along.reduce((y, axis, i) => rolled(y, by[i], axis), x);
  });
}

function rolled(x: Tensor, shift: number, axis: number): Tensor {
  const n = x.shape[axis];
  const first = ((shift % n) + n) % n;
  return cat([x.narrow(axis, n - first, first), x.narrow(axis, 0, n - first)], axis);
}

/**
 * The tensor several times along each dimension; a shorter list belongs to the last dimensions (PyTorch: `torch.tile`).
 *
 * @param repeats how often along each dimension; more numbers than dimensions add dimensions in front
 * @throws TensorError `shape` unless these are whole numbers, none negative
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).tile([2]).toArray()); // [[1, 2, 1, 2], [3, 4, 3, 4]]
 * ```
 */
export function tile(x: Tensor, repeats: Shape): Tensor {
  const { ndim } = checkTensor('tile', x);
  const times = checkShape('tile', repeats);
  return repeated('tile', x, [...Array<number>(Math.max(0, ndim - times.length)).fill(1), ...times]);
}

/**
 * The tensor several times along each dimension (PyTorch: `Tensor.repeat`).
 *
 * @param repeats at least one number for each dimension; more add dimensions in front
 * @throws TensorError `shape` for fewer numbers than dimensions, or others than whole ones from 0
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).repeat([2, 2]).toArray()); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export function repeat(x: Tensor, repeats: Shape): Tensor {
  const { shape, ndim } = checkTensor('repeat', x);
  const times = checkShape('repeat', repeats);
  if (times.length < ndim) {
    throw new TensorError(
      'shape',
      'repeat',
      `expected at least ${ndim} repeats for ${formatShape(shape)}, got ${formatShape(times)}; tile() takes fewer`,
    );
  }
  return repeated('repeat', x, times);
}

function repeated(op: string, x: Tensor, times: readonly number[]): Tensor {
  const before = [...Array<number>(times.length - x.ndim).fill(1), ...x.shape];
  checkShape(
    op,
    before.map((n, i) => n * times[i]),
  );
  if (times.every((n) => n === 1)) return composite(() => clone(x).reshape(before));
  return composite(() =>
    times.reduce((y, n, axis) => {
      if (n === 1) return y;
      const outer = sizeOf(y.shape.slice(0, axis));
      const inner = sizeOf(y.shape.slice(axis));
      const shape = y.shape.with(axis, y.shape[axis] * n);
      return y.reshape([outer, 1, inner]).expand([outer, n, inner]).reshape(shape);
    }, x.reshape(before)),
  );
}

/**
 * Each element several times in a row (PyTorch: `torch.repeat_interleave`).
 *
 * @param repeats how often: a number, or an int32 tensor with one for each place of the dimension
 * @param axis the dimension; all elements as one row unless given
 * @param options `outputSize` that the repeats must add up to
 * @throws TensorError `value` for negative repeats or another sum than outputSize, `shape` for a number of repeats that
 * does not fit, `dtype` unless they are integers
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).repeatInterleave(2).toArray()); // [1, 1, 2, 2]
 * console.log(tensor([1, 2]).repeatInterleave(tensor([1, 3], { dtype: 'int32' })).toArray()); // [1, 2, 2, 2]
 * ```
 */
export function repeatInterleave(
  x: Tensor,
  repeats: number | Tensor,
  axis?: number,
  options?: { outputSize?: number },
): Tensor {
  const op = 'repeatInterleave';
  checkTensor(op, x);
  checkOptions(op, options, ['outputSize']);
  const at = axis === undefined ? 0 : normalizeAxis(op, axis, x.ndim);
  const flat = axis === undefined || x.ndim === 0;
  const n = flat ? x.size : x.shape[at];
  const counts = typeof repeats === 'number' ? [repeats] : countsOf(op, repeats, n);
  for (const count of counts) checkInteger(op, 'repeats', count, 0);
  const countOf = (i: number) => (counts.length === 1 ? counts[0] : counts[i]);
  let total = 0;
  for (let i = 0; i < n; i++) total += countOf(i);
  const wanted = options?.outputSize;
  if (wanted !== undefined && checkInteger(op, 'outputSize', wanted, 0) !== total) {
    throw new TensorError('value', op, `expected outputSize to be the sum of the repeats, ${total}, got ${wanted}`);
  }
  const [length] = checkShape(op, [total]);
  return composite(() => {
    const index = make(op, [length], 'int32');
    const origins = index.typed();
    let start = 0;
    for (let i = 0; i < n; i++) {
      origins.fill(i, start, start + countOf(i));
      start += countOf(i);
    }
    return indexSelect(flat ? x.reshape([n]) : x, at, index);
  });
}

function countsOf(op: string, repeats: Tensor, n: number): number[] {
  checkTensor(op, repeats, 'repeats that are a number or a tensor');
  if (repeats.dtype !== 'int32' && repeats.dtype !== 'uint8') {
    throw new TensorError(
      'dtype',
      op,
      `expected repeats of dtype int32, got ${repeats.dtype}; convert with .to('int32')`,
    );
  }
  if (repeats.ndim > 1 || (repeats.size !== 1 && repeats.size !== n)) {
    throw new TensorError('shape', op, `expected repeats of shape [${n}] or [1], got ${formatShape(repeats.shape)}`);
  }
  return Array.from({ length: repeats.size }, (_, i) => repeats.read(i));
}

/**
 * Turns by quarters in the plane of two dimensions, from the first towards the second (PyTorch: `torch.rot90`).
 *
 * @param k number of quarters, 1 unless given; negative ones turn back
 * @param axes the two dimensions, `[0, 1]` unless given
 * @throws TensorError `axis` unless these are two different dimensions
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).rot90().toArray()); // [[2, 4], [1, 3]]
 * ```
 */
export function rot90(x: Tensor, k = 1, axes: readonly [number, number] = [0, 1]): Tensor {
  const op = 'rot90';
  const { ndim } = checkTensor(op, x);
  const quarters = ((checkInteger(op, 'k', k) % 4) + 4) % 4;
  if (!Array.isArray(axes) || axes.length !== 2 || ndim < 2) {
    throw new TensorError(
      'axis',
      op,
      `expected two of at least two dimensions, got ${describe(axes)} of ${formatShape(x.shape)}`,
    );
  }
  const [a, b] = normalizeAxes(op, axes, ndim);
  if (quarters === 0) return clone(x);
  if (quarters === 2) return flip(x, [a, b]);
  return composite(() => flip(x, quarters === 1 ? b : a).transpose(a, b));
}
