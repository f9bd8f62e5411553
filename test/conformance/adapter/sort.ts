// Entries of sorting, ranks, searching and counting.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import type { NumberJson, TensorJson } from '../cases.js';
import { build } from '../runner.js';
import { type Entries, given, numberOf, op } from './entry.js';

const pair = ({ values, indices }: cr.Placed) => [values, indices];

type Line = { dim?: number; keepdim?: boolean };
const middle = (name: 'median' | 'nanmedian') =>
  op<Line>(['dim', 'keepdim'], ([x], { dim, keepdim }) =>
    dim === undefined ? x[name]() : pair(x[name](dim, given({ keepdim }))),
  );

type Sort = { dim?: number; descending?: boolean; stable?: boolean };
const SORT = ['dim', 'descending', 'stable'] as const;

type Quantile = Line & { q?: number | number[] | TensorJson; interpolation?: cr.Interpolation };
const quantile = (run: typeof cr.quantile) =>
  op<Quantile>(['q', 'dim', 'keepdim', 'interpolation'], ([x, second], a, precision) => {
    const { q = second, dim, keepdim, interpolation } = a;
    const fractions = typeof q === 'object' && 'data' in q && !(q instanceof cr.Tensor) ? build(q, precision) : q;
    return run(x, fractions as number | number[] | Tensor, dim, given({ keepdim, interpolation }));
  });

type Distinct = { sorted?: boolean; return_inverse?: boolean; return_counts?: boolean; dim?: number };
const distinct = (found: Tensor | cr.Unique): Tensor | Tensor[] =>
  found instanceof cr.Tensor
    ? found
    : [found.values, found.inverse, found.counts].filter((t): t is Tensor => t !== null);

type Searchsorted = {
  out_int32?: boolean;
  right?: boolean;
  side?: 'left' | 'right';
  sorter?: TensorJson;
  self?: NumberJson;
};
type Isin = {
  assume_unique?: boolean;
  invert?: boolean;
  element?: NumberJson;
  elements?: NumberJson;
  test_element?: NumberJson;
  test_elements?: NumberJson;
};

export const sort = {
  sort: op<Sort>(SORT, ([x], { dim, descending, stable }) => pair(cr.sort(x, dim, given({ descending, stable })))),
  argsort: op<Sort>(SORT, ([x], { dim, descending, stable }) => cr.argsort(x, dim, given({ descending, stable }))),
  msort: op([], ([x]) => cr.msort(x)),
  topk: op<{ k: number; dim?: number; largest?: boolean; sorted?: boolean }>(
    ['k', 'dim', 'largest', 'sorted'],
    ([x], { k, dim, largest, sorted }) => pair(cr.topk(x, k, dim, given({ largest, sorted }))),
  ),
  kthvalue: op<Line & { k: number }>(['k', 'dim', 'keepdim'], ([x], { k, dim, keepdim }) =>
    pair(cr.kthvalue(x, k, dim, given({ keepdim }))),
  ),
  median: middle('median'),
  nanmedian: middle('nanmedian'),
  mode: op<Line>(['dim', 'keepdim'], ([x], { dim, keepdim }) => pair(cr.mode(x, dim, given({ keepdim })))),
  quantile: quantile(cr.quantile),
  nanquantile: quantile(cr.nanquantile),
  unique: op<Distinct>(['sorted', 'return_inverse', 'return_counts', 'dim'], ([x], a) =>
    distinct(
      cr.unique(
        x,
        given({ sorted: a.sorted, returnInverse: a.return_inverse, returnCounts: a.return_counts, dim: a.dim }),
      ),
    ),
  ),
  unique_consecutive: op<Distinct>(['return_inverse', 'return_counts', 'dim'], ([x], a) =>
    distinct(
      cr.uniqueConsecutive(x, given({ returnInverse: a.return_inverse, returnCounts: a.return_counts, dim: a.dim })),
    ),
  ),
  searchsorted: op<Searchsorted>(
    ['out_int32', 'right', 'side', 'sorter', 'self'],
    ([sequence, values, order], { right, side, sorter, self }, precision) =>
      cr.searchsorted(
        sequence,
        values ?? (numberOf(self) as number),
        given({ right, side, sorter: sorter === undefined ? order : build(sorter, precision) }),
      ),
  ),
  bucketize: op<{ out_int32?: boolean; right?: boolean; self?: NumberJson }>(
    ['out_int32', 'right', 'self'],
    ([x, boundaries], { right, self }) => cr.bucketize(x ?? (numberOf(self) as number), boundaries, given({ right })),
  ),
  bincount: op<{ minlength?: number }>(['minlength'], ([x, weights], { minlength }) =>
    cr.bincount(x, given({ weights, minlength })),
  ),
  histc: op<{ bins?: number; min?: NumberJson; max?: NumberJson }>(['bins', 'min', 'max'], ([x], { bins, min, max }) =>
    cr.histc(x, given({ bins, min: numberOf(min), max: numberOf(max) })),
  ),
  isin: op<Isin>(['assume_unique', 'invert', 'element', 'elements', 'test_element', 'test_elements'], ([x, among], a) =>
    cr.isin(
      x ?? (numberOf(a.element ?? a.elements) as number),
      among ?? (numberOf(a.test_element ?? a.test_elements) as number),
      given({ assumeUnique: a.assume_unique, invert: a.invert }),
    ),
  ),
} satisfies Entries;
