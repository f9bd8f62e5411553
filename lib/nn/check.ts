// Argument checks of modules, in the voice of the operations.
import type { RandomOptions } from '../create.js';
import { describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';

/** One number for both directions, or [height, width]. */
export type Pair = number | readonly [number, number];
/** One number. */
export type Single = number | readonly [number];
/** One number for all directions, or [depth, height, width]. */
export type Triple = number | readonly [number, number, number];
/** Options of every module that makes its own parameters. */
export interface ParameterOptions {
  /** Whether there is an additive bias; true unless given. */
  bias?: boolean;
  /** Element type of the parameters; float32 unless given. */
  dtype?: 'float32' | 'float64';
  /** Where initial values come from; the default generator unless given. */
  generator?: RandomOptions['generator'];
}

/** A whole number from `low` up. */
export function checkSize(op: string, name: string, value: unknown, low = 1): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= low) return value;
  throw new TensorError('value', op, `expected ${name} to be a whole number from ${low} up, got ${describe(value)}`);
}

/** A pair from one number for both directions, or two. */
export function checkPair(op: string, name: string, value: unknown, low = 1): readonly [number, number] {
  if (!Array.isArray(value)) return [checkSize(op, name, value, low), checkSize(op, name, value, low)];
  if (value.length === 2) return [checkSize(op, name, value[0], low), checkSize(op, name, value[1], low)];
  throw new TensorError('value', op, `expected ${name} to be a number or [height, width], got ${describe(value)}`);
}

/** `n` numbers from one for all directions, or from as many. */
export function checkSizes(op: string, name: string, value: unknown, n: number, low = 1): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : Array(n).fill(value);
  if (list.length === n) return list.map((size) => checkSize(op, name, size, low));
  throw new TensorError('value', op, `expected ${name} to be a number or ${n} of them, got ${describe(value)}`);
}

export function checkNumber(op: string, name: string, value: unknown, low = -Infinity, high = Infinity): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  const range = low === -Infinity ? 'a number' : `a number from ${low} ${high === Infinity ? 'up' : `to ${high}`}`;
  throw new TensorError('value', op, `expected ${name} to be ${range}, got ${describe(value)}`);
}

/** A tensor that can hold what is initialised. */
export function checkFloating(op: string, x: unknown): void {
  if (!(x instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(x)}`);
  if (x.dtype !== 'float32' && x.dtype !== 'float64') {
    throw new TensorError('dtype', op, `expected float32 or float64, got ${x.dtype}`);
  }
}

export function checkBoolean(op: string, name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TensorError('value', op, `expected ${name} to be true or false, got ${describe(value)}`);
}

/** One of a few words. */
export function checkChoice<C extends string>(op: string, name: string, value: unknown, choices: readonly C[]): C {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new TensorError(
    'value',
    op,
    `expected ${name} to be ${choices.map((c) => `'${c}'`).join(' or ')}, got ${describe(value)}`,
  );
}

/** The options of a module as its constructor was given them, for printing; nothing where there are none. */
export function formatOptions(options: object | undefined): string {
  const shown = Object.entries(options ?? {})
    .filter(([name, value]) => value !== undefined && name !== 'generator')
    .map(([name, value]) => `${name}: ${describe(value)}`);
  return shown.length === 0 ? '' : `{ ${shown.join(', ')} }`;
}
