// Rows of sorting, ranks and quantiles.
import * as cr from 'chainrule';
import { bad, drawn, type Row, valuesOf, vector } from './row.js';

const inputs = [[drawn([3, 4])], [drawn([])], [drawn([2, 5, 3])]];
const none = cr.zeros([0, 3]);

const middle = (name: 'median' | 'nanmedian', row: Partial<Row>): Row => ({
  name,
  call: (x) => (x.ndim === 3 ? valuesOf(cr[name](x, 1)) : cr[name](x)),
  inputs: [...inputs, [drawn([2, 4, 3])]],
  reference: [],
  errors: [
    ['value', () => cr[name](bad(3))],
    ['axis', () => cr[name](vector, 1)],
    ['shape', () => cr[name](none, 0)],
    ['shape', () => cr[name](none.to('int32'))],
    ['option', () => cr[name](vector, 0, bad({ keep: true }))],
  ],
  ...row,
});

const quantile = (name: 'quantile' | 'nanquantile'): Row => ({
  name,
  call: (x) => (x.ndim === 3 ? cr[name](x, [0.2, 0.5], 1) : cr[name](x, 0.3)),
  inputs,
  empty: null,
  errors: [
    ['dtype', () => cr[name](vector.to('int32'), 0.5)],
    ['dtype', () => cr[name](vector, cr.tensor([0.5], { dtype: 'float64' }))],
    ['value', () => cr[name](vector, 1.5)],
    ['value', () => cr[name](vector, Number.NaN)],
    ['value', () => cr[name](vector, cr.tensor([0.5, Number.NaN]))],
    ['value', () => cr[name](vector, 0.5, 0, { interpolation: bad('cubic') })],
    ['shape', () => cr[name](vector, cr.zeros([1, 1]))],
    ['shape', () => cr[name](none, 0.5, 0)],
    ['axis', () => cr[name](vector, 0.5, 1)],
    ['option', () => cr[name](vector, 0.5, 0, bad({ method: 'linear' }))],
  ],
});

export const sorting: readonly Row[] = [
  {
    name: 'sort',
    call: (x) => valuesOf(x.sort(0, { descending: true })),
    inputs,
    reference: ['sort'],
    grows: true,
    errors: [
      ['value', () => cr.sort(bad(3))],
      ['axis', () => vector.sort(1)],
      ['value', () => vector.sort(0, { descending: bad(1) })],
      ['option', () => vector.sort(0, bad({ reverse: true }))],
    ],
  },
  {
    name: 'argsort',
    call: (x) => x.argsort(),
    inputs,
    reference: ['argsort'],
    derivatives: 0,
    nan: false,
    grows: true,
    errors: [
      ['axis', () => vector.argsort(-2)],
      ['value', () => vector.argsort(0, { stable: bad(1) })],
    ],
  },
  { name: 'msort', call: (x) => x.msort(), inputs, errors: [['value', () => cr.msort(bad(3))]] },
  {
    name: 'topk',
    call: (x) => valuesOf(x.topk(x.ndim === 0 ? 1 : 2)),
    inputs,
    reference: ['topk'],
    grows: true,
    errors: [
      ['value', () => vector.topk(4)],
      ['value', () => vector.topk(-1)],
      ['value', () => vector.topk(0.5)],
      ['axis', () => vector.topk(1, 1)],
      ['value', () => vector.topk(1, 0, { largest: bad(1) })],
      ['option', () => vector.topk(1, 0, bad({ smallest: true }))],
    ],
  },
  {
    name: 'kthvalue',
    call: (x) => valuesOf(x.kthvalue(x.ndim === 0 ? 1 : 2, -1, { keepdim: true })),
    inputs,
    empty: [drawn([0, 4])],
    grows: true,
    errors: [
      ['value', () => vector.kthvalue(0)],
      ['value', () => vector.kthvalue(4)],
      ['shape', () => none.kthvalue(1, 0)],
      ['axis', () => vector.kthvalue(1, 1)],
      ['option', () => vector.kthvalue(1, 0, bad({ largest: true }))],
    ],
  },
  middle('median', { reference: ['median'] }),
  middle('nanmedian', {}),
  {
    name: 'mode',
    call: (x) => valuesOf(x.mode(0)),
    inputs: [[drawn([5, 3])], [drawn([])]],
    empty: [drawn([2, 0])],
    errors: [
      ['shape', () => none.mode(0)],
      ['axis', () => vector.mode(1)],
      ['option', () => vector.mode(0, bad({ keep: true }))],
    ],
  },
  quantile('quantile'),
  quantile('nanquantile'),
];
