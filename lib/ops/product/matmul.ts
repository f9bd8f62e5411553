// Matrix products. Every export is also a method of Tensor.
import { cast, checkTensor, dense, dropCopy, hidden, make, meet, offsetOf } from '../../core/dispatch.js';
import { codeOf, type DType, isFloat } from '../../core/dtype.js';
import { isGradEnabled } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, broadcastStrides, formatShape, type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** How BLAS reads the last two dimensions: the step between rows, negative where they lie transposed, 0 where it cannot. */
function rowStep(x: Tensor): number {
  const at = x.ndim - 2;
  const rows = x.shape[at];
  const columns = x.shape[at + 1];
  const down = x.strides[at];
  const right = x.strides[at + 1];
  // Strides say nothing where there are no elements.
  if (x.size === 0) return Math.max(columns, 1);
  if ((right === 1 || columns === 1) && (down >= columns || rows === 1)) return Math.max(down, columns, 1);
  if ((down === 1 || rows === 1) && (right >= rows || columns === 1)) return -Math.max(right, rows, 1);
  return 0;
}

const NO_BATCH: Shape = [];

/** Which operands are taken transposed, and a row added to each row of the result. */
interface GemmOptions {
  readonly a?: boolean;
  readonly b?: boolean;
  readonly bias?: Tensor;
}
const A_TRANSPOSED: GemmOptions = { a: true };
const B_TRANSPOSED: GemmOptions = { b: true };

/** c = a b (+ bias) for a [..., m, k] and b [..., k, n]; transposed operands are read in place. Not recorded. */
function gemm(op: string, a: Tensor, b: Tensor, batch: Shape, options?: GemmOptions): Tensor {
  const flipA = options?.a === true;
  const flipB = options?.b === true;
  const bias = options?.bias;
  const m = a.shape[a.ndim - (flipA ? 1 : 2)];
  const k = a.shape[a.ndim - (flipA ? 2 : 1)];
  const n = b.shape[b.ndim - (flipB ? 2 : 1)];
  const ndim = batch.length;
  const c = make(op, ndim === 0 ? [m, n] : [...batch, m, n], a.dtype);
  let left = rowStep(a);
  const p = left === 0 ? dense(op, a) : a;
  if (left === 0) left = rowStep(p);
  let right = rowStep(b);
  const q = right === 0 ? dense(op, b) : b;
  if (right === 0) right = rowStep(q);
  G[0] = codeOf(a.dtype);
  G[1] = left < 0 !== flipA ? 1 : 0;
  G[2] = right < 0 !== flipB ? 1 : 0;
  G[3] = m;
  G[4] = n;
  G[5] = k;
  G[6] = Math.abs(left);
  G[7] = Math.abs(right);
  G[8] = 1;
  G[9] = 0;
  G[10] = offsetOf(c);
  G[11] = offsetOf(p);
  G[12] = offsetOf(q);
  G[13] = bias === undefined ? -1 : offsetOf(bias);
  G[14] = ndim;
  if (ndim > 0) {
    const stridesA = broadcastStrides(p.shape.slice(0, -2), p.strides.slice(0, -2), batch);
    const stridesB = broadcastStrides(q.shape.slice(0, -2), q.strides.slice(0, -2), batch);
    for (let i = 0; i < ndim; i++) {
      G[15 + i] = batch[i];
      G[15 + ndim + i] = stridesA[i];
      G[15 + 2 * ndim + i] = stridesB[i];
    }
  }
  native.gemm(c.storage.bytes, p.storage.bytes, q.storage.bytes, bias?.storage.bytes ?? NO_BYTES);
  dropCopy(p, a);
  dropCopy(q, b);
  return c;
}

/** a b of matrices, for rules: outside the tape, unless the walk itself is recorded. */
function times(op: string, a: Tensor, b: Tensor): Tensor {
  return isGradEnabled() ? matmul(a, b) : gemm(op, a, b, NO_BATCH);
}

/** a b^T of matrices, for rules. */
function timesTransposed(op: string, a: Tensor, b: Tensor): Tensor {
  return isGradEnabled() ? matmul(a, b.t()) : gemm(op, a, b, NO_BATCH, B_TRANSPOSED);
}

/** a^T b of matrices, for rules. */
function transposedTimes(op: string, a: Tensor, b: Tensor): Tensor {
  return isGradEnabled() ? matmul(a.t(), b) : gemm(op, a, b, NO_BATCH, A_TRANSPOSED);
}

