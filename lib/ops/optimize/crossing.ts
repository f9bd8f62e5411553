// What optimizer updates share: checks, state tensors, and the crossing that carries many parameters at once.
import { busy, checkUnread } from '../../core/busy.js';
import { dense, isTensor, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES, isFloat } from '../../core/dtype.js';
import { recording } from '../../core/recording.js';
import { formatShape } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
/** First slot behind the options of a rule (see lib/native.ts). */
const FIRST = 16;
/** The most parameters of one crossing (native/core/args/optim.h). */
const ROOM = 64;

/** The options that every update kernel reads. */
export interface CommonRule {
  /** Factor of the parameter added to its gradient. */
  weightDecay: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** Checks that an optimizer can change a tensor. */
export function checkParameter(op: string, p: unknown): Tensor {
  if (!isTensor(p)) throw new TensorError('value', op, `expected tensors as parameters, got ${describe(p)}`);
  p.check(op);
  if (!p.isLeaf) {
    throw new TensorError(
      'grad',
      op,
      `expected leaves as parameters, got the result of '${p.op}' ${formatShape(p.shape)}`,
    );
  }
  if (!isFloat(p.dtype)) throw new TensorError('dtype', op, `expected float32 or float64 parameters, got ${p.dtype}`);
  if (!p.isContiguous) {
    throw new TensorError(
      'value',
      op,
      `expected contiguous parameters, got a view ${formatShape(p.shape)}; clone() it first`,
    );
  }
  return p;
}

/** A state tensor beside a parameter, filled with one value; no scope releases it. */
export function stateLike(op: string, p: Tensor, value = 0): Tensor {
  const made = make(op, p.shape, p.dtype);
  if (value === 0) {
    const { bytes, byteOffset, byteLength } = made.storage;
    bytes.fill(0, byteOffset, byteOffset + byteLength);
  } else made.typed().fill(value);
  made.kept = true;
  return made;
}

/** The gradient of a parameter, contiguous, or null where there is none. */
export function gradientOf(op: string, p: Tensor): Tensor | null {
  if (recording !== null) recording.gradient(p, false);
  const g = p.gradient;
  if (g === null) return null;
  p.check(op);
  g.check(op);
  if (g.isContiguous) return g;
  // Set by the user: backward() makes contiguous ones.
  p.gradient = dense(op, g);
  p.gradient.kept = true;
  return p.gradient;
}

/** Arguments of one crossing. */
export type Buffers = (Bytes | null)[];

/** One crossing being put together: the parameters of one dtype and one `tag`. Kept between steps, so that a step allocates nothing. */
export class Crossing {
  private readonly buffers: Buffers = [];
  private used = 0;
  private slot = FIRST;
  private dtype = -1;
  private tag = -1;
  count = 0;

  /** Whether a parameter can join those that are there; a tag is what one call has in common. */
  takes(p: Tensor, tag: number): boolean {
    return this.count === 0 || (this.count < ROOM && tag === this.tag && DTYPES[p.dtype].code === this.dtype);
  }

  /** Begins the next parameter; its buffers follow, itself first. */
  begin(p: Tensor, tag: number): void {
    this.dtype = DTYPES[p.dtype].code;
    this.tag = tag;
    this.count++;
    G[this.slot++] = p.size;
    if (busy !== null) checkUnread(p);
    p.storage.version++;
  }

  put(x: Tensor | null): void {
    this.buffers[this.used++] = x === null ? null : x.storage.bytes;
    G[this.slot++] = x === null ? -1 : offsetOf(x);
  }

  /** Fills the slots all rules share and gives the arguments of the call. */
  finish(rule: CommonRule): Buffers {
    const { buffers } = this;
    if (buffers.length !== this.used) buffers.length = this.used;
    G[0] = this.dtype;
    G[1] = this.count;
    G[3] = rule.weightDecay;
    G[4] = rule.maximize ? 1 : 0;
    this.count = 0;
    this.used = 0;
    this.slot = FIRST;
    return buffers;
  }
}

const crossings = new WeakMap<readonly Tensor[], Crossing>();

export function crossingOf(params: readonly Tensor[]): Crossing {
  const known = crossings.get(params);
  if (known !== undefined) return known;
  const made = new Crossing();
  crossings.set(params, made);
  return made;
}
