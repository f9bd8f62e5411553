// Cutting a tensor into parts and windows, and spreading coordinates into grids.
import { checkTensor, isTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, formatShape, normalizeAxis } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

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
 * The parts along a dimension, one for each place, without that dimension (PyTorch: `torch.unbind`).
 *
 * @returns views
 * @throws TensorError `shape` for a 0-d tensor, `axis` for a dimension that is not there
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const [a, b] = tensor([[1, 2], [3, 4]]).unbind();
 * console.log(a.toArray(), b.toArray()); // [1, 2] [3, 4]
 * ```
 */
export function unbind(x: Tensor, axis = 0): Tensor[] {
  const [at, n] = dimension('unbind', x, axis);
  return Array.from({ length: n }, (_, i) => x.select(at, i));
}

/** Whole numbers of a list or of an int32 vector. */
function numbersOf(op: string, given: readonly number[] | Tensor): number[] {
  if (!isTensor(given)) return given.map((n) => checkInteger(op, 'each index', n));
  if (checkTensor(op, given).dtype !== 'int32' || given.ndim > 1) {
    throw new TensorError('value', op, `expected an int32 vector, got ${formatShape(given.shape)} ${given.dtype}`);
  }
  return Array.from({ length: given.size }, (_, i) => given.read(i));
}

/**
 * Splits into as many parts as asked for, the first ones larger by one where they cannot be equal, or before each of the given
 * indices (PyTorch: `torch.tensor_split`).
 *
 * @param sections their number, or the indices at which parts begin: a list or an int32 tensor; negative ones count from the end
 * @returns views
 * @throws TensorError `shape` for a 0-d tensor, `axis` for a dimension that is not there, `value` for fewer than one part
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2, 3, 4, 5]).tensorSplit(2).map((x) => x.toArray())); // [[1, 2, 3], [4, 5]]
 * console.log(tensor([1, 2, 3, 4]).tensorSplit([1, -1]).map((x) => x.toArray())); // [[1], [2, 3], [4]]
 * ```
 */
export function tensorSplit(x: Tensor, sections: number | readonly number[] | Tensor, axis = 0): Tensor[] {
  const op = 'tensorSplit';
  const [at, n] = dimension(op, x, axis);
  const single = isTensor(sections) && sections.ndim === 0;
  if (typeof sections === 'number' || single) {
    const count = checkInteger(op, 'the number of parts', single ? sections.item() : sections, 1, 2 ** 24);
    const sizes = Array.from({ length: count }, (_, i) => Math.floor(n / count) + (i < n % count ? 1 : 0));
    return split(x, sizes, at);
  }
  if (!isTensor(sections) && !Array.isArray(sections)) {
    throw new TensorError('value', op, `expected a number of parts or indices, got ${describe(sections)}`);
  }
  const inside = (i: number) => Math.min(Math.max(i < 0 ? i + n : i, 0), n);
  const ends = [...numbersOf(op, sections).map(inside), n];
  return ends.map((end, i) => {
    const start = i === 0 ? 0 : ends[i - 1];
    return x.narrow(at, start, Math.max(0, end - start));
  });
}

/** A split along a fixed dimension, into equal parts or at indices. */
function splitAlong(
  op: string,
  x: Tensor,
  sections: number | readonly number[],
  ndim: number,
  axisOf: (x: Tensor) => number,
): Tensor[] {
  if (checkTensor(op, x).ndim < ndim) {
    throw new TensorError('shape', op, `expected at least ${ndim} dimensions, got ${formatShape(x.shape)}`);
  }
  const axis = axisOf(x);
  if (typeof sections === 'number' && x.shape[axis] % checkInteger(op, 'the number of parts', sections, 1) !== 0) {
    throw new TensorError(
      'value',
      op,
      `expected a number of parts that divides ${x.shape[axis]}, the size of dimension ${axis}, got ${sections}; tensorSplit() takes any`,
    );
  }
  return tensorSplit(x, sections, axis);
}

/**
 * Splits along the second dimension, a vector along its only one, into equal parts or before each of the given indices
 * (PyTorch: `torch.hsplit`).
 *
 * @throws TensorError `shape` for a 0-d tensor, `value` for a number of parts that does not divide the size
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).hsplit(2).map((x) => x.toArray())); // [[[1], [3]], [[2], [4]]]
 * ```
 */
export function hsplit(x: Tensor, sections: number | readonly number[]): Tensor[] {
  return splitAlong('hsplit', x, sections, 1, ({ ndim }) => (ndim === 1 ? 0 : 1));
}

/**
 * Splits along the first dimension into equal parts or before each of the given indices (PyTorch: `torch.vsplit`).
 *
 * @throws TensorError `shape` for fewer than two dimensions, `value` for a number of parts that does not divide the size
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).vsplit(2).map((x) => x.toArray())); // [[[1, 2]], [[3, 4]]]
 * ```
 */
export function vsplit(x: Tensor, sections: number | readonly number[]): Tensor[] {
  return splitAlong('vsplit', x, sections, 2, () => 0);
}

/**
 * Splits along the third dimension into equal parts or before each of the given indices (PyTorch: `torch.dsplit`).
 *
 * @throws TensorError `shape` for fewer than three dimensions, `value` for a number of parts that does not divide the size
 *
 * @example
 * ```ts
 * import { ones } from 'chainrule';
 * console.log(ones([2, 3, 4]).dsplit([1]).map((x) => x.shape)); // [[2, 3, 1], [2, 3, 3]]
 * ```
 */
export function dsplit(x: Tensor, sections: number | readonly number[]): Tensor[] {
  return splitAlong('dsplit', x, sections, 3, () => 2);
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
