// Rows of searching, counting, membership and distinct elements.
import * as cr from 'chainrule';
import { bad, type Draw, drawn, ints, type Row, vector } from './row.js';

const whole: Draw = { shape: [7], range: [0, 5], integer: true };
const plain = { derivatives: 0, nan: false } as const;

const unique = (name: 'unique' | 'uniqueConsecutive'): Row => ({
  name,
  call: (x) => cr[name](x),
  inputs: [[whole], [drawn([3, 4])], [drawn([])]],
  derivatives: 0,
  errors: [
    ['value', () => cr[name](bad(3))],
    ['axis', () => cr[name](vector, { dim: 1 })],
    ['shape', () => cr[name](cr.zeros([3, 0]), { dim: 0 })],
    ['value', () => cr[name](vector, { returnCounts: bad(1) })],
    ['option', () => cr[name](vector, bad({ axis: 1 }))],
  ],
});

export const searching: readonly Row[] = [
  {
    name: 'searchsorted',
    call: (sequence, values) => {
      const { values: sorted, indices } = sequence.sort();
      const y = cr.searchsorted(sorted, values);
      sorted.dispose();
      indices.dispose();
      return y;
    },
    inputs: [
      [drawn([3, 9]), drawn([3, 4])],
      [drawn([9]), drawn([3, 4])],
      [drawn([9]), drawn([])],
    ],
    reference: ['searchsorted'],
    ...plain,
    errors: [
      ['value', () => cr.searchsorted(bad([1]), vector)],
      ['shape', () => cr.searchsorted(cr.zeros([2, 3]), vector)],
      ['shape', () => cr.searchsorted(cr.zeros([]), vector)],
      ['value', () => cr.searchsorted(vector, 2, { side: 'left', right: true })],
      ['value', () => cr.searchsorted(vector, 2, { side: bad('middle') })],
      ['dtype', () => cr.searchsorted(vector, 2, { sorter: vector })],
      ['shape', () => cr.searchsorted(vector, 2, { sorter: ints([0]) })],
      ['index', () => cr.searchsorted(vector, 2, { sorter: ints([0, 1, 3]) })],
      ['index', () => cr.searchsorted(vector, 2, { sorter: ints([0, 1, -1]) })],
      ['option', () => cr.searchsorted(vector, 2, bad({ left: true }))],
    ],
  },
  {
    name: 'bucketize',
    call: (x, boundaries) => cr.bucketize(x, boundaries),
    inputs: [
      [drawn([3, 4]), drawn([1])],
      [drawn([]), drawn([1])],
    ],
    empty: [drawn([0, 4]), drawn([1])],
    reference: ['bucketize'],
    ...plain,
    errors: [
      ['shape', () => cr.bucketize(vector, cr.zeros([1, 2]))],
      ['value', () => cr.bucketize(vector, vector, { right: bad(1) })],
      ['option', () => cr.bucketize(vector, vector, bad({ side: 'left' }))],
    ],
  },
  {
    name: 'bincount',
    call: (x, weights) => x.bincount({ weights }),
    inputs: [[whole], [whole, drawn([7])]],
    reference: ['bincount'],
    ...plain,
    errors: [
      ['dtype', () => vector.bincount()],
      ['shape', () => ints([1]).reshape([1, 1]).bincount()],
      ['shape', () => ints([1]).bincount({ weights: vector })],
      ['value', () => ints([1, -1]).bincount()],
      ['value', () => ints([1]).bincount({ minlength: -1 })],
      ['option', () => ints([1]).bincount(bad({ bins: 1 }))],
    ],
  },
  {
    name: 'histc',
    call: (x) => x.histc({ bins: 5, min: -1, max: 1.5 }),
    inputs: [[drawn([3, 4])], [drawn([])]],
    grows: true,
    ...plain,
    errors: [
      ['dtype', () => ints([1]).histc()],
      ['value', () => vector.histc({ bins: 0 })],
      ['value', () => vector.histc({ min: 2, max: 1 })],
      ['value', () => vector.histc({ max: Infinity })],
      ['value', () => vector.histc({ max: Number.NaN })],
      ['value', () => cr.tensor([1, Infinity]).histc()],
      ['value', () => cr.tensor([1, Number.NaN]).histc()],
      ['option', () => vector.histc(bad({ range: 1 }))],
    ],
  },
  {
    name: 'isin',
    call: (x, among) => cr.isin(x, among),
    inputs: [
      [whole, { ...whole, shape: [2, 2] }],
      [drawn([3, 4]), drawn([])],
    ],
    ...plain,
    errors: [
      ['value', () => cr.isin(1, 2)],
      ['value', () => cr.isin(vector, bad([1]))],
      ['value', () => cr.isin(vector, vector, { invert: bad(1) })],
      ['option', () => cr.isin(vector, vector, bad({ inverse: true }))],
    ],
  },
  unique('unique'),
  unique('uniqueConsecutive'),
];
