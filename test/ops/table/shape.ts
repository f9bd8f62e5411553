// Rows of views, indexing and joining.
import * as cr from 'chainrule';
import { type Tensor, tensor } from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const view = (
  name: string,
  torch: string | null,
  call: (x: Tensor) => Tensor,
  shape: readonly number[],
  errors: Row['errors'] = [],
): Row => ({
  name,
  call,
  inputs: [[drawn(shape)]],
  reference: torch === null ? [] : [torch],
  empty: null,
  errors,
});

export const shape: readonly Row[] = [
  view(
    'reshape',
    'reshape',
    (x) => x.reshape([4, -1]),
    [2, 6],
    [
      ['shape', () => vector.reshape([2])],
      ['shape', () => vector.reshape([-1, -1])],
      ['shape', () => vector.reshape([1.5, 2])],
    ],
  ),
  // Differences cannot see that the gradient stops here.
  { ...view('detach', null, (x) => x.detach().add(x), [3]), derivatives: 0 },
  view('clone', null, (x) => x.clone(), [2, 3]),
  view('contiguous', null, (x) => x.t().contiguous(), [2, 3]),
  view('to', null, (x) => x.to('float64'), [2, 3], [['dtype', () => vector.to(bad('float8'))]]),
  view(
    'permute',
    'permute',
    (x) => x.permute([2, 0, 1]),
    [2, 3, 4],
    [
      ['axis', () => vector.permute([0, 1])],
      ['axis', () => cr.zeros([2, 2]).permute([0, 0])],
    ],
  ),
  view('transpose', 'transpose', (x) => x.transpose(0, -1), [2, 3, 4], [['axis', () => vector.transpose(0, 1)]]),
  view('t', null, (x) => x.t(), [2, 3], [['shape', () => cr.zeros([2, 2, 2]).t()]]),
  view('expand', 'expand', (x) => x.expand([2, 3, 4]), [3, 1], [['shape', () => vector.expand([2])]]),
  view('squeeze', 'squeeze', (x) => x.squeeze(1), [2, 1, 3], [['axis', () => vector.squeeze(1)]]),
  view('unsqueeze', 'unsqueeze', (x) => x.unsqueeze(1), [2, 3], [['axis', () => vector.unsqueeze(3)]]),
  view('flatten', 'flatten', (x) => x.flatten(1), [2, 3, 4], [['axis', () => cr.zeros([2, 2]).flatten(1, 0)]]),
  view(
    'unflatten',
    'unflatten',
    (x) => x.unflatten(1, [2, -1]),
    [2, 6],
    [['shape', () => vector.unflatten(0, [2, 2])]],
  ),
  view(
    'narrow',
    'narrow',
    (x) => x.narrow(1, 1, 2),
    [3, 4],
    [
      ['index', () => vector.narrow(0, 2, 2)],
      ['value', () => vector.narrow(0, 0, -1)],
    ],
  ),
  view(
    'at',
    'index',
    (x) => x.at(1, cr.slice(0, null, 2), '...', null),
    [3, 4, 2],
    [
      ['index', () => vector.at(3)],
      ['shape', () => vector.at(0, 0)],
      ['value', () => vector.at(Number.NaN)],
      ['value', () => vector.at(0.5)],
      ['dtype', () => vector.at(tensor([0.5]))],
      ['index', () => vector.at(ints([5]))],
      ['value', () => cr.slice(0, 3, 0)],
    ],
  ),
  {
    name: 'indexSelect',
    call: (x, i) => cr.indexSelect(x, 0, i),
    inputs: [[drawn([4, 3]), { shape: [5], range: [0, 4], integer: true }]],
    reference: ['index_select'],
    empty: [drawn([4, 0]), { shape: [2], range: [0, 4], integer: true }],
    errors: [
      ['index', () => cr.indexSelect(vector, 0, ints([3]))],
      ['index', () => cr.indexSelect(vector, 0, ints([-4]))],
      ['dtype', () => cr.indexSelect(vector, 0, tensor([Number.NaN]))],
      ['shape', () => cr.indexSelect(vector, 0, ints([0, 1]).reshape([1, 2]))],
    ],
  },
  {
    name: 'gather',
    call: (x, i) => cr.gather(x, 1, i),
    inputs: [[drawn([3, 4]), { shape: [2, 5], range: [0, 4], integer: true }]],
    reference: ['gather'],
    empty: [drawn([3, 4]), { shape: [0, 2], range: [0, 4], integer: true }],
    nan: false,
    errors: [
      ['index', () => cr.gather(vector, 0, ints([7]))],
      ['shape', () => cr.gather(vector, 0, ints([0]).reshape([1, 1]))],
    ],
  },
  {
    name: 'nonzero',
    call: (x) => cr.nonzero(x),
    inputs: [[drawn([3, 4])]],
    reference: ['nonzero'],
    derivatives: 0,
    nan: false,
  },
  {
    name: 'cat',
    call: (a, b) => cr.cat([a, b], 1),
    inputs: [[drawn([2, 3]), drawn([2, 1])]],
    reference: ['cat'],
    empty: [drawn([2, 0]), drawn([2, 1])],
    errors: [
      ['shape', () => cr.cat([vector, cr.zeros([1, 3])])],
      ['value', () => cr.cat([])],
    ],
  },
  {
    name: 'stack',
    call: (a, b) => cr.stack([a, b], -1),
    inputs: [[drawn([2, 3]), drawn([2, 3])]],
    reference: ['stack'],
    empty: [drawn([0, 3]), drawn([0, 3])],
    errors: [['shape', () => cr.stack([vector, cr.zeros([2])])]],
  },
];
