// Rows of elementwise functions of one tensor: signs, roots, exponentials, trigonometry, rounding, special functions.
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, unary as row, shapes, vector } from './row.js';

const positive = { inputs: shapes([0.2, 3]) };
const inside = { inputs: shapes([-0.9, 0.9]) };

export const unary: readonly Row[] = [
  row('neg', 'neg'),
  row('abs', 'abs'),
  row('sign', 'sign', { derivatives: 1, nan: false }),
  row('square', 'square'),
  row('sqrt', 'sqrt', positive),
  row('rsqrt', 'rsqrt', positive),
  row('reciprocal', 'reciprocal', positive),

  row('exp', 'exp'),
  row('expm1', 'expm1'),
  row('exp2', 'exp2'),
  row('log', 'log', positive),
  row('log1p', 'log1p', { inputs: shapes([-0.8, 2]) }),
  row('log2', 'log2', positive),
  row('log10', 'log10', positive),
  row('sigmoid', 'sigmoid'),
  row('logit', 'logit', {
    call: (x) => cr.logit(x, { eps: 0.125 }),
    inputs: shapes([0.01, 0.99]),
    errors: [
      ['option', () => cr.logit(vector, bad({ epsilon: 0.1 }))],
      ['value', () => cr.logit(vector, { eps: 0.7 })],
      ['value', () => cr.logit(bad(3))],
    ],
  }),

  row('sin', 'sin'),
  row('cos', 'cos'),
  row('tan', 'tan', { inputs: shapes([-1.3, 1.3]) }),
  row('asin', 'asin', inside),
  row('acos', 'acos', inside),
  row('atan', 'atan'),
  row('sinh', 'sinh'),
  row('cosh', 'cosh'),
  row('tanh', 'tanh'),
  row('asinh', 'asinh'),
  row('acosh', 'acosh', { inputs: shapes([1.1, 4]) }),
  row('atanh', 'atanh', inside),
  row('deg2rad', 'deg2rad'),
  // No reference case; deg2rad has one, and they undo each other (test/ops/elementwise.test.ts).
  row('rad2deg', 'rad2deg', { reference: [] }),

  row('erf', 'erf'),
  row('erfc', 'erfc'),
  row('erfinv', 'erfinv', inside),
  row('lgamma', 'lgamma', { inputs: [...shapes([0.3, 4]), [drawn([5], [-1.9, -1.1])]] }),
  row('digamma', 'digamma', { inputs: [...shapes([0.5, 4]), [drawn([5], [-1.8, -1.2])]] }),
  row('polygamma', 'polygamma', {
    call: (x) => cr.polygamma(x, 2),
    inputs: [...shapes([0.7, 4]), [drawn([5], [-1.7, -1.3])]],
    reference: [],
    errors: [
      ['value', () => cr.polygamma(vector, -1)],
      ['value', () => cr.polygamma(vector, 0.5)],
    ],
  }),

  row('floor', 'floor', { derivatives: 1 }),
  row('ceil', 'ceil', { derivatives: 1 }),
  row('round', 'round', {
    call: (x) => cr.round(x, { decimals: 1 }),
    derivatives: 1,
    errors: [
      ['option', () => cr.round(vector, bad({ digits: 1 }))],
      ['value', () => cr.round(vector, { decimals: 0.5 })],
      ['dtype', () => cr.round(ints([1]), { decimals: 1 })],
      ['value', () => cr.round(bad(3))],
    ],
  }),
  row('trunc', 'trunc', { derivatives: 1 }),
  row('frac', 'frac', { derivatives: 1 }),
  row('clamp', 'clamp', {
    call: (x, min, max) => cr.clamp(x, min ?? -1, max ?? null),
    inputs: [
      ...shapes(),
      [drawn([3, 4]), drawn([4]), drawn([3, 1])],
      [drawn([2, 2]), drawn([]), drawn([2, 2], [1, 3])],
    ],
    errors: [
      ['value', () => cr.clamp(vector)],
      ['value', () => cr.clamp(vector, bad('0'))],
      ['shape', () => cr.clamp(vector, 0, cr.zeros([2]))],
      ['value', () => cr.clamp(bad(3), 0)],
    ],
  }),
  row('heaviside', 'heaviside', {
    call: (x, values) => cr.heaviside(x, values),
    inputs: [[drawn([3, 4]), drawn([4])]],
    grows: false,
    derivatives: 0,
    empty: [drawn([0, 4]), drawn([4])],
    nan: false,
    errors: [
      ['shape', () => cr.heaviside(vector, cr.zeros([2]))],
      ['value', () => cr.heaviside(vector, bad(null))],
    ],
  }),
  row('nanToNum', 'nan_to_num', {
    call: (x) => cr.nanToNum(x, { nan: 1 }),
    derivatives: 1,
    nan: false,
    errors: [
      ['option', () => cr.nanToNum(vector, bad({ posInf: 1 }))],
      ['value', () => cr.nanToNum(vector, { nan: bad('0') })],
      ['value', () => cr.nanToNum(bad(3))],
    ],
  }),
];
