// Rows of elementwise functions of two and three operands.
import * as cr from 'chainrule';
import { bad, drawn, pairs, type Row, binary as row, vector } from './row.js';

const bools = cr.tensor([true, false]);
const nan = { nan: false };
const away = pairs([-2, 2], [0.6, 2]);

const three = (name: 'addcmul' | 'addcdiv'): Row => ({
  name,
  call: (x, a, b) => cr[name](x, a, b, { value: -1.5 }),
  inputs: [
    [drawn([3, 4]), drawn([3, 4]), drawn([3, 4], [0.5, 2])],
    [drawn([3, 4]), drawn([3, 1]), drawn([4], [0.5, 2])],
    [drawn([4]), drawn([3, 1]), drawn([], [0.5, 2])],
  ],
  reference: [name],
  empty: [drawn([0, 3]), drawn([3]), drawn([])],
  errors: [
    ['shape', () => cr[name](vector, cr.zeros([2]), vector)],
    ['shape', () => cr[name](cr.zeros([2]), vector, vector)],
    ['value', () => cr[name](vector, bad(2), vector)],
    ['option', () => cr[name](vector, vector, vector, bad({ alpha: 1 }))],
  ],
});

export const binary: readonly Row[] = [
  row('add', 'add'),
  row('add', 'add', {
    call: (a, b) => cr.add(a, b, { alpha: 2.5 }),
    errors: [
      ['option', () => cr.add(vector, vector, bad({ beta: 1 }))],
      ['value', () => cr.add(vector, vector, { alpha: bad('1') })],
      ['value', () => cr.add(vector, bad('x'), { alpha: 2 })],
    ],
  }),
  row('sub', 'sub'),
  row('sub', 'sub', {
    call: (a, b) => cr.sub(a, b, { alpha: -0.5 }),
    errors: [
      ['option', () => cr.sub(vector, vector, bad({ beta: 1 }))],
      ['dtype', () => cr.sub(bools, bools)],
    ],
  }),
  row('mul', 'mul'),
  row('pow', 'pow', { inputs: pairs([0.3, 2]) }),
  row('maximum', 'maximum'),
  row('minimum', 'minimum'),
  row('fmax', 'fmax', nan),
  row('fmin', 'fmin', nan),

  row('div', 'div', { inputs: away }),
  row('div', 'div', {
    call: (a, b) => cr.div(a, b, { roundingMode: 'trunc' }),
    inputs: away,
    derivatives: 1,
    errors: [
      ['option', () => cr.div(vector, 2, bad({ rounding: 'floor' }))],
      ['value', () => cr.div(vector, 2, bad({ roundingMode: 'ceil' }))],
      ['value', () => cr.div(vector, bad('x'), { roundingMode: 'trunc' })],
      ['dtype', () => cr.div(bools, bools, { roundingMode: 'trunc' })],
    ],
  }),
  row('floorDivide', 'floor_divide', { inputs: away, derivatives: 1 }),
  row('remainder', 'remainder', { inputs: away, derivatives: 1 }),
  row('fmod', 'fmod', { inputs: away, derivatives: 1 }),

  row('atan2', 'atan2', { inputs: pairs([0.2, 2], [-2, -0.3]) }),
  row('hypot', 'hypot', { inputs: pairs([0.2, 2], [-2, -0.3]) }),
  row('logaddexp', 'logaddexp'),
  row('copysign', 'copysign', { derivatives: 1 }),
  row('xlogy', 'xlogy', { inputs: pairs([0.2, 2], [0.3, 2]) }),
  row('ldexp', 'ldexp', {
    errors: [
      ['shape', () => cr.ldexp(vector, cr.zeros([2]))],
      ['value', () => cr.ldexp(vector, bad('x'))],
    ],
  }),
  {
    name: 'lerp',
    call: (x, end, weight) => cr.lerp(x, end, weight ?? 0.75),
    inputs: [
      [drawn([3, 4]), drawn([3, 4])],
      [drawn([3, 4]), drawn([4]), drawn([3, 1])],
      [drawn([4]), drawn([3, 1]), drawn([])],
    ],
    reference: ['lerp'],
    empty: [drawn([0, 3]), drawn([3])],
    errors: [
      ['shape', () => cr.lerp(vector, cr.zeros([2]), 0.5)],
      ['shape', () => cr.lerp(vector, vector, cr.zeros([2]))],
      ['value', () => cr.lerp(vector, bad(1), 0.5)],
      ['value', () => cr.lerp(vector, vector, bad('0.5'))],
    ],
  },
  three('addcmul'),
  three('addcdiv'),
];
