// The border: the only file that touches the .node binary, and the description of every binding it has.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { TensorError } from './errors.js';

/** Memory of a tensor as bindings take it: a byte view of the whole buffer; byte offsets travel in `geometry`. */
export type Bytes = Uint8Array;

/**
 * Every hot binding takes typed arrays and reads all its numbers from `geometry`, a Float64Array shared once: an array
 * literal as an argument would cost more than most small kernels (230 ns). Slots are listed at each binding; `off` is a
 * byte offset, `shape`, `strides` are `ndim` slots each, strides count elements. Bindings check every view against its
 * buffer and throw a RangeError rather than leave it; user mistakes are caught before, in TypeScript.
 */
export interface Native {
  readonly geometry: Float64Array;
  /** Kernel names by family; the number of a kernel is its index. */
  readonly names: Readonly<Record<string, readonly string[]>>;

  capability(): string;
  openblasCore(): string;
  numThreads(): number;
  setNumThreads(n: number): void;
  /** Everything that the calling thread computes runs on it alone from now on, and `numThreads` is 1 there. */
  computeAlone(): void;
  /** Address of the first byte modulo 64. */
  misalignment(bytes: Bytes): number;

  /**
   * y = f(x, p0, p1), y = is(x), y = f(a, b), y = a < b ..., y = c ? a : b, y = cast(x).
   * 0 kernel, 1 dtype of the operands (copy: of x), 2 dtype of y (copy only), 3 p0, 4 p1, 5 ndim,
   * 6..9 off of y, a, b, c (-1: an immediate number), 10..12 immediates of a, b, c,
   * 13.. shape, strides of y, a, b, c (as many as there are operands).
   * `where` takes (y, condition, a, b); the condition is bool. Tests, comparisons and logic write bool. y must not overlap
   * itself; it may be an operand of the same geometry. Buffers left out at the end are the last one given (not of copy). Casts from floats truncate, saturate, and make 0 of NaN; integers wrap.
   */
  unary(y: Bytes, x?: Bytes): void;
  test(y: Bytes, x: Bytes): void;
  binary(y: Bytes, a?: Bytes, b?: Bytes): void;
  compare(y: Bytes, a: Bytes, b: Bytes): void;
  where(y: Bytes, condition: Bytes, a: Bytes, b: Bytes): void;
  copy(y: Bytes, x: Bytes): void;

  /**
   * y = reduction of x over the flagged dimensions; y is contiguous over the others, in their order.
   * 0 kernel, 1 dtype of x, 2 dtype of y, 3 ndim, 4 off y, 5 off x, 6 off indices (-1: none), 7 p0,
   * 8.. shape, strides of x, flags (1 reduced). argmax/argmin write int32 places in the row-major order of the reduced
   * dimensions; amax/amin write the same places into `indices` when given.
   * y is int32 for sum, prod, sum_squares of integers and bools (modulo 2^32) and for count_nonzero, bool for all and any, float32 for
   * mean of integers, else the dtype of x. amax, amin, argmax, argmin need an element. p0 is not used yet.
   */
  reduce(y: Bytes, x: Bytes, indices?: Bytes): void;

  /**
   * Along the middle of contiguous [outer, n, inner]. 0 kernel (softmax, log_softmax), 1 dtype, 2 outer, 3 n, 4 inner, 5 off y, 6 off x.
   * Backward: dx from dy and the forward result y; 5 off dx, 6 off dy, 7 off y.
   */
  softmax(y: Bytes, x: Bytes): void;
  softmaxBackward(dx: Bytes, dy: Bytes, y: Bytes): void;

  /**
   * (x - mean) / sqrt(variance + eps) * weight + bias on x [outer, groups, channels, inner], weight and bias [groups, channels]. A site has
   * statistics of its own: a row of channels * inner elements, or with `batch` a group over outer and inner (channels is 1 then).
   * 0 dtype, 1 batch, 2 centered (else the mean is 0 and the variance the mean square), 3 the statistics are given,
   * 4..7 outer, groups, channels, inner, 8 eps, 9 off stats (float64: means of all sites, then their biased variances), 10 off x,
   * 11 off weight (-1: ones), 12 off y, 13 off bias (-1: zeros), 14, 15 off running mean and variance [groups] (-1: none), 16 momentum: these
   * move by that share towards the mean over outer, the variance times count / (count - 1). Backward reads stats; 12 off dx, 13 off
   * dweight, 14 off dbias (-1: not wanted), 15 off dy; statistics given are constants. Without elements nothing is written.
   */
  norm(y: Bytes, stats: Bytes, x: Bytes, weight: Bytes, bias: Bytes, runningMean: Bytes, runningVariance: Bytes): void;
  normBackward(dx: Bytes, dweight: Bytes, dbias: Bytes, stats: Bytes, x: Bytes, weight: Bytes, dy: Bytes): void;

