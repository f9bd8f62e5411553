// Rows of variance, norms, products, logarithms of sums, and sums without NaN.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

type Reduction = 'variance' | 'std' | 'logsumexp' | 'nansum' | 'nanmean';
const reduction = (name: Reduction, torch: string, row: Partial<Row> = {}): Row => ({
  name,
  call: (x) => cr[name](x, x.ndim > 1 ? [0, -1] : undefined),
  inputs: [[drawn([3, 4])], [drawn([2, 3, 4])], [drawn([5])]],
  reference: [torch],
  errors: [
    ['value', () => cr[name](bad(3))],
    ['axis', () => cr[name](vector, 1)],
    ['axis', () => cr[name](vector, [0, 0])],
    ['option', () => cr[name](vector, 0, bad({ keepDim: true }))],
    ['value', () => cr[name](vector, 0, bad({ keepdim: 1 }))],
  ],
  ...row,
});
const spreadErrors = (run: (x: Tensor, options?: cr.VarianceOptions) => unknown): Row['errors'] => [
  ['dtype', () => run(ints([1, 2]))],
  ['option', () => run(vector, bad({ unbiased: false }))],
  ['value', () => run(vector, bad({ correction: '1' }))],
  ['axis', () => cr.std(vector, 2)],
];
/** All kinds of norms, one after the other. */
const normOf = (x: Tensor): Tensor =>
  cr.scope(() => {
    const norms = [0, 0.5, 1, 1.5, 2, 3, -1, Infinity, -Infinity].map((p) => cr.norm(x, p));
    return cr.stack([cr.norm(x), ...norms]);
  });

export const statistics: readonly Row[] = [
  reduction('variance', 'var', { errors: spreadErrors((x, options) => cr.variance(x, 0, options)) }),
  {
    name: 'varMean',
    call: (x) =>
      cr.scope(() => {
        const { variance, mean } = cr.varMean(x, -1, { correction: 0 });
        return variance.add(mean.square());
      }),
    inputs: [[drawn([3, 4])], [drawn([5])]],
    reference: ['var_mean'],
    errors: spreadErrors((x, options) => cr.varMean(x, 0, options)),
  },
  reduction('std', 'std', { errors: spreadErrors((x, options) => cr.std(x, 0, options)) }),
  reduction('logsumexp', 'logsumexp', { inputs: [[drawn([3, 4])], [drawn([2, 3, 4])], [drawn([5])], [drawn([])]] }),
  reduction('nansum', 'nansum', { nan: false, inputs: [[drawn([3, 4])], [drawn([2, 3, 4])], [drawn([])]] }),
  reduction('nanmean', 'nanmean', { errors: [['dtype', () => cr.nanmean(ints([1]))]] }),
  {
    name: 'prod',
    call: (x) => (x.ndim > 1 ? cr.prod(x, -1, { keepdim: true }) : cr.prod(x)),
    inputs: [[drawn([3, 4])], [drawn([2, 3, 4])], [drawn([5])], [drawn([])]],
    reference: ['prod'],
    errors: [
      ['axis', () => cr.prod(vector, 1)],
      ['axis', () => cr.prod(vector, bad([0]))],
      ['option', () => cr.prod(vector, 0, bad({ keepDim: true }))],
    ],
  },
  {
    // With zeros the gradient goes another way: one zero, two zeros, none in a row.
    name: 'prod with zeros',
    call: (x) =>
      cr.scope(() =>
        cr.prod(
          x.mul(
            cr.tensor(
              [
                [0, 1, 1],
                [0, 1, 0],
                [1, 1, 1],
              ],
              { dtype: x.dtype },
            ),
          ),
          1,
        ),
      ),
    inputs: [[drawn([3, 3])]],
    empty: null,
  },
  {
    name: 'countNonzero',
    call: (x) => cr.countNonzero(x, x.ndim > 1 ? [0, -1] : undefined),
    inputs: [[drawn([3, 4])], [drawn([2, 3, 4])], [drawn([5])], [drawn([])]],
    reference: ['count_nonzero'],
    derivatives: 0,
    nan: false,
    errors: [['axis', () => cr.countNonzero(vector, 1)]],
  },
  {
    name: 'norm',
    call: normOf,
    inputs: [[drawn([3, 4])], [drawn([5], [0.5, 2])]],
    reference: ['norm'],
    empty: null,
    errors: [
      ['axis', () => cr.norm(vector, 2, 1)],
      ['value', () => cr.norm(vector, bad('nuc'))],
      ['value', () => cr.norm(vector, Number.NaN)],
      ['dtype', () => cr.norm(ints([1, 2]))],
      ['shape', () => cr.norm(cr.zeros([0]), Infinity)],
      ['option', () => cr.norm(vector, 2, 0, bad({ keepDim: true }))],
    ],
  },
];
