// The three linear maps that convolution is made of. Each has the others as its gradients, so that all can be
// differentiated any number of times; 1-d, 2-d and 3-d, channels before sizes.
import { checkTensor, clear, copyInto, dense, dropCopy, make, offsetOf, view } from '../../core/dispatch.js';
import { DTYPES, type DType } from '../../core/dtype.js';
import { formatShape, type Shape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** The most that the binding takes for a stride, padding, dilation or size of a kernel. */
export const MOST = 2 ** 20;

/** Everything about a convolution but its sizes; lists go from the outermost dimension inwards. */
export interface ConvGeometry {
  readonly stride: readonly number[];
  /** Zeros before the first element; those behind the last follow from the output's size. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** Names of the layouts, by the number of spatial dimensions. */
export const LAYOUTS = [[], ['L'], ['H', 'W'], ['D', 'H', 'W']].map((sizes) => `[N, C, ${sizes.join(', ')}]`);
/** Names of the kernel's sizes. */
export const TAPS = ['', 'k', 'kh, kw', 'kd, kh, kw'];

/** Checks that a bias has one number for each of so many channels, and that all operands are of one dtype. */
export function checkOperands(op: string, x: Tensor, weight: Tensor, bias: Tensor | null, channels: number): void {
  if (bias !== null && (checkTensor(op, bias, 'a bias tensor or null').ndim !== 1 || bias.shape[0] !== channels)) {
    throw new TensorError('shape', op, `expected a bias of shape [${channels}], got ${formatShape(bias.shape)}`);
  }
  if (weight.dtype !== x.dtype || (bias !== null && bias.dtype !== x.dtype)) {
    throw new TensorError(
      'dtype',
      op,
      `expected one dtype, got ${[x, weight, bias].map((v) => v?.dtype ?? 'none').join(', ')}; convert with x.to(...)`,
    );
  }
  const taps = weight.shape.slice(2);
  if (weight.shape[0] === 0 || taps.some((k) => k < 1 || k > MOST)) {
    throw new TensorError(
      'shape',
      op,
      `expected a weight with channels and 1 to 2^20 taps along each dimension, got ${formatShape(weight.shape)}`,
    );
  }
  if (x.shape.slice(2).includes(0)) {
    throw new TensorError(
      'shape',
      op,
      `expected no size of 0 but the batch and the channels, got ${formatShape(x.shape)}`,
    );
  }
}

/** Sizes behind batch and channels, three of them: what a sequence or an image lacks in front is 1. */
function writeSizes(slot: number, shape: Shape): void {
  for (let i = 0; i < 3; i++) G[slot + i] = shape.length - 3 + i < 2 ? 1 : shape[shape.length - 3 + i];
}

function writeSteps(slot: number, steps: readonly number[], missing: number): void {
  for (let i = 0; i < 3; i++) G[slot + i] = steps[steps.length - 3 + i] ?? missing;
}

function writeGeometry(x: Shape, w: Shape, y: Shape, dtype: DType, geo: ConvGeometry): void {
  G[0] = DTYPES[dtype].code;
  G[1] = x[0];
  G[2] = x[1];
  writeSizes(3, x);
  G[6] = w[0];
  writeSizes(7, w);
  writeSizes(10, y);
  writeSteps(13, geo.stride, 1);
  writeSteps(16, geo.padding, 0);
  writeSteps(19, geo.dilation, 1);
  G[22] = geo.groups;
}

/** y = bias in every channel, 0 without one: what is left of a sum without terms. */
function fillBias(y: Tensor, bias: Tensor | null): void {
  if (bias === null) {
    clear(y);
    return;
  }
  const strides = y.shape.map((_, i) => (i === 1 ? bias.strides[0] : 0));
  const repeated = view(y.op, bias, y.shape, strides, bias.offset, false);
  copyInto(y, repeated);
  repeated.dispose();
}

/** The gradient of a bias: the sum over all but the channels. */
function channelSums(g: Tensor): Tensor {
  return g.sum(g.shape.map((_, i) => i).filter((i) => i !== 1));
}

/** `y [N,O,...]` of the given shape from `x [N,C,...]`, `w [O,C/groups,...]` and a bias [O]. */
export function correlate(
  op: string,
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  shape: Shape,
  geo: ConvGeometry,
): Tensor {
  const y = make(op, shape, x.dtype);
  if (w.size === 0) fillBias(y, bias);
  else if (y.size > 0) {
    const [p, q] = [dense(op, x), dense(op, w)];
    const b = bias === null ? null : dense(op, bias);
    writeGeometry(p.shape, q.shape, shape, x.dtype, geo);
    G[23] = offsetOf(y);
    G[24] = offsetOf(p);
    G[25] = offsetOf(q);
    G[26] = b === null ? -1 : offsetOf(b);
    native.conv(y.storage.bytes, p.storage.bytes, q.storage.bytes, b?.storage.bytes ?? NO_BYTES);
    dropCopy(p, x);
    dropCopy(q, w);
    if (b !== null) dropCopy(b, bias as Tensor);
  }
  return record(op, y, [x, w, bias], [x, w], (g, [input, weight], needs) => {
    const dx = needs[0] && spread(`${op} backward`, g, weight, null, input.shape, geo);
    if (!needs[1]) return [dx, null, needs[2] && channelSums(g)];
    const [dw, db] = weightGradient(`${op} backward`, input, g, weight.shape, geo, needs[2] !== null);
    return [dx, dw, db];
  });
}

/**
 * `dx [N,C,...]` of the given shape from `dy [N,O,...]`, `w [O,C/groups,...]` and a bias [C]: every value is spread over the
 * elements that {@link correlate} made it of.
 */
export function spread(
  op: string,
  dy: Tensor,
  w: Tensor,
  bias: Tensor | null,
  shape: Shape,
  geo: ConvGeometry,
): Tensor {
  const dx = make(op, shape, dy.dtype);
  if (dx.size > 0) {
    const [g, q] = [dense(op, dy), dense(op, w)];
    const b = bias === null ? null : dense(op, bias);
    writeGeometry(shape, q.shape, g.shape, dy.dtype, geo);
    G[23] = offsetOf(dx);
    G[24] = offsetOf(g);
    G[25] = offsetOf(q);
    G[26] = b === null ? -1 : offsetOf(b);
    native.convBackwardInput(dx.storage.bytes, g.storage.bytes, q.storage.bytes, b?.storage.bytes ?? NO_BYTES);
    dropCopy(g, dy);
    dropCopy(q, w);
    if (b !== null) dropCopy(b, bias as Tensor);
  }
  return record(op, dx, [dy, w, bias], [dy, w], (g, [given, weight], needs) => [
    needs[0] && correlate(`${op} backward`, g, weight, null, given.shape, geo),
    needs[1] && weightGradient(`${op} backward`, g, given, weight.shape, geo, false)[0],
    needs[2] && channelSums(g),
  ]);
}

/** `dw [O,C/groups,...]` of the given shape from `x` and `dy` and, if asked for, the gradient of a bias [O]. */
function weightGradient(
  op: string,
  x: Tensor,
  dy: Tensor,
  shape: Shape,
  geo: ConvGeometry,
  bias: boolean,
): [Tensor, Tensor | null] {
  const dw = make(op, shape, x.dtype);
  if (dw.size === 0) return [dw, bias ? channelSums(dy) : null];
  const db = bias ? make(op, [shape[0]], x.dtype) : null;
  const [p, g] = [dense(op, x), dense(op, dy)];
  writeGeometry(p.shape, shape, g.shape, x.dtype, geo);
  G[23] = offsetOf(dw);
  G[24] = db === null ? -1 : offsetOf(db);
  G[25] = offsetOf(p);
  G[26] = offsetOf(g);
  native.convBackwardWeight(dw.storage.bytes, db?.storage.bytes ?? NO_BYTES, p.storage.bytes, g.storage.bytes);
  dropCopy(p, x);
  dropCopy(g, dy);
  record(op, dw, [x, dy], [x, dy], (gg, [input, given], needs) => [
    needs[0] && spread(`${op} backward`, given, gg, null, input.shape, geo),
    needs[1] && correlate(`${op} backward`, input, gg, null, given.shape, geo),
  ]);
  if (db !== null) {
    const before = dy.shape;
    record(op, db, [dy], [], (gg) => gg.reshape(before.map((_, i) => (i === 1 ? -1 : 1))).expand(before));
  }
  return [dw, db];
}
