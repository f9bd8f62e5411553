// What all of linear algebra shares: checks of matrices, the call of a binding, and errors that name the matrix.
import { checkFloat, checkTensor, filled, offsetOf } from '../../core/dispatch.js';
import { DTYPES, type DType } from '../../core/dtype.js';
import { checkValues } from '../../core/range.js';
import { formatShape, type Shape, sizeOf } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** LAPACK counts rows and columns in 32 bits. */
const MOST_ROWS = 2 ** 30;

/** A batch of matrices: its outer sizes, rows and columns. */
export interface Matrices {
  readonly batch: Shape;
  readonly m: number;
  readonly n: number;
}

/** Checks a batch of float32 or float64 matrices. */
export function checkMatrix(op: string, x: Tensor, name = 'the input'): Matrices {
  const { shape, ndim } = checkFloat(op, checkTensor(op, x), name);
  if (ndim < 2) {
    throw new TensorError('shape', op, `expected ${name} to have at least two dimensions, got ${formatShape(shape)}`);
  }
  const [m, n] = shape.slice(-2);
  if (m > MOST_ROWS || n > MOST_ROWS) {
    throw new TensorError('shape', op, `expected at most 2^30 rows and columns in ${name}, got ${formatShape(shape)}`);
  }
  return { batch: shape.slice(0, -2), m, n };
}

/** Checks a batch of square matrices. */
export function checkSquare(op: string, x: Tensor, name = 'the input'): Matrices {
  const at = checkMatrix(op, x, name);
  if (at.m === at.n) return at;
  throw new TensorError('shape', op, `expected square matrices in ${name}, got ${formatShape(x.shape)}`);
}

export function checkSameDtype(op: string, a: Tensor, b: Tensor): void {
  if (a.dtype === b.dtype) return;
  throw new TensorError(
    'dtype',
    op,
    `expected one dtype on both sides, got ${a.dtype} and ${b.dtype}; convert with x.to('${a.dtype}')`,
  );
}

/** The numbers of a call; see lib/native.ts. */
export interface Problem {
  readonly m?: number;
  readonly n?: number;
  readonly k?: number;
  readonly mode?: number;
  readonly upper?: boolean;
  readonly transposed?: boolean;
  readonly unit?: boolean;
  readonly rcond?: number;
}

/** Calls a binding on contiguous tensors, in its order; null for what is not there. */
export function call(
  kernel: (...buffers: Bytes[]) => void,
  dtype: DType,
  batch: Shape,
  p: Problem,
  tensors: readonly (Tensor | null)[],
): void {
  G[0] = DTYPES[dtype].code;
  G[1] = sizeOf(batch);
  G[2] = p.m ?? 0;
  G[3] = p.n ?? 0;
  G[4] = p.k ?? 0;
  G[5] = p.mode ?? 0;
  G[6] = Number(p.upper ?? false);
  G[7] = Number(p.transposed ?? false);
  G[8] = Number(p.unit ?? false);
  G[9] = p.rcond ?? 0;
  for (let i = 0; i < tensors.length; i++) {
    const t = tensors[i];
    G[10 + i] = t === null ? -1 : offsetOf(t);
  }
  kernel(...tensors.map((t) => t?.storage.bytes ?? NO_BYTES));
}

/** One number per matrix for a binding to report in; 0 is success. */
export function makeInfo(op: string, batch: Shape): Tensor {
  return filled(op, [sizeOf(batch)], 'int32', 0);
}

/** What a negative number in `info` stands for (native/core/args/linalg.h); others are negative only by a mistake of ours. */
function refusal(op: string, code: number, where: string): TensorError {
  if (code === -1) return new TensorError('value', op, `expected finite numbers, got NaN or infinity${where}`);
  if (code === -2) return new TensorError('memory', op, `expected memory for the work on a matrix, got none${where}`);
  if (code === -3) {
    return new TensorError('shape', op, `expected matrices whose work LAPACK can count in 32 bits, got larger ones`);
  }
  return new TensorError('index', op, `expected pivots between 1 and the number of rows, got others${where}`);
}

/**
 * Throws for the first matrix that failed, after giving back `made`; with `refused` null, positive numbers are let through.
 * Gives `info` back.
 */
export function settle(
  op: string,
  info: Tensor,
  made: readonly (Tensor | null)[],
  refused: ((code: number, where: string) => TensorError) | null,
): void {
  const many = info.size > 1;
  try {
    checkValues(op, info, 0, refused === null ? Number.POSITIVE_INFINITY : 0, (read, place) => {
      const code = read.read(place);
      const where = many ? ` in batch element ${place}` : '';
      return code > 0 && refused !== null ? refused(code, where) : refusal(op, code, where);
    });
  } catch (error) {
    for (const t of made) t?.dispose();
    throw error;
  } finally {
    info.dispose();
  }
}

/** The error of a matrix without an inverse: pivot `code` is zero. */
export const singular = (op: string) => (code: number, where: string) =>
  new TensorError(
    'singular',
    op,
    `expected an invertible matrix, got a singular one${where}: pivot ${code} is zero; use pinv() or lstsq()`,
  );

/** The error of an iteration that did not come to its end. */
export const unsettled = (op: string) => (_: number, where: string) =>
  new TensorError('value', op, `expected a matrix whose iteration converges, got another${where}`);

/** The transposed matrices, a view. */
export const mT = (x: Tensor): Tensor => x.transpose(-2, -1);

/** The identity matrix. */
export const identity = (n: number, dtype: DType): Tensor => filled('eye', [n], dtype, 1).diag();

/** The vector case of solve and lstsq: one right side for each matrix, without a dimension of its own. */
export function isVector(a: Tensor, b: Tensor): boolean {
  if (b.ndim === 1) return true;
  return b.ndim === a.ndim - 1 && b.shape.every((n, i) => n === a.shape[i]);
}