  /**
   * Negative log likelihood of log-probabilities [outer, n, inner] at int32 targets [outer, inner]:
   * losses = -w[t] * logp[t] and weights = w[t], both [outer, inner], 0 where t is the ignored index.
   * 0 dtype, 1 outer, 2 n, 3 inner, 4 ignored index, 5 off losses, 6 off weights, 7 off logp, 8 off target,
   * 9 off w (-1: all ones), 10 reduction (0 none, 1 one sum of all, 2 that over the sum of the weights: losses is one element),
   * 11 off total, the sum of the weights, for 2 only. Returns the place of the first target outside 0..n-1 (then nothing else is
   * meaningful), or -1.
   * Backward writes dlogp [outer, n, inner] from dloss, which is as losses: 5 off dlogp, 6 off dloss, 8 to 11 as above.
   * crossEntropyBackward writes dx of the logits, (exp(logp) - onehot) * w[t] * dloss: 5 off dx, 6 off dloss, 7 to 11 as above.
   */
  nll(losses: Bytes, weights: Bytes, logp: Bytes, target: Bytes, w: Bytes, total: Bytes): number;
  nllBackward(dlogp: Bytes, dloss: Bytes, target: Bytes, w: Bytes, total: Bytes): void;
  crossEntropyBackward(dx: Bytes, dloss: Bytes, logp: Bytes, target: Bytes, w: Bytes, total: Bytes): void;

  /**
   * Connectionist temporal classification of log-probabilities [steps, batch, classes]: losses [batch] and, unless 6 is -1,
   * grads [steps, batch, classes] = d losses / d logp. `targets` are int32 labels; a row of `plan`, int32 [batch, 3], is a sample's
   * number of steps, number of labels and their first place in `targets`. `work` is float64 [slots, room] for the gradients:
   * a sample needs steps * (2 * labels + 1) of it, `slots` are under way at once.
   * 0 dtype, 1 steps, 2 batch, 3 classes, 4 blank, 5 off losses, 6 off grads, 7 off logp, 8 off targets, 9 number of labels,
   * 10 off plan, 11 off work, 12 slots, 13 room, 14 infinite losses become 0. Returns the place of the first label that is no
   * class (then nothing else is meaningful), or -1.
   */
  ctc(losses: Bytes, grads: Bytes, logp: Bytes, targets: Bytes, plan: Bytes, work: Bytes): number;

  /**
   * Indices are int32; the place of the first bad one is returned, or -1. gather: y[o,j,i] = x[o,index[o,j,i],i];
   * 0 dtype, 1 outer, 2 n (of x), 3 count (of index), 4 inner, 5 off y, 6 off x, 7 off index, 8 whether negative indices count from the end.
   * scatterAdd: y[o,index[o,j,i],i] += x[o,j,i] (2 n of y); scatter likewise by 9: 0 replace, 1 multiply, 2 larger, 3 smaller.
   * indexSelect: y[o,j,i] = x[o,index[j],i]; indexAdd: y[o,index[j],i] += x[o,j,i]; indexCopy replaces. All in the order of the index.
   */
  gather(y: Bytes, x: Bytes, index: Bytes): number;
  scatterAdd(y: Bytes, x: Bytes, index: Bytes): number;
  indexSelect(y: Bytes, x: Bytes, index: Bytes): number;
  indexAdd(y: Bytes, x: Bytes, index: Bytes): number;
  indexCopy(y: Bytes, x: Bytes, index: Bytes): number;
  scatter(y: Bytes, x: Bytes, index: Bytes): number;
  /**
   * y[b] = the rows of x that index[starts[b] .. starts[b+1]-1] names, joined: 0 mode (sum, mean, largest: y is then the int32
   * rows where these stand, -1 in an empty bag), 1 dtype, 2 rows, 3 columns, 4 bags, 5 count of index, 6 a row to leave out or -1,
   * 7 off y, 8 off x, 9 off index, 10 off starts. The place of the first bad index is returned, or -1.
   */
  bag(y: Bytes, x: Bytes, index: Bytes, starts: Bytes): number;

