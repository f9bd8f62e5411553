// Entries of unary.json and binary.json; glu and softmin of norm.json.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { type NumberJson, toNumber } from '../cases.js';
import { type Entries, given, numberOf, op, unary } from './entry.js';

type Other = { other?: NumberJson };
/** A boolean takes part as one: it does not make booleans integers. */
const other = (inputs: Tensor[], { other: value }: Other): Tensor | number =>
  inputs[1] ?? (typeof value === 'boolean' ? cr.tensor(value, { dtype: 'bool' }) : toNumber(value as NumberJson));
const binary = (run: (a: Tensor, b: Tensor | number) => Tensor) =>
  op<Other>(['other'], (inputs, args) => run(inputs[0], other(inputs, args)));
const scaled = (run: typeof cr.add) =>
  op<Other & { alpha?: NumberJson }>(['other', 'alpha'], (inputs, args) =>
    run(inputs[0], other(inputs, args), given({ alpha: numberOf(args.alpha) })),
  );
// Where PyTorch may write depends on `inplace`, the result does not.
type Inplace = { inplace?: boolean };
const activation = (run: (x: Tensor) => Tensor) => op<Inplace>(['inplace'], ([x]) => run(x));
const shrink = (run: typeof cr.softshrink) =>
  op<{ lambd?: number }>(['lambd'], ([x], a) => run(x, given({ lambd: a.lambd })));
const alpha = (run: typeof cr.elu) =>
  op<{ alpha?: number } & Inplace>(['alpha', 'inplace'], ([x], a) => run(x, given({ alpha: a.alpha })));
const three = (run: typeof cr.addcmul) =>
  op<{ value?: number }>(['value'], ([x, a, b], { value }) => run(x, a, b, given({ value })));

