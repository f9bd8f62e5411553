// Rows of what writes elements where indices, subscripts and masks name their place.
import * as cr from 'chainrule';
import { type Tensor, tensor } from 'chainrule';
import { bad, type Draw, drawn, ints, type Row, vector } from './row.js';

const index = (shape: readonly number[], n: number): Draw => ({ shape, range: [0, n], integer: true });
const grid = (rows: number[][]) => tensor(rows, { dtype: 'int32' });
const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);

/** Errors of what takes an index for every element. */
const byElement = (call: (x: Tensor, axis: number, i: Tensor, src: Tensor) => Tensor): Row['errors'] => [
  ['index', () => call(vector, 0, ints([3]), vector)],
  ['index', () => call(vector, 0, ints([-4]), vector)],
  ['index', () => call(cr.zeros([0]), 0, ints([0]), vector)],
  ['axis', () => call(vector, 1, ints([0]), vector)],
  ['shape', () => call(vector, 0, ints([0, 1, 2, 0]), vector)],
  ['shape', () => call(vector, 0, grid([[0]]), vector)],
  ['shape', () => call(matrix, 1, grid([[0], [1], [0]]), cr.zeros([3, 1]))],
  ['dtype', () => call(vector, 0, vector, vector)],
  ['dtype', () => call(vector, 0, ints([0]), ints([1]))],
  ['value', () => call(vector, 0, ints([0]), bad('x'))],
];

/** Errors of what takes an index for every slice. */
const bySlice = (call: (x: Tensor, axis: number, i: Tensor, source: Tensor) => Tensor): Row['errors'] => [
  ['index', () => call(vector, 0, ints([1, 2, 3]), vector)],
  ['index', () => call(vector, 0, ints([-4, 0, 0]), vector)],
  ['axis', () => call(vector, 1, ints([0]), vector)],
  ['shape', () => call(vector, 0, ints([0]), vector)],
  ['shape', () => call(vector, 0, grid([[0, 1, 2]]), vector)],
  ['dtype', () => call(vector, 0, vector, vector)],
  ['dtype', () => call(vector, 0, ints([0, 1, 2]), ints([1, 2, 3]))],
];

const perElement = (name: string, call: (x: Tensor, i: Tensor, src: Tensor) => Tensor, row: Partial<Row>): Row => ({
  name,
  call,
  inputs: [
    [drawn([3, 4]), index([3, 5], 4), drawn([3, 5])],
    [drawn([3, 4]), index([2, 3], 4), drawn([3, 3])],
  ],
  empty: [drawn([3, 4]), index([0, 3], 4), drawn([3, 3])],
  nan: false,
  ...row,
});

const perSlice = (name: string, call: (x: Tensor, i: Tensor, source: Tensor) => Tensor, row: Partial<Row>): Row => ({
  name,
  call,
  inputs: [
    [drawn([3, 4]), index([3], 4), drawn([3, 3])],
    [drawn([2, 5, 3]), index([7], 5), drawn([2, 7, 3])],
  ],
  empty: [drawn([3, 4]), index([0], 4), drawn([3, 0])],
  ...row,
});

const reductions = ['sum', 'prod', 'mean', 'amax', 'amin'] as const;

