// 2-d convolution (cross-correlation), NCHW, and its two gradients, each of which is differentiable again.
import { checkFloat, checkNdim, checkTensor, dense, dropCopy, make, offsetOf } from '../core/dispatch.js';
import { DTYPES } from '../core/dtype.js';
import { checkInteger, checkPair, formatShape } from '../core/shape.js';
import { record } from '../core/tape.js';
import { checkOptions, TensorError } from '../errors.js';
import { type Bytes, native } from '../native.js';
import type { Tensor } from '../tensor.js';

/** Options of {@link conv2d}; pairs are [height, width]. */
export interface Conv2dOptions {
  /** Step of the window; 1 unless given. */
  stride?: number | readonly [number, number];
  /** Zeros added on each side, or 'same' / 'valid'; 0 unless given. */
  padding?: number | readonly [number, number] | 'same' | 'valid';
  /** Distance between the taps of the kernel; 1 unless given. */
  dilation?: number | readonly [number, number];
  /** Channels are split into this many groups that do not mix; 1 unless given. */
  groups?: number;
}

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** Everything about a convolution but its batch. */
interface Geometry {
  readonly stride: readonly [number, number];
  /** Before the first row and column, and behind the last. */
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

function parse(x: Tensor, w: Tensor, options: Conv2dOptions | undefined): Geometry {
  const op = 'conv2d';
  checkOptions(op, options, ['stride', 'padding', 'dilation', 'groups']);
  const stride = checkPair(op, 'stride', options?.stride ?? 1, 1);
  const dilation = checkPair(op, 'dilation', options?.dilation ?? 1, 1);
  const groups = checkInteger(op, 'groups', options?.groups ?? 1, 1);
  const padding = options?.padding ?? 0;
  let before: [number, number];
  let after: [number, number];
  if (padding === 'same') {
    if (stride[0] !== 1 || stride[1] !== 1)
      throw new TensorError('value', op, `expected stride 1 with padding 'same', got ${formatShape(stride)}`);
    const total = [dilation[0] * (w.shape[2] - 1), dilation[1] * (w.shape[3] - 1)];
    before = [Math.floor(total[0] / 2), Math.floor(total[1] / 2)];
    after = [total[0] - before[0], total[1] - before[1]];
  } else {
    before = padding === 'valid' ? [0, 0] : checkPair(op, 'padding', padding, 0);
    after = before;
  }
  const [o, perGroup] = w.shape;
  if (x.shape[1] !== perGroup * groups || o % groups !== 0) {
    throw new TensorError(
      'shape',
      op,
      `expected a weight [out, in / groups, kh, kw] for the input ${formatShape(x.shape)} and ${groups} group(s), got ${formatShape(w.shape)}`,
    );
  }
  return { stride, before, after, dilation, groups };
}

function outputSize(x: Tensor, w: Tensor, geo: Geometry): [number, number] {
  const size = [0, 1].map((i) => {
    const padded = x.shape[2 + i] + geo.before[i] + geo.after[i];
    const span = geo.dilation[i] * (w.shape[2 + i] - 1) + 1;
    if (span > padded || w.shape[2 + i] === 0) {
      throw new TensorError(
        'shape',
        'conv2d',
        `expected a kernel no larger than the padded input, got kernel ${formatShape(w.shape)} (spanning ${span}) for input ${formatShape(x.shape)} (padded to ${padded})`,
      );
    }
    return Math.floor((padded - span) / geo.stride[i]) + 1;
  });
  return [size[0], size[1]];
}

function geometry(
  x: readonly number[],
  w: readonly number[],
  y: readonly number[],
  dtype: Tensor['dtype'],
  geo: Geometry,
): void {
  G[0] = DTYPES[dtype].code;
  G[1] = x[0];
  G[2] = x[1];
  G[3] = x[2];
  G[4] = x[3];
  G[5] = w[0];
  G[6] = w[2];
  G[7] = w[3];
  G[8] = y[2];
  G[9] = y[3];
  G[10] = geo.stride[0];
  G[11] = geo.stride[1];
  G[12] = geo.before[0];
  G[13] = geo.before[1];
  G[14] = geo.dilation[0];
  G[15] = geo.dilation[1];
  G[16] = geo.groups;
}

/**
 * 2-d convolution as networks use it (cross-correlation): `x [N,C,H,W]`, `w [O,C/groups,kh,kw]`, `b [O]` to
 * `y [N,O,H',W']`, `H' = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1` (PyTorch: `F.conv2d`).
 *
 * @throws TensorError `shape` where channels or sizes do not go together, `dtype` unless all are of one floating dtype
 *
 * @example
 * ```ts
 * import { conv2d, ones } from 'chainrule';
 * console.log(conv2d(ones([1, 1, 3, 3]), ones([1, 1, 2, 2])).toArray()); // [[[[4, 4], [4, 4]]]]
 * ```
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options?: Conv2dOptions): Tensor {
  const op = 'conv2d';
  checkTensor(op, x);
  checkTensor(op, weight, 'a weight tensor');
  if (x.ndim === 3) return conv2d(x.unsqueeze(0), weight, bias, options).squeeze(0);
  checkNdim(op, x, 4, '[N, C, H, W]');
  checkNdim(op, weight, 4, '[O, C / groups, kh, kw]', 'a weight');
  checkFloat(op, x);
  const geo = parse(x, weight, options);
  if (
    bias !== null &&
    (checkTensor(op, bias, 'a bias tensor or null').ndim !== 1 || bias.shape[0] !== weight.shape[0])
  ) {
    throw new TensorError('shape', op, `expected a bias of shape [${weight.shape[0]}], got ${formatShape(bias.shape)}`);
  }
  if (weight.dtype !== x.dtype || (bias !== null && bias.dtype !== x.dtype)) {
    throw new TensorError(
      'dtype',
      op,
      `expected one dtype, got ${[x, weight, bias].map((v) => v?.dtype ?? 'none').join(', ')}; convert with x.to(...)`,
    );
  }
  return forward(x, weight, bias, geo);
}

function forward(x: Tensor, weight: Tensor, bias: Tensor | null, geo: Geometry): Tensor {
  const op = 'conv2d';
  const y = make(op, [x.shape[0], weight.shape[0], ...outputSize(x, weight, geo)], x.dtype);
  const [p, q] = [dense(op, x), dense(op, weight)];
  const b = bias === null ? null : dense(op, bias);
  if (y.size > 0) {
    geometry(p.shape, q.shape, y.shape, x.dtype, geo);
    G[17] = offsetOf(y);
    G[18] = offsetOf(p);
    G[19] = offsetOf(q);
    G[20] = b === null ? -1 : offsetOf(b);
    native.conv2d(y.storage.bytes, p.storage.bytes, q.storage.bytes, b?.storage.bytes ?? NO_BYTES);
  }
  dropCopy(p, x);
  dropCopy(q, weight);
  if (b !== null) dropCopy(b, bias as Tensor);
  return record(op, y, [x, weight, bias], [x, weight], (g, [input, w], needs) => {
    const dx = needs[0] && inputGradient(g, w, input.shape, geo);
    if (!needs[1]) return [dx, null, needs[2] && g.sum([0, 2, 3])];
    const [dw, db] = weightGradient(input, g, w.shape, geo, needs[2] !== null);
    return [dx, dw, db];
  });
}

/** dx [N,C,H,W] from dy and w; linear in both. */
function inputGradient(dy: Tensor, w: Tensor, shape: readonly number[], geo: Geometry): Tensor {
  const op = 'conv2d backward';
  const dx = make(op, shape, dy.dtype);
  const [g, q] = [dense(op, dy), dense(op, w)];
  if (dx.size > 0) {
    geometry(shape, q.shape, g.shape, g.dtype, geo);
    G[17] = offsetOf(dx);
    G[18] = offsetOf(g);
    G[19] = offsetOf(q);
    native.conv2dBackwardInput(dx.storage.bytes, g.storage.bytes, q.storage.bytes);
  }
  return record(op, dx, [dy, w], [dy, w], (gg, [dyIn, wIn], needs) => [
    needs[0] && forward(gg, wIn, null, geo),
    needs[1] && weightGradient(gg, dyIn, wIn.shape, geo, false)[0],
  ]);
}

/** dw and, if asked for, db from x and dy; linear in both. */
function weightGradient(
  x: Tensor,
  dy: Tensor,
  shape: readonly number[],
  geo: Geometry,
  bias: boolean,
): [Tensor, Tensor | null] {
  const op = 'conv2d backward';
  const dw = make(op, shape, x.dtype);
  const db = bias ? make(op, [shape[0]], x.dtype) : null;
  const [p, g] = [dense(op, x), dense(op, dy)];
  geometry(p.shape, shape, g.shape, g.dtype, geo);
  G[17] = offsetOf(dw);
  G[18] = db === null ? -1 : offsetOf(db);
  G[19] = offsetOf(p);
  G[20] = offsetOf(g);
  native.conv2dBackwardWeight(dw.storage.bytes, db?.storage.bytes ?? NO_BYTES, p.storage.bytes, g.storage.bytes);
  record(op, dw, [x, dy], [x, dy], (gg, [xIn, dyIn], needs) => [
    needs[0] && inputGradient(dyIn, gg, xIn.shape, geo),
    needs[1] && forward(xIn, gg, null, geo),
  ]);
  if (db !== null) record(op, db, [dy], [], (gg) => gg.reshape([1, -1, 1, 1]).expand(g.shape));
  return [dw, db];
}
