// Rows of special functions, of bits and parts of numbers, and of closeness.
import * as cr from 'chainrule';
import { type Tensor, tensor } from 'chainrule';
import { bad, binary, drawn, ints, pairs, type Row, unary, vector } from './row.js';

type Whole = 'bitwiseAnd' | 'bitwiseOr' | 'bitwiseXor' | 'bitwiseLeftShift' | 'bitwiseRightShift' | 'gcd' | 'lcm';
const whole = (name: Whole, high = 40): Row => ({
  name,
  call: cr[name] as (a: Tensor, b: Tensor) => Tensor,
  inputs: [
    [
      { shape: [3, 4], range: [-40, 40], integer: true },
      { shape: [3, 4], range: [0, high], integer: true },
    ],
    [
      { shape: [3, 4], range: [-40, 40], integer: true },
      { shape: [4], range: [0, high], integer: true },
    ],
  ],
  derivatives: 0,
  nan: false,
  grows: true,
  errors: [
    ['dtype', () => cr[name](vector, 1)],
    ['dtype', () => cr[name](ints([1]), 1.5)],
    ['shape', () => cr[name](ints([1, 2]), ints([1, 2, 3]))],
    ['value', () => cr[name](1, 2)],
    ['value', () => cr[name](ints([1]), bad('1'))],
    ...(name.startsWith('bitwise') && !name.endsWith('Shift')
      ? []
      : ([['dtype', () => cr[name](tensor([true]), tensor([true]))]] as const)),
  ],
});

type Closeness = 'isclose' | 'allclose';
const close = (name: Closeness): Row => ({
  name,
  call: (a, b) => {
    const y = cr[name](a, b, { atol: 0.5 });
    return typeof y === 'boolean' ? tensor(y) : y;
  },
  inputs: pairs(),
  derivatives: 0,
  nan: false,
  empty: [drawn([0, 3]), drawn([3])],
  errors: [
    ['dtype', () => cr[name](vector, ints([1, 2, 3]))],
    ['shape', () => cr[name](vector, cr.zeros([2]))],
    ['value', () => cr[name](vector, vector, { rtol: -1 })],
    ['value', () => cr[name](vector, vector, { atol: Number.NaN })],
    ['option', () => cr[name](vector, vector, bad({ equal_nan: true }))],
  ],
});

const test = (name: 'isPosInf' | 'isNegInf' | 'signbit'): Row =>
  unary(name, '', { reference: [], derivatives: 0, nan: false });

const incomplete = (name: 'igamma' | 'igammac'): Row => ({
  name,
  // No gradient of the first operand is known.
  call: (x) => cr.scope(() => cr[name](tensor([[0.3], [1], [6]], { dtype: x.dtype }), x)),
  inputs: [[drawn([3, 4], [0.2, 8])], [drawn([2, 3, 1], [0.2, 8])]],
  empty: [drawn([3, 0])],
  errors: [
    ['value', () => cr[name](vector, bad(3))],
    ['shape', () => cr[name](vector, cr.ones([2]))],
    [
      'grad',
      () =>
        cr[name](tensor([1], { requiresGrad: true }), tensor([1]))
          .sum()
          .backward(),
    ],
  ],
});

export const numbers: readonly Row[] = [
  unary('i0', '', { reference: [] }),
  unary('i1', '', { reference: [] }),
  unary('sinc', '', { reference: [] }),
  {
    name: 'mvlgamma',
    call: (x) => x.mvlgamma(3),
    inputs: [[drawn([3, 4], [1.5, 4])], [drawn([], [1.5, 4])]],
    errors: [
      ['value', () => vector.mvlgamma(0)],
      ['value', () => vector.mvlgamma(1.5)],
      ['dtype', () => ints([3]).mvlgamma(1)],
    ],
  },
  incomplete('igamma'),
  incomplete('igammac'),
  binary('logaddexp2', '', { reference: [] }),
  binary('floatPower', '', { reference: [], inputs: pairs([0.5, 2]) }),
  whole('bitwiseAnd'),
  whole('bitwiseOr'),
  whole('bitwiseXor'),
  whole('bitwiseLeftShift', 34),
  whole('bitwiseRightShift', 34),
  whole('gcd'),
  whole('lcm'),
  {
    name: 'bitwiseNot',
    call: (x) => x.bitwiseNot(),
    inputs: [[{ shape: [3, 4], range: [-40, 40], integer: true }], [{ shape: [3, 4], bool: true }]],
    derivatives: 0,
    nan: false,
    errors: [['dtype', () => vector.bitwiseNot()]],
  },
  test('isPosInf'),
  test('isNegInf'),
  test('signbit'),
  {
    name: 'frexp',
    call: (x) =>
      cr.scope(() => {
        const { mantissa, exponent } = x.frexp();
        return mantissa.add(exponent);
      }),
    inputs: [[drawn([3, 4])], [drawn([], [0.6, 0.9])]],
    grows: true,
    errors: [['dtype', () => ints([1]).frexp()]],
  },
  binary('nextafter', '', {
    reference: [],
    derivatives: 0,
    errors: [
      ['dtype', () => ints([1]).nextafter(2)],
      ['shape', () => vector.nextafter(cr.zeros([2]))],
      ['value', () => cr.nextafter(1, 2)],
      ['grad', () => tensor([1], { requiresGrad: true }).nextafter(2).sum().backward()],
    ],
    empty: null,
  }),
  close('isclose'),
  close('allclose'),
  {
    name: 'equal',
    call: (a, b) => tensor([cr.equal(a, b), cr.equal(a, a)]),
    inputs: pairs(),
    derivatives: 0,
    nan: false,
    errors: [['dtype', () => cr.equal(vector, ints([1, 2, 3]))]],
  },
];
