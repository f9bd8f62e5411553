// Searching sorted numbers, counting into bins, membership.
import {
  castRaw,
  checkFloat,
  checkTensor,
  dense,
  dropCopy,
  filled,
  isTensor,
  make,
  meet,
  offsetOf,
} from '../../core/dispatch.js';
import { DTYPES, isFloat, promote, promoteNumber } from '../../core/dtype.js';
import { noGrad } from '../../core/mode.js';
import { checkPlace } from '../../core/recording.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkInteger, checkNumber, formatShape, type Shape, sameShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { gather, scatterAddInto } from '../index/index.js';
import { where } from '../shape/join.js';
import { sort } from './sort.js';

/** Options of {@link searchsorted}. */
export interface SearchsortedOptions {
  /** Behind equal elements, else before them; false unless given. */
  right?: boolean;
  /** The same by name: 'left' or 'right'. */
  side?: 'left' | 'right';
  /** The order in which the sequence is sorted, as `argsort` gives it, where the sequence itself is not. */
  sorter?: Tensor;
}

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** Both in the dtype they meet in, a number as a 0-d tensor. */
function together(op: string, sequence: Tensor, values: Tensor | number): [Tensor, Tensor] {
  if (typeof values === 'number') {
    const dtype = promoteNumber(sequence.dtype, values);
    return [castRaw(op, sequence, dtype), filled(op, [], dtype, values)];
  }
  const dtype = promote(sequence.dtype, checkTensor(op, values, 'values to look for').dtype);
  return [castRaw(op, sequence, dtype), castRaw(op, values, dtype)];
}

/** Where values belong: those of one row [m] in one sequence [n], or of every row in its own. */
function searchRaw(op: string, sequence: Tensor, values: Tensor, right: boolean, sorter: Tensor | null): Tensor {
  const row = dense(op, sequence);
  const given = dense(op, values);
  const order = sorter === null ? null : dense(op, sorter);
  const y = make(op, values.shape, 'int32');
  const n = row.shape[row.ndim - 1];
  const outer = row.ndim === 1 ? 1 : row.size / Math.max(n, 1);
  if (y.size > 0) {
    G[0] = DTYPES[row.dtype].code;
    G[1] = n === 0 ? 1 : outer;
    G[2] = n;
    G[3] = n === 0 ? y.size : y.size / outer;
    G[4] = right ? 1 : 0;
    G[5] = offsetOf(y);
    G[6] = offsetOf(row);
    G[7] = offsetOf(given);
    G[8] = order === null ? -1 : offsetOf(order);
    const bad = native.searchsorted(
      y.storage.bytes,
      row.storage.bytes,
      given.storage.bytes,
      order?.storage.bytes ?? NO_BYTES,
    );
    if (order !== null) {
      checkPlace(bad, order, (place) => {
        const found = order.read(place);
        return new TensorError('index', op, `expected a sorter with places from 0 to ${n - 1}, got ${found}`);
      });
    }
  }
  dropCopy(row, sequence);
  dropCopy(given, values);
  if (order !== null && sorter !== null) dropCopy(order, sorter);
  return y;
}

/**
 * Where values belong in sorted sequences, int32: how many elements of the row are smaller, or with `right` not larger. Whether
 * the sequence is sorted is not checked; NaN belongs behind all (PyTorch: `torch.searchsorted`).
 *
 * @param sequence [n], or [..., n] with a row for each row of values
 * @param values [..., m], any shape for a 1-d sequence, or a number
 * @throws TensorError `shape` where the leading dimensions differ, `dtype` unless the sorter is int32,
 * `value` for `side` against `right`, `index` for a sorter outside the sequence
 *
 * @example
 * ```ts
 * import { searchsorted, tensor } from 'chainrule';
 * const sequence = tensor([1, 3, 5]);
 * console.log(searchsorted(sequence, tensor([3, 6])).toArray()); // [1, 3]
 * console.log(searchsorted(sequence, tensor([3, 6]), { right: true }).toArray()); // [2, 3]
 * ```
 */
export function searchsorted(sequence: Tensor, values: Tensor | number, options?: SearchsortedOptions): Tensor {
  const op = 'searchsorted';
  checkTensor(op, sequence, 'a sorted sequence');
  checkOptions(op, options, ['right', 'side', 'sorter']);
  const side = options?.side;
  const right = checkBoolean(op, 'right', options?.right ?? side === 'right');
  if (side !== undefined && side !== 'left' && side !== 'right') {
    throw new TensorError('value', op, `expected side to be 'left' or 'right', got ${describe(side)}`);
  }
  if (side === 'left' && right) {
    throw new TensorError('value', op, "expected side and right to agree, got 'left' and true; give one of them");
  }
  if (sequence.ndim === 0)
    throw new TensorError('shape', op, 'expected a sequence with at least one dimension, got []');
  const sorter = options?.sorter ?? null;
  if (sorter !== null) checkSorter(op, sorter, sequence.shape);
  return composite(() => {
    const [row, given] = together(op, sequence, values);
    const lead = row.shape.slice(0, -1);
    if (row.ndim > 1 && (given.ndim !== row.ndim || !sameShape(lead, given.shape.slice(0, -1)))) {
      throw new TensorError(
        'shape',
        op,
        `expected a 1-d sequence, or values that differ from it in the last dimension only, got ${formatShape(row.shape)} and ${formatShape(given.shape)}`,
      );
    }
    return searchRaw(op, row, given, right, sorter);
  });
}

