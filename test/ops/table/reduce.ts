// Rows of reductions.
import * as cr from 'chainrule';
import { bad, drawn, type Row, vector } from './row.js';

const reduction = (name: 'sum' | 'mean' | 'amax' | 'amin', row: Partial<Row> = {}): Row => ({
  name,
  call: (x) => cr[name](x, x.ndim > 1 ? [0, -1] : undefined),
  inputs: [[drawn([3, 4])], [drawn([2, 3, 4])], [drawn([5])], [drawn([])]],
  reference: [name],
  errors: [
    ['axis', () => cr[name](vector, 1)],
    ['axis', () => cr[name](vector, [0, 0])],
    ['option', () => cr[name](vector, 0, bad({ keepDim: true }))],
  ],
  ...row,
});
const place = (name: 'argmax' | 'argmin'): Row => ({
  name,
  call: (x) => cr[name](x, -1),
  inputs: [[drawn([3, 4])], [drawn([5])]],
  reference: [name],
  derivatives: 0,
  empty: null,
  nan: false,
  errors: [
    ['axis', () => cr[name](vector, 2)],
    ['shape', () => cr[name](cr.zeros([0]))],
  ],
});

export const reduce: readonly Row[] = [
  reduction('sum'),
  reduction('mean'),
  reduction('amax', { empty: null, errors: [['shape', () => cr.amax(cr.zeros([0]))]] }),
  reduction('amin', { empty: null, errors: [['shape', () => cr.amin(cr.zeros([0]))]] }),
  {
    name: 'max',
    call: (x) => cr.max(x, -1).values,
    inputs: [[drawn([3, 4])], [drawn([5])]],
    reference: ['max'],
    empty: null,
    errors: [['axis', () => cr.max(vector, 3)]],
  },
  {
    name: 'min',
    call: (x) => cr.min(x, 0).values,
    inputs: [[drawn([3, 4])], [drawn([5])]],
    reference: ['min'],
    empty: null,
    errors: [['axis', () => cr.min(vector, -3)]],
  },
  place('argmax'),
  place('argmin'),
  {
    name: 'all',
    call: (x) => cr.all(x, 0),
    inputs: [[drawn([3, 4])]],
    reference: ['all'],
    derivatives: 0,
    nan: false,
    errors: [['axis', () => cr.all(vector, 1)]],
  },
  {
    name: 'any',
    call: (x) => cr.any(x, 0),
    inputs: [[drawn([3, 4])]],
    reference: ['any'],
    derivatives: 0,
    nan: false,
    errors: [['axis', () => cr.any(vector, 1)]],
  },
];
