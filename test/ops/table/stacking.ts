// Rows of stacking, splitting, and shapes taken from others.
import * as cr from 'chainrule';
import { type Tensor, tensor } from 'chainrule';
import { bad, drawn, type Row, vector } from './row.js';

type Stack = 'hstack' | 'vstack' | 'dstack' | 'columnStack';
const stack = (name: Stack): Row => ({
  name,
  call: (a, b) => cr[name]([a, b]),
  inputs: [
    [drawn([2, 3]), drawn([2, 3])],
    [drawn([3]), drawn([3])],
    [drawn([]), drawn([])],
    [drawn([2, 3, 2]), drawn([2, 3, 2])],
  ],
  errors: [
    ['value', () => cr[name]([])],
    ['value', () => cr[name](bad(vector))],
    ['shape', () => cr[name]([cr.zeros([2, 3, 2]), cr.zeros([3, 4, 3])])],
  ],
});

type Least = 'atleast1d' | 'atleast2d' | 'atleast3d';
const least = (name: Least): Row => ({
  name,
  call: (x) => cr[name](x),
  inputs: [[drawn([2, 3])], [drawn([])], [drawn([3])], [drawn([2, 1, 2])]],
  errors: [
    ['value', () => cr[name](bad(3))],
    ['value', () => cr[name]([vector, bad<Tensor>(3)])],
  ],
});

/** All parts of a split, multiplied so that they differ, and joined again. */
const parts = (name: string, split: (x: Tensor) => Tensor[], shape: number[], errors: Row['errors']): Row => ({
  name,
  call: (x) => cr.scope(() => cr.cat(split(x).map((part, i) => part.mul(i + 1).flatten()))),
  inputs: [[drawn(shape)]],
  empty: null,
  errors,
});

const like = (name: 'expandAs' | 'reshapeAs' | 'viewAs' | 'typeAs', from: number[], to: number[]): Row => ({
  name,
  call: (x) => {
    const other = cr.zeros(to, { dtype: 'float64' });
    const y = x[name](other);
    other.dispose();
    return y;
  },
  inputs: [[drawn(from)]],
  empty: null,
  errors: [['value', () => vector[name](bad([3]))]],
});

export const stacking: readonly Row[] = [
  stack('hstack'),
  stack('vstack'),
  stack('dstack'),
  stack('columnStack'),
  least('atleast1d'),
  least('atleast2d'),
  least('atleast3d'),
  {
    name: 'blockDiag',
    call: (a, b) => cr.blockDiag(a, b),
    inputs: [
      [drawn([2, 3]), drawn([1, 2])],
      [drawn([3]), drawn([])],
    ],
    errors: [
      ['value', () => cr.blockDiag()],
      ['shape', () => cr.blockDiag(cr.zeros([1, 1, 1]))],
    ],
  },
  parts(
    'unbind',
    (x) => x.unbind(1),
    [2, 3],
    [
      ['shape', () => tensor(1).unbind()],
      ['axis', () => vector.unbind(1)],
    ],
  ),
  parts(
    'tensorSplit',
    (x) => [...x.tensorSplit(3), ...x.tensorSplit([1, -2, 9], 1)],
    [4, 3],
    [
      ['shape', () => tensor(1).tensorSplit(1)],
      ['axis', () => vector.tensorSplit(1, 1)],
      ['value', () => vector.tensorSplit(0)],
      ['value', () => vector.tensorSplit(tensor([1.5]))],
      ['value', () => vector.tensorSplit(bad('2'))],
    ],
  ),
  parts(
    'hsplit',
    (x) => [...x.hsplit(2), ...x.hsplit([1])],
    [2, 4],
    [
      ['shape', () => tensor(1).hsplit(1)],
      ['value', () => vector.hsplit(2)],
    ],
  ),
  parts(
    'vsplit',
    (x) => [...x.vsplit(2), ...x.vsplit([1])],
    [2, 4],
    [
      ['shape', () => vector.vsplit(1)],
      ['value', () => cr.zeros([3, 1]).vsplit(2)],
    ],
  ),
  parts(
    'dsplit',
    (x) => [...x.dsplit(2), ...x.dsplit([1])],
    [2, 1, 4],
    [
      ['shape', () => cr.zeros([3, 1]).dsplit(1)],
      ['value', () => cr.zeros([1, 1, 3]).dsplit(2)],
    ],
  ),
  {
    name: 'broadcastTensors',
    call: (a, b) =>
      cr.scope(() => {
        const [p, q] = cr.broadcastTensors(a, b);
        return p.add(q.mul(2));
      }),
    inputs: [[drawn([3, 1]), drawn([4])]],
    empty: [drawn([0, 1]), drawn([4])],
    errors: [
      ['value', () => cr.broadcastTensors()],
      ['shape', () => cr.broadcastTensors(vector, cr.zeros([2]))],
    ],
  },
  {
    name: 'broadcastTo',
    call: (x) => x.broadcastTo([2, 3, 4]),
    inputs: [[drawn([3, 1])]],
    empty: null,
    errors: [['shape', () => vector.broadcastTo([2])]],
  },
  {
    name: 'broadcastShapes',
    call: (x) => x.expand(cr.broadcastShapes(x.shape, [3, 1])),
    inputs: [[drawn([3])]],
    empty: null,
    errors: [
      ['shape', () => cr.broadcastShapes([2], [3])],
      ['shape', () => cr.broadcastShapes(bad(3))],
    ],
  },
  like('expandAs', [3], [2, 3]),
  like('reshapeAs', [2, 6], [3, 4]),
  like('typeAs', [3], [1]),
  {
    name: 'view',
    call: (x) => {
      const whole = x.contiguous();
      const y = whole.view([4, -1]);
      if (whole !== x && !whole.requiresGrad) whole.dispose();
      return y;
    },
    inputs: [[drawn([2, 6])]],
    empty: null,
    errors: [
      ['shape', () => vector.view([2])],
      ['shape', () => cr.zeros([2, 3]).t().view([6])],
      [
        'shape',
        () =>
          cr
            .zeros([2, 3])
            .t()
            .viewAs(cr.zeros([6])),
      ],
    ],
  },
];