function checkProduct(op: string, a: Tensor, b: Tensor): DType {
  if (a.ndim === 0 || b.ndim === 0) {
    throw new TensorError(
      'shape',
      op,
      `expected at least one dimension on both sides, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  if (a.shape[a.ndim - 1] !== b.shape[Math.max(b.ndim - 2, 0)]) {
    const second = b.ndim === 1 ? 'the size' : 'the second to last';
    throw new TensorError(
      'shape',
      op,
      `expected the last size of ${formatShape(a.shape)} to equal ${second} of ${formatShape(b.shape)}`,
    );
  }
  const dtype = meet(a, b);
  return isFloat(dtype) ? dtype : 'int32';
}

/**
 * Matrix product over the last two dimensions, the others broadcast; vectors act as a row on the left and a column on the
 * right: `[..., m, k] x [..., k, n] -> [..., m, n]`, `dA = g B^T`, `dB = A^T g` (PyTorch: `torch.matmul`).
 *
 * @throws TensorError `shape` where the inner sizes differ or the outer ones do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).matmul(tensor([1, 1])).toArray()); // [3, 7]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const op = 'matmul';
  checkTensor(op, a);
  checkTensor(op, b);
  const dtype = checkProduct(op, a, b);
  if (a.ndim === 1) return composite(() => matmul(a.unsqueeze(0), b).squeeze(b.ndim === 1 ? 0 : -2));
  if (b.ndim === 1) return composite(() => matmul(a, b.unsqueeze(1)).squeeze(-1));
  // One matrix for the whole batch: a single tall product, whose gradient is a single product too.
  if (a.ndim > 2 && b.ndim === 2) {
    const outer = a.shape.slice(0, -1);
    return composite(() => matmul(a.reshape([sizeOf(outer), a.shape[a.ndim - 1]]), b).reshape([...outer, b.shape[1]]));
  }
  const p = cast(op, a, dtype);
  const q = cast(op, b, dtype);
  if (p !== a && !p.requiresGrad) hidden(p);
  if (q !== b && !q.requiresGrad) hidden(q);
  if (p.ndim === 2 && q.ndim === 2) {
    return record(op, gemm(op, p, q, NO_BATCH), [p, q], [p, q], (g, [x, y], needs) => [
      needs[0] && timesTransposed(op, g, y),
      needs[1] && transposedTimes(op, x, g),
    ]);
  }
  const batch = broadcastShapes(op, p.shape.slice(0, -2), q.shape.slice(0, -2));
  return record(op, gemm(op, p, q, batch), [p, q], [p, q], (g, [x, y], needs) => [
    needs[0] && matmul(g, y.transpose(-2, -1)),
    needs[1] && matmul(x.transpose(-2, -1), g),
  ]);
}

/** dx, dW and db of {@link linear} on a matrix. */
function linearRule(g: Tensor, [x, weight]: readonly [Tensor, Tensor], needs: readonly unknown[]): (Tensor | null)[] {
  return [
    needs[0] ? times('linear', g, weight) : null,
    needs[1] ? transposedTimes('linear', g, x) : null,
    needs[2] ? g.sum(0) : null,
  ];
}

/**
 * Affine map of the last dimension: `y = x W^T + b`, `x [..., in]`, `W [out, in]`, `b [out]` (PyTorch: `F.linear`).
 *
 * @throws TensorError `shape` where the sizes do not go together, `dtype` where the dtypes differ
 *
 * @example
 * ```ts
 * import { linear, tensor } from 'chainrule';
 * console.log(linear(tensor([[1, 2]]), tensor([[3, 4]]), tensor([5])).toArray()); // [[16]]
 * ```
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const op = 'linear';
  checkTensor(op, x);
  checkTensor(op, weight, 'a weight tensor');
  if (bias !== null) checkTensor(op, bias, 'a bias tensor or null');
  if (weight.ndim !== 2 || x.ndim === 0 || x.shape[x.ndim - 1] !== weight.shape[1]) {
    throw new TensorError(
      'shape',
      op,
      `expected an input [..., in] for the weight [out, in], got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  }
  if (bias !== null && (bias.ndim !== 1 || bias.shape[0] !== weight.shape[0])) {
    throw new TensorError(
      'shape',
      op,
      `expected a bias of shape [${weight.shape[0]}] for the weight ${formatShape(weight.shape)}, got ${formatShape(bias.shape)}`,
    );
  }
  if (x.dtype !== weight.dtype || (bias !== null && bias.dtype !== x.dtype) || !isFloat(x.dtype)) {
    throw new TensorError(
      'dtype',
      op,
      `expected one floating dtype, got ${[x, weight, bias].map((v) => v?.dtype ?? 'none').join(', ')}; convert with x.to(...)`,
    );
  }
  const [out, inner] = weight.shape;
  if (x.ndim !== 2) {
    const outer = x.shape.slice(0, -1);
    return composite(() => linear(x.reshape([sizeOf(outer), inner]), weight, bias).reshape([...outer, out]));
  }
  const b = bias && dense(op, bias);
  const y = gemm(op, x, weight, NO_BATCH, b === null ? B_TRANSPOSED : { b: true, bias: b });
  if (b !== null) dropCopy(b, bias as Tensor);
  return record(op, y, [x, weight, bias], [x, weight], linearRule);
}