function checkSorter(op: string, sorter: Tensor, shape: Shape): void {
  if (checkTensor(op, sorter, 'a sorter').dtype !== 'int32') {
    throw new TensorError(
      'dtype',
      op,
      `expected a sorter of dtype int32, got ${sorter.dtype}; convert it with sorter.to('int32')`,
    );
  }
  if (!sameShape(sorter.shape, shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected a sorter of the sequence's shape ${formatShape(shape)}, got ${formatShape(sorter.shape)}`,
    );
  }
}

/**
 * The bin of every element between sorted boundaries, int32: bin `i` holds `b[i-1] < x <= b[i]`, with `right`
 * `b[i-1] <= x < b[i]` (PyTorch: `torch.bucketize`).
 *
 * @param boundaries [n], ascending (not checked)
 * @throws TensorError `shape` unless the boundaries are 1-d
 *
 * @example
 * ```ts
 * import { bucketize, tensor } from 'chainrule';
 * console.log(bucketize(tensor([0, 2, 9]), tensor([2, 4])).toArray()); // [0, 0, 2]
 * ```
 */
export function bucketize(x: Tensor | number, boundaries: Tensor, options?: { right?: boolean }): Tensor {
  const op = 'bucketize';
  if (typeof x !== 'number') checkTensor(op, x);
  checkOptions(op, options, ['right']);
  const right = checkBoolean(op, 'right', options?.right ?? false);
  if (checkTensor(op, boundaries, 'boundaries').ndim !== 1) {
    throw new TensorError('shape', op, `expected boundaries of shape [n], got ${formatShape(boundaries.shape)}`);
  }
  return composite(() => {
    const [row, given] = together(op, boundaries, x);
    return searchRaw(op, row, given, right, null);
  });
}

/** Options of {@link bincount}. */
export interface BincountOptions {
  /** What each element counts for; 1 unless given. */
  weights?: Tensor;
  /** The fewest bins; 0 unless given. */
  minlength?: number;
}

/**
 * How often each whole number occurs, `y[v] = number of x equal to v`, int32; with weights their sum, float32 for float32 weights and
 * float64 for others; no elements give int32 zeros (PyTorch: `torch.bincount`).
 *
 * @param x int32 or uint8, 1-d, none negative
 * @throws TensorError `dtype` unless x holds integers, `shape` unless it is 1-d and the weights match, `value` for a negative
 * number or minlength, `memory` for a number too large to count up to
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([0, 2, 2], { dtype: 'int32' });
 * console.log(x.bincount().toArray()); // [1, 0, 2]
 * console.log(x.bincount({ weights: tensor([1, 0.5, 2]), minlength: 4 }).toArray()); // [1, 0, 2.5, 0]
 * ```
 */
