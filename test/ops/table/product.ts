// Rows of products for one number of dimensions, of sums with them, of einsum and its kin.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const two = tensor([1, 2]);
const matrix = cr.zeros([2, 3]);
const stack = cr.zeros([4, 2, 3]);

const products: readonly Row[] = [
  {
    name: 'mm',
    call: (a, b) => cr.mm(a, b),
    inputs: [[drawn([3, 4]), drawn([4, 2])]],
    reference: ['mm'],
    empty: [drawn([0, 4]), drawn([4, 2])],
    errors: [
      ['shape', () => cr.mm(matrix, matrix)],
      ['shape', () => cr.mm(stack, cr.zeros([3, 2]))],
      ['value', () => cr.mm(matrix, bad(3))],
    ],
  },
  {
    name: 'bmm',
    call: (a, b) => cr.bmm(a, b),
    inputs: [[drawn([2, 3, 4]), drawn([2, 4, 2])]],
    reference: ['bmm'],
    empty: [drawn([0, 3, 4]), drawn([0, 4, 2])],
    errors: [
      ['shape', () => cr.bmm(matrix, matrix)],
      ['shape', () => cr.bmm(stack, cr.zeros([1, 3, 2]))],
      ['shape', () => cr.bmm(stack, stack)],
    ],
  },
  {
    name: 'mv',
    call: (a, b) => cr.mv(a, b),
    inputs: [[drawn([3, 4]), drawn([4])]],
    empty: [drawn([0, 4]), drawn([4])],
    errors: [
      ['shape', () => cr.mv(matrix, two)],
      ['shape', () => cr.mv(vector, vector)],
    ],
  },
  {
    name: 'dot',
    call: (a, b) => cr.dot(a, b),
    inputs: [[drawn([5]), drawn([5])]],
    reference: ['dot'],
    errors: [
      ['shape', () => cr.dot(vector, two)],
      ['shape', () => cr.dot(matrix, vector)],
    ],
  },
  {
    name: 'vdot',
    call: (a, b) => cr.vdot(a, b),
    inputs: [[drawn([5]), drawn([5])]],
    reference: ['vdot'],
    errors: [['shape', () => cr.vdot(vector, two)]],
  },
  {
    name: 'inner',
    call: (a, b) => cr.inner(a, b),
    inputs: [
      [drawn([3, 4]), drawn([5, 4])],
      [drawn([2, 3, 4]), drawn([4])],
      [drawn([]), drawn([3, 2])],
      [drawn([4]), drawn([4])],
    ],
    reference: ['inner'],
    empty: [drawn([0, 4]), drawn([5, 4])],
    errors: [['shape', () => cr.inner(vector, two)]],
  },
  {
    name: 'outer',
    call: (a, b) => cr.outer(a, b),
    inputs: [[drawn([3]), drawn([4])]],
    reference: ['outer'],
    empty: [drawn([0]), drawn([4])],
    errors: [['shape', () => cr.outer(vector, matrix)]],
  },
  {
    name: 'kron',
    call: (a, b) => cr.kron(a, b),
    inputs: [
      [drawn([2, 3]), drawn([3, 2])],
      [drawn([2]), drawn([3, 1, 2])],
      [drawn([]), drawn([3])],
    ],
    reference: ['kron'],
    empty: [drawn([0, 3]), drawn([2])],
    errors: [['shape', () => cr.kron(cr.zeros([2, 2, 2, 2, 2]), cr.zeros([2, 2, 2, 2]))]],
  },
  {
    name: 'cross',
    call: (a, b) => cr.cross(a, b),
    inputs: [
      [drawn([4, 3]), drawn([4, 3])],
      [drawn([3, 2]), drawn([3, 1])],
    ],
    errors: [
      ['shape', () => cr.cross(two, two)],
      ['shape', () => cr.cross(vector, cr.zeros([1, 3]))],
      ['shape', () => cr.cross(cr.zeros([3, 2]), cr.zeros([3, 2]), 1)],
      ['axis', () => cr.cross(vector, vector, 1)],
    ],
  },
  {
    name: 'trace',
    call: (x) => cr.trace(x),
    inputs: [[drawn([3, 3])], [drawn([2, 4])]],
    errors: [['shape', () => cr.trace(vector)]],
  },
];

