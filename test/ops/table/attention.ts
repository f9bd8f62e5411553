// Rows of attention.
import * as cr from 'chainrule';
import { bad, drawn, type Row } from './row.js';

const q = cr.zeros([3, 4]);
const parts = { inWeight: cr.zeros([12, 4]), outWeight: cr.zeros([4, 4]) };

export const attention: readonly Row[] = [
  {
    name: 'scaledDotProductAttention',
    call: (x, k, v) => cr.scaledDotProductAttention(x, k, v),
    inputs: [
      [drawn([3, 4]), drawn([5, 4]), drawn([5, 2])],
      [drawn([2, 2, 3, 4]), drawn([2, 2, 5, 4]), drawn([2, 2, 5, 4])],
    ],
    reference: ['scaled_dot_product_attention'],
    empty: [drawn([0, 3, 4]), drawn([0, 5, 4]), drawn([0, 5, 4])],
    errors: [
      ['shape', () => cr.scaledDotProductAttention(cr.zeros([4]), q, q)],
      ['shape', () => cr.scaledDotProductAttention(q, cr.zeros([5, 3]), q)],
      ['shape', () => cr.scaledDotProductAttention(q, cr.zeros([5, 4]), q)],
      ['shape', () => cr.scaledDotProductAttention(q, q, q, { attnMask: cr.zeros([2, 3]) })],
      ['shape', () => cr.scaledDotProductAttention(q, q, q, { attnMask: cr.zeros([1, 3, 3]) })],
      ['dtype', () => cr.scaledDotProductAttention(q, q, q.to('float64'))],
      ['dtype', () => cr.scaledDotProductAttention(q, q, q, { attnMask: cr.zeros([3, 3], { dtype: 'int32' }) })],
      ['value', () => cr.scaledDotProductAttention(q, q, q, { attnMask: cr.zeros([3, 3]), isCausal: true })],
      ['value', () => cr.scaledDotProductAttention(q, q, q, { dropoutP: 2 })],
      ['option', () => cr.scaledDotProductAttention(q, q, q, bad({ causal: true }))],
    ],
  },
  {
    name: 'scaledDotProductAttention',
    call: (x, k, v) => cr.scaledDotProductAttention(x, k, v, { isCausal: true, scale: 0.7 }),
    inputs: [[drawn([2, 4, 3]), drawn([2, 4, 3]), drawn([2, 4, 2])]],
    empty: [drawn([2, 0, 3]), drawn([2, 0, 3]), drawn([2, 0, 2])],
  },
  {
    name: 'scaledDotProductAttention',
    call: (x, k, v, attnMask) => cr.scaledDotProductAttention(x, k, v, { attnMask }),
    inputs: [
      [drawn([2, 3, 4]), drawn([2, 5, 4]), drawn([2, 5, 4]), drawn([3, 5])],
      [drawn([2, 3, 4]), drawn([2, 5, 4]), drawn([2, 5, 4]), drawn([2, 1, 5])],
    ],
    empty: [drawn([0, 3, 4]), drawn([0, 5, 4]), drawn([0, 5, 4]), drawn([3, 5])],
  },
  {
    name: 'scaledDotProductAttention',
    call: (x, k, v) =>
      cr.scope(() => cr.scaledDotProductAttention(x, k, v, { attnMask: cr.ones([3, 5]).tril(1).to('bool') })),
    inputs: [
      [drawn([2, 3, 4]), drawn([2, 5, 4]), drawn([2, 5, 4])],
      [drawn([3, 4]), drawn([2, 1, 5, 4]), drawn([3, 5, 2])],
    ],
    empty: [drawn([0, 3, 4]), drawn([0, 5, 4]), drawn([0, 5, 4])],
  },
  {
    name: 'scaledDotProductAttention',
    call: (x, k, v) =>
      cr.scope(() => {
        const added = cr.nn.Transformer.generateSquareSubsequentMask(4).to(x.dtype).narrow(0, 1, 3);
        return cr.scaledDotProductAttention(x, k, v, { attnMask: added.expand([2, 3, 4]) });
      }),
    inputs: [[drawn([2, 3, 4]), drawn([2, 4, 4]), drawn([2, 4, 4])]],
    empty: [drawn([2, 3, 0]), drawn([2, 4, 0]), drawn([2, 4, 4])],
  },
  {
    name: 'multiHeadAttention',
    call: (x, k, inWeight, inBias, outWeight, outBias) =>
      cr.multiHeadAttention(x, k, k, 2, { inWeight, inBias, outWeight, outBias }, { needWeights: false })[0],
    inputs: [
      [drawn([3, 2, 4]), drawn([5, 2, 4]), drawn([12, 4]), drawn([12]), drawn([4, 4]), drawn([4])],
      [drawn([3, 4]), drawn([5, 4]), drawn([12, 4]), drawn([12]), drawn([4, 4]), drawn([4])],
    ],
    reference: ['MultiheadAttention'],
    empty: [drawn([0, 2, 4]), drawn([5, 2, 4]), drawn([12, 4]), drawn([12]), drawn([4, 4]), drawn([4])],
    errors: [
      ['shape', () => cr.multiHeadAttention(q, q, cr.zeros([2, 4]), 2, parts)],
      ['shape', () => cr.multiHeadAttention(q, q, cr.zeros([3, 1, 4]), 2, parts)],
      ['shape', () => cr.multiHeadAttention(q, q, q, 2, parts, { attnMask: cr.zeros([2, 3]) })],
      ['shape', () => cr.multiHeadAttention(q, q, q, 2, parts, { keyPaddingMask: cr.zeros([4]) })],
      ['dtype', () => cr.multiHeadAttention(q, q, q, 2, parts, { attnMask: cr.zeros([3, 3], { dtype: 'int32' }) })],
      ['value', () => cr.multiHeadAttention(q, q, q, 3, parts)],
      ['option', () => cr.multiHeadAttention(q, q, q, 2, parts, bad({ dropout: 0.1 }))],
    ],
  },
  {
    name: 'multiHeadAttention',
    call: (x, weight, key, value) =>
      cr.scope(() => {
        const outWeight = weight.narrow(0, 0, 4);
        const options = { addZeroAttn: true, batchFirst: true, averageAttnWeights: false };
        const own = { inWeight: weight, outWeight, extra: [key, value] as const };
        return cr.multiHeadAttention(x, x, x, 2, own, options)[1] as cr.Tensor;
      }),
    inputs: [[drawn([2, 3, 4]), drawn([12, 4]), drawn([1, 1, 4]), drawn([1, 1, 4])]],
    empty: [drawn([0, 3, 4]), drawn([12, 4]), drawn([1, 1, 4]), drawn([1, 1, 4])],
  },
];
