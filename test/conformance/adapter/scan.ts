// Entries of running sums, products, extremes and logarithms of sums.
import * as cr from 'chainrule';
import { dtypeOf, type Entries, given, op } from './entry.js';

type Dim = { dim: number; dtype?: string };
const placed = (run: (x: cr.Tensor, axis: number) => cr.Placed) =>
  op<{ dim: number }>(['dim'], ([x], { dim }) => {
    const { values, indices } = run(x, dim);
    return [values, indices];
  });

export const scan = {
  cumsum: op<Dim>(['dim', 'dtype'], ([x], { dim, dtype }, precision) =>
    cr.cumsum(x, dim, given({ dtype: dtypeOf(dtype, precision) })),
  ),
  cumprod: op<Dim>(['dim', 'dtype'], ([x], { dim, dtype }, precision) =>
    cr.cumprod(x, dim, given({ dtype: dtypeOf(dtype, precision) })),
  ),
  cummax: placed(cr.cummax),
  cummin: placed(cr.cummin),
  logcumsumexp: op<{ dim: number }>(['dim'], ([x], { dim }) => cr.logcumsumexp(x, dim)),
} satisfies Entries;