  /**
   * Along the middle of contiguous [outer, n, inner]. 0 dtype, 1 outer, 2 n, 3 inner, 4 reverse (from the last element on).
   * y[k] = sum, product, logarithm of the sum of exponentials of x[0..k]; 5 off y, 6 off x. Sums and products take float32,
   * float64 and int32 (modulo 2^32), logarithms the first two.
   * cummax, cummin write int32 places beside y, the last of equal ones: 5 off y, 6 off places, 7 off x; all dtypes.
   * recurrence: y[k] = x[k] + a[k] y[k-1], in reverse y[k] = x[k] + a[k+1] y[k+1]; 5 off y, 6 off x, 7 off a; floats.
   */
  cumsum(y: Bytes, x: Bytes): void;
  cumprod(y: Bytes, x: Bytes): void;
  logcumsumexp(y: Bytes, x: Bytes): void;
  cummax(y: Bytes, places: Bytes, x: Bytes): void;
  cummin(y: Bytes, places: Bytes, x: Bytes): void;
  recurrence(y: Bytes, x: Bytes, a: Bytes): void;

  /**
   * Along the middle of contiguous [outer, n, inner]; NaN is the largest, equal elements keep their order, places are int32.
   * 0 dtype, 1 outer, 2 n, 3 inner. sort: 4 descending, 5 off values, 6 off places, 7 off x.
   * topk [outer, k, inner]: 4 k, 5 largest, 6 sorted, 7 off values, 8 off places, 9 off x.
   * kth [outer, inner]: 4 rank from 0, 5 which (0 that rank, 1 the lower median or NaN, 2 the lower median but for NaN), 7, 8, 9 as topk.
   * rowOrder: places of the rows of x [rows, columns] in lexicographic order; 0 dtype, 1 rows, 2 columns, 3 off places, 4 off x.
   */
  sort(values: Bytes, places: Bytes, x: Bytes): void;
  topk(values: Bytes, places: Bytes, x: Bytes): void;
  kth(values: Bytes, places: Bytes, x: Bytes): void;
  rowOrder(places: Bytes, x: Bytes): void;

  /**
   * y[o,i] = how many elements of sorted[o] lie before values[o,i], with `right` also those equal to it; int32.
   * 0 dtype, 1 outer, 2 n, 3 m, 4 right, 5 off y, 6 off sorted [outer, n], 7 off values [outer, m], 8 off sorter [outer, n], int32 (-1: none).
   * Returns the place of the first sorter outside 0..n-1, or -1.
   */
  searchsorted(y: Bytes, sorted: Bytes, values: Bytes, sorter: Bytes): number;
  /** y [rows, ndim] = places of the nonzero elements of x, int32. 0 dtype, 1 rows, 2 off y, 3 off x, 4 ndim, 5.. shape of x. */
  nonzero(y: Bytes, x: Bytes): void;
  /** The place of the first element of x below `low` or above `high` (NaN is neither), or -1. 0 dtype, 1 n, 2 off x, 3 low, 4 high. */
  firstOutside(x: Bytes): number;

  /** y = value everywhere. 0 dtype, 1 n, 2 off y, 3 value. */
  fill(y: Bytes): void;
  /** y[i] = start + i * step. 0 dtype, 1 n, 2 off y, 3 start, 4 step. */
  arange(y: Bytes): void;
  /**
   * Philox4x32-10; `state` is a Uint32Array(4): key low, key high, counter low, counter high; the counter advances by the blocks used.
   * 0 kernel (uniform [p0, p1), normal mean p0 deviation p1, bernoulli p0, integers [p0, p1), exponential rate p0, gumbel mode p0
   * scale p1, poisson of the rates that y holds), 1 dtype, 2 n, 3 off y, 4 p0, 5 p1.
   */
  random(y: Bytes, state: Uint32Array): void;
  /** y = a random permutation of 0..n-1, int32. 0 n, 1 off y. */
  randperm(y: Bytes, state: Uint32Array): void;
  /** y = x * mask / (1 - p), mask (uint8) drawn. 0 dtype, 1 n, 2 off y, 3 off mask, 4 off x, 5 p. Backward is the same with the mask given. */
  dropout(y: Bytes, mask: Bytes, x: Bytes, state: Uint32Array): void;
  dropoutBackward(dx: Bytes, mask: Bytes, dy: Bytes): void;

