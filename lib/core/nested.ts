// Nested arrays of numbers as a shape and a flat list, and numbers as elements of a dtype.
import { describe, TensorError } from '../errors.js';
import { type DType, isFloat } from './dtype.js';
import { MAX_NDIM } from './shape.js';

/** A number, a boolean, or arrays of them nested to one depth. */
export type Nested = number | boolean | readonly Nested[];

/** What nested arrays hold, in row-major order, and their shape. */
export interface Flat {
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean)[];
}

/**
 * Flattens nested arrays.
 *
 * @throws TensorError `shape` for ragged arrays, `value` for anything but numbers and booleans, both with the place
 */
export function flatten(op: string, data: unknown): Flat {
  const shape: number[] = [];
  for (let level = data; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MAX_NDIM) throw new TensorError('shape', op, `expected at most ${MAX_NDIM} levels of nesting`);
  }
  const values: (number | boolean)[] = [];
  const place: number[] = [];
  const at = () => `data${place.map((i) => `[${i}]`).join('')}`;
  const visit = (item: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof item !== 'number' && typeof item !== 'boolean') {
        const code = Array.isArray(item) ? 'shape' : 'value';
        throw new TensorError(code, op, `expected a number or a boolean at ${at()}, got ${describe(item)}`);
      }
      values.push(item);
      return;
    }
    if (!Array.isArray(item) || item.length !== shape[axis]) {
      throw new TensorError(
        'shape',
        op,
        `expected an array of ${shape[axis]} at ${at()} as in the others (no ragged arrays), got ${describe(item)}`,
      );
    }
    for (let i = 0; i < item.length; i++) {
      place[axis] = i;
      visit(item[i], axis + 1);
    }
    place.length = axis;
  };
  visit(data, 0);
  return { shape, values };
}

/** The range of an integer dtype. */
export function rangeOf(dtype: DType): readonly [low: number, high: number] {
  if (isFloat(dtype)) return [-Infinity, Infinity];
  return dtype === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : dtype === 'uint8' ? [0, 255] : [0, 1];
}

/**
 * A number as an element: integers are cut towards 0 as in PyTorch, for bool everything but 0 is true.
 *
 * @throws TensorError `value` for NaN or a number outside an integer dtype
 */
export function element(op: string, value: number, dtype: DType, place?: number): number {
  if (isFloat(dtype)) return value;
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  const [low, high] = rangeOf(dtype);
  const whole = Math.trunc(value);
  if (whole >= low && whole <= high) return whole;
  const where = place === undefined ? '' : ` at element ${place}`;
  throw new TensorError('value', op, `expected numbers from ${low} to ${high} for ${dtype}, got ${value}${where}`);
}
