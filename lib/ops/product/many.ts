// Products of more than two tensors: chains of matrices in their cheapest order, and the bilinear map.
import { checkFloat, checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { formatShape, type Shape, sameShape, sizeOf } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { alias } from '../shape/stride.js';
import { matmul } from './matmul.js';

/** A chain [n0, n1], [n1, n2], ...; every matrix checked. */
function checkChain(op: string, matrices: readonly Tensor[]): void {
  for (const [i, x] of matrices.entries()) {
    if (x.ndim !== 2 || (i > 0 && matrices[i - 1].shape[1] !== x.shape[0])) {
      const before = i > 0 ? ` after ${formatShape(matrices[i - 1].shape)}` : '';
      throw new TensorError(
        'shape',
        op,
        `expected matrices that follow each other, got ${formatShape(x.shape)}${before}`,
      );
    }
  }
}

/**
 * Where to split each stretch of the chain so that the fewest multiplications are done: `split[i][j]` is the last matrix of the
 * left part of i..j. Dynamic programming over lengths (Cormen et al., "Introduction to algorithms", 15.2).
 */
function splits(sizes: Shape): number[][] {
  const n = sizes.length - 1;
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const split = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let length = 1; length < n; length++) {
    for (let i = 0; i + length < n; i++) {
      const j = i + length;
      cost[i][j] = Infinity;
      for (let k = i; k < j; k++) {
        const here = cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1];
        if (here < cost[i][j]) [cost[i][j], split[i][j]] = [here, k];
      }
    }
  }
  return split;
}

function product(matrices: readonly Tensor[]): Tensor {
  const split = splits([matrices[0].shape[0], ...matrices.map((x) => x.shape[1])]);
  const part = (i: number, j: number): Tensor =>
    i === j ? matrices[i] : matmul(part(i, split[i][j]), part(split[i][j] + 1, j));
  return part(0, matrices.length - 1);
}

/**
 * Product of matrices one after the other, in the order that costs the fewest multiplications (PyTorch:
 * `torch.chain_matmul`).
 *
 * @param matrices [n0, n1], [n1, n2], ...; at least one
 * @throws TensorError `shape` unless they follow each other, `value` where there is none
 *
 * @example
 * ```ts
 * import { chainMatmul, ones } from 'chainrule';
 * console.log(chainMatmul(ones([2, 30]), ones([30, 4]), ones([4, 5])).shape); // [2, 5]
 * ```
 */
export function chainMatmul(...matrices: readonly Tensor[]): Tensor {
  const op = 'chainMatmul';
  if (matrices.length === 0) throw new TensorError('value', op, 'expected at least one matrix, got none');
  for (const x of matrices) checkTensor(op, x, 'matrices');
  checkChain(op, matrices);
  return matrices.length === 1 ? alias(matrices[0]) : composite(() => product(matrices));
}

/**
 * Product of several matrices in the order that costs the fewest multiplications; the first may be a vector (a row), and so may
 * the last (a column) (PyTorch: `torch.linalg.multi_dot`).
 *
 * @param tensors at least two
 * @throws TensorError `shape` unless they follow each other, `value` unless it is a list of two or more
 *
 * @example
 * ```ts
 * import { multiDot, tensor } from 'chainrule';
 * console.log(multiDot([tensor([1, 2]), tensor([[1, 0], [0, 2]]), tensor([3, 4])]).item()); // 19
 * ```
 */
export function multiDot(tensors: readonly Tensor[]): Tensor {
  const op = 'multiDot';
  if (!Array.isArray(tensors) || tensors.length < 2) {
    throw new TensorError('value', op, `expected a list of two or more tensors, got ${describe(tensors)}`);
  }
  for (const x of tensors) checkTensor(op, x, 'a list of tensors');
  const last = tensors.length - 1;
  const row = tensors[0].ndim === 1;
  const column = tensors[last].ndim === 1;
  return composite(() => {
    const matrices = tensors.map((x, i) =>
      row && i === 0 ? x.unsqueeze(0) : column && i === last ? x.unsqueeze(1) : x,
    );
    checkChain(op, matrices);
    const y = product(matrices);
    return row || column ? y.reshape(y.shape.filter((_, i) => !(i === 0 ? row : column))) : y;
  });
}

/**
 * Bilinear map of the last dimensions: `y[..., o] = sum_ij x1[..., i] W[o, i, j] x2[..., j] + b[o]` (PyTorch: `F.bilinear`).
 *
 * @param x1 [..., in1]
 * @param x2 [..., in2], the same leading sizes
 * @param weight [out, in1, in2]
 * @param bias [out] or null
 * @returns [..., out]
 * @throws TensorError `shape` where the sizes do not go together, `dtype` where the dtypes differ
 *
 * @example
 * ```ts
 * import { bilinear, ones } from 'chainrule';
 * console.log(bilinear(ones([4, 3]), ones([4, 5]), ones([2, 3, 5])).shape); // [4, 2]
 * ```
 */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const op = 'bilinear';
  checkTensor(op, x1, 'a first input tensor');
  checkTensor(op, x2, 'a second input tensor');
  checkFloat(op, checkTensor(op, weight, 'a weight tensor'), 'the weight');
  if (bias !== null) checkTensor(op, bias, 'a bias tensor or null');
  const outer = x1.shape.slice(0, -1);
  const [out, in1, in2] = weight.shape;
  const fits = weight.ndim === 3 && x1.shape[x1.ndim - 1] === in1 && x2.shape[x2.ndim - 1] === in2;
  if (!fits || !sameShape(outer, x2.shape.slice(0, -1)) || (bias !== null && !sameShape(bias.shape, [out]))) {
    const shapes = [x1, x2, weight, bias].map((x) => (x === null ? 'no bias' : formatShape(x.shape)));
    throw new TensorError(
      'shape',
      op,
      `expected inputs [..., in1] and [..., in2] of equal leading sizes, a weight [out, in1, in2] and a bias [out], got ${shapes.join(', ')}`,
    );
  }
  if ([x1, x2, bias].some((x) => x !== null && x.dtype !== weight.dtype)) {
    throw new TensorError(
      'dtype',
      op,
      `expected one floating dtype, got ${[x1, x2, weight, bias].map((x) => x?.dtype ?? 'none').join(', ')}; convert with x.to(...)`,
    );
  }
  const n = sizeOf(outer);
  return composite(() => {
    // x1 with every slice of W in one product, and the rest row by row.
    const halves = matmul(x1.reshape([n, in1]), weight.transpose(0, 1).reshape([in1, out * in2])).reshape([
      n,
      out,
      in2,
    ]);
    const y = matmul(halves, x2.reshape([n, in2, 1])).reshape([...outer, out]);
    return bias === null ? y : y.add(bias);
  });
}
