// Rows of what a mask, an index or a triangle names.
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const mask = (shape: readonly number[]) => ({ shape, bool: true });

export const masks: readonly Row[] = [
  {
    name: 'maskedFill',
    call: (x, m) => x.maskedFill(m, -1.5),
    inputs: [
      [drawn([3, 4]), mask([3, 4])],
      [drawn([3, 1]), mask([4])],
    ],
    reference: ['masked_fill'],
    errors: [
      ['dtype', () => vector.maskedFill(vector, 0)],
      ['dtype', () => ints([1, 2]).maskedFill(ints([1, 2]).gt(1), 0.5)],
      ['shape', () => vector.maskedFill(vector.gt(1), vector)],
      ['shape', () => vector.maskedFill(cr.zeros([2]).gt(1), 0)],
      ['value', () => vector.maskedFill(vector.gt(1), bad('x'))],
    ],
  },
  {
    name: 'maskedSelect',
    call: (x, m) => x.maskedSelect(m),
    inputs: [
      [drawn([3, 4]), mask([3, 4])],
      [drawn([3, 1]), mask([4])],
    ],
    reference: ['masked_select'],
    errors: [
      ['dtype', () => vector.maskedSelect(vector)],
      ['shape', () => vector.maskedSelect(cr.zeros([2]).gt(1))],
    ],
  },
  {
    name: 'takeAlongDim',
    call: (x, i) => x.takeAlongDim(i, 1),
    inputs: [
      [drawn([3, 4]), { shape: [3, 5], range: [0, 4], integer: true }],
      [drawn([3, 4]), { shape: [1, 2], range: [0, 4], integer: true }],
    ],
    reference: ['take_along_dim'],
    errors: [
      ['index', () => vector.takeAlongDim(ints([3]))],
      ['shape', () => vector.takeAlongDim(ints([0]).unsqueeze(0), 0)],
      ['dtype', () => vector.takeAlongDim(vector)],
    ],
  },
  ...(['tril', 'triu'] as const).map(
    (name): Row => ({
      name,
      call: (x) => cr[name](x, -1),
      inputs: [[drawn([4, 3])], [drawn([2, 3, 4])]],
      reference: [name],
      errors: [
        ['shape', () => cr[name](vector)],
        ['value', () => cr[name](cr.zeros([2, 2]), 0.5)],
      ],
    }),
  ),
  {
    name: 'diagonal',
    call: (x) => x.diagonal(1, 1, -1),
    inputs: [[drawn([2, 3, 4])], [drawn([2, 4, 1])]],
    reference: ['diagonal'],
    errors: [
      ['shape', () => vector.diagonal()],
      ['axis', () => cr.zeros([2, 2]).diagonal(0, 0, -2)],
      ['value', () => cr.zeros([2, 2]).diagonal(0.5)],
    ],
  },
  {
    name: 'diag',
    call: (x) => x.diag(-1),
    inputs: [[drawn([3])], [drawn([3, 4])]],
    reference: ['diag'],
    errors: [
      ['shape', () => cr.diag(cr.zeros([2, 2, 2]))],
      ['value', () => vector.diag(0.5)],
    ],
  },
  {
    name: 'oneHot',
    call: (x) => cr.oneHot(x, 4),
    inputs: [[{ shape: [2, 3], range: [0, 4], integer: true }]],
    reference: ['one_hot'],
    derivatives: 0,
    nan: false,
    errors: [
      ['dtype', () => vector.oneHot()],
      ['index', () => ints([0, 3]).oneHot(3)],
      ['index', () => ints([-1, 3]).oneHot()],
      ['value', () => ints([0]).oneHot(0)],
      ['shape', () => cr.zeros([0], { dtype: 'int32' }).oneHot()],
    ],
  },
];