export const elementwise = {
  abs: unary(cr.abs),
  neg: unary(cr.neg),
  sign: unary(cr.sign),
  square: unary(cr.square),
  sqrt: unary(cr.sqrt),
  rsqrt: unary(cr.rsqrt),
  reciprocal: unary(cr.reciprocal),

  exp: unary(cr.exp),
  expm1: unary(cr.expm1),
  exp2: unary(cr.exp2),
  log: unary(cr.log),
  log1p: unary(cr.log1p),
  log2: unary(cr.log2),
  log10: unary(cr.log10),
  sigmoid: unary(cr.sigmoid),
  logit: op<{ eps?: number }>(['eps'], ([x], { eps }) => cr.logit(x, given({ eps }))),

  sin: unary(cr.sin),
  cos: unary(cr.cos),
  tan: unary(cr.tan),
  asin: unary(cr.asin),
  acos: unary(cr.acos),
  atan: unary(cr.atan),
  sinh: unary(cr.sinh),
  cosh: unary(cr.cosh),
  tanh: unary(cr.tanh),
  asinh: unary(cr.asinh),
  acosh: unary(cr.acosh),
  atanh: unary(cr.atanh),
  deg2rad: unary(cr.deg2rad),
  rad2deg: unary(cr.rad2deg),

  erf: unary(cr.erf),
  erfc: unary(cr.erfc),
  erfinv: unary(cr.erfinv),
  lgamma: unary(cr.lgamma),
  digamma: unary(cr.digamma),
  polygamma: op<{ n: number }>(['n'], ([x], { n }) => cr.polygamma(x, n)),

  floor: unary(cr.floor),
  ceil: unary(cr.ceil),
  round: op<{ decimals?: number }>(['decimals'], ([x], { decimals }) => cr.round(x, given({ decimals }))),
  trunc: unary(cr.trunc),
  frac: unary(cr.frac),
  clamp: op<{ min?: NumberJson; max?: NumberJson }>(['min', 'max'], ([x, min, max], a) =>
    cr.clamp(x, min ?? numberOf(a.min) ?? null, max ?? numberOf(a.max) ?? null),
  ),
  clamp_min: op<{ min?: NumberJson }>(['min'], ([x, min], a) => cr.clamp(x, min ?? numberOf(a.min) ?? null)),
  clamp_max: op<{ max?: NumberJson }>(['max'], ([x, max], a) => cr.clamp(x, null, max ?? numberOf(a.max) ?? null)),
  heaviside: op([], ([x, values]) => cr.heaviside(x, values)),
  nan_to_num: op<{ nan?: NumberJson; posinf?: NumberJson; neginf?: NumberJson }>(
    ['nan', 'posinf', 'neginf'],
    ([x], a) => cr.nanToNum(x, given({ nan: numberOf(a.nan), posinf: numberOf(a.posinf), neginf: numberOf(a.neginf) })),
  ),

  relu: activation(cr.relu),
  relu6: activation(cr.relu6),
  leaky_relu: op<{ negative_slope?: number } & Inplace>(['negative_slope', 'inplace'], ([x], a) =>
    cr.leakyRelu(x, given({ negativeSlope: a.negative_slope })),
  ),
  prelu: op([], ([x, weight]) => cr.prelu(x, weight)),
  elu: alpha(cr.elu),
  celu: alpha(cr.celu),
  selu: activation(cr.selu),
  threshold: op<{ threshold: number; value: number } & Inplace>(['threshold', 'value', 'inplace'], ([x], a) =>
    cr.threshold(x, a.threshold, a.value),
  ),
  hardtanh: op<{ min_val?: number; max_val?: number } & Inplace>(['min_val', 'max_val', 'inplace'], ([x], a) =>
    cr.hardtanh(x, given({ minVal: a.min_val, maxVal: a.max_val })),
  ),
  hardsigmoid: activation(cr.hardsigmoid),
  hardswish: activation(cr.hardswish),
  softshrink: shrink(cr.softshrink),
  hardshrink: shrink(cr.hardshrink),

  logsigmoid: unary(cr.logSigmoid),
  softplus: op<{ beta?: number; threshold?: number }>(['beta', 'threshold'], ([x], a) =>
    cr.softplus(x, given({ beta: a.beta, threshold: a.threshold })),
  ),
  silu: activation(cr.silu),
  gelu: op<{ approximate?: 'none' | 'tanh' }>(['approximate'], ([x], { approximate }) =>
    cr.gelu(x, given({ approximate })),
  ),
  mish: activation(cr.mish),
  softsign: unary(cr.softsign),
  tanhshrink: unary(cr.tanhshrink),
  glu: op<{ dim?: number }>(['dim'], ([x], { dim }) => cr.glu(x, dim)),

  isnan: unary(cr.isNan),
  isinf: unary(cr.isInf),
  isfinite: unary(cr.isFinite),
  logical_not: unary(cr.logicalNot),

  add: scaled(cr.add),
  sub: scaled(cr.sub),
  mul: binary(cr.mul),
  div: op<Other & { rounding_mode?: 'trunc' | 'floor' | null }>(['other', 'rounding_mode'], (inputs, a, precision) => {
    const b = other(inputs, a);
    // PyTorch's default dtype, in which integers meet here, was float64 when the cases were made; ours is float32.
    const x = inputs[0].dtype === 'int32' && a.rounding_mode === undefined ? inputs[0].to(precision) : inputs[0];
    return cr.div(x, b, given({ roundingMode: a.rounding_mode }));
  }),
  floor_divide: binary(cr.floorDivide),
  remainder: binary(cr.remainder),
  fmod: binary(cr.fmod),
  maximum: binary(cr.maximum),
  minimum: binary(cr.minimum),
  fmax: binary(cr.fmax),
  fmin: binary(cr.fmin),
  pow: op<{ exponent?: NumberJson; self?: NumberJson }>(['exponent', 'self'], ([a, b], args) =>
    cr.pow(a ?? toNumber(args.self as NumberJson), b ?? toNumber(args.exponent as NumberJson)),
  ),
  atan2: binary(cr.atan2),
  hypot: binary(cr.hypot),
  logaddexp: binary(cr.logaddexp),
  copysign: binary(cr.copysign),
  xlogy: binary(cr.xlogy),
  ldexp: binary(cr.ldexp),
  lerp: op<{ weight?: number }>(['weight'], ([x, end, weight], a) => cr.lerp(x, end, weight ?? (a.weight as number))),
  addcmul: three(cr.addcmul),
  addcdiv: three(cr.addcdiv),

  eq: binary(cr.eq),
  ne: binary(cr.ne),
  lt: binary(cr.lt),
  le: binary(cr.le),
  gt: binary(cr.gt),
  ge: binary(cr.ge),
  logical_and: binary(cr.logicalAnd),
  logical_or: binary(cr.logicalOr),
  logical_xor: binary(cr.logicalXor),
  where: op([], ([c, a, b]) => cr.where(c, a, b)),
} satisfies Entries;