  /**
   * c = alpha * op(a) op(b) + beta * c + bias, batched. 0 dtype, 1 trans a, 2 trans b, 3 m, 4 n, 5 k, 6 lda, 7 ldb, 8 alpha,
   * 9 beta, 10 off c, 11 off a, 12 off b, 13 off bias (-1: none), 14 ndim of the batch, 15.. shape, strides of a, strides of b.
   * c is contiguous; beta is 0 with a bias; int32 takes alpha 1 and beta 0 or 1.
   */
  gemm(c: Bytes, a: Bytes, b: Bytes, bias: Bytes): void;

  /**
   * Batches of contiguous row-major matrices, float32 or float64. 0 dtype, 1 batch, 2 m, 3 n, 4 k, 5 mode, 6 upper, 7 transposed,
   * 8 unit, 9 rcond, 10.. off of each argument in order; what a mode leaves out may be empty. Per matrix `info`, int32, is 0, positive
   * where the matrix is singular, not definite or does not converge (LAPACK's number), or negative (native/core/args/linalg.h).
   * inverse: x = a^-1, both [n, n]. linearSolve: a x = b, a [n, n], b [n, k]. lu: factors of a [m, n], pivots int32 from 1 on, sign [1] of
   * the permutation; luSolve solves with them (transposed: with a^T). cholesky: the lower factor of the lower triangle or the upper
   * one of the upper. triangularSolve: op(a) x = b (mode 0, b [n, k]) or x op(a) = b (mode 1, b [k, n]).
   * qr: q [m, c], r [c, n] of a [m, n], c = min(m, n) (mode 0) or m (mode 1); mode 2 leaves q out.
   * svd: mode 0 only s, 1 u [m, c], vh [c, n], 2 u [m, m], vh [n, n]. eigh: values w [n], mode 1 also vectors v [n, n] as columns.
   * leastSquares: a [m, n], b [m, k], x [n, k], residuals [k], s [min(m, n)] (modes 2, 3), rank int32; modes gels, gelsy, gelsd, gelss.
   */
  inverse(x: Bytes, info: Bytes, a: Bytes): void;
  linearSolve(x: Bytes, info: Bytes, a: Bytes, b: Bytes): void;
  lu(x: Bytes, pivots: Bytes, sign: Bytes, info: Bytes, a: Bytes): void;
  luSolve(x: Bytes, info: Bytes, lu: Bytes, pivots: Bytes, b: Bytes): void;
  cholesky(x: Bytes, info: Bytes, a: Bytes): void;
  triangularSolve(x: Bytes, a: Bytes, b: Bytes): void;
  qr(q: Bytes, r: Bytes, info: Bytes, a: Bytes): void;
  svd(u: Bytes, s: Bytes, vh: Bytes, info: Bytes, a: Bytes): void;
  eigh(w: Bytes, v: Bytes, info: Bytes, a: Bytes): void;
  leastSquares(x: Bytes, residuals: Bytes, s: Bytes, rank: Bytes, info: Bytes, a: Bytes, b: Bytes): void;

  /**
   * 0 dtype, 1 n, 2 c, 3..5 d, h, w, 6 o, 7..9 kernel, 10..12 output, 13..15 stride, 16..18 padding in front, 19..21 dilation (each
   * depth, height, width), 22 groups, 23.. off of each argument in order (bias and dbias: -1 for none). The input gradient adds a bias
   * [c] too: it is the transposed convolution.
   */
  conv(y: Bytes, x: Bytes, w: Bytes, bias: Bytes): void;
  convBackwardInput(dx: Bytes, dy: Bytes, w: Bytes, bias: Bytes): void;
  convBackwardWeight(dw: Bytes, dbias: Bytes, x: Bytes, dy: Bytes): void;

  /**
   * 0 dtype, 1 planes, 2 h, 3 w, 4 oh, 5 ow, 6 kh, 7 kw, 8 stride h, 9 stride w, 10 pad h, 11 pad w, 12 dilation h, 13 dilation w,
   * 14 count include pad, 15 divisor (0: window size), 16 wide places (int32 instead of uint8), 17.. off of each argument in order.
   */
  maxPool2d(y: Bytes, x: Bytes, places: Bytes): void;
  maxPool2dBackward(dx: Bytes, dy: Bytes, places: Bytes): void;
  avgPool2d(y: Bytes, x: Bytes): void;
  avgPool2dBackward(dx: Bytes, dy: Bytes): void;

