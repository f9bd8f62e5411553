// Entries of special functions, of bits and parts of numbers, of closeness, and of activations that draw random numbers.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { type NumberJson, toNumber } from '../cases.js';
import { type Entries, given, numberOf, op, unary } from './entry.js';

type Other = { other?: NumberJson };
const binary = (run: (a: Tensor, b: Tensor | number) => Tensor) =>
  op<Other>(['other'], ([a, b], { other }) => run(a, b ?? toNumber(other as NumberJson)));

type Closeness = { rtol?: NumberJson; atol?: NumberJson; equal_nan?: boolean };
const closeness = ({ rtol, atol, equal_nan }: Closeness) =>
  given({ rtol: numberOf(rtol), atol: numberOf(atol), equalNan: equal_nan });
const CLOSENESS = ['rtol', 'atol', 'equal_nan'] as const;

/** In place or not gives the same values. */
type Drop = { p?: number; training?: boolean; inplace?: boolean };
const dropout = (run: typeof cr.alphaDropout) =>
  op<Drop>(['p', 'training', 'inplace'], ([x], { p, training }) => run(x, given({ p, training })));

const bessel1 = unary(cr.i1);

export const numbers = {
  i0: unary(cr.i0),
  'special.i0': unary(cr.i0),
  'special.i1': bessel1,
  sinc: unary(cr.sinc),
  mvlgamma: op<{ p: number }>(['p'], ([x], { p }) => cr.mvlgamma(x, p)),
  igamma: op([], ([a, x]) => cr.igamma(a, x)),
  igammac: op([], ([a, x]) => cr.igammac(a, x)),
  logaddexp2: binary(cr.logaddexp2),
  // Always float64: what comes out of float32 is compared as such.
  float_power: op<{ exponent?: NumberJson; self?: NumberJson }>(['exponent', 'self'], ([a, b], args, precision) =>
    cr.floatPower(a ?? toNumber(args.self as NumberJson), b ?? toNumber(args.exponent as NumberJson)).to(precision),
  ),
  bitwise_and: binary(cr.bitwiseAnd),
  bitwise_or: binary(cr.bitwiseOr),
  bitwise_xor: binary(cr.bitwiseXor),
  bitwise_left_shift: binary(cr.bitwiseLeftShift),
  bitwise_right_shift: binary(cr.bitwiseRightShift),
  bitwise_not: unary(cr.bitwiseNot),
  gcd: binary(cr.gcd),
  lcm: binary(cr.lcm),
  isposinf: unary(cr.isPosInf),
  isneginf: unary(cr.isNegInf),
  signbit: unary(cr.signbit),
  frexp: op([], ([x]) => {
    const { mantissa, exponent } = cr.frexp(x);
    return [mantissa, exponent];
  }),
  nextafter: op([], ([a, b]) => cr.nextafter(a, b)),
  isclose: op<Closeness>(CLOSENESS, ([a, b], args) => cr.isclose(a, b, closeness(args))),
  allclose: op<Closeness>(CLOSENESS, ([a, b], args) => cr.tensor(cr.allclose(a, b, closeness(args)))),
  equal: op([], ([a, b]) => cr.tensor(cr.equal(a, b))),

  dropout1d: dropout(cr.dropout1d),
  dropout2d: dropout(cr.dropout2d),
  dropout3d: dropout(cr.dropout3d),
  alpha_dropout: dropout(cr.alphaDropout),
  feature_alpha_dropout: dropout(cr.featureAlphaDropout),
  rrelu: op<{ lower?: number; upper?: number; training?: boolean; inplace?: boolean }>(
    ['lower', 'upper', 'training', 'inplace'],
    ([x], { lower, upper, training }) => cr.rrelu(x, given({ lower, upper, training })),
  ),
} satisfies Entries;
