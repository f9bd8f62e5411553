// Rows of distances and similarities of vectors.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const pair = [drawn([3, 4]), drawn([3, 4])];
const two = tensor([1, 2]);
const norms = [1, 2, 3, Number.POSITIVE_INFINITY] as const;
const perNorm = (
  name: string,
  make: (p: number) => Partial<Row> & Pick<Row, 'call'>,
  row: Omit<Row, 'name' | 'call'>,
) => norms.map((p) => ({ name, ...row, ...make(p) }));

export const similarity: readonly Row[] = [
  ...perNorm('pairwiseDistance', (p) => ({ call: (x, y) => cr.pairwiseDistance(x, y, { p, keepdim: p === 1 }) }), {
    inputs: [pair, [drawn([2, 1, 4]), drawn([3, 4])], [drawn([4]), drawn([4])]],
    reference: ['pairwise_distance'],
    empty: [drawn([0, 4]), drawn([4])],
    errors: [
      ['shape', () => cr.pairwiseDistance(vector, two)],
      ['shape', () => cr.pairwiseDistance(tensor(1), tensor(2))],
      ['value', () => cr.pairwiseDistance(vector, vector, { p: -1 })],
      ['dtype', () => cr.pairwiseDistance(vector, ints([1, 2, 3]))],
      ['option', () => cr.pairwiseDistance(vector, vector, bad({ dim: 1 }))],
    ],
  }),
  ...perNorm('cdist', (p) => ({ call: (x, y) => cr.cdist(x, y, { p }) }), {
    inputs: [
      [drawn([3, 4]), drawn([2, 4])],
      [drawn([2, 1, 3, 4]), drawn([2, 2, 4])],
    ],
    reference: ['cdist'],
    empty: [drawn([0, 4]), drawn([2, 4])],
    errors: [
      ['shape', () => cr.cdist(vector, vector)],
      ['shape', () => cr.cdist(cr.zeros([2, 3]), cr.zeros([2, 4]))],
      ['shape', () => cr.cdist(cr.zeros([2, 1, 3]), cr.zeros([3, 1, 3]))],
      ['value', () => cr.cdist(cr.zeros([2, 3]), cr.zeros([2, 3]), { p: -1 })],
      ['option', () => cr.cdist(cr.zeros([2, 3]), cr.zeros([2, 3]), bad({ eps: 1 }))],
    ],
  }),
  {
    name: 'cosineSimilarity',
    call: (x, y) => cr.cosineSimilarity(x, y, { dim: -1 }),
    inputs: [pair, [drawn([2, 1, 4]), drawn([3, 4])]],
    reference: ['cosine_similarity'],
    empty: [drawn([0, 4]), drawn([4])],
    errors: [
      ['shape', () => cr.cosineSimilarity(vector, two)],
      ['axis', () => cr.cosineSimilarity(vector, vector)],
      ['dtype', () => cr.cosineSimilarity(vector, ints([1, 2, 3]))],
      ['option', () => cr.cosineSimilarity(vector, vector, bad({ axis: 0 }))],
    ],
  },
  ...perNorm('normalize', (p) => ({ call: (x) => cr.normalize(x, { p }) }), {
    inputs: [[drawn([3, 4])], [drawn([2, 3, 2])]],
    reference: ['normalize'],
    errors: [
      ['axis', () => cr.normalize(vector)],
      ['value', () => cr.normalize(vector, { dim: 0, p: -1 })],
      ['dtype', () => cr.normalize(ints([1]), { dim: 0 })],
      ['option', () => cr.normalize(vector, bad({ axis: 0 }))],
    ],
  }),
  {
    name: 'rbf',
    call: (x, c, beta) => cr.rbf(x, c, beta),
    inputs: [
      [drawn([4]), drawn([3, 4]), drawn([3], [0.1, 0.5])],
      [drawn([2, 3, 2]), drawn([4, 2]), drawn([4], [0.1, 0.5])],
    ],
    empty: [drawn([0, 4]), drawn([3, 4]), drawn([3])],
    errors: [
      ['shape', () => cr.rbf(vector, vector, vector)],
      ['shape', () => cr.rbf(vector, cr.zeros([2, 3]), vector)],
      ['shape', () => cr.rbf(tensor(1), cr.zeros([2, 3]), two)],
      ['dtype', () => cr.rbf(ints([1, 2]), cr.zeros([3, 2]), vector)],
      ['dtype', () => cr.rbf(two, cr.zeros([3, 2]), ints([1, 2, 3]))],
    ],
  },
];
