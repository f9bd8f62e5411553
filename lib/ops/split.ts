// Cutting a tensor into parts and windows, and spreading coordinates into grids.
import { checkTensor } from '../core/dispatch.js';
import { composite } from '../core/scope.js';
import { checkInteger, formatShape, normalizeAxis } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** The dimension and its size, of a tensor that has one. */
function dimension(op: string, x: Tensor, axis: number): [axis: number, size: number] {
  checkTensor(op, x);
  if (x.ndim === 0) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  const at = normalizeAxis(op, axis, x.ndim);
  return [at, x.shape[at]];
}

/**
 * Cuts a tensor along a dimension into parts of one size (the last may be smaller), or of the sizes listed
 * (PyTorch: `torch.split`). The parts are views.
 *
 * @param sizes size of each part, or a list with the size of every part
 * @param axis the dimension, 0 unless given
 * @throws TensorError `value` for a size below 1, `shape` for a list that does not add up to the dimension
 *
 * @example
 * ```ts
 * import { arange } from 'chainrule';
 * console.log(arange(5).split(2).map((part) => part.toArray())); // [[0, 1], [2, 3], [4]]
 * ```
 */
export function split(x: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] {
  const op = 'split';
  const [at, n] = dimension(op, x, axis);
  let parts: readonly number[];
  if (Array.isArray(sizes)) {
    for (const size of sizes) checkInteger(op, 'each size', size, 0);
    parts = sizes;
    const sum = parts.reduce((total, size) => total + size, 0);
    if (sum !== n) {
      throw new TensorError(
        'shape',
        op,
        `expected sizes that add up to ${n} for dimension ${at} of ${formatShape(x.shape)}, got ${describe(sizes)}`,
      );
    }
  } else {
    const size = checkInteger(op, 'the size', sizes, n === 0 ? 0 : 1);
    const count = n === 0 ? 1 : Math.ceil(n / size);
    parts = Array.from({ length: count }, (_, i) => Math.min(size, n - i * size));
  }
  let start = 0;
  return parts.map((size) => {
    const part = x.narrow(at, start, size);
    start += size;
    return part;
  });
}

/**
 * Cuts a tensor along a dimension into a number of parts of size `ceil(n / chunks)`; there may be fewer than asked for
 * (PyTorch: `torch.chunk`). The parts are views.
 *
 * @param axis the dimension, 0 unless given
 * @throws TensorError `value` for a number of chunks below 1, or above 65,536 where the dimension is empty
 *
 * @example
 * ```ts
 * import { arange } from 'chainrule';
 * console.log(arange(5).chunk(2).map((part) => part.toArray())); // [[0, 1, 2], [3, 4]]
 * ```
 */
export function chunk(x: Tensor, chunks: number, axis = 0): Tensor[] {
  const [at, n] = dimension('chunk', x, axis);
  // Nothing can be cut into any number of nothings; each is a tensor, though.
  checkInteger('chunk', 'chunks', chunks, 1, n === 0 ? 2 ** 16 : undefined);
  return split(x, n === 0 ? Array<number>(chunks).fill(0) : Math.ceil(n / chunks), at);
}

/**
 * Spreads coordinates into grids: for two `a[i][j] = x[i]`, `b[i][j] = y[j]` (PyTorch: `torch.meshgrid`). The grids are
 * views.
 *
 * @param tensors one or more, 1-d or 0-d
 * @param options `indexing`: `'ij'` (unless given) or `'xy'`, which swaps the first two dimensions of the grids
 * @throws TensorError `shape` for more than one dimension, `value` for no tensors or another indexing
 *
 * @example
 * ```ts
 * import { meshgrid, tensor } from 'chainrule';
 * const [a, b] = meshgrid([tensor([1, 2]), tensor([5, 6])]);
 * console.log(a.toArray(), b.toArray()); // [[1, 1], [2, 2]] [[5, 6], [5, 6]]
 * ```
 */
export function meshgrid(tensors: readonly Tensor[], options?: { indexing?: 'ij' | 'xy' }): Tensor[] {
  const op = 'meshgrid';
  checkOptions(op, options, ['indexing']);
  const indexing = options?.indexing ?? 'ij';
  if (indexing !== 'ij' && indexing !== 'xy') {
    throw new TensorError('value', op, `expected indexing to be 'ij' or 'xy', got ${describe(indexing)}`);
  }
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new TensorError('value', op, `expected an array of at least one tensor, got ${describe(tensors)}`);
  }
  for (const x of tensors) {
    if (checkTensor(op, x).ndim > 1) {
      throw new TensorError('shape', op, `expected tensors of one dimension, got ${formatShape(x.shape)}`);
    }
  }
  const swap = indexing === 'xy' && tensors.length > 1;
  const axisOf = (i: number) => (swap && i < 2 ? 1 - i : i);
  const shape = tensors.map((_, i) => tensors[axisOf(i)].size);
  return tensors.map((x, i) =>
    composite(() => x.reshape(shape.map((n, d) => (d === axisOf(i) ? n : 1))).expand(shape)),
  );
}
