// Rows of losses beyond the common ones.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { signs, weights } from './own.js';
import { bad, type Draw, drawn, type Row, vector } from './row.js';

const pair = [drawn([3, 4]), drawn([3, 4])];
/** 0 or 1. */
const bits = (shape: number[]): Draw => ({ shape, range: [0, 2], integer: true });
const two = tensor([1, 2]);

const regression: readonly Row[] = [
  {
    name: 'smoothL1Loss',
    call: (x, y) => cr.smoothL1Loss(x, y, { beta: 0.7 }),
    inputs: [pair],
    reference: ['smooth_l1_loss'],
    errors: [
      ['shape', () => cr.smoothL1Loss(vector, two)],
      ['value', () => cr.smoothL1Loss(vector, vector, { beta: -1 })],
      ['option', () => cr.smoothL1Loss(vector, vector, bad({ delta: 1 }))],
    ],
  },
  {
    name: 'huberLoss',
    call: (x, y) => cr.huberLoss(x, y, { delta: 0.7, reduction: 'sum' }),
    inputs: [pair],
    reference: ['huber_loss'],
    errors: [
      ['shape', () => cr.huberLoss(vector, two)],
      ['value', () => cr.huberLoss(vector, vector, { delta: 0 })],
      ['option', () => cr.huberLoss(vector, vector, bad({ beta: 1 }))],
    ],
  },
  {
    name: 'poissonNllLoss',
    call: (x, y) => cr.poissonNllLoss(x, y, { full: true }),
    inputs: [[drawn([3, 4]), drawn([3, 4], [0, 4])]],
    reference: ['poisson_nll_loss'],
    errors: [
      ['shape', () => cr.poissonNllLoss(vector, two)],
      ['value', () => cr.poissonNllLoss(vector, vector, { full: bad(1) })],
      ['option', () => cr.poissonNllLoss(vector, vector, bad({ log: true }))],
    ],
  },
  {
    name: 'gaussianNllLoss',
    call: (x, y, v) => cr.gaussianNllLoss(x, y, v, { full: true }),
    inputs: [
      [drawn([3, 4]), drawn([3, 4]), drawn([3, 4], [0.5, 2])],
      [drawn([3, 4]), drawn([3, 4]), drawn([3, 1], [0.5, 2])],
      [drawn([3, 4]), drawn([3, 4]), drawn([3], [0.5, 2])],
    ],
    reference: ['gaussian_nll_loss'],
    errors: [
      ['shape', () => cr.gaussianNllLoss(vector, vector, two)],
      ['value', () => cr.gaussianNllLoss(vector, vector, vector.neg())],
      ['value', () => cr.gaussianNllLoss(vector, vector, vector, { eps: 0 })],
      ['option', () => cr.gaussianNllLoss(vector, vector, vector, bad({ epsilon: 1 }))],
    ],
  },
];

const probability: readonly Row[] = [
  {
    name: 'binaryCrossEntropy',
    call: (x, y) => weights(x, (weight) => cr.binaryCrossEntropy(x, y, { weight })),
    inputs: [[drawn([3, 4], [0.1, 0.9]), drawn([3, 4], [0, 1])]],
    reference: ['binary_cross_entropy'],
    errors: [
      ['shape', () => cr.binaryCrossEntropy(vector, two)],
      ['value', () => cr.binaryCrossEntropy(vector, vector)],
      ['option', () => cr.binaryCrossEntropy(vector, vector, bad({ posWeight: vector }))],
    ],
  },
  {
    name: 'klDiv',
    call: (x, y) => cr.klDiv(x, y, { reduction: 'batchmean' }),
    inputs: [[drawn([3, 4]), drawn([3, 4], [0.1, 0.9])]],
    reference: ['kl_div'],
    errors: [
      ['shape', () => cr.klDiv(vector, two)],
      ['shape', () => cr.klDiv(tensor(1), tensor(1), { reduction: 'batchmean' })],
      ['value', () => cr.klDiv(vector, vector, bad({ reduction: 'avg' }))],
      ['option', () => cr.klDiv(vector, vector, bad({ log: true }))],
    ],
  },
  {
    name: 'multilabelSoftMarginLoss',
    call: (x, y) => weights(x, (weight) => cr.multilabelSoftMarginLoss(x, y, { weight })),
    inputs: [[drawn([3, 4]), bits([3, 4])]],
    reference: ['multilabel_soft_margin_loss'],
    errors: [
      ['shape', () => cr.multilabelSoftMarginLoss(vector, two)],
      ['shape', () => cr.multilabelSoftMarginLoss(tensor(1), tensor(1))],
      ['option', () => cr.multilabelSoftMarginLoss(vector, vector, bad({ weights: vector }))],
    ],
  },
  {
    name: 'softMarginLoss',
    call: (x, y) => signs(y, (s) => cr.softMarginLoss(x, s)),
    inputs: [[drawn([3, 4]), bits([3, 4])]],
    reference: ['soft_margin_loss'],
    errors: [
      ['shape', () => cr.softMarginLoss(vector, two)],
      ['option', () => cr.softMarginLoss(vector, vector, bad({ margin: 1 }))],
    ],
  },
];

