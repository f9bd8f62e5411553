// Rows of borders and windows.
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

export const pads: readonly Row[] = [
  {
    name: 'pad',
    call: (x) => cr.pad(x, [1, 2, -1, 1], { value: 0.5 }),
    inputs: [[drawn([3, 4])], [drawn([2, 1, 3])]],
    reference: ['pad'],
    empty: [drawn([1, 0])],
    errors: [
      ['value', () => cr.pad(vector, [1])],
      ['value', () => cr.pad(vector, [0.5, 1])],
      ['value', () => cr.pad(vector, bad(1))],
      ['value', () => cr.pad(vector, [1, 1], { mode: bad('mirror') })],
      ['value', () => cr.pad(vector, [1, 1], { mode: 'reflect', value: 1 })],
      ['shape', () => cr.pad(vector, [1, 1, 1, 1])],
      ['shape', () => cr.pad(vector, [-2, -2])],
      ['shape', () => cr.pad(vector, [-4, 4])],
      ['shape', () => cr.pad(vector, [2 ** 40, 2 ** 40])],
      ['shape', () => cr.pad(vector, [3, 0], { mode: 'reflect' })],
      ['shape', () => cr.pad(vector, [0, 4], { mode: 'circular' })],
      ['shape', () => cr.pad(cr.zeros([0]), [1, 0], { mode: 'replicate' })],
      ['dtype', () => cr.pad(ints([1]), [1, 1], { value: 0.5 })],
      ['option', () => cr.pad(vector, [1, 1], bad({ fill: 1 }))],
    ],
  },
  ...(['reflect', 'replicate', 'circular'] as const).map(
    (mode): Row => ({
      name: `pad ${mode}`,
      call: (x) => cr.pad(x, [1, 2, -1, 1], { mode }),
      inputs: [[drawn([3, 4])], [drawn([2, 3, 3])]],
      empty: null,
    }),
  ),
  {
    name: 'unfold of a dimension',
    call: (x) => x.unfold(1, 3, 2),
    inputs: [[drawn([2, 7])], [drawn([2, 4, 3])]],
    reference: ['Tensor.unfold'],
    empty: [drawn([0, 5])],
    errors: [
      ['value', () => vector.unfold(0, 4, 1)],
      ['value', () => vector.unfold(0, 2, 0)],
      ['value', () => vector.unfold(0, -1, 1)],
      ['axis', () => vector.unfold(1, 1, 1)],
      ['shape', () => cr.zeros([1, 1, 1, 1, 1, 1, 1, 1]).unfold(0, 1, 1)],
    ],
  },
];