export function bincount(x: Tensor, options?: BincountOptions): Tensor {
  const op = 'bincount';
  const { dtype, shape, size } = checkTensor(op, x);
  checkOptions(op, options, ['weights', 'minlength']);
  const minlength = checkInteger(op, 'minlength', options?.minlength ?? 0, 0, 2 ** 31);
  if (dtype !== 'int32' && dtype !== 'uint8') {
    throw new TensorError('dtype', op, `expected integers, got ${dtype}; convert them with x.to('int32')`);
  }
  if (shape.length !== 1)
    throw new TensorError('shape', op, `expected numbers of shape [n], got ${formatShape(shape)}`);
  const weights = options?.weights;
  if (weights !== undefined && !sameShape(checkTensor(op, weights, 'weights').shape, shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected weights of shape ${formatShape(shape)}, got ${formatShape(weights.shape)}`,
    );
  }
  return noGrad(() =>
    composite(() => {
      if (size === 0) return filled(op, [minlength], 'int32', 0);
      const low = x.amin().item();
      if (low < 0) throw new TensorError('value', op, `expected no negative number, got ${low}`);
      const bins = Math.max(minlength, x.amax().item() + 1);
      const places = x.to('int32');
      if (weights === undefined) return scatterAddInto(filled(op, shape, 'int32', 1), [bins], 0, places);
      // float32 adds up in double precision, as everywhere.
      const sums = scatterAddInto(weights.to('float64'), [bins], 0, places);
      return weights.dtype === 'float32' ? sums.to('float32') : sums;
    }),
  );
}

/** Options of {@link histc}. */
export interface HistcOptions {
  /** Number of bins; 100 unless given. */
  bins?: number;
  /** Where the first bin begins; with `max` equal to it, as unless given, the smallest element. */
  min?: number;
  /** Where the last bin ends; the largest element where it equals `min`. */
  max?: number;
}

/**
 * How many elements lie in each of equally wide bins from `min` to `max`, in the dtype of x; the last bin includes its end, what
 * lies outside is left out (PyTorch: `torch.histc`).
 *
 * @throws TensorError `dtype` unless x is floating point, `value` for fewer than one bin, a max below min, or ends that are not
 * finite (elements too, where the ends are taken from them)
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 1]).histc({ bins: 4, min: 0, max: 3 }).toArray()); // [0, 2, 1, 0]
 * ```
 */
export function histc(x: Tensor, options?: HistcOptions): Tensor {
  const op = 'histc';
  const { size, dtype } = checkFloat(op, checkTensor(op, x));
  checkOptions(op, options, ['bins', 'min', 'max']);
  const bins = checkInteger(op, 'bins', options?.bins ?? 100, 1, 2 ** 30);
  let min = checkNumber(op, 'min', options?.min ?? 0);
  let max = checkNumber(op, 'max', options?.max ?? 0);
  return noGrad(() =>
    composite(() => {
      if (min === max && size > 0) [min, max] = [x.amin().item(), x.amax().item()];
      if (!Number.isFinite(min) || !Number.isFinite(max)) {
        throw new TensorError('value', op, `expected a finite range, got ${min} to ${max}; give finite min and max`);
      }
      if (max < min) throw new TensorError('value', op, `expected max to be at least min, got ${max} below ${min}`);
      if (min === max) [min, max] = [min - 1, max + 1];
      const row = x.reshape([size]);
      const inside = row.ge(min).logicalAnd(row.le(max));
      // One bin more takes what lies outside.
      const place = row
        .sub(min)
        .mul(bins)
        .div(max - min)
        .floor()
        .clamp(0, bins - 1);
      const counts = bincount(where(inside, place, bins).to('int32'), { minlength: bins + 1 });
      return counts.narrow(0, 0, bins).to(dtype);
    }),
  );
}

/** Options of {@link isin}. */
export interface IsinOptions {
  /** True where it is not among them; false unless given. */
  invert?: boolean;
  /** Whether both sides hold every value once; the result is the same. */
  assumeUnique?: boolean;
}

/**
 * True where an element is among others: `y = x == t` for some t of `among`; NaN never is (PyTorch: `torch.isin`).
 *
 * @param x a tensor or a number
 * @param among a tensor of any shape or a number
 * @throws TensorError `value` for two numbers
 *
 * @example
 * ```ts
 * import { isin, tensor } from 'chainrule';
 * console.log(isin(tensor([1, 2, 3]), tensor([3, 1])).toArray()); // [true, false, true]
 * ```
 */
export function isin(x: Tensor | number, among: Tensor | number, options?: IsinOptions): Tensor {
  const op = 'isin';
  checkOptions(op, options, ['invert', 'assumeUnique']);
  const invert = checkBoolean(op, 'invert', options?.invert ?? false);
  checkBoolean(op, 'assumeUnique', options?.assumeUnique ?? false);
  if (typeof x !== 'number') checkTensor(op, x, 'a tensor or a number');
  if (typeof among !== 'number') checkTensor(op, among, 'a tensor or a number');
  if (!isTensor(x) && !isTensor(among)) {
    throw new TensorError('value', op, `expected a tensor on at least one side, got the numbers ${x} and ${among}`);
  }
  const dtype = meet(x, among);
  const tensorOf = (value: Tensor | number) =>
    typeof value === 'number' ? filled(op, [], dtype, value) : castRaw(op, value, dtype);
  return noGrad(() =>
    composite(() => {
      const elements = tensorOf(x);
      const others = tensorOf(among);
      const { values: sorted } = sort(others.reshape([others.size]));
      // NaN, at the end, equals nothing and would mislead the search.
      const numbers = isFloat(dtype) ? sorted.isNan().logicalNot().sum().item() : sorted.size;
      if (numbers === 0) return filled(op, elements.shape, 'bool', invert ? 1 : 0);
      const values = sorted.narrow(0, 0, numbers);
      const row = elements.reshape([elements.size]);
      // Behind all there is nothing to compare with but the last, which is smaller.
      const place = searchRaw(op, values, row, false, null).clamp(0, numbers - 1);
      const nearest = gather(values, 0, place);
      return (invert ? row.ne(nearest) : row.eq(nearest)).reshape(elements.shape);
    }),
  );
}