const factors = { beta: 0.5, alpha: -2 };
const added: readonly Row[] = [
  {
    name: 'addmm',
    call: (x, a, b) => cr.addmm(x, a, b, factors),
    inputs: [
      [drawn([3, 2]), drawn([3, 4]), drawn([4, 2])],
      [drawn([2]), drawn([3, 4]), drawn([4, 2])],
    ],
    reference: ['addmm'],
    empty: [drawn([2]), drawn([0, 4]), drawn([4, 2])],
    errors: [
      ['shape', () => cr.addmm(two, matrix, cr.zeros([3, 4]))],
      ['shape', () => cr.addmm(cr.zeros([1, 2, 4]), matrix, cr.zeros([3, 4]))],
      ['shape', () => cr.addmm(two, matrix, matrix)],
      ['value', () => cr.addmm(ints([1]), ints([1]).reshape([1, 1]), ints([1]).reshape([1, 1]), factors)],
      ['option', () => cr.addmm(two, matrix, cr.zeros([3, 2]), bad({ gamma: 1 }))],
    ],
  },
  {
    name: 'addmv',
    call: (x, a, b) => cr.addmv(x, a, b, factors),
    inputs: [
      [drawn([3]), drawn([3, 4]), drawn([4])],
      [drawn([]), drawn([3, 4]), drawn([4])],
    ],
    empty: [drawn([]), drawn([0, 4]), drawn([4])],
    errors: [
      ['shape', () => cr.addmv(vector, matrix, vector)],
      ['shape', () => cr.addmv(two, matrix, two)],
      ['value', () => cr.addmv(two, matrix, vector, { beta: bad('1') })],
    ],
  },
  {
    name: 'addr',
    call: (x, a, b) => cr.addr(x, a, b, factors),
    inputs: [[drawn([3, 4]), drawn([3]), drawn([4])]],
    empty: [drawn([4]), drawn([0]), drawn([4])],
    errors: [
      ['shape', () => cr.addr(matrix, vector, two)],
      ['shape', () => cr.addr(matrix, matrix, vector)],
    ],
  },
  {
    name: 'addbmm',
    call: (x, a, b) => cr.addbmm(x, a, b, factors),
    inputs: [[drawn([3, 2]), drawn([5, 3, 4]), drawn([5, 4, 2])]],
    empty: [drawn([2]), drawn([0, 3, 4]), drawn([0, 4, 2])],
    errors: [
      ['shape', () => cr.addbmm(two, stack, stack)],
      ['shape', () => cr.addbmm(two, stack, cr.zeros([3, 3, 2]))],
    ],
  },
  {
    name: 'baddbmm',
    call: (x, a, b) => cr.baddbmm(x, a, b, factors),
    inputs: [
      [drawn([5, 3, 2]), drawn([5, 3, 4]), drawn([5, 4, 2])],
      [drawn([3, 1]), drawn([5, 3, 4]), drawn([5, 4, 2])],
    ],
    reference: ['baddbmm'],
    empty: [drawn([2]), drawn([0, 3, 4]), drawn([0, 4, 2])],
    errors: [
      ['shape', () => cr.baddbmm(two, stack, stack)],
      ['shape', () => cr.baddbmm(vector, stack, cr.zeros([4, 3, 2]))],
    ],
  },
];

