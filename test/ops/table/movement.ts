// Rows of what moves, repeats, cuts and masks elements.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const row = (
  name: string,
  torch: string,
  call: (x: Tensor) => Tensor,
  shape: readonly number[],
  errors: Row['errors'] = [],
): Row => ({ name, call, inputs: [[drawn(shape)]], reference: [torch], errors });

export const movement: readonly Row[] = [
  row(
    'movedim',
    'movedim',
    (x) => x.movedim([0, 1], [-1, 0]),
    [2, 3, 4],
    [
      ['axis', () => vector.movedim(1, 0)],
      ['axis', () => vector.movedim(0, [])],
      ['axis', () => cr.zeros([2, 2]).movedim([0, 0], [0, 1])],
      ['axis', () => vector.movedim(bad(undefined), 0)],
    ],
  ),
  {
    ...row(
      'select',
      'select',
      (x) => x.select(0, -1),
      [3, 4],
      [
        ['index', () => vector.select(0, 3)],
        ['shape', () => vector.sum().select(0, 0)],
      ],
    ),
    empty: [drawn([2, 0])],
    nan: true,
  },
  row('flip', 'flip', (x) => x.flip([0, -1]), [2, 3, 2], [['axis', () => vector.flip(1)]]),
  row(
    'roll',
    'roll',
    (x) => x.roll([1, -4], [0, 1]),
    [3, 4],
    [
      ['value', () => vector.roll([1, 2])],
      ['axis', () => vector.roll(1, 2)],
    ],
  ),
  row('tile', 'tile', (x) => x.tile([2, 1, 3]), [2, 3], [['shape', () => vector.tile([-1])]]),
  row('repeat', 'repeat', (x) => x.repeat([2, 3]), [2, 3], [['shape', () => cr.zeros([2, 2]).repeat([2])]]),
  row(
    'repeatInterleave',
    'repeat_interleave',
    (x) => x.repeatInterleave(2, 1),
    [2, 3],
    [
      ['value', () => vector.repeatInterleave(-1)],
      ['value', () => vector.repeatInterleave(2, 0, { outputSize: 5 })],
      ['shape', () => vector.repeatInterleave(ints([1, 2]))],
      ['dtype', () => vector.repeatInterleave(vector)],
      ['option', () => vector.repeatInterleave(2, 0, bad({ size: 6 }))],
    ],
  ),
  row(
    'rot90',
    'rot90',
    (x) => x.rot90(-1, [0, 2]),
    [2, 3, 4],
    [
      ['axis', () => vector.rot90()],
      ['axis', () => cr.zeros([2, 2]).rot90(1, [0, 0])],
    ],
  ),
  row(
    'split',
    'split',
    (x) => cr.scope(() => cr.cat(cr.split(x, [1, 2], -1).reverse(), 1)),
    [2, 3],
    [
      ['shape', () => vector.split([1, 1])],
      ['value', () => vector.split(0)],
    ],
  ),
  row('chunk', 'chunk', (x) => cr.scope(() => x.chunk(2, 1)[0]), [2, 3], [['value', () => vector.chunk(0)]]),
  {
    name: 'meshgrid',
    call: (a, b) =>
      cr.scope(() => {
        const [p, q] = cr.meshgrid([a, b], { indexing: 'xy' });
        return p.mul(q);
      }),
    inputs: [[drawn([3]), drawn([2])]],
    reference: ['meshgrid'],
    errors: [
      ['shape', () => cr.meshgrid([cr.zeros([2, 2])])],
      ['value', () => cr.meshgrid([])],
      ['value', () => cr.meshgrid([vector], { indexing: bad('ji') })],
    ],
  },
];
