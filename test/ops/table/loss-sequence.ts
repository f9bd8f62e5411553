// Rows of the loss of sequences, of the focal and of the contrastive loss.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { own } from './own.js';
import { bad, drawn, ints, type Row, vector } from './row.js';

const LABELS: Record<string, () => cr.Tensor> = {
  padded: () => ints([1, 1, 2, 3, 9, 9]).reshape([2, 3]),
  concatenated: () => ints([1, 1, 2, 3]),
};
const frames = cr.zeros([4, 2, 3]).logSoftmax(2);
const codes = ints([1, 2, 1]);

const sequence: readonly Row[] = Object.values(LABELS).flatMap((labels) =>
  (['mean', 'sum', 'none'] as const).map(
    (reduction): Row => ({
      name: 'ctcLoss',
      // Two labels that are the same, and a sample of fewer labels and steps.
      call: (x) => own(labels, (targets) => cr.ctcLoss(x, targets, [7, 5], [3, 1], { reduction })),
      inputs: [[drawn([7, 2, 4], [-4, -0.1])]],
      reference: ['ctc_loss'],
      derivatives: 1,
      empty: null,
      errors: [
        ['value', () => cr.ctcLoss(frames, codes, [5, 4], [2, 1])],
        ['value', () => cr.ctcLoss(frames, codes, [-1, 4], [2, 1])],
        ['value', () => cr.ctcLoss(frames, codes, [4, 4], [2, 2])],
        ['value', () => cr.ctcLoss(frames, codes, [4, 4], [4, -1])],
        ['value', () => cr.ctcLoss(frames, codes, [4, 0.5], [2, 1])],
        ['value', () => cr.ctcLoss(frames, ints([1, 2, 1, 2]).reshape([2, 2]), [4, 4], [3, 1])],
        ['value', () => cr.ctcLoss(frames, codes, [4, 4], [2, 1], { blank: 3 })],
        ['value', () => cr.ctcLoss(frames, codes, bad(null), [2, 1])],
        ['value', () => cr.ctcLoss(frames, codes, [4, 4], [2, 1], { zeroInfinity: bad(1) })],
        ['value', () => cr.ctcLoss(frames, codes, [4, 4], [2, 1], { reduction: bad('avg') })],
        ['index', () => cr.ctcLoss(frames, ints([1, 3, 1]), [4, 4], [2, 1])],
        ['index', () => cr.ctcLoss(frames, ints([1, 2, -1]), [4, 4], [2, 1])],
        ['shape', () => cr.ctcLoss(frames, codes, [4], [2, 1])],
        ['shape', () => cr.ctcLoss(frames, codes.reshape([3, 1]), [4, 4], [1, 1])],
        ['shape', () => cr.ctcLoss(frames, tensor(1).to('int32'), [4, 4], [1, 1])],
        ['shape', () => cr.ctcLoss(vector, codes, 3, 3)],
        ['dtype', () => cr.ctcLoss(frames, vector, [4, 4], [2, 1])],
        ['dtype', () => cr.ctcLoss(frames, codes, tensor([4, 4]), [2, 1])],
        ['dtype', () => cr.ctcLoss(cr.zeros([4, 2, 3], { dtype: 'int32' }), codes, [4, 4], [2, 1])],
        ['option', () => cr.ctcLoss(frames, codes, [4, 4], [2, 1], bad({ zero_infinity: true }))],
      ],
    }),
  ),
);

const bits = { shape: [3, 4], range: [0, 2], integer: true } as const;
const focal: readonly Row[] = [{}, { alpha: -1, gamma: 0.5, reduction: 'sum' }, { gamma: 0, reduction: 'mean' }].map(
  (options) => ({
    name: 'sigmoidFocalLoss',
    call: (x, y) => cr.sigmoidFocalLoss(x, y, options as cr.FocalOptions),
    inputs: [
      [drawn([3, 4]), bits],
      [drawn([3, 4]), drawn([3, 4], [0.1, 0.9])],
    ],
    errors: [
      ['shape', () => cr.sigmoidFocalLoss(vector, tensor([1]))],
      ['value', () => cr.sigmoidFocalLoss(vector, vector, { gamma: -1 })],
      ['value', () => cr.sigmoidFocalLoss(vector, vector, { alpha: 2 })],
      ['value', () => cr.sigmoidFocalLoss(vector, vector, { reduction: bad('avg') })],
      ['option', () => cr.sigmoidFocalLoss(vector, vector, bad({ beta: 1 }))],
    ],
  }),
);

const contrastive: Row = {
  name: 'contrastiveLoss',
  call: (x, y, t) => cr.contrastiveLoss(x, y, t, { margin: 3 }),
  inputs: [
    [drawn([3, 4]), drawn([3, 4]), { shape: [3], range: [0, 2], integer: true }],
    [drawn([2, 1, 4]), drawn([3, 4]), { shape: [2, 3], range: [0, 2], integer: true }],
  ],
  empty: [drawn([0, 4]), drawn([4]), { shape: [0], range: [0, 2], integer: true }],
  errors: [
    ['shape', () => cr.contrastiveLoss(vector, tensor([1, 2]), tensor(1))],
    ['shape', () => cr.contrastiveLoss(vector, vector, vector)],
    ['shape', () => cr.contrastiveLoss(tensor(1), tensor(1), tensor(1))],
    ['value', () => cr.contrastiveLoss(vector, vector, tensor(1), { margin: -1 })],
    ['dtype', () => cr.contrastiveLoss(vector, ints([1, 2, 3]), tensor(1))],
    ['option', () => cr.contrastiveLoss(vector, vector, tensor(1), bad({ p: 2 }))],
  ],
};

export const lossSequence: readonly Row[] = [...sequence, ...focal, contrastive];