  /**
   * y = softmax(scale q k^T + mask) v for every head. 0 dtype, 1 causal, 2 l, 3 s, 4 e, 5 ev, 6 scale, 7 mask (0 none, 1 bool: true takes
   * part, 2 added), 8 ndim of the batch, 9.. its shape; then of each operand its offset, batch strides and row stride, its rows being
   * runs of elements: y [l, ev], q [l, e], k [s, e], v [s, ev], and the mask [l, s] with its column stride too. Between y and q the offset
   * of `stats` [2, heads, l], what backward reads (-1: none).
   * Backward: dq, dk, dv (offset -1: not wanted), dy, y, stats, q, k, v, mask.
   */
  attention(y: Bytes, stats: Bytes, q: Bytes, k: Bytes, v: Bytes, mask: Bytes): void;
  attentionBackward(
    dq: Bytes,
    dk: Bytes,
    dv: Bytes,
    dy: Bytes,
    y: Bytes,
    stats: Bytes,
    q: Bytes,
    k: Bytes,
    v: Bytes,
    mask: Bytes,
  ): void;

  /**
   * All steps of one direction of a recurrent layer on packed rows (all of the first step, then of the second ..., sequences of
   * falling length). 0 dtype, 1 cell (0 tanh, 1 relu, 2 lstm, 3 gru), 2 from the last step to the first, 3 keep what backward reads,
   * 4 steps, 5 batch, 6 hidden, 7 rows, 8 off sizes (int32 rows of each step; -1: the batch in each).
   * `state` holds y [rows, hidden], h0, h_n and c_n [batch, hidden] at 9, 10, 11, 12. 13 off gates [rows, gates * hidden]: products of the
   * input, then with `keep` the gates; 14 off w [gates * hidden, hidden]; 15 off bias (-1: none); 16 off c0 (-1: zeros);
   * 17 off kept [rows, hidden]: lstm the cell states, gru the hidden product of its new gate, only with `keep`.
   * Backward: `start` takes dh0, dc0 at 9, 10; 11 off dgates, 12 off dhidden (gru), the gradients of both products; 13 off dy, 14 off dh_n,
   * 15 off dc_n in `dstate`; 16 off y, 17 off h0 in `state`; 18 off gates, 19 off kept, 20 off w, 21 off c0 (-1: zeros).
   */
  recurrent(state: Bytes, gates: Bytes, w: Bytes, bias: Bytes, c0: Bytes, kept: Bytes, sizes: Bytes): void;
  recurrentBackward(
    start: Bytes,
    dgates: Bytes,
    dhidden: Bytes,
    dstate: Bytes,
    state: Bytes,
    gates: Bytes,
    kept: Bytes,
    w: Bytes,
    c0: Bytes,
    sizes: Bytes,
  ): void;

  /**
   * Each place of an axis as a weighted sum of neighbours, columns first, then rows: x [planes, h, w] to y [planes, oh, ow].
   * 0 dtype, 1 planes, 2 h, 3 w, 4 oh, 5 ow, 6 taps a row at most, 7 taps a column at most (0: the axis stays as it is), 8 off y, 9 off x.
   * Spans are the first place of every output and then its number of taps; weights [oh, taps] and [ow, taps].
   */
  resample(
    y: Bytes,
    x: Bytes,
    rows: Int32Array | null,
    rowWeights: Float64Array | null,
    columns: Int32Array | null,
    columnWeights: Float64Array | null,
  ): void;
  /**
   * Weighted sums of picked places: y[n,c,p] = sum over t of weights[n,t,p] * x[n,c,places[n,t,p]]; place -1 reads 0.
   * 0 dtype, 1 n, 2 c, 3 elements of a plane of x, 4 taps t, 5 points p, 6 off y, 7 off x, 8 off places (int32), 9 off weights.
   * sampleScatter writes x: zeros, and weight * y added at each place; sampleDot writes weights: x at each place times y,
   * summed over c. The place of the first bad one of `places` is returned, or -1; without elements nothing is written.
   */
  sample(y: Bytes, x: Bytes, places: Bytes, weights: Bytes): number;
  sampleScatter(y: Bytes, x: Bytes, places: Bytes, weights: Bytes): number;
  sampleDot(y: Bytes, x: Bytes, places: Bytes, weights: Bytes): number;

