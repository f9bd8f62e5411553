// The bindings as a recorder calls them, and what each of them writes into the memory it is given.
import { type Bytes, type Native, native } from '../native.js';

/** What a binding takes. */
export type Argument = Bytes | ArrayBufferView | null;
export type Binder = (...args: Argument[]) => number | undefined;

/** Bindings by name: recorders swap them for functions of their own. */
export const bindings = native as unknown as Record<string, Binder>;

/** The places of the arguments that a binding writes; a function where they depend on how many there are. */
type Written = readonly number[] | ((name: number) => boolean);

const FIRST = [0];
const TWO = [0, 1];
const THREE = [0, 1, 2];

/** What is no kernel: a step may call it without being the same step for it. */
type Plain =
  | 'geometry'
  | 'names'
  | 'capability'
  | 'openblasCore'
  | 'numThreads'
  | 'setNumThreads'
  | 'computeAlone'
  | 'misalignment'
  | `program${string}`;

/** A binding that runs a kernel. */
export type Binding = Exclude<keyof Native, Plain>;

/** Every binding that runs a kernel; a new one is not captured, and does not compile, without its line here. */
const WRITTEN: Readonly<Record<Binding, Written>> = {
  unary: FIRST,
  test: FIRST,
  binary: FIRST,
  compare: FIRST,
  where: FIRST,
  copy: FIRST,
  reduce: [0, 2],
  softmax: FIRST,
  softmaxBackward: FIRST,
  norm: [0, 1, 5, 6],
  normBackward: THREE,
  nll: [0, 1, 5],
  nllBackward: FIRST,
  crossEntropyBackward: FIRST,
  ctc: [0, 1, 5],
  gather: FIRST,
  scatterAdd: FIRST,
  indexSelect: FIRST,
  indexAdd: FIRST,
  indexCopy: FIRST,
  scatter: FIRST,
  bag: FIRST,
  cumsum: FIRST,
  cumprod: FIRST,
  logcumsumexp: FIRST,
  cummax: TWO,
  cummin: TWO,
  recurrence: FIRST,
  sort: TWO,
  topk: TWO,
  kth: TWO,
  rowOrder: FIRST,
  searchsorted: FIRST,
  nonzero: FIRST,
  firstOutside: [],
  fill: FIRST,
  arange: FIRST,
  random: TWO,
  randperm: TWO,
  dropout: [0, 1, 3],
  dropoutBackward: FIRST,
  gemm: FIRST,
  inverse: TWO,
  linearSolve: TWO,
  lu: [0, 1, 2, 3],
  luSolve: TWO,
  cholesky: TWO,
  triangularSolve: FIRST,
  qr: THREE,
  svd: [0, 1, 2, 3],
  eigh: THREE,
  leastSquares: [0, 1, 2, 3, 4],
  conv: FIRST,
  convBackwardInput: FIRST,
  convBackwardWeight: TWO,
  maxPool2d: [0, 2],
  maxPool2dBackward: FIRST,
  avgPool2d: FIRST,
  avgPool2dBackward: FIRST,
  attention: TWO,
  attentionBackward: THREE,
  recurrent: [0, 1, 5],
  recurrentBackward: THREE,
  resample: FIRST,
  sample: FIRST,
  sampleScatter: [1],
  sampleDot: [3],
  sgd: (place) => place % 3 !== 1,
  adam: (place) => place % 5 !== 1,
  // Parameters and gradients alternate with as many states as the kernel has: all are taken as written.
  update: () => true,
};

/** Bindings that only optimizers call, with numbers that change from step to step. */
export const UPDATES: ReadonlySet<string> = new Set(['sgd', 'adam', 'update']);

export const BINDINGS = Object.keys(WRITTEN) as Binding[];

export function writes(name: Binding, place: number): boolean {
  const written = WRITTEN[name];
  return typeof written === 'function' ? written(place) : written.includes(place);
}
