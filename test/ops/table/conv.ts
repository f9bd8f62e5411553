// Rows of convolutions and pooling.
import * as cr from 'chainrule';
import { bad, drawn, type Row, vector } from './row.js';

const onX = [drawn([2, 3, 7, 6]), drawn([4, 3, 3, 2]), drawn([4])];

export const conv: readonly Row[] = [
  {
    name: 'conv2d',
    call: (x, w, b) => cr.conv2d(x, w, b, { stride: [1, 2], padding: [1, 0], dilation: [2, 1] }),
    inputs: [onX],
    reference: ['conv2d'],
    empty: [drawn([0, 3, 7, 6]), drawn([4, 3, 3, 2]), drawn([4])],
    errors: [
      ['shape', () => cr.conv2d(cr.zeros([1, 2, 4, 4]), cr.zeros([3, 1, 2, 2]))],
      ['shape', () => cr.conv2d(cr.zeros([1, 1, 2, 2]), cr.zeros([1, 1, 3, 3]))],
      ['shape', () => cr.conv2d(vector, cr.zeros([1, 1, 3, 3]))],
      ['value', () => cr.conv2d(cr.zeros([1, 1, 4, 4]), cr.zeros([1, 1, 3, 3]), null, { stride: 0 })],
      ['value', () => cr.conv2d(cr.zeros([1, 1, 4, 4]), cr.zeros([1, 1, 3, 3]), null, { padding: -1 })],
      ['option', () => cr.conv2d(cr.zeros([1, 1, 4, 4]), cr.zeros([1, 1, 3, 3]), null, bad({ strides: 2 }))],
    ],
  },
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