  /**
   * One update of many parameters. 0 dtype, 1 parameters in this call, 2 lr or kernel, 3 weight decay, 4 maximize, 5.. options of the rule;
   * from slot 16 on, per parameter: n and the byte offset of each of its buffers; arguments: the buffers, parameter after parameter.
   * At most 64 parameters a call. A buffer the options do not need (momentum 0, no amsgrad) may be null; its offset slot stays.
   * sgd (p, g, momentum or null): 5 momentum, 6 dampening, 7 nesterov, 8 first step (the momentum buffer is overwritten).
   * adam (p, g, m, v, vmax or null): 5 beta1, 6 beta2, 7 eps, 8 step number, 9 decoupled decay (AdamW), 10 amsgrad.
   * update (p, g, all state tensors of the kernel): 2 kernel, 5..15 its numbers, as native/kernels/optim.cc numbers them.
   */
  sgd(...buffers: (Bytes | null)[]): void;
  adam(...buffers: (Bytes | null)[]): void;
  update(...buffers: (Bytes | null)[]): void;

  /**
   * Programs: calls of the bindings above, kept to be run again; a program is a number. Slot 0 is the program wherever there is one.
   * From programRecord to programStop the calls of this thread are not run but put behind the program's last (1: -1) or in the places of
   * its calls from index 1 on; programStop returns how many there were, -1 where one did not fit its place. A program keeps alive every
   * buffer its calls point to.
   */
  programMake(): number;
  programFree(): void;
  programRecord(): void;
  programStop(): number;
  /**
   * While recording: 0 what: 1 the elementwise calls from here on become one that runs tile by tile, all flat and of one size; 2 which
   * tiles the next of them writes and reads in place of memory: 1..4 of y and the operands, from 0 to 7, -1 for memory; 0 the end.
   */
  programGroup(): void;
  /** The number of calls in the program. */
  programSize(): number;
  /** Names memory that programRun copies from or to: 1 byte offset, 2 bytes; returns its number. */
  programPort(bytes: Bytes): number;
  /**
   * Copies in, runs the calls from 1 to before 2, copies out. 3 copies in, 4 copies out, then for each the port and the byte offset in its
   * buffer. `times` gets the nanoseconds of each call. Returns 2, or the call that met a bad index, whose place is left in slot 0;
   * nothing is copied out then.
   */
  programRun(times: Float64Array | null, ...buffers: Bytes[]): number;
  /**
   * Runs in the background: programSubmit begins the calls from 1 to before 2 on a thread of its own, programCancel ends them before the next
   * call. When they are over, the function given to programListen, once, is called with the program, the call at which they ended,
   * the place of a bad index or -1, and the milliseconds they took. The process lives on until then.
   */
  programListen(done: (program: number, next: number, place: number, ms: number) => void): void;
  programSubmit(): void;
  programCancel(): void;
}

function load(): Native {
  const { arch, platform } = process;
  const require = createRequire(import.meta.url);
  // lib/native.ts when run from source, dist/lib/native.js when built: the package is the folder above either.
  const here = fileURLToPath(new URL('.', import.meta.url));
  const root = here.replace(/[\\/](dist[\\/])?lib[\\/]?$/, '');
  try {
    // A copy, for V8 finds the properties of an object made at once faster than of one that grew by a hundred of them.
    return { ...(require('node-gyp-build') as (dir: string) => Native)(root) };
  } catch (cause) {
    const looked = process.env.CHAINRULE_PREBUILD ?? root;
    const text = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    // The binary is there and right; CHAINRULE_CPU asks for what this CPU cannot do.
    if ((cause as { code?: unknown }).code === 'ERR_CPU') {
      throw new TensorError('native', 'load', text.replace(/^\[native\] /, ''), { cause });
    }
    throw new TensorError(
      'native',
      'load',
      `expected a native binary for ${platform}-${arch} (Node ${process.versions.node}) in build/Release or prebuilds/${platform}-${arch} ` +
        `under ${looked}, got: ${text}. Reinstall the package with 'npm install chainrule', or in a clone run 'scripts/setup.sh'.`,
      { cause },
    );
  }
}

export const native: Native = load();

/** Number of a kernel in its family (logSigmoid here is log_sigmoid there); a name the binary lacks is a broken build. */
export function kernelId(family: string, name: string): number {
  const kernel = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const id = native.names[family]?.indexOf(kernel) ?? -1;
  if (id < 0)
    throw new TensorError(
      'native',
      name,
      `expected a kernel of family ${family} in the binary; rebuild it with 'npm run build:native'`,
    );
  return id;
}
