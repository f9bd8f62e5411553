// What cases of another form than one call share: optimizers, schedules, training runs.
import { TensorError } from 'chainrule';
import type { Layout } from './build.js';
import type { Case, NumberJson, Precision, Tolerance } from './cases.js';
import type { Difference } from './compare.js';

/** Runs one case; null where it passes. */
export type Form = (c: Case, precision: Precision, layout: Layout, tolerance: Tolerance) => Difference | null;

/** A failure that is no difference of numbers. */
export const failure = (message: string): Difference => ({ message, error: Number.NaN });

/** step_size as stepSize, T_max as tMax. */
const camel = (name: string) =>
  name
    .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());
const SPECIAL: Record<string, number> = { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, '-Infinity': -Infinity };

/** How PyTorch computes or what it prints, without meaning for a result. */
const UNSEEN = ['foreach', 'fused', 'capturable', 'differentiable', 'verbose'];

/** PyTorch's keyword arguments as our options: names and words in camelCase, numbers written as text as numbers, None left out. */
export function options(given: object): Record<string, unknown> {
  const shown = Object.entries(given).filter(([name, value]) => value !== null && !UNSEEN.includes(name));
  return Object.fromEntries(
    shown.map(([name, value]) => [camel(name), typeof value === 'string' ? (SPECIAL[value] ?? camel(value)) : value]),
  );
}

/** PyTorch's keyword arguments where ours are positional: those named come first, the rest as options. */
export function positional(names: readonly string[], given: object): unknown[] {
  const entries = Object.entries(given);
  const first = names.map((name) => entries.find(([key]) => key === name)?.[1]);
  return [...first, options(Object.fromEntries(entries.filter(([key]) => !names.includes(key))))];
}

/** The class of a name in a namespace of the library; a name it does not have is a failure of the case. */
export function classOf<C>(space: object, name: string, is: string): C {
  const found = Object.hasOwn(space, name) ? (space as Record<string, unknown>)[name] : undefined;
  if (typeof found !== 'function') throw new TensorError('value', name, `expected the name of ${is}`);
  return found as C;
}

/** A number outside of any tensor. */
export function compareNumber(
  name: string,
  got: number,
  want: NumberJson,
  { rtol, atol }: Tolerance,
): Difference | null {
  const expected = Number(want);
  const error = Math.abs(got - expected);
  if (Object.is(got, expected) || error <= atol + rtol * Math.abs(expected)) return null;
  return { message: `${name} is ${got}, want ${expected}`, error };
}
