// Rows of pooling.
import * as cr from 'chainrule';
import { drawn, type Row } from './row.js';

export const pool: readonly Row[] = [
  {
    name: 'maxPool2d',
    call: (x) => cr.maxPool2d(x, 2, { stride: 1, padding: 1 }),
    inputs: [[drawn([2, 2, 5, 4])]],
    reference: [],
    errors: [
      ['shape', () => cr.maxPool2d(cr.zeros([1, 1, 2, 2]), 3)],
      ['value', () => cr.maxPool2d(cr.zeros([1, 1, 4, 4]), 2, { padding: 2 })],
      ['dtype', () => cr.maxPool2d(cr.zeros([1, 1, 4, 4], { dtype: 'int32' }), 2)],
    ],
  },
  {
    name: 'avgPool2d',
    call: (x) => cr.avgPool2d(x, [2, 3], { stride: 1, padding: [1, 0], countIncludePad: false }),
    inputs: [[drawn([2, 2, 5, 4])]],
    reference: ['avg_pool2d'],
    errors: [
      ['shape', () => cr.avgPool2d(cr.zeros([1, 1, 2, 2]), 3)],
      ['value', () => cr.avgPool2d(cr.zeros([1, 1, 4, 4]), 2, { divisorOverride: 0 })],
    ],
  },
];
