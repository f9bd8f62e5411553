// Shapes, strides, axes: pure arithmetic on small arrays, and the checks every op shares.
import { describe, TensorError } from '../errors.js';

/** Sizes of a tensor's dimensions, outermost first; `[]` is a single number. */
export type Shape = readonly number[];

/** The most dimensions a tensor may have. */
export const MAX_NDIM = 8;

export function sizeOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  // Most shapes are this short, and literals cost less than arrays of any length.
  if (shape.length === 2) return [shape[1], 1];
  if (shape.length === 1) return [1];
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/** Whether elements lie in row-major order without gaps; strides of dimensions of size 1 do not matter. */
export function isContiguous(shape: Shape, strides: Shape): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 0) return true;
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i];
  }
  return true;
}

/** Whether two places may share memory: seen in the order of strides, a step must lead past all that is inside it. */
export function overlaps(shape: Shape, strides: Shape): boolean {
  if (sizeOf(shape) === 0) return false;
  const wide = strides.map((step, i) => [step, shape[i]] as const).filter(([, n]) => n > 1);
  let last = 0;
  for (const [step, n] of wide.sort(([a], [b]) => a - b)) {
    if (step <= last) return true;
    last += step * (n - 1);
  }
  return false;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Checks that a value is a list of sizes: whole numbers, none negative, at most 8, their product addressable. */
export function checkShape(op: string, value: unknown): number[] {
  if (!Array.isArray(value)) {
    throw new TensorError('shape', op, `expected a shape such as [2, 3], got ${describe(value)}`);
  }
  if (value.length > MAX_NDIM) {
    throw new TensorError('shape', op, `expected at most ${MAX_NDIM} dimensions, got ${value.length}`);
  }
  let size = 1;
  for (const n of value) {
    if (typeof n !== 'number' || !Number.isInteger(n) || n < 0 || n > 2 ** 40) {
      throw new TensorError(
        'shape',
        op,
        `expected sizes that are whole numbers from 0 to 2^40, got ${describe(value)}`,
      );
    }
    size *= n;
  }
  if (size > 2 ** 40) throw new TensorError('shape', op, `expected at most 2^40 elements, got ${formatShape(value)}`);
  return value as number[];
}

/** The shape two operands meet in, by NumPy's rule: aligned at the end, a size of 1 stretches. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const ndim = Math.max(a.length, b.length);
  const shape = new Array<number>(ndim);
  for (let i = 1; i <= ndim; i++) {
    const p = i <= a.length ? a[a.length - i] : 1;
    const q = i <= b.length ? b[b.length - i] : 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new TensorError(
        'shape',
        op,
        `expected shapes that broadcast (aligned at the end, sizes equal or 1), got ${formatShape(a)} and ${formatShape(b)}: ` +
          `${p} against ${q} in dimension ${-i}`,
      );
    }
    shape[ndim - i] = p === 1 ? q : p;
  }
  return shape;
}

/** Strides with which a tensor is read as `shape`: 0 along every stretched dimension. */
export function broadcastStrides(from: Shape, strides: Shape, shape: Shape): number[] {
  const lead = shape.length - from.length;
  const out = new Array<number>(shape.length);
  for (let i = 0; i < shape.length; i++) {
    const j = i - lead;
    out[i] = j < 0 || (from[j] === 1 && shape[i] !== 1) ? 0 : strides[j];
  }
  return out;
}

/** A whole number inside [low, high], or an error that says what it stands for. */
export function checkInteger(op: string, name: string, value: unknown, low = -(2 ** 53), high = 2 ** 53): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new TensorError('value', op, `expected ${name} to be a whole number, got ${describe(value)}`);
  }
  if (value < low || value > high) {
    const range = high >= 2 ** 53 ? `at least ${low}` : `between ${low} and ${high}`;
    throw new TensorError('value', op, `expected ${name} to be ${range}, got ${value}`);
  }
  return value;
}

export function checkNumber(op: string, name: string, value: unknown, low = -Infinity, high = Infinity): number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TensorError('value', op, `expected ${name} to be a number, got ${describe(value)}`);
  }
  if (value < low || value > high) {
    throw new TensorError('value', op, `expected ${name} between ${low} and ${high}, got ${value}`);
  }
  return value;
}

export function checkBoolean(op: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') {
    throw new TensorError('value', op, `expected ${name} to be true or false, got ${describe(value)}`);
  }
  return value;
}

/** A dimension number counted from 0; negative ones count from the end. */
export function normalizeAxis(op: string, axis: unknown, ndim: number): number {
  // A 0-d tensor accepts 0 and -1, as in PyTorch.
  const n = Math.max(ndim, 1);
  if (typeof axis !== 'number' || !Number.isInteger(axis)) {
    throw new TensorError('axis', op, `expected an axis (a whole number), got ${describe(axis)}`);
  }
  if (axis < -n || axis >= n) {
    throw new TensorError('axis', op, `expected an axis between ${-n} and ${n - 1}, got ${axis}`);
  }
  return axis < 0 ? axis + n : axis;
}

/** Distinct dimension numbers from one or several; `undefined` and `[]` mean all. */
export function normalizeAxes(op: string, axes: unknown, ndim: number): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: ndim }, (_, i) => i);
  if (typeof axes === 'number') {
    const axis = normalizeAxis(op, axes, ndim);
    return ndim === 0 ? [] : [axis];
  }
  const list = Array.isArray(axes) ? axes : [axes];
  if (list.length === 0) return Array.from({ length: ndim }, (_, i) => i);
  const out = list.map((axis) => normalizeAxis(op, axis, ndim));
  if (new Set(out).size !== out.length) {
    throw new TensorError('axis', op, `expected each axis once, got ${describe(axes)}`);
  }
  return ndim === 0 ? [] : out;
}

const DIRECTIONS = [[], ['length'], ['height', 'width'], ['depth', 'height', 'width']];

/** One number for all directions, or one for each: [length], [height, width] or [depth, height, width]. */
export function checkSpatial(
  op: string,
  name: string,
  value: unknown,
  ndim: number,
  low: number,
  high?: number,
): number[] {
  if (Array.isArray(value) && value.length === ndim) return value.map((n) => checkInteger(op, name, n, low, high));
  if (typeof value === 'number') return new Array<number>(ndim).fill(checkInteger(op, name, value, low, high));
  throw new TensorError(
    'value',
    op,
    `expected ${name} to be a number or [${DIRECTIONS[ndim].join(', ')}], got ${describe(value)}`,
  );
}

/** One number for both directions, or a pair [height, width]. */
export function checkPair(op: string, name: string, value: unknown, low: number): [number, number] {
  return checkSpatial(op, name, value, 2, low) as [number, number];
}
