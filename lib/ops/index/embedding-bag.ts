// Rows of a table by their numbers, joined in bags.
import { checkTensor, dense, dropCopy, filled, make } from '../../core/dispatch.js';
import { noGrad } from '../../core/mode.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, formatShape, sameShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { checkLookup, type EmbeddingOptions, renormalize, rowsOf } from './embedding.js';
import { checkIndex, gather, indexAddInto, indexSelect, places } from './index.js';
import { checkSource, scatterReduce } from './scatter.js';

const MODES = ['sum', 'mean', 'max'] as const;
/** How {@link embeddingBag} joins the rows of a bag. */
export type BagMode = (typeof MODES)[number];

/** Options of {@link embeddingBag}; entries of `paddingIdx` do not count at all. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** Where each bag begins in 1-d indices: int32, from 0 up, never falling. */
  offsets?: Tensor;
  /** How the rows of a bag are joined; 'mean' unless given. */
  mode?: BagMode;
  /** A factor for each row, shaped as the indices; for sums only. */
  perSampleWeights?: Tensor;
  /** Whether the last offset is the end of the last bag; false unless given. */
  includeLastOffset?: boolean;
}

/** Which bag every row goes into. */
interface Bags {
  readonly count: number;
  /** The bag of each index. */
  readonly of: Int32Array;
  /** Rows of every bag, null where that differs. */
  readonly size: number | null;
}

/**
 * Rows of a table by their numbers, joined in bags to their sum, mean or largest elements; an empty bag gives 0
 * (PyTorch: `F.embedding_bag`).
 *
 * @param indices int32: [bags, size], or 1-d with `offsets` that say where each bag begins
 * @param weight the table, [rows, columns]
 * @returns [bags, columns]
 * @throws TensorError `index` for a number outside the table, `shape` where shapes do not go together or offsets are missing
 * or too many, `value` for offsets that do not begin with 0, fall or lead past the indices, an unknown mode, weights with
 * another mode than sum or scaleGradByFreq with max; `dtype` for indices or offsets that are not int32
 *
 * @example
 * ```ts
 * import { embeddingBag, tensor } from 'chainrule';
 * const table = tensor([[0, 0], [1, 2], [3, 4]]);
 * const indices = tensor([1, 2, 2], { dtype: 'int32' });
 * const offsets = tensor([0, 2], { dtype: 'int32' });
 * console.log(embeddingBag(indices, table, { offsets, mode: 'sum' }).toArray()); // [[4, 6], [3, 4]]
 * ```
 */
export function embeddingBag(indices: Tensor, weight: Tensor, options?: EmbeddingBagOptions): Tensor {
  const op = 'embeddingBag';
  checkOptions(op, options, [
    'offsets',
    'maxNorm',
    'normType',
    'scaleGradByFreq',
    'mode',
    'perSampleWeights',
    'includeLastOffset',
    'paddingIdx',
  ]);
  const given = checkIndex(op, indices);
  const lookup = checkLookup(op, weight, options);
  const mode = options?.mode ?? 'mean';
  if (!MODES.includes(mode)) {
    throw new TensorError('value', op, `expected mode to be one of ${MODES.join(', ')}, got ${describe(mode)}`);
  }
  if (mode === 'max' && lookup.scaled) {
    throw new TensorError('value', op, "expected scaleGradByFreq with the modes 'sum' and 'mean' only, got 'max'");
  }
  const factors = options?.perSampleWeights;
  if (factors !== undefined) {
    checkSource(op, weight, factors);
    if (mode !== 'sum') throw new TensorError('value', op, `expected weights with the mode 'sum' only, got '${mode}'`);
    if (!sameShape(factors.shape, given.shape)) {
      throw new TensorError(
        'shape',
        op,
        `expected weights of the shape ${formatShape(given.shape)} of the indices, got ${formatShape(factors.shape)}`,
      );
    }
  }
  const bags = bagsOf(op, given, options);
  return composite(() => {
    let index = given.reshape([given.size]);
    renormalize(op, weight, index, lookup);
    let scales = factors?.reshape([factors.size]);
    let { of } = bags;
    if (lookup.padding >= 0) {
      const kept = numbersOf(op, index).flatMap((row, i) => (row === lookup.padding ? [] : [i]));
      of = Int32Array.from(kept, (i) => bags.of[i]);
      const rest = ints(op, kept);
      index = indexSelect(index, 0, rest);
      scales = scales && indexSelect(scales, 0, rest);
    }
    const rows = rowsOf(op, weight, index, lookup.padding, lookup.scaled);
    const scaled = scales === undefined ? rows : rows.mul(scales.unsqueeze(1));
    // Bags of one size are a dimension to reduce, which is faster than adding row by row.
    if (mode !== 'max' && bags.size !== null && lookup.padding < 0) {
      const each = scaled.reshape([bags.count, bags.size, weight.shape[1]]);
      return mode === 'sum' || bags.size === 0 ? each.sum(1) : each.mean(1);
    }
    const into = ints(op, of);
    if (mode === 'max' && of.length > 0) return largest(op, scaled, into, bags.count);
    const sum = indexAddInto(scaled, [bags.count, weight.shape[1]], 0, into);
    if (mode !== 'mean') return sum;
    const sizes = new Int32Array(bags.count);
    for (const bag of of) sizes[bag]++;
    return sum.div(ints(op, sizes).maximum(1).unsqueeze(1));
  });
}

