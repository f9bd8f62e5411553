// Matrix products. Every export is also a method of Tensor.
import { cast, checkTensor, dense, dropCopy, hidden, make, meet, offsetOf, view } from '../../core/dispatch.js';
import { DTYPES, type DType, isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, broadcastStrides, formatShape, type Shape, sizeOf } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

/** How BLAS reads the last two dimensions: plain or transposed, with a leading dimension; null where it cannot. */
function layout(x: Tensor): { trans: number; ld: number } | null {
  const [rows, columns] = x.shape.slice(-2);
  const [down, right] = x.strides.slice(-2);
  // Strides say nothing where there are no elements.
  if (x.size === 0) return { trans: 0, ld: Math.max(columns, 1) };
  if ((right === 1 || columns === 1) && (down >= columns || rows === 1))
    return { trans: 0, ld: Math.max(down, columns, 1) };
  if ((down === 1 || rows === 1) && (right >= rows || columns === 1)) return { trans: 1, ld: Math.max(right, rows, 1) };
  return null;
}

/** c = a b (+ bias) for a [..., m, k] and b [..., k, n]; transposed operands are read in place. Not recorded. */
function gemm(op: string, a: Tensor, b: Tensor, batch: Shape, bias: Tensor | null): Tensor {
  const m = a.shape[a.ndim - 2];
  const k = a.shape[a.ndim - 1];
  const n = b.shape[b.ndim - 1];
  const c = make(op, [...batch, m, n], a.dtype);
  let left = layout(a);
  const p = left === null ? dense(op, a) : a;
  left ??= layout(p) as NonNullable<typeof left>;
  let right = layout(b);
  const q = right === null ? dense(op, b) : b;
  right ??= layout(q) as NonNullable<typeof right>;
  G[0] = DTYPES[a.dtype].code;
  G[1] = left.trans;
  G[2] = right.trans;
  G[3] = m;
  G[4] = n;
  G[5] = k;
  G[6] = left.ld;
  G[7] = right.ld;
  G[8] = 1;
  G[9] = 0;
  G[10] = offsetOf(c);
  G[11] = offsetOf(p);
  G[12] = offsetOf(q);
  G[13] = bias === null ? -1 : offsetOf(bias);
  const ndim = batch.length;
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
  const batch = broadcastShapes(op, p.shape.slice(0, -2), q.shape.slice(0, -2));
  return record(op, gemm(op, p, q, batch, null), [p, q], [p, q], (g, [x, y], needs) => [
    needs[0] && matmul(g, y.transpose(-2, -1)),
    needs[1] && matmul(x.transpose(-2, -1), g),
  ]);
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
  const wt = view(op, weight, [inner, out], [weight.strides[1], weight.strides[0]], weight.offset, false);
  const b = bias && dense(op, bias);
  const y = gemm(op, x, wt, [], b);
  wt.dispose();
  if (b !== null) dropCopy(b, bias as Tensor);
  return record(op, y, [x, weight, bias], [x, weight], (g, [input, w], needs) => [
    needs[0] && matmul(g, w),
    needs[1] && matmul(g.t(), input),
    needs[2] && g.sum(0),
  ]);
}