export const scatters: readonly Row[] = [
  perElement('scatter', (x, i, src) => x.scatter(1, i, src), {
    reference: ['scatter'],
    errors: [
      ...(byElement((x, axis, i, src) => x.scatter(axis, i, src)) ?? []),
      ['value', () => vector.scatter(0, ints([0]), 1, { reduce: bad('sum') })],
      ['option', () => vector.scatter(0, ints([0]), 1, bad({ reduction: 'add' }))],
      ['dtype', () => ints([1]).scatter(0, ints([0]), 0.5)],
    ],
  }),
  perElement('scatter of a number', (x, i) => x.scatter(1, i, 2.5), {
    inputs: [[drawn([3, 4]), index([3, 2], 4)]],
    empty: [drawn([3, 4]), index([0, 2], 4)],
  }),
  perElement('scatter multiplying', (x, i, src) => x.scatter(1, i, src, { reduce: 'multiply' }), {}),
  perElement('scatterAdd', (x, i, src) => x.scatterAdd(1, i, src), {
    reference: ['scatter_add'],
    nan: true,
    errors: byElement((x, axis, i, src) => x.scatterAdd(axis, i, src)),
  }),
  perElement('scatterReduce', (x, i, src) => x.scatterReduce(1, i, src, 'prod'), {
    errors: [
      ...(byElement((x, axis, i, src) => x.scatterReduce(axis, i, src, 'amax')) ?? []),
      ['value', () => vector.scatterReduce(0, ints([0]), vector, bad('add'))],
      ['value', () => vector.scatterReduce(0, ints([0]), vector, 'sum', { includeSelf: bad(1) })],
      ['option', () => vector.scatterReduce(0, ints([0]), vector, 'sum', bad({ include: true }))],
    ],
  }),
  ...reductions.flatMap((reduce) =>
    [true, false].map((includeSelf) =>
      perElement(
        `scatterReduce ${reduce}${includeSelf ? '' : ' without self'}`,
        (x, i, src) => x.scatterReduce(1, i, src, reduce, { includeSelf }),
        {},
      ),
    ),
  ),
  perSlice('indexAdd', (x, i, source) => x.indexAdd(1, i, source, { alpha: -2 }), {
    reference: ['index_add'],
    errors: [
      ...(bySlice((x, axis, i, source) => x.indexAdd(axis, i, source)) ?? []),
      ['value', () => vector.indexAdd(0, ints([0, 1, 2]), vector, { alpha: bad('1') })],
      ['dtype', () => ints([1]).indexAdd(0, ints([0]), ints([1]), { alpha: 0.5 })],
      ['option', () => vector.indexAdd(0, ints([0, 1, 2]), vector, bad({ beta: 1 }))],
    ],
  }),
  perSlice('indexCopy', (x, i, source) => x.indexCopy(1, i, source), {
    nan: false,
    errors: bySlice((x, axis, i, source) => x.indexCopy(axis, i, source)),
  }),
  perSlice('indexReduce', (x, i, source) => x.indexReduce(1, i, source, 'amax'), {
    errors: [
      ...(bySlice((x, axis, i, source) => x.indexReduce(axis, i, source, 'mean')) ?? []),
      ['value', () => vector.indexReduce(0, ints([0, 1, 2]), vector, bad('add'))],
    ],
  }),
  {
    name: 'indexFill',
    call: (x, i, value) => x.indexFill(1, i, value),
    inputs: [[drawn([3, 6]), index([3], 4), drawn([])]],
    empty: [drawn([3, 4]), index([0], 4), drawn([])],
    errors: [
      ['index', () => vector.indexFill(0, ints([3]), 0)],
      ['shape', () => vector.indexFill(0, grid([[0]]), 0)],
      ['shape', () => vector.indexFill(0, ints([0]), vector)],
      ['dtype', () => ints([1]).indexFill(0, ints([0]), 0.5)],
      ['dtype', () => vector.indexFill(0, vector, 0)],
      ['value', () => vector.indexFill(0, ints([0]), bad('x'))],
    ],
  },
  {
    name: 'take',
    call: (x, i) => x.take(i),
    inputs: [[drawn([3, 4]), index([2, 5], 12)]],
    empty: [drawn([0, 4]), index([0], 4)],
    errors: [
      ['index', () => vector.take(ints([3]))],
      ['index', () => cr.zeros([0]).take(ints([0]))],
      ['dtype', () => vector.take(vector)],
    ],
  },
  ...[false, true].map(
    (accumulate): Row => ({
      name: accumulate ? 'put accumulating' : 'put',
      call: (x, i, source) => x.put(i, source, { accumulate }),
      inputs: [[drawn([3, 4]), index([2, 5], 12), drawn([10])]],
      empty: [drawn([0, 4]), index([0], 4), drawn([0])],
      errors: [
        ['index', () => vector.put(ints([3]), tensor([1]))],
        ['shape', () => vector.put(ints([0]), vector)],
        ['dtype', () => vector.put(vector, vector)],
        ['dtype', () => vector.put(ints([0]), ints([1]))],
        ['option', () => vector.put(ints([0]), vector, bad({ add: true }))],
      ],
    }),
  ),
  {
    name: 'maskedScatter',
    call: (x, m, source) => x.maskedScatter(m, source),
    inputs: [
      [drawn([3, 4]), { shape: [3, 4], bool: true }, drawn([2, 6])],
      [drawn([3, 1]), { shape: [4], bool: true }, drawn([12])],
    ],
    empty: [drawn([0, 4]), { shape: [4], bool: true }, drawn([2])],
    errors: [
      ['dtype', () => vector.maskedScatter(vector, vector)],
      ['dtype', () => vector.maskedScatter(vector.gt(1), ints([1, 2, 3]))],
      ['shape', () => vector.maskedScatter(vector.gt(1), tensor([1]))],
      ['shape', () => vector.maskedScatter(cr.zeros([2]).gt(1), vector)],
    ],
  },
  {
    name: 'selectScatter',
    call: (x, src) => x.selectScatter(src, 1, -1),
    inputs: [[drawn([3, 4]), drawn([3])]],
    empty: [drawn([0, 4]), drawn([0])],
    errors: [
      ['index', () => vector.selectScatter(tensor(1), 0, 3)],
      ['shape', () => vector.selectScatter(vector, 0, 0)],
      ['shape', () => tensor(1).selectScatter(tensor(1), 0, 0)],
      ['dtype', () => vector.selectScatter(tensor(1, { dtype: 'int32' }), 0, 0)],
    ],
  },
  {
    name: 'sliceScatter',
    call: (x, src) => x.sliceScatter(src, 1, { start: 1, end: -1, step: 2 }),
    inputs: [[drawn([3, 6]), drawn([3, 2])]],
    errors: [
      ['shape', () => vector.sliceScatter(tensor([1]))],
      ['shape', () => tensor(1).sliceScatter(tensor(1))],
      ['value', () => vector.sliceScatter(vector, 0, { step: 0 })],
      ['value', () => vector.sliceScatter(vector, 0, { start: 0.5 })],
      ['dtype', () => vector.sliceScatter(ints([1, 2, 3]))],
      ['option', () => vector.sliceScatter(vector, 0, bad({ stop: 1 }))],
    ],
  },
  {
    name: 'diagonalScatter',
    call: (x, src) => x.diagonalScatter(src, 1, 1, 2),
    inputs: [[drawn([2, 3, 4]), drawn([2, 3])]],
    empty: [drawn([0, 3, 4]), drawn([0, 3])],
    errors: [
      ['shape', () => vector.diagonalScatter(vector)],
      ['shape', () => matrix.diagonalScatter(vector)],
      ['axis', () => matrix.diagonalScatter(tensor([1, 2]), 0, 1, 1)],
      ['dtype', () => matrix.diagonalScatter(ints([1, 2]))],
    ],
  },
  {
    name: 'setAt',
    call: (x, value) => x.setAt([cr.slice(1, null, 2), '...', null, 1], value),
    inputs: [
      [drawn([4, 3]), drawn([2, 1])],
      [drawn([3, 2, 2]), drawn([])],
    ],
    reference: ['setitem'],
    errors: [
      ['index', () => vector.setAt([3], 0)],
      ['index', () => vector.setAt([ints([0, 3])], 0)],
      ['shape', () => vector.setAt([0, 0], 0)],
      ['shape', () => vector.setAt([cr.slice(1)], vector)],
      ['shape', () => vector.setAt([ints([0, 1])], vector)],
      ['shape', () => matrix.setAt([cr.zeros([2, 2]).gt(0)], 0)],
      ['dtype', () => vector.setAt([vector], 0)],
      ['value', () => vector.setAt(bad(0), 0)],
      ['value', () => vector.setAt([0], bad('x'))],
    ],
  },
  {
    name: 'setAt by tensors',
    call: (x, i, j, values) => x.setAt([cr.slice(1), i, '...', j, null], values),
    inputs: [[drawn([3, 4, 2, 3]), index([3, 1], 4), index([2], 3), drawn([3, 2, 2, 2, 1])]],
    empty: null,
  },
  {
    name: 'setAt of one value by a mask',
    call: (x, m, value) => x.setAt([m], value),
    inputs: [
      [drawn([3, 4]), { shape: [3, 4], bool: true }, drawn([])],
      [drawn([3, 4]), { shape: [3], bool: true }, drawn([])],
    ],
    empty: [drawn([0, 4]), { shape: [0], bool: true }, drawn([])],
  },
  {
    name: 'setAt by a mask',
    call: (x, m, values) => x.setAt([m], values),
    inputs: [[drawn([3, 4]), { shape: [3], bool: true }, drawn([1, 4])]],
    empty: null,
    nan: false,
  },
  ...[false, true].map(
    (accumulate): Row => ({
      name: accumulate ? 'indexPut accumulating' : 'indexPut',
      call: (x, i, values) => x.indexPut([null, i], values, { accumulate }),
      inputs: [
        [drawn([2, 4, 3]), index([2, 3], 4), drawn([2, 2, 3, 3])],
        [drawn([2, 4]), index([7], 4), drawn([])],
      ],
      reference: ['index_put'],
      empty: [drawn([0, 4]), index([2], 4), drawn([2])],
      nan: accumulate,
      errors: [
        ['index', () => vector.indexPut([ints([3])], tensor([1]))],
        ['shape', () => vector.indexPut([ints([0]), ints([0])], tensor([1]))],
        ['shape', () => vector.indexPut([ints([0])], vector)],
        ['dtype', () => vector.indexPut([vector], vector)],
        ['dtype', () => vector.indexPut([ints([0])], ints([1]))],
        ['value', () => vector.indexPut([], vector)],
        ['value', () => vector.indexPut([null], vector)],
        ['value', () => vector.indexPut(bad([0]), vector)],
        ['option', () => vector.indexPut([ints([0])], vector, bad({ add: true }))],
      ],
    }),
  ),
];
