// Rows of matrix products.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { drawn, type Row, vector } from './row.js';

export const matmul: readonly Row[] = [
  {
    name: 'matmul',
    call: (a, b) => cr.matmul(a, b),
    inputs: [
      [drawn([3, 4]), drawn([4, 2])],
      [drawn([2, 3, 4]), drawn([4, 2])],
      [drawn([2, 1, 3, 4]), drawn([3, 4, 2])],
      [drawn([4]), drawn([4])],
      [drawn([3, 4]), drawn([4])],
      [drawn([4]), drawn([2, 4, 3])],
    ],
    reference: ['matmul'],
    empty: [drawn([0, 4]), drawn([4, 2])],
    errors: [
      ['shape', () => cr.matmul(cr.zeros([2, 3]), cr.zeros([4, 5]))],
      ['shape', () => cr.matmul(tensor(1), vector)],
    ],
  },
  {
    name: 'linear',
    call: (x, w, b) => cr.linear(x, w, b),
    inputs: [
      [drawn([3, 4]), drawn([2, 4]), drawn([2])],
      [drawn([2, 3, 4]), drawn([2, 4]), drawn([2])],
      [drawn([4]), drawn([2, 4]), drawn([2])],
    ],
    reference: ['linear'],
    empty: [drawn([0, 4]), drawn([2, 4]), drawn([2])],
    errors: [
      ['shape', () => cr.linear(vector, cr.zeros([2, 4]))],
      ['shape', () => cr.linear(vector, cr.zeros([2, 3]), cr.zeros([3]))],
      ['dtype', () => cr.linear(vector, cr.zeros([2, 3], { dtype: 'float64' }))],
    ],
  },
];
