// The one table from PyTorch's names and arguments to ours.
import * as cr from 'chainrule';
import type { Tensor } from 'chainrule';
import type { NumberJson, Precision, TensorJson } from './cases.js';
import { toNumber } from './cases.js';
import { build } from './runner.js';

/** How one PyTorch function is called here. */
export interface Entry {
  /** PyTorch's argument names that `run` understands; any other is a failure. */
  readonly args: readonly string[];
  readonly run: (inputs: Tensor[], args: never, precision: Precision) => Tensor | Tensor[];
}

/** Declares an entry; the argument object is typed by the caller. */
function op<A = Record<never, never>>(args: readonly (keyof A & string)[], run: (inputs: Tensor[], args: A, precision: Precision) => Tensor | Tensor[]): Entry {
  return { args, run: run as Entry['run'] };
}

const unary = (run: (x: Tensor) => Tensor) => op([], ([x]) => run(x));

type Other = { other?: NumberJson };
const other = (inputs: Tensor[], args: Other): Tensor | number => inputs[1] ?? toNumber(args.other as NumberJson);
const binary = (run: (a: Tensor, b: Tensor | number) => Tensor) => op<Other>(['other'], (inputs, args) => run(inputs[0], other(inputs, args)));
const scaled = (run: (a: Tensor, b: Tensor | number) => Tensor) =>
  op<Other & { alpha?: number }>(['other', 'alpha'], (inputs, args) => {
    const b = other(inputs, args);
    const alpha = args.alpha ?? 1;
    return run(inputs[0], alpha === 1 ? b : typeof b === 'number' ? b * alpha : b.mul(alpha));
  });

type Dims = { dim?: number | number[]; keepdim?: boolean };
const reduction = (run: (x: Tensor, axes: number | number[] | undefined, options: { keepdim: boolean }) => Tensor) =>
  op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => run(x, dim, { keepdim }));
const extreme = (name: 'max' | 'min') =>
  op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => {
    if (dim === undefined) return x[name]();
    const { values, indices } = x[name](dim as number, { keepdim });
    return [values, indices];
  });

type Subscripts = (number | { slice: (number | null)[] } | null | '...' | TensorJson)[];
const subscripts = (list: Subscripts, precision: Precision): cr.Subscript[] =>
  list.map((s) => {
    if (s === null || typeof s === 'number' || s === '...') return s;
    if ('slice' in s) return cr.slice(s.slice[0], s.slice[1], s.slice[2] ?? 1);
    return build(s, precision);
  });

type Loss = { reduction?: cr.Reduction };
const loss = (run: (x: Tensor, y: Tensor, options: Loss) => Tensor) => op<Loss>(['reduction'], ([x, y], args) => run(x, y, { ...args }));

type Pair = number | [number, number];
const pairOf = (value: Pair | number[] | undefined) => value as Pair | undefined;
/** Leaves out what is undefined. */
const given = <T extends object>(options: T): T => Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as T;

