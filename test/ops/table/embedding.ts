// Rows of lookups in tables.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { bad, type Draw, drawn, ints, type Row, vector } from './row.js';

const index = (shape: readonly number[]): Draw => ({ shape, range: [0, 4], integer: true });
const table = tensor([
  [1, 2],
  [3, 4],
]);
const offsets = ints([0, 2, 2]);

export const embeddings: readonly Row[] = [
  {
    name: 'embedding',
    call: (i, weight) => cr.embedding(i, weight),
    inputs: [
      [index([2, 3]), drawn([4, 3])],
      [index([]), drawn([4, 2])],
    ],
    reference: ['embedding'],
    empty: [index([0]), drawn([4, 3])],
    nan: false,
    errors: [
      ['index', () => cr.embedding(ints([2]), table)],
      ['index', () => cr.embedding(ints([-1]), table)],
      ['shape', () => cr.embedding(ints([0]), vector)],
      ['dtype', () => cr.embedding(vector, table)],
      ['dtype', () => cr.embedding(ints([0]), table.to('int32'))],
      ['value', () => cr.embedding(ints([0]), table, { paddingIdx: 2 })],
      ['value', () => cr.embedding(ints([0]), table, { maxNorm: Number.NaN })],
      ['value', () => cr.embedding(ints([0]), table, { normType: -1 })],
      ['value', () => cr.embedding(ints([0]), table, { scaleGradByFreq: bad(1) })],
      ['option', () => cr.embedding(ints([0]), table, bad({ sparse: true }))],
    ],
  },
  ...(['sum', 'mean', 'max'] as const).map(
    (mode): Row => ({
      name: mode === 'sum' ? 'embeddingBag' : `embeddingBag ${mode}`,
      call: (i, weight) =>
        i.ndim === 2 ? cr.embeddingBag(i, weight, { mode }) : cr.embeddingBag(i, weight, { mode, offsets }),
      inputs: [
        [index([2, 3]), drawn([4, 3])],
        [index([5]), drawn([4, 3])],
      ],
      reference: ['embedding_bag'],
      empty: [index([0, 3]), drawn([4, 3])],
      nan: false,
      errors: [
        ['index', () => cr.embeddingBag(ints([2]).unsqueeze(0), table, { mode })],
        ['index', () => cr.embeddingBag(ints([-1]).unsqueeze(0), table, { mode })],
        ['shape', () => cr.embeddingBag(ints([0]), table)],
        ['shape', () => cr.embeddingBag(ints([0]).unsqueeze(0), table, { offsets })],
        ['shape', () => cr.embeddingBag(ints([0]), table, { offsets: offsets.unsqueeze(0) })],
        ['shape', () => cr.embeddingBag(ints([0]), table, { mode: 'sum', offsets, perSampleWeights: vector })],
        ['value', () => cr.embeddingBag(ints([0, 1]), table, { offsets: ints([1]) })],
        ['value', () => cr.embeddingBag(ints([0, 1]), table, { offsets: ints([0, 2, 1]) })],
        ['value', () => cr.embeddingBag(ints([0, 1]), table, { offsets: ints([0, 3]) })],
        ['value', () => cr.embeddingBag(ints([0, 1]), table, { offsets: ints([0, 1]), includeLastOffset: true })],
        ['value', () => cr.embeddingBag(ints([0]).unsqueeze(0), table, { mode: bad('min') })],
        ['value', () => cr.embeddingBag(ints([0]).unsqueeze(0), table, { mode: 'max', scaleGradByFreq: true })],
        [
          'value',
          () => cr.embeddingBag(ints([0]).unsqueeze(0), table, { perSampleWeights: tensor([[1]]), mode: 'mean' }),
        ],
        ['dtype', () => cr.embeddingBag(ints([0]), table, { offsets: tensor([0]) })],
        ['dtype', () => cr.embeddingBag(vector.unsqueeze(0), table)],
        ['option', () => cr.embeddingBag(ints([0]).unsqueeze(0), table, bad({ sparse: true }))],
      ],
    }),
  ),
  {
    name: 'embeddingBag weighted',
    call: (i, weight, perSampleWeights) => cr.embeddingBag(i, weight, { mode: 'sum', perSampleWeights, paddingIdx: 1 }),
    inputs: [[index([3, 4]), drawn([4, 3]), drawn([3, 4])]],
    empty: [index([0, 4]), drawn([4, 3]), drawn([0, 4])],
    nan: false,
  },
];
