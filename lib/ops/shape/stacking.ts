// Joining tensors whose dimensions are filled up first: side by side, one above the other, along a diagonal.
import { checkTensor, filled } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { formatShape } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { cat, checkList } from './join.js';
import { alias } from './stride.js';

type Filler = (x: Tensor) => Tensor;

/** One tensor or each of a list, filled up. */
function each(op: string, given: Tensor | readonly Tensor[], fill: Filler): Tensor | Tensor[] {
  if (!Array.isArray(given)) return fill(checkTensor(op, given, 'a tensor or a list of tensors'));
  return given.map((x) => fill(checkTensor(op, x)));
}

const filled1d: Filler = (x) => (x.ndim === 0 ? x.reshape([1]) : alias(x));
const filled2d: Filler = (x) => (x.ndim < 2 ? x.reshape([1, x.size]) : alias(x));
const filled3d: Filler = (x) =>
  x.ndim < 2 ? x.reshape([1, x.size, 1]) : x.ndim === 2 ? x.reshape([...x.shape, 1]) : alias(x);

/**
 * A tensor with at least one dimension: a single number as [1] (PyTorch: `torch.atleast_1d`).
 *
 * @param x a tensor, or a list of them, which gives a list
 *
 * @example
 * ```ts
 * import { atleast1d, tensor } from 'chainrule';
 * console.log(atleast1d(tensor(3)).toArray()); // [3]
 * ```
 */
export function atleast1d(x: Tensor): Tensor;
export function atleast1d(tensors: readonly Tensor[]): Tensor[];
export function atleast1d(x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  return each('atleast1d', x, filled1d);
}

/**
 * A tensor with at least two dimensions: a vector as a row [1, n] (PyTorch: `torch.atleast_2d`).
 *
 * @param x a tensor, or a list of them, which gives a list
 *
 * @example
 * ```ts
 * import { atleast2d, tensor } from 'chainrule';
 * console.log(atleast2d(tensor([1, 2])).toArray()); // [[1, 2]]
 * ```
 */
export function atleast2d(x: Tensor): Tensor;
export function atleast2d(tensors: readonly Tensor[]): Tensor[];
export function atleast2d(x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  return each('atleast2d', x, filled2d);
}

/**
 * A tensor with at least three dimensions: a vector as [1, n, 1], a matrix as [m, n, 1] (PyTorch: `torch.atleast_3d`).
 *
 * @param x a tensor, or a list of them, which gives a list
 *
 * @example
 * ```ts
 * import { atleast3d, ones } from 'chainrule';
 * console.log(atleast3d(ones([2, 5])).shape); // [2, 5, 1]
 * ```
 */
export function atleast3d(x: Tensor): Tensor;
export function atleast3d(tensors: readonly Tensor[]): Tensor[];
export function atleast3d(x: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  return each('atleast3d', x, filled3d);
}

function stacked(op: string, tensors: readonly Tensor[], fill: Filler, axisOf: (first: Tensor) => number): Tensor {
  checkList(op, tensors);
  return composite(() => {
    const list = tensors.map(fill);
    return cat(list, axisOf(list[0]));
  });
}

/**
 * Tensors one behind the other along the second dimension, vectors along their only one (PyTorch: `torch.hstack`).
 *
 * @throws TensorError `value` for an empty list, `shape` where other dimensions differ
 *
 * @example
 * ```ts
 * import { hstack, tensor } from 'chainrule';
 * console.log(hstack([tensor([[1], [2]]), tensor([[3], [4]])]).toArray()); // [[1, 3], [2, 4]]
 * ```
 */
export function hstack(tensors: readonly Tensor[]): Tensor {
  return stacked('hstack', tensors, filled1d, (x) => (x.ndim === 1 ? 0 : 1));
}

/**
 * Tensors one above the other along the first dimension, vectors as rows (PyTorch: `torch.vstack`).
 *
 * @throws TensorError `value` for an empty list, `shape` where other dimensions differ
 *
 * @example
 * ```ts
 * import { tensor, vstack } from 'chainrule';
 * console.log(vstack([tensor([1, 2]), tensor([3, 4])]).toArray()); // [[1, 2], [3, 4]]
 * ```
 */
export function vstack(tensors: readonly Tensor[]): Tensor {
  return stacked('vstack', tensors, filled2d, () => 0);
}

/**
 * Tensors one behind the other along the third dimension, after {@link atleast3d} (PyTorch: `torch.dstack`).
 *
 * @throws TensorError `value` for an empty list, `shape` where other dimensions differ
 *
 * @example
 * ```ts
 * import { dstack, tensor } from 'chainrule';
 * console.log(dstack([tensor([1, 2]), tensor([3, 4])]).toArray()); // [[[1, 3], [2, 4]]]
 * ```
 */
export function dstack(tensors: readonly Tensor[]): Tensor {
  return stacked('dstack', tensors, filled3d, () => 2);
}

/**
 * Tensors side by side along the second dimension, vectors as columns (PyTorch: `torch.column_stack`).
 *
 * @throws TensorError `value` for an empty list, `shape` where other dimensions differ
 *
 * @example
 * ```ts
 * import { columnStack, tensor } from 'chainrule';
 * console.log(columnStack([tensor([1, 2]), tensor([3, 4])]).toArray()); // [[1, 3], [2, 4]]
 * ```
 */
export function columnStack(tensors: readonly Tensor[]): Tensor {
  return stacked(
    'columnStack',
    tensors,
    (x) => (x.ndim < 2 ? x.reshape([x.size, 1]) : alias(x)),
    () => 1,
  );
}

/**
 * Matrices along the diagonal of one that is 0 elsewhere; vectors are rows, numbers are 1 by 1 (PyTorch: `torch.block_diag`).
 *
 * @throws TensorError `value` without a tensor, `shape` for more than two dimensions
 *
 * @example
 * ```ts
 * import { blockDiag, tensor } from 'chainrule';
 * console.log(blockDiag(tensor(1), tensor([[2, 3]])).toArray()); // [[1, 0, 0], [0, 2, 3]]
 * ```
 */
export function blockDiag(...tensors: readonly Tensor[]): Tensor {
  const op = 'blockDiag';
  checkList(op, tensors);
  for (const { ndim, shape } of tensors) {
    if (ndim > 2) throw new TensorError('shape', op, `expected at most two dimensions, got ${formatShape(shape)}`);
  }
  return composite(() => {
    const blocks = tensors.map(filled2d);
    const width = blocks.reduce((sum, x) => sum + x.shape[1], 0);
    let left = 0;
    const bands = blocks.map((x) => {
      const [rows, columns] = x.shape;
      const zeros = (n: number) => filled(op, [rows, n], x.dtype, 0);
      const band = cat([zeros(left), x, zeros(width - left - columns)], 1);
      left += columns;
      return band;
    });
    return cat(bands, 0);
  });
}
