// Entries of reduce.json.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { type NumberJson, toNumber } from '../cases.js';
import { dtypeOf, type Entries, given, op } from './entry.js';

type Dims = { dim?: number | number[]; keepdim?: boolean };
const reduction = (run: (x: Tensor, axes: number | number[] | undefined, options: { keepdim: boolean }) => Tensor) =>
  op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => run(x, dim, { keepdim }));
/** With `dtype`, to which the input is converted first. */
const converted = (run: (x: Tensor, axes: never, options: { keepdim: boolean }) => Tensor) =>
  op<Dims & { dtype?: string }>(['dim', 'keepdim', 'dtype'], ([x], { dim, keepdim = false, dtype }, precision) =>
    run(x.to(dtypeOf(dtype, precision) ?? x.dtype), dim as never, { keepdim }),
  );
const extreme = (name: 'max' | 'min') =>
  op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => {
    if (dim === undefined) return x[name]();
    const { values, indices } = x[name](dim as number, { keepdim });
    return [values, indices];
  });

type Unbiased = Dims & { unbiased?: boolean; correction?: number };
/** PyTorch's older `unbiased` is the correction: true 1, false 0. */
const spread = <Y extends Tensor | Tensor[]>(
  run: (x: Tensor, axes: number | number[] | undefined, options: cr.VarianceOptions) => Y,
) =>
  op<Unbiased>(['dim', 'unbiased', 'correction', 'keepdim'], ([x], { dim, unbiased, correction, keepdim = false }) =>
    run(x, dim, given({ keepdim, correction: unbiased === undefined ? correction : Number(unbiased) })),
  );

export const reduce = {
  sum: converted(cr.sum),
  mean: converted(cr.mean),
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
  var: spread(cr.variance),
  std: spread(cr.std),
  var_mean: spread((x, axes, options) => {
    const { variance, mean } = cr.varMean(x, axes, options);
    return [variance, mean];
  }),
  std_mean: spread((x, axes, options) => [cr.std(x, axes, options), cr.mean(x, axes, { keepdim: options.keepdim })]),
  logsumexp: reduction(cr.logsumexp),
  nansum: converted(cr.nansum),
  nanmean: converted(cr.nanmean),
  prod: converted(cr.prod),
  count_nonzero: op<Dims>(['dim'], ([x], { dim }) => cr.countNonzero(x, dim)),
  norm: op<Dims & { p?: NumberJson | 'fro' }>(['p', 'dim', 'keepdim'], ([x], { p, dim, keepdim = false }) =>
    cr.norm(x, p === undefined || p === 'fro' ? p : toNumber(p), dim, { keepdim }),
  ),
} satisfies Entries;