/** Equations with inputs of their shapes: every part of the grammar. */
const EQUATIONS: readonly [string, ...number[][]][] = [
  ['ij,jk->ik', [3, 4], [4, 2]],
  ['ij,kj', [3, 4], [2, 4]],
  ['Ba,Ab', [2, 3], [4, 2]],
  ['ii->i', [3, 3]],
  ['iij,jj->ij', [3, 3, 2], [2, 2]],
  ['b...d,...d->b...', [2, 3, 1, 4], [3, 2, 4]],
  ['...ij->...', [2, 3, 4]],
  ['...ij->ij', [2, 3, 4]],
  ['ij , jk , k -> i', [3, 4], [4, 2], [2]],
  ['i,j,k->kji', [2], [3], [4]],
  ['ij,ij,ij->j', [3, 4], [3, 1], [1, 4]],
  [',ij', [], [2, 3]],
  ['bij,bjk->ik', [2, 3, 4], [2, 4, 2]],
];

const named: readonly Row[] = [
  ...EQUATIONS.map(
    ([equation, ...shapes]): Row => ({
      name: 'einsum',
      call: (...xs) => cr.einsum(equation, ...xs),
      inputs: [shapes.map((shape) => drawn(shape))],
      reference: ['einsum'],
      empty: equation === 'ij,jk->ik' ? [drawn([0, 4]), drawn([4, 2])] : null,
      errors: [
        ['value', () => cr.einsum(bad(1), vector)],
        ['value', () => cr.einsum('i,j', vector)],
        ['value', () => cr.einsum('i')],
        ['value', () => cr.einsum('i', bad(1))],
        ['value', () => cr.einsum('i1->i', matrix)],
        ['value', () => cr.einsum('ij->ik', matrix)],
        ['value', () => cr.einsum('ij->ii', matrix)],
        ['value', () => cr.einsum('ij - > i', matrix)],
        ['value', () => cr.einsum('ij->i->j', matrix)],
        ['value', () => cr.einsum('i..', matrix)],
        ['value', () => cr.einsum('i...j...->ij', stack)],
        ['shape', () => cr.einsum('ij', vector)],
        ['shape', () => cr.einsum('ij', stack)],
        ['shape', () => cr.einsum('ijk...', matrix)],
        ['shape', () => cr.einsum('ij,jk', matrix, matrix)],
        ['shape', () => cr.einsum('ii', cr.zeros([1, 3]))],
        ['shape', () => cr.einsum('...,...', matrix, two)],
        ['shape', () => cr.einsum('abcde,fghij', ...[0, 1].map(() => cr.zeros([2, 2, 2, 2, 2])))],
      ],
    }),
  ),
  {
    name: 'tensordot',
    call: (a, b) =>
      cr.tensordot(a, b, [
        [2, 0],
        [0, -1],
      ]),
    inputs: [
      [drawn([2, 3, 4]), drawn([4, 5, 2])],
      [drawn([2, 3, 4]), drawn([1, 5, 2])],
    ],
    reference: ['tensordot'],
    empty: [drawn([0, 3, 4]), drawn([4, 5, 0])],
    errors: [
      ['shape', () => cr.tensordot(matrix, cr.zeros([2, 4]))],
      ['shape', () => cr.tensordot(cr.zeros([1, 1, 1, 1, 1]), cr.zeros([1, 1, 1, 1]), 0)],
      ['value', () => cr.tensordot(matrix, matrix, 3)],
      ['value', () => cr.tensordot(matrix, matrix, -1)],
      ['axis', () => cr.tensordot(matrix, matrix, [[0], [0, 1]])],
      [
        'axis',
        () =>
          cr.tensordot(matrix, matrix, [
            [1, 1],
            [0, 1],
          ]),
      ],
      ['axis', () => cr.tensordot(matrix, matrix, [[2], [0]])],
      ['axis', () => cr.tensordot(matrix, matrix, bad('0'))],
    ],
  },
  ...[0, 1].map(
    (dims): Row => ({
      name: 'tensordot',
      call: (a, b) => cr.tensordot(a, b, dims),
      inputs: [[drawn([2, 3]), drawn([3, 4])]],
      empty: [drawn([0, 3]), drawn([3, 4])],
    }),
  ),
];