const margin: readonly Row[] = [
  {
    name: 'hingeEmbeddingLoss',
    call: (x, t) => signs(t, (s) => cr.hingeEmbeddingLoss(x, s, { margin: 0.9 })),
    inputs: [[drawn([3, 4]), bits([3, 4])]],
    reference: ['hinge_embedding_loss'],
    errors: [
      ['shape', () => cr.hingeEmbeddingLoss(vector, two)],
      ['option', () => cr.hingeEmbeddingLoss(vector, vector, bad({ p: 1 }))],
    ],
  },
  {
    name: 'marginRankingLoss',
    call: (x, y, t) => signs(t, (s) => cr.marginRankingLoss(x, y, s, { margin: 0.3 })),
    inputs: [
      [...pair, bits([3, 4])],
      [drawn([3, 1]), drawn([3, 4]), bits([1])],
    ],
    reference: ['margin_ranking_loss'],
    empty: [drawn([0, 4]), drawn([0, 4]), bits([0, 4])],
    errors: [
      ['shape', () => cr.marginRankingLoss(vector, two, vector)],
      ['shape', () => cr.marginRankingLoss(vector, vector, two)],
      ['option', () => cr.marginRankingLoss(vector, vector, vector, bad({ p: 1 }))],
    ],
  },
  {
    name: 'cosineEmbeddingLoss',
    call: (x, y, t) => signs(t, (s) => cr.cosineEmbeddingLoss(x, y, s, { margin: 0.1 })),
    inputs: [
      [...pair, bits([3])],
      [drawn([4]), drawn([4]), bits([])],
    ],
    reference: ['cosine_embedding_loss'],
    empty: [drawn([0, 4]), drawn([0, 4]), bits([0])],
    errors: [
      ['shape', () => cr.cosineEmbeddingLoss(vector, two, tensor(1))],
      ['shape', () => cr.cosineEmbeddingLoss(vector, vector, vector)],
      ['option', () => cr.cosineEmbeddingLoss(vector, vector, tensor(1), bad({ p: 1 }))],
    ],
  },
  {
    name: 'tripletMarginLoss',
    call: (a, p, n) => cr.tripletMarginLoss(a, p, n, { swap: true, margin: 2 }),
    inputs: [[...pair, drawn([3, 4])]],
    reference: ['triplet_margin_loss'],
    errors: [
      ['shape', () => cr.tripletMarginLoss(vector, vector, two)],
      ['value', () => cr.tripletMarginLoss(vector, vector, vector, { p: -1 })],
      ['option', () => cr.tripletMarginLoss(vector, vector, vector, bad({ keepdim: true }))],
    ],
  },
  {
    name: 'multiMarginLoss',
    call: (x, t) => weights(x, (weight) => cr.multiMarginLoss(x, t, { p: 2, weight })),
    inputs: [
      [drawn([3, 4]), { shape: [3], range: [0, 4], integer: true }],
      [drawn([4]), { shape: [], range: [0, 4], integer: true }],
    ],
    reference: ['multi_margin_loss'],
    empty: [drawn([0, 4]), { shape: [0], range: [0, 4], integer: true }],
    errors: [
      ['index', () => cr.multiMarginLoss(vector, tensor(3, { dtype: 'int32' }))],
      ['index', () => cr.multiMarginLoss(vector, tensor(-1, { dtype: 'int32' }))],
      ['dtype', () => cr.multiMarginLoss(vector, tensor(1))],
      ['shape', () => cr.multiMarginLoss(vector, two)],
      ['shape', () => cr.multiMarginLoss(vector, tensor(1, { dtype: 'int32' }), { weight: two })],
      ['value', () => cr.multiMarginLoss(vector, tensor(1, { dtype: 'int32' }), { p: bad(3) })],
      ['option', () => cr.multiMarginLoss(vector, tensor(1, { dtype: 'int32' }), bad({ swap: true }))],
    ],
  },
  {
    name: 'multilabelMarginLoss',
    call: (x, t) => cr.multilabelMarginLoss(x, t, { reduction: 'none' }),
    inputs: [
      [drawn([3, 4]), { shape: [3, 4], range: [-1, 4], integer: true }],
      [drawn([4]), { shape: [4], range: [-1, 4], integer: true }],
    ],
    reference: ['multilabel_margin_loss'],
    errors: [
      ['index', () => cr.multilabelMarginLoss(vector, tensor([0, 3, 1], { dtype: 'int32' }))],
      ['dtype', () => cr.multilabelMarginLoss(vector, vector)],
      ['shape', () => cr.multilabelMarginLoss(vector, two)],
      ['option', () => cr.multilabelMarginLoss(vector, vector, bad({ margin: 1 }))],
    ],
  },
];

export const lossMore: readonly Row[] = [...regression, ...probability, ...margin];
