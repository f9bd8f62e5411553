// Matrices for the rows of linear algebra: moved away from singular ones, made symmetric or definite, and what they all refuse.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

export const one = cr.ones([2, 2]);
export const float64 = cr.ones([2, 2], { dtype: 'float64' });
export const [flat, whole, wide] = [vector, ints([1, 2]), cr.ones([2, 3])];
/** A matrix, a batch of them, and one of one element. */
const square: Row['inputs'] = [[drawn([3, 3])], [drawn([2, 4, 4])], [drawn([1, 1], [1, 2])]];

/** Well conditioned: the diagonal outweighs the rest. */
export const safe = (x: Tensor): Tensor => x.add(cr.eye(x.shape.at(-1) as number, { dtype: x.dtype }).mul(9));
export const symmetric = (x: Tensor): Tensor => x.add(x.transpose(-2, -1));
export const definite = (x: Tensor): Tensor => safe(x.matmul(x.transpose(-2, -1)));
/** Distinct singular values and eigenvalues. */
export const apart = (x: Tensor): Tensor => {
  const n = x.shape.at(-1) as number;
  return x.add(
    cr
      .linspace(1, 4 * n, n, { dtype: x.dtype })
      .diag()
      .narrow(0, 0, Math.min(n, x.shape.at(-2) as number))
      .mul(1.5),
  );
};
export const tall = (x: Tensor): Tensor => apart(x.transpose(-2, -1)).transpose(-2, -1);
/** The parts of a result that do not depend on signs, one after the other. */
export const all = (...parts: Tensor[]): Tensor => cr.cat(parts.map((t) => t.reshape([t.size])));
const inScope =
  (call: (...xs: Tensor[]) => Tensor) =>
  (...xs: Tensor[]) =>
    cr.scope(() => call(...xs));

/** What every function of square matrices refuses. */
export const squareErrors = (run: (x: Tensor) => unknown): NonNullable<Row['errors']> => [
  ['value', () => run(bad(3))],
  ['shape', () => run(flat)],
  ['shape', () => run(wide)],
  ['dtype', () => run(ints([1, 2, 3, 4]).reshape([2, 2]))],
];
/** What every function that needs finite elements refuses. */
export const finite = (run: (x: Tensor) => unknown): NonNullable<Row['errors']> => [
  ['value', () => run(one.mul(Number.NaN))],
  ['value', () => run(one.mul(Infinity))],
  ['value', () => run(bad(3))],
  ['shape', () => run(flat)],
  ['dtype', () => run(ints([1, 2, 3, 4]).reshape([2, 2]))],
];
/** A row whose intermediates are given back. */
export const row = (name: string, call: (...xs: Tensor[]) => Tensor, more: Partial<Row> = {}): Row => ({
  name,
  call: inScope(call),
  inputs: square,
  empty: [drawn([0, 3, 3])],
  ...more,
});
/** One more set, of matrices without elements. */
export const nothing = (
  name: string,
  call: (x: Tensor) => Tensor,
  shape: number[] = [0, 0],
  derivatives: 1 | 2 = 2,
): Row =>
  row(`${name} of empty matrices`, call, { inputs: [[drawn(shape)]], empty: [drawn(shape)], nan: false, derivatives });
