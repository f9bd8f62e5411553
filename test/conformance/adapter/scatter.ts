// Entries of shape.json that write elements: scatters, indexed writes, assignment to subscripts and views.
import type { ScatterReduction, SliceScatterOptions } from 'chainrule';
import type { NumberJson, TensorJson } from '../cases.js';
import { build } from '../runner.js';
import { type Entries, given, numberOf, op } from './entry.js';
import { type Subscripts, subscripts } from './shape.js';

interface ScatterReduce {
  dim: number;
  reduce: ScatterReduction;
  include_self?: boolean;
}
interface SliceScatter {
  dim?: number;
  start?: number | null;
  end?: number | null;
  step?: number;
}

export const scatter = {
  scatter: op<{ dim: number; value?: NumberJson; reduce?: 'add' | 'multiply' }>(
    ['dim', 'value', 'reduce'],
    ([x, i, src], { dim, value, reduce }) => x.scatter(dim, i, numberOf(value) ?? src, given({ reduce })),
  ),
  scatter_add: op<{ dim: number }>(['dim'], ([x, i, src], { dim }) => x.scatterAdd(dim, i, src)),
  scatter_reduce: op<ScatterReduce>(['dim', 'reduce', 'include_self'], ([x, i, src], a) =>
    x.scatterReduce(a.dim, i, src, a.reduce, given({ includeSelf: a.include_self })),
  ),
  index_add: op<{ dim: number; alpha?: number }>(['dim', 'alpha'], ([x, i, source], { dim, alpha }) =>
    x.indexAdd(dim, i, source, given({ alpha })),
  ),
  index_copy: op<{ dim: number }>(['dim'], ([x, i, source], { dim }) => x.indexCopy(dim, i, source)),
  index_fill: op<{ dim: number; value?: NumberJson }>(['dim', 'value'], ([x, i, filling], { dim, value }) =>
    x.indexFill(dim, i, numberOf(value) ?? filling),
  ),
  index_reduce: op<ScatterReduce>(['dim', 'reduce', 'include_self'], ([x, i, source], a) =>
    x.indexReduce(a.dim, i, source, a.reduce, given({ includeSelf: a.include_self })),
  ),
  take: op([], ([x, i]) => x.take(i)),
  put: op<{ accumulate?: boolean }>(['accumulate'], ([x, i, source], a) => x.put(i, source, given(a))),
  masked_scatter: op([], ([x, mask, source]) => x.maskedScatter(mask, source)),
  select_scatter: op<{ dim: number; index: number }>(['dim', 'index'], ([x, src], { dim, index }) =>
    x.selectScatter(src, dim, index),
  ),
  slice_scatter: op<SliceScatter>(['dim', 'start', 'end', 'step'], ([x, src], { dim, start, end, step }) =>
    x.sliceScatter(src, dim, given<SliceScatterOptions>({ start: start ?? undefined, end: end ?? undefined, step })),
  ),
  diagonal_scatter: op<{ offset?: number; dim1?: number; dim2?: number }>(['offset', 'dim1', 'dim2'], ([x, src], a) =>
    x.diagonalScatter(src, a.offset, a.dim1, a.dim2),
  ),
  setitem: op<{ index: Subscripts; value?: NumberJson }>(['index', 'value'], ([x, values], a, precision) =>
    x.setAt(subscripts(a.index, precision), numberOf(a.value) ?? values),
  ),
  index_put: op<{ indices: (TensorJson | null)[]; accumulate?: boolean }>(
    ['indices', 'accumulate'],
    ([x, values], { indices, accumulate }, precision) =>
      x.indexPut(
        indices.map((i) => i && build(i, precision)),
        values,
        given({ accumulate }),
      ),
  ),
} satisfies Entries;
