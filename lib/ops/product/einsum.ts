// Sums of products over named dimensions: einsum and what is a case of it.
import { checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, formatShape, normalizeAxis } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { contract, sizesOf } from './einsum-contract.js';
import { labelName, readEquation } from './einsum-equation.js';

/**
 * Sum of products over named dimensions, after Einstein: `'ij,jk->ik'` is the matrix product (PyTorch: `torch.einsum`).
 *
 * Each operand has a term of one letter per dimension. Dimensions of one letter are multiplied element by element; a letter that
 * is missing behind `->` is summed over; a letter twice in one term takes the diagonal; `...` stands for any other dimensions,
 * which broadcast. Without `->` the output has the ellipsis and all letters that stand once, in alphabetical order (capitals
 * first). Sizes of 1 stretch; spaces do not count. Sums are taken as early as they can be, then the cheapest pair of operands is
 * multiplied, as a matrix product where it sums, until one is left.
 *
 * @param equation terms of the operands, separated by commas, and the output
 * @throws TensorError `value` for an equation that breaks the grammar or has another number of terms, `shape` where labels and
 * dimensions do not go together
 *
 * @example
 * ```ts
 * import { einsum, tensor } from 'chainrule';
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(einsum('ij,kj->ik', x, x).toArray()); // [[5, 11], [11, 25]]
 * console.log(einsum('ii', x).item(), einsum('ij->j', x).toArray()); // 5 [4, 6]
 * ```
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const op = 'einsum';
  for (const [i, x] of operands.entries()) checkTensor(op, x, `a tensor as operand ${i}`);
  const shapes = operands.map((x) => x.shape);
  const labels = readEquation(equation, shapes);
  const sizes = sizesOf(op, shapes, labels.operands, labelName);
  return composite(() =>
    contract(
      op,
      operands.map((x, i) => ({ x, labels: labels.operands[i] })),
      labels.output,
      sizes,
    ),
  );
}

/** The dimensions summed over, of `a` and of `b`. */
function checkDims(op: string, dims: unknown, a: Tensor, b: Tensor): [number[], number[]] {
  if (typeof dims === 'number') {
    const n = checkInteger(op, 'dims', dims, 0, Math.min(a.ndim, b.ndim));
    const first = Array.from({ length: n }, (_, i) => i);
    return [first.map((i) => a.ndim - n + i), first];
  }
  const lists = Array.isArray(dims) && dims.length === 2 ? dims : [];
  const [p, q] = lists.map((list: unknown, side) =>
    (Array.isArray(list) ? list : [list]).map((axis) => normalizeAxis(op, axis, [a, b][side].ndim)),
  );
  const twice = (list: number[]) => new Set(list).size !== list.length;
  if (p === undefined || q === undefined || p.length !== q.length || twice(p) || twice(q)) {
    throw new TensorError(
      'axis',
      op,
      `expected a number of dimensions, or as many of both tensors, each once, got ${describe(dims)}`,
    );
  }
  return [p, q];
}

/**
 * Sum of products over some dimensions of both tensors: the last of `a` and the first of `b`, or those named. The result has the
 * other dimensions of `a`, then those of `b`; a size of 1 stretches (PyTorch: `torch.tensordot`).
 *
 * @param dims how many, 2 unless given; or the dimensions of `a` and, in the same order, those of `b`
 * @throws TensorError `shape` where the sizes differ, `axis` for dimensions that are not there or named twice
 *
 * @example
 * ```ts
 * import { ones, tensordot } from 'chainrule';
 * console.log(tensordot(ones([2, 3, 4]), ones([3, 4, 5])).shape); // [2, 5]
 * console.log(tensordot(ones([2, 3]), ones([4, 2]), [[0], [1]]).shape); // [3, 4]
 * ```
 */
export function tensordot(
  a: Tensor,
  b: Tensor,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  const op = 'tensordot';
  checkTensor(op, a, 'a first tensor');
  checkTensor(op, b, 'a second tensor');
  const [p, q] = checkDims(op, dims, a, b);
  if (a.ndim + b.ndim - 2 * p.length > 8) {
    throw new TensorError(
      'shape',
      op,
      `expected a result of at most 8 dimensions, got ${formatShape(a.shape)} and ${formatShape(b.shape)} summed over ${p.length}`,
    );
  }
  const first = a.shape.map((_, i) => i);
  const second = b.shape.map((_, i) => (q.includes(i) ? p[q.indexOf(i)] : a.ndim + i));
  const output = [...first.filter((i) => !p.includes(i)), ...second.filter((i) => i >= a.ndim)];
  const sizes = sizesOf(op, [a.shape, b.shape], [first, second], String);
  return composite(() =>
    contract(
      op,
      [
        { x: a, labels: first },
        { x: b, labels: second },
      ],
      output,
      sizes,
    ),
  );
}