export const adapter: Readonly<Record<string, Entry>> = {
  // unary.json
  abs: unary(cr.abs),
  neg: unary(cr.neg),
  exp: unary(cr.exp),
  log: unary(cr.log),
  sqrt: unary(cr.sqrt),
  sin: unary(cr.sin),
  cos: unary(cr.cos),
  tanh: unary(cr.tanh),
  sigmoid: unary(cr.sigmoid),
  logsigmoid: unary(cr.logSigmoid),
  relu: unary(cr.relu),
  leaky_relu: op<{ negative_slope?: number }>(['negative_slope'], ([x], a) => cr.leakyRelu(x, given({ negativeSlope: a.negative_slope }))),
  elu: op<{ alpha?: number }>(['alpha'], ([x], a) => cr.elu(x, given({ alpha: a.alpha }))),
  square: unary(cr.square),
  sign: unary(cr.sign),
  isnan: unary(cr.isNan),
  isfinite: unary(cr.isFinite),
  logical_not: unary(cr.logicalNot),

  // binary.json
  add: scaled(cr.add),
  sub: scaled(cr.sub),
  mul: binary(cr.mul),
  maximum: binary(cr.maximum),
  minimum: binary(cr.minimum),
  pow: op<{ exponent?: NumberJson; self?: NumberJson }>(['exponent', 'self'], ([a, b], args) =>
    cr.pow(a ?? toNumber(args.self as NumberJson), b ?? toNumber(args.exponent as NumberJson)),
  ),
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

  // reduce.json
  sum: reduction(cr.sum),
  mean: reduction(cr.mean),
  amax: reduction(cr.amax),
  amin: reduction(cr.amin),
  all: reduction(cr.all),
  any: reduction(cr.any),
  max: extreme('max'),
  min: extreme('min'),
  argmax: op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => cr.argmax(x, dim as number | undefined, { keepdim })),
  argmin: op<Dims>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => cr.argmin(x, dim as number | undefined, { keepdim })),

  // shape.json
  reshape: op<{ shape: number[] }>(['shape'], ([x], { shape }) => x.reshape(shape)),
  transpose: op<{ dim0: number; dim1: number }>(['dim0', 'dim1'], ([x], { dim0, dim1 }) => x.transpose(dim0, dim1)),
  permute: op<{ dims: number[] }>(['dims'], ([x], { dims }) => x.permute(dims)),
  squeeze: op<{ dim?: number }>(['dim'], ([x], { dim }) => x.squeeze(dim)),
  unsqueeze: op<{ dim: number }>(['dim'], ([x], { dim }) => x.unsqueeze(dim)),
  expand: op<{ size: number[] }>(['size'], ([x], { size }) => x.expand(size)),
  flatten: op<{ start_dim?: number; end_dim?: number }>(['start_dim', 'end_dim'], ([x], a) => x.flatten(a.start_dim, a.end_dim)),
  unflatten: op<{ dim: number; sizes: number[] }>(['dim', 'sizes'], ([x], { dim, sizes }) => x.unflatten(dim, sizes)),
  narrow: op<{ dim: number; start: number; length: number }>(['dim', 'start', 'length'], ([x], a) => x.narrow(a.dim, a.start, a.length)),
  cat: op<{ dim?: number }>(['dim'], (xs, { dim = 0 }) => cr.cat(xs, dim)),
  stack: op<{ dim?: number }>(['dim'], (xs, { dim = 0 }) => cr.stack(xs, dim)),
  index: op<{ index: Subscripts }>(['index'], ([x], { index }, precision) => x.at(...subscripts(index, precision))),
  gather: op<{ dim: number }>(['dim'], ([x, i], { dim }) => cr.gather(x, dim, i)),
  index_select: op<{ dim: number }>(['dim'], ([x, i], { dim }) => cr.indexSelect(x, dim, i)),
  nonzero: unary(cr.nonzero),

  // matmul.json
  mm: op([], ([a, b]) => cr.matmul(a, b)),
  bmm: op([], ([a, b]) => cr.matmul(a, b)),
  matmul: op([], ([a, b]) => cr.matmul(a, b)),
  linear: op([], ([x, w, b]) => cr.linear(x, w, b ?? null)),

  // conv.json, pool.json
  conv2d: op<{ stride?: Pair; padding?: Pair | 'same' | 'valid'; dilation?: Pair; groups?: number }>(
    ['stride', 'padding', 'dilation', 'groups'],
    ([x, w, b], a) => cr.conv2d(x, w, b ?? null, given({ stride: pairOf(a.stride), padding: a.padding, dilation: pairOf(a.dilation), groups: a.groups })),
  ),
  avg_pool2d: op<{ kernel_size: Pair; stride?: Pair; padding?: Pair; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number }>(
    ['kernel_size', 'stride', 'padding', 'ceil_mode', 'count_include_pad', 'divisor_override'],
    ([x], a) =>
      cr.avgPool2d(
        x,
        a.kernel_size,
        given({ stride: a.stride, padding: a.padding, ceilMode: a.ceil_mode, countIncludePad: a.count_include_pad, divisorOverride: a.divisor_override }),
      ),
  ),

  // norm.json
  softmax: op<{ dim: number }>(['dim'], ([x], { dim }) => cr.softmax(x, dim)),
  log_softmax: op<{ dim: number }>(['dim'], ([x], { dim }) => cr.logSoftmax(x, dim)),

  // loss.json
  mse_loss: loss(cr.mseLoss),
  l1_loss: loss(cr.l1Loss),
  nll_loss: op<Loss & { ignore_index?: number }>(['reduction', 'ignore_index'], ([x, t, weight], a) =>
    cr.nllLoss(x, t, given({ reduction: a.reduction, weight, ignoreIndex: a.ignore_index })),
  ),
  cross_entropy: op<Loss & { ignore_index?: number; label_smoothing?: number }>(['reduction', 'ignore_index', 'label_smoothing'], ([x, t, weight], a) =>
    cr.crossEntropy(x, t, given({ reduction: a.reduction, weight, ignoreIndex: a.ignore_index, labelSmoothing: a.label_smoothing })),
  ),
  binary_cross_entropy_with_logits: op<Loss>(['reduction'], ([x, t, weight, posWeight], a) =>
    cr.binaryCrossEntropyWithLogits(x, t, given({ reduction: a.reduction, weight: weight ?? undefined, posWeight })),
  ),
};
