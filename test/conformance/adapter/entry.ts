// What an entry of the adapter is, and what entries of several families share.
import type { DType, Tensor } from 'chainrule';
import { type NumberJson, type Precision, toNumber } from '../cases.js';

/** How one PyTorch function is called here. */
export interface Entry {
  /** PyTorch's argument names that `run` understands; any other is a failure. */
  readonly args: readonly string[];
  readonly run: (inputs: Tensor[], args: never, precision: Precision) => Tensor | Tensor[];
}

/** The entries of one family by PyTorch's names. */
export type Entries = Readonly<Record<string, Entry>>;

/** Declares an entry; the argument object is typed by the caller. */
export function op<A = Record<never, never>>(
  args: readonly (keyof A & string)[],
  run: (inputs: Tensor[], args: A, precision: Precision) => Tensor | Tensor[],
): Entry {
  return { args, run: run as Entry['run'] };
}

export const unary = (run: (x: Tensor) => Tensor): Entry => op([], ([x]) => run(x));

/** A number of `args` as ours, undefined where it is missing. */
export const numberOf = (value: NumberJson | undefined): number | undefined =>
  value === undefined ? undefined : toNumber(value);

/** Leaves out what is undefined. */
export const given = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as T;

/** A dtype of PyTorch's as ours, undefined where it is missing: floating point is the precision under test. */
export function dtypeOf(name: string | undefined, precision: Precision): DType | undefined {
  if (name === undefined) return undefined;
  const short = name.replace(/^torch\./, '');
  if (/^(bool|uint8)$/.test(short)) return short as DType;
  return /^(u?int|long|short)/.test(short) ? 'int32' : precision;
}
