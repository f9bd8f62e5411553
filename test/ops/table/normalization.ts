// Rows of normalisations over batches, layers, groups, instances and neighbouring channels.
import * as cr from 'chainrule';
import { tensor } from 'chainrule';
import { own } from './own.js';
import { bad, drawn, ints, type Row, vector } from './row.js';

const x3 = cr.zeros([2, 3, 4]);
const stat = [drawn([3]), drawn([3])];

export const normalization: readonly Row[] = [
  {
    name: 'layerNorm',
    call: (x, weight, bias) => cr.layerNorm(x, [4], { weight, bias }),
    inputs: [
      [drawn([3, 4]), drawn([4]), drawn([4])],
      [drawn([2, 3, 4]), drawn([4]), drawn([4])],
    ],
    reference: ['layer_norm'],
    empty: [drawn([0, 4]), drawn([4]), drawn([4])],
    errors: [
      ['shape', () => cr.layerNorm(vector, [2])],
      ['shape', () => cr.layerNorm(vector, [3], { weight: tensor([1]) })],
      ['dtype', () => cr.layerNorm(ints([1, 2]), [2])],
      ['dtype', () => cr.layerNorm(vector, [3], { bias: vector.to('float64') })],
      ['option', () => cr.layerNorm(vector, [3], bad({ epsilon: 1 }))],
    ],
  },
  {
    name: 'rmsNorm',
    call: (x, weight) => cr.rmsNorm(x, [4], { weight, eps: 1e-3 }),
    inputs: [
      [drawn([3, 4]), drawn([4])],
      [drawn([2, 3, 4]), drawn([4])],
    ],
    empty: [drawn([0, 4]), drawn([4])],
    errors: [
      ['shape', () => cr.rmsNorm(vector, [2])],
      ['shape', () => cr.rmsNorm(vector, [3], { weight: tensor([1]) })],
      ['dtype', () => cr.rmsNorm(ints([1, 2]), [2])],
      ['value', () => cr.rmsNorm(vector, [3], { eps: -1 })],
      ['option', () => cr.rmsNorm(vector, [3], bad({ bias: vector }))],
    ],
  },
  {
    name: 'groupNorm',
    call: (x, weight, bias) => cr.groupNorm(x, 2, { weight, bias }),
    inputs: [
      [drawn([3, 4, 2]), drawn([4]), drawn([4])],
      [drawn([3, 4]), drawn([4]), drawn([4])],
    ],
    reference: ['group_norm'],
    empty: [drawn([0, 4]), drawn([4]), drawn([4])],
    errors: [
      ['shape', () => cr.groupNorm(vector, 1)],
      ['shape', () => cr.groupNorm(x3, 2)],
      ['shape', () => cr.groupNorm(x3, 3, { weight: tensor([1]) })],
      ['value', () => cr.groupNorm(x3, 0)],
      ['option', () => cr.groupNorm(x3, 3, bad({ affine: true }))],
    ],
  },
  {
    name: 'batchNorm',
    call: (x, weight, bias) => cr.batchNorm(x, null, null, { weight, bias, training: true }),
    inputs: [
      [drawn([5, 3]), ...stat],
      [drawn([2, 3, 4]), ...stat],
    ],
    reference: ['batch_norm'],
    empty: null,
    errors: [
      ['shape', () => cr.batchNorm(vector, null, null, { training: true })],
      ['shape', () => cr.batchNorm(cr.zeros([1, 3]), null, null, { training: true })],
      ['shape', () => cr.batchNorm(x3, tensor([1]), vector)],
      ['value', () => cr.batchNorm(x3, null, vector)],
      ['option', () => cr.batchNorm(x3, vector, vector, bad({ train: true }))],
    ],
  },
  {
    name: 'batchNorm',
    call: (x, weight, bias) =>
      own(
        () => tensor([1, 2, 0.5]).to(x.dtype),
        (stats) => cr.batchNorm(x, stats, stats, { weight, bias }),
      ),
    inputs: [[drawn([2, 3, 4]), ...stat]],
    empty: [drawn([0, 3]), ...stat],
  },
  {
    name: 'instanceNorm',
    call: (x, weight, bias) => cr.instanceNorm(x, { weight, bias }),
    inputs: [[drawn([2, 3, 4]), ...stat]],
    reference: ['instance_norm'],
    empty: [drawn([0, 3, 4]), ...stat],
    errors: [
      ['shape', () => cr.instanceNorm(cr.zeros([2, 3]))],
      ['shape', () => cr.instanceNorm(cr.zeros([2, 3, 1]))],
      ['value', () => cr.instanceNorm(x3, { useInputStats: false })],
      ['option', () => cr.instanceNorm(x3, bad({ training: true }))],
    ],
  },
  {
    name: 'localResponseNorm',
    call: (x) => cr.localResponseNorm(x, 2, { alpha: 0.5 }),
    inputs: [[drawn([2, 3, 4])], [drawn([1, 3, 2, 2])]],
    reference: ['local_response_norm'],
    errors: [
      ['shape', () => cr.localResponseNorm(vector, 2)],
      ['value', () => cr.localResponseNorm(x3, 0)],
      ['option', () => cr.localResponseNorm(x3, 2, bad({ a: 1 }))],
    ],
  },
];