const many: readonly Row[] = [
  {
    name: 'chainMatmul',
    call: (...xs) => cr.chainMatmul(...xs),
    inputs: [
      [drawn([3, 4]), drawn([4, 2]), drawn([2, 5]), drawn([5, 1])],
      [drawn([1, 5]), drawn([5, 2]), drawn([2, 4])],
      [drawn([3, 4])],
    ],
    empty: [drawn([0, 4]), drawn([4, 2])],
    errors: [
      ['value', () => cr.chainMatmul()],
      ['shape', () => cr.chainMatmul(matrix, matrix)],
      ['shape', () => cr.chainMatmul(vector)],
    ],
  },
  {
    name: 'multiDot',
    call: (...xs) => cr.multiDot(xs),
    inputs: [
      [drawn([3, 4]), drawn([4, 2]), drawn([2, 5])],
      [drawn([3]), drawn([3, 2]), drawn([2])],
      [drawn([3]), drawn([3, 2])],
      [drawn([3, 2]), drawn([2, 4]), drawn([4])],
    ],
    empty: [drawn([0, 4]), drawn([4, 2])],
    errors: [
      ['value', () => cr.multiDot([matrix])],
      ['value', () => cr.multiDot(bad(matrix))],
      ['shape', () => cr.multiDot([matrix, matrix])],
      ['shape', () => cr.multiDot([matrix, vector, vector])],
    ],
  },
  {
    name: 'bilinear',
    call: (x, y, w, b) => cr.bilinear(x, y, w, b ?? null),
    inputs: [
      [drawn([4, 3]), drawn([4, 5]), drawn([2, 3, 5]), drawn([2])],
      [drawn([3]), drawn([5]), drawn([2, 3, 5])],
      [drawn([2, 1, 3]), drawn([2, 1, 2]), drawn([4, 3, 2])],
    ],
    reference: ['bilinear'],
    empty: [drawn([0, 3]), drawn([0, 5]), drawn([2, 3, 5]), drawn([2])],
    errors: [
      ['shape', () => cr.bilinear(vector, two, cr.zeros([4, 2, 3]))],
      ['shape', () => cr.bilinear(matrix, two, cr.zeros([4, 3, 2]))],
      ['shape', () => cr.bilinear(vector, two, cr.zeros([4, 3, 2]), vector)],
      ['dtype', () => cr.bilinear(vector, two, cr.zeros([4, 3, 2], { dtype: 'float64' }))],
      ['dtype', () => cr.bilinear(vector, two, cr.zeros([4, 3, 2], { dtype: 'int32' }))],
    ],
  },
];

const tuples: readonly Row[] = [
  {
    name: 'cartesianProd',
    call: (...xs) => cr.cartesianProd(...xs),
    inputs: [[drawn([2]), drawn([3]), drawn([2])], [drawn([3])]],
    errors: [
      ['value', () => cr.cartesianProd()],
      ['value', () => cr.cartesianProd(...new Array<cr.Tensor>(9).fill(two))],
      ['shape', () => cr.cartesianProd(two, matrix)],
    ],
  },
  ...[
    [2, false],
    [3, true],
  ].map(
    ([r, withReplacement]): Row => ({
      name: 'combinations',
      call: (x) => cr.combinations(x, r as number, { withReplacement: withReplacement as boolean }),
      inputs: [[drawn([4])], [drawn([3])]],
      errors: [
        ['shape', () => cr.combinations(matrix)],
        ['shape', () => cr.combinations(cr.zeros([100]), 50)],
        ['value', () => cr.combinations(vector, -1)],
        ['value', () => cr.combinations(vector, 2, { withReplacement: bad(1) })],
        ['option', () => cr.combinations(vector, 2, bad({ with_replacement: true }))],
      ],
    }),
  ),
];

export const product: readonly Row[] = [...products, ...added, ...named, ...many, ...tuples];
