// Rows of activations.
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, shapes, unary, vector } from './row.js';

export const activation: readonly Row[] = [
  unary('relu', 'relu'),
  unary('relu6', 'relu6', { inputs: shapes([-2, 8]) }),
  unary('leakyRelu', 'leaky_relu', {
    call: (x) => cr.leakyRelu(x, { negativeSlope: 0.1 }),
    errors: [
      ['option', () => cr.leakyRelu(vector, bad({ slope: 1 }))],
      ['value', () => cr.leakyRelu(vector, { negativeSlope: Number.NaN })],
    ],
  }),
  unary('prelu', 'prelu', {
    call: (x, weight) => cr.prelu(x, weight),
    inputs: [
      [drawn([3, 4]), drawn([4])],
      [drawn([2, 3, 4]), drawn([3])],
      [drawn([2, 3]), drawn([1])],
      [drawn([3]), drawn([])],
    ],
    grows: false,
    empty: [drawn([0, 4]), drawn([4])],
    errors: [
      ['shape', () => cr.prelu(cr.zeros([2, 3]), cr.zeros([2]))],
      ['shape', () => cr.prelu(vector, cr.zeros([1, 1]))],
      ['dtype', () => cr.prelu(ints([1]), cr.zeros([1]))],
      ['value', () => cr.prelu(vector, bad(0.1))],
    ],
  }),
  unary('elu', 'elu', {
    call: (x) => cr.elu(x, { alpha: 1.3 }),
    errors: [['option', () => cr.elu(vector, bad({ a: 1 }))]],
  }),
  unary('celu', 'celu', {
    call: (x) => cr.celu(x, { alpha: 0.7 }),
    errors: [
      ['option', () => cr.celu(vector, bad({ a: 1 }))],
      ['value', () => cr.celu(vector, { alpha: 0 })],
      ['value', () => cr.celu(bad(3))],
    ],
  }),
  unary('selu', 'selu'),
  unary('threshold', 'threshold', {
    call: (x) => cr.threshold(x, 0.5, -3),
    errors: [
      ['value', () => cr.threshold(vector, bad(undefined), 0)],
      ['value', () => cr.threshold(vector, 0, bad(undefined))],
    ],
  }),
  unary('hardtanh', 'hardtanh', {
    call: (x) => cr.hardtanh(x, { minVal: -0.8, maxVal: 1.5 }),
    errors: [
      ['option', () => cr.hardtanh(vector, bad({ min: 0 }))],
      ['value', () => cr.hardtanh(vector, { minVal: 2 })],
    ],
  }),
  unary('hardsigmoid', 'hardsigmoid', { inputs: shapes([-5, 5]), derivatives: 1 }),
  unary('hardswish', 'hardswish', { inputs: shapes([-5, 5]) }),
  unary('softshrink', 'softshrink', {
    nan: false,
    errors: [
      ['option', () => cr.softshrink(vector, bad({ lambda: 1 }))],
      ['value', () => cr.softshrink(vector, { lambd: -1 })],
    ],
  }),
  unary('hardshrink', 'hardshrink', { errors: [['option', () => cr.hardshrink(vector, bad({ lambda: 1 }))]] }),

  unary('logSigmoid', 'logsigmoid'),
  unary('softplus', 'softplus', {
    call: (x) => cr.softplus(x, { beta: 2, threshold: 3 }),
    errors: [
      ['option', () => cr.softplus(vector, bad({ b: 1 }))],
      ['value', () => cr.softplus(vector, { beta: 0 })],
    ],
  }),
  unary('bnll', 'bnll', { reference: [] }),
  unary('silu', 'silu'),
  unary('gelu', 'gelu'),
  unary('gelu', 'gelu', {
    call: (x) => cr.gelu(x, { approximate: 'tanh' }),
    errors: [
      ['option', () => cr.gelu(vector, bad({ form: 'tanh' }))],
      ['value', () => cr.gelu(vector, bad({ approximate: 'erf' }))],
    ],
  }),
  unary('mish', 'mish'),
  unary('softsign', 'softsign'),
  unary('tanhshrink', 'tanhshrink'),
  unary('glu', 'glu', {
    call: (x) => cr.glu(x, 1),
    inputs: [[drawn([3, 4])], [drawn([2, 6, 3])]],
    errors: [
      ['axis', () => cr.glu(vector, 1)],
      ['shape', () => cr.glu(vector)],
      ['value', () => cr.glu(bad(3))],
    ],
  }),
  unary('maxout', 'maxout', {
    call: (x) => cr.maxout(x, 2),
    inputs: [[drawn([3, 4])], [drawn([2, 6, 3])]],
    reference: [],
    errors: [
      ['axis', () => cr.maxout(vector, 3)],
      ['shape', () => cr.maxout(vector, 2, 0)],
      ['value', () => cr.maxout(vector, 0, 0)],
    ],
  }),
  unary('softmin', 'softmin', {
    call: (x) => cr.softmin(x, -1),
    inputs: [[drawn([3, 4])], [drawn([2, 3, 4])]],
    errors: [['axis', () => cr.softmin(vector, 1)]],
  }),
];
