// Rows of losses.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

export const loss: readonly Row[] = [
  {
    name: 'mseLoss',
    call: (x, y) => cr.mseLoss(x, y),
    inputs: [[drawn([3, 4]), drawn([3, 4])]],
    reference: ['mse_loss'],
    errors: [['value', () => cr.mseLoss(vector, vector, bad({ reduction: 'avg' }))]],
  },
  {
    name: 'l1Loss',
    call: (x, y) => cr.l1Loss(x, y, { reduction: 'sum' }),
    inputs: [[drawn([3, 4]), drawn([3, 4])]],
    reference: ['l1_loss'],
    errors: [['option', () => cr.l1Loss(vector, vector, bad({ reduce: 'mean' }))]],
  },
  {
    name: 'binaryCrossEntropyWithLogits',
    call: (x, y) => cr.binaryCrossEntropyWithLogits(x, y.sigmoid(), { posWeight: tensor([1, 2, 3, 4]).to(x.dtype) }),
    inputs: [[drawn([3, 4]), drawn([3, 4])]],
    reference: ['binary_cross_entropy_with_logits'],
    errors: [['shape', () => cr.binaryCrossEntropyWithLogits(vector, tensor([1, 2]))]],
  },
  {
    name: 'nllLoss',
    call: (x, t) => cr.nllLoss(x, t, { weight: tensor([1, 2, 0.5]).to(x.dtype) }),
    inputs: [
      [drawn([4, 3]), { shape: [4], range: [0, 3], integer: true }],
      [drawn([2, 3, 5]), { shape: [2, 5], range: [0, 3], integer: true }],
    ],
    reference: ['nll_loss'],
    empty: null,
    nan: false,
    errors: [
      ['index', () => cr.nllLoss(cr.zeros([1, 3]), ints([3]))],
      ['shape', () => cr.nllLoss(cr.zeros([2, 3]), ints([0]))],
      ['dtype', () => cr.nllLoss(cr.zeros([1, 3]), tensor([0]))],
    ],
  },
  {
    name: 'crossEntropy',
    call: (x, t) => cr.crossEntropy(x, t, { ignoreIndex: 1 }),
    inputs: [
      [drawn([6, 3]), { shape: [6], range: [0, 3], integer: true }],
      [drawn([2, 3, 5]), { shape: [2, 5], range: [0, 3], integer: true }],
    ],
    reference: ['cross_entropy'],
    empty: null,
    nan: false,
    errors: [
      ['index', () => cr.crossEntropy(cr.zeros([1, 3]), ints([-1]))],
      ['value', () => cr.crossEntropy(cr.zeros([1, 3]), ints([1]), { labelSmoothing: 2 })],
      ['shape', () => cr.crossEntropy(cr.zeros([1, 3]), ints([1]), { weight: vector.at(cr.slice(0, 2)) })],
    ],
  },
];