/** Where each bag's largest elements stand, the first of equal ones, decides what it gives. */
function largest(op: string, rows: Tensor, into: Tensor, count: number): Tensor {
  const [n, columns] = rows.shape;
  const first = noGrad(() =>
    composite(() => {
      const bag = into.unsqueeze(1).expand([n, columns]);
      const empty = filled(op, [count, columns], rows.dtype, -Infinity);
      const top = scatterReduce(empty, 0, bag, rows, 'amax');
      const found = rows.eq(indexSelect(top, 0, into)).logicalOr(rows.isNan());
      const place = where(found, places(op, n).unsqueeze(1), n);
      return scatterReduce(filled(op, [count, columns], 'int32', n), 0, bag, place, 'amin');
    }),
  );
  return where(first.lt(n), gather(rows, 0, first.minimum(n - 1)), 0);
}

function bagsOf(op: string, indices: Tensor, options: EmbeddingBagOptions | undefined): Bags {
  const { offsets } = options ?? {};
  const ends = checkBoolean(op, 'includeLastOffset', options?.includeLastOffset ?? false);
  if (indices.ndim === 2 && offsets === undefined) {
    const [count, size] = indices.shape;
    const of = new Int32Array(indices.size);
    for (let bag = 0; bag < count; bag++) of.fill(bag, bag * size, (bag + 1) * size);
    return { count, of, size };
  }
  if (indices.ndim !== 1 || offsets === undefined) {
    throw new TensorError(
      'shape',
      op,
      `expected 2-d indices, or 1-d ones with offsets, got ${formatShape(indices.shape)} ${offsets === undefined ? 'without' : 'with'} offsets`,
    );
  }
  checkTensor(op, offsets, 'offsets');
  if (offsets.ndim !== 1 || (ends && offsets.size === 0)) {
    throw new TensorError('shape', op, `expected 1-d offsets, got ${formatShape(offsets.shape)}`);
  }
  const n = indices.size;
  const starts = numbersOf(op, checkIndex(op, offsets));
  const count = ends ? starts.length - 1 : starts.length;
  if (!ends) starts.push(n);
  const fine = starts.every((start, i) => start >= (i === 0 ? 0 : starts[i - 1]) && start <= n);
  if (!fine || (count > 0 && starts[0] !== 0) || (count === 0 && n > 0) || starts[count] !== n) {
    throw new TensorError(
      'value',
      op,
      `expected offsets from 0 up to the ${n} indices, never falling${ends ? `, the last one ${n}` : ''}, got ${describe(ends ? starts : starts.slice(0, -1))}`,
    );
  }
  const of = new Int32Array(n);
  for (let bag = 0; bag < count; bag++) of.fill(bag, starts[bag], starts[bag + 1]);
  return { count, of, size: null };
}

function numbersOf(op: string, x: Tensor): number[] {
  const source = dense(op, x);
  const numbers = Array.from(source.typed());
  dropCopy(source, x);
  return numbers;
}

function ints(op: string, values: ArrayLike<number>): Tensor {
  const y = make(op, [values.length], 'int32');
  y.typed().set(values);
  return y;
}
