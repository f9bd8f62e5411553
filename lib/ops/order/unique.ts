// The distinct elements of a tensor, or its distinct slices.
import { checkTensor, dense, filled } from '../../core/dispatch.js';
import { noGrad } from '../../core/mode.js';
import { scope } from '../../core/scope.js';
import { checkBoolean, formatShape, normalizeAxis } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { nonzero } from '../index/at.js';
import { indexSelect, scatterAddInto } from '../index/index.js';
import { cumsum } from '../reduce/scan.js';
import { cat } from '../shape/join.js';
import { rowOrder, sort } from './sort.js';

/** Options of {@link uniqueConsecutive}. */
export interface UniqueConsecutiveOptions {
  /** Whether to return, for every element, its place among the values; false unless given. */
  returnInverse?: boolean;
  /** Whether to return how often each value occurs; false unless given. */
  returnCounts?: boolean;
  /** The dimension whose slices are compared; single elements unless given. */
  dim?: number;
}

/** Options of {@link unique}. */
export interface UniqueOptions extends UniqueConsecutiveOptions {
  /** Whether the values must be in ascending order: they are either way. */
  sorted?: boolean;
}

/** The distinct values and what was asked for beside them. */
export interface Unique {
  values: Tensor;
  /** For every element its place among the values, int32; null unless asked for. */
  inverse: Tensor | null;
  /** How often each value occurs, int32; null unless asked for. */
  counts: Tensor | null;
}

/** The options that ask for the values alone. */
export type ValuesOnly = { returnInverse?: false; returnCounts?: false };

function distinct(op: 'unique' | 'uniqueConsecutive', x: Tensor, options: UniqueOptions | undefined): Tensor | Unique {
  checkTensor(op, x);
  const known = ['returnInverse', 'returnCounts', 'dim'];
  checkOptions(op, options, op === 'unique' ? [...known, 'sorted'] : known);
  const returnInverse = checkBoolean(op, 'returnInverse', options?.returnInverse ?? false);
  const returnCounts = checkBoolean(op, 'returnCounts', options?.returnCounts ?? false);
  checkBoolean(op, 'sorted', options?.sorted ?? true);
  const axis = options?.dim === undefined ? null : normalizeAxis(op, options.dim, x.ndim);
  const rest = axis === null || x.ndim === 0 ? [] : x.shape.toSpliced(axis, 1);
  if (rest.includes(0)) {
    throw new TensorError(
      'shape',
      op,
      `expected slices with at least one element along dim ${options?.dim}, got ${formatShape(x.shape)}`,
    );
  }
  const sorting = op === 'unique';
  const found = scope(() =>
    noGrad(() => {
      const slices = axis !== null && x.ndim > 0;
      const n = slices ? x.shape[axis] : x.size;
      // Rows of a matrix, or single elements.
      const items = slices && x.ndim > 1 ? x.movedim(axis, 0).reshape([n, x.size / Math.max(n, 1)]) : x.reshape([n]);
      const { sorted, order } = sorting ? inOrder(op, items) : { sorted: items, order: null };
      const first = firsts(sorted, n);
      const places = nonzero(first).squeeze(1);
      const picked = indexSelect(sorted, 0, places);
      const shaped = rest.length > 0 ? picked.reshape([places.size, ...rest]).movedim(0, axis as number) : picked;
      const values = dense(op, shaped);
      let inverse: Tensor | null = null;
      if (returnInverse) {
        const group = cumsum(first, 0).sub(1);
        const own = order === null ? group : scatterAddInto(group, [n], 0, order);
        inverse = own.reshape(slices ? [n] : x.shape);
      }
      const counts = returnCounts ? ends(places, n).sub(places) : null;
      return { values, inverse, counts };
    }),
  );
  return returnInverse || returnCounts ? found : found.values;
}

function inOrder(op: string, items: Tensor): { sorted: Tensor; order: Tensor } {
  if (items.ndim === 1) {
    const { values, indices } = sort(items);
    return { sorted: values, order: indices };
  }
  const order = rowOrder(op, items);
  return { sorted: indexSelect(items, 0, order), order };
}

/** True where an item is not what the one before it is. */
function firsts(items: Tensor, n: number): Tensor {
  if (n === 0) return filled('unique', [0], 'bool', 1);
  const differs = items.narrow(0, 1, n - 1).ne(items.narrow(0, 0, n - 1));
  return cat([filled('unique', [1], 'bool', 1), items.ndim === 1 ? differs : differs.any(1)], 0);
}

/** Where each group ends: where the next begins, or at n. */
function ends(places: Tensor, n: number): Tensor {
  if (places.size === 0) return places;
  return cat([places.narrow(0, 1, places.size - 1), filled('unique', [1], 'int32', n)], 0);
}

/**
 * The distinct elements in ascending order, 1-d, or the distinct slices along a dimension in lexicographic order; every NaN
 * is distinct from the others. No gradient (PyTorch: `torch.unique`).
 *
 * @returns the values, or with `returnInverse` or `returnCounts` an object of all three
 * @throws TensorError `axis` for a dim outside the tensor, `shape` for slices without elements
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([3, 1, 3, 2]).unique().toArray()); // [1, 2, 3]
 * const { inverse, counts } = tensor([3, 1, 3]).unique({ returnInverse: true, returnCounts: true });
 * console.log(inverse?.toArray(), counts?.toArray()); // [1, 0, 1] [1, 2]
 * ```
 */
export function unique(x: Tensor, options?: UniqueOptions & ValuesOnly): Tensor;
export function unique(x: Tensor, options: UniqueOptions): Unique;
export function unique(x: Tensor, options?: UniqueOptions): Tensor | Unique {
  return distinct('unique', x, options);
}

/**
 * The elements that differ from the one before, 1-d, or the slices along a dimension that do. No gradient (PyTorch:
 * `torch.unique_consecutive`).
 *
 * @returns the values, or with `returnInverse` or `returnCounts` an object of all three
 * @throws TensorError `axis` for a dim outside the tensor, `shape` for slices without elements
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 1, 2, 2, 1]).uniqueConsecutive().toArray()); // [1, 2, 1]
 * ```
 */
export function uniqueConsecutive(x: Tensor, options?: UniqueConsecutiveOptions & ValuesOnly): Tensor;
export function uniqueConsecutive(x: Tensor, options: UniqueConsecutiveOptions): Unique;
export function uniqueConsecutive(x: Tensor, options?: UniqueConsecutiveOptions): Tensor | Unique {
  return distinct('uniqueConsecutive', x, options);
}
