// Entries of reduce.json.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { type Entries, op } from './entry.js';

type Dims = { dim?: number | number[]; keepdim?: boolean };
const reduction = (run: (x: Tensor, axes: number | number[] | undefined, options: { keepdim: boolean }) => Tensor) =>
  op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => run(x, dim, { keepdim }));
const extreme = (name: 'max' | 'min') =>
  op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => {
    if (dim === undefined) return x[name]();
    const { values, indices } = x[name](dim as number, { keepdim });
    return [values, indices];
  });

export const reduce = {
  sum: reduction(cr.sum),
  mean: reduction(cr.mean),
  amax: reduction(cr.amax),
  amin: reduction(cr.amin),
  all: reduction(cr.all),
  any: reduction(cr.any),
  max: extreme('max'),
  min: extreme('min'),
  argmax: op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) =>
    cr.argmax(x, dim as number | undefined, { keepdim }),
  ),
  argmin: op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) =>
    cr.argmin(x, dim as number | undefined, { keepdim }),
  ),
} satisfies Entries;
