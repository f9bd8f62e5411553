// Rows of a table by their numbers, joined in bags.
import { checkTensor, dense, dropCopy, make, offsetOf } from '../../core/dispatch.js';
import { DTYPES } from '../../core/dtype.js';
import { isGradEnabled } from '../../core/mode.js';
import { checkPlace } from '../../core/recording.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, formatShape, sameShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { checkLookup, type EmbeddingOptions, gradientOfRows, type Lookup, renormalize, rowsOf } from './embedding.js';
import { checkIndex, gather, indexAddInto, indexSelect, outOfRange } from './index.js';
import { checkSource } from './scatter.js';

const G = native.geometry;

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

/** Where in the indices every bag begins, and where the last one ends. */
interface Bags {
  readonly count: number;
  readonly starts: Int32Array;
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
    const index = given.reshape([given.size]);
    renormalize(op, weight, index, lookup);
    if (factors !== undefined) return weighted(op, weight, index, factors, bags, lookup);
    return mode === 'max' && index.size > 0
      ? largest(op, weight, index, bags, lookup)
      : joined(op, mode === 'mean' ? 'mean' : 'sum', weight, index, bags, lookup);
  });
}

/** Sums or means of the rows of each bag, read where they are; `dweight` adds each bag's gradient to all its rows. */
function joined(
  op: string,
  mode: 'sum' | 'mean',
  weight: Tensor,
  index: Tensor,
  bags: Bags,
  { padding, scaled }: Lookup,
): Tensor {
  const [n, columns] = weight.shape;
  const y = make(op, [bags.count, columns], weight.dtype);
  runBags(op, mode, y, weight, index, bags, padding);
  if (!weight.requiresGrad || !isGradEnabled()) return y;
  const kept = mode === 'mean' ? sizesOf(op, index, bags, padding) : null;
  const sizes = kept && ints(op, kept).maximum(1).unsqueeze(1);
  return record(op, y, [weight], [index, ints(op, bagOf(bags)), ...(sizes ? [sizes] : [])], (g, [i, into, size]) =>
    gradientOfRows(op, indexSelect(size ? g.div(size) : g, 0, into), i, n, padding, scaled),
  );
}

/** The largest elements of each bag, the first of equal ones: what is found decides which rows get the gradient. */
function largest(op: string, weight: Tensor, index: Tensor, bags: Bags, { padding }: Lookup): Tensor {
  const rows = make(op, [bags.count, weight.shape[1]], 'int32');
  runBags(op, 'max', rows, weight, index, bags, padding);
  return where(rows.ge(0), gather(weight, 0, rows.maximum(0)), 0);
}

function runBags(
  op: string,
  mode: BagMode,
  y: Tensor,
  weight: Tensor,
  index: Tensor,
  { count, starts }: Bags,
  padding: number,
): void {
  const source = dense(op, weight);
  const at = dense(op, index);
  const from = ints(op, starts);
  G[0] = MODES.indexOf(mode);
  G[1] = DTYPES[weight.dtype].code;
  G[2] = weight.shape[0];
  G[3] = weight.shape[1];
  G[4] = count;
  G[5] = index.size;
  G[6] = padding;
  G[7] = offsetOf(y);
  G[8] = offsetOf(source);
  G[9] = offsetOf(at);
  G[10] = offsetOf(from);
  const bad = native.bag(y.storage.bytes, source.storage.bytes, at.storage.bytes, from.storage.bytes);
  checkPlace(bad, at, (place) => outOfRange(op, at, place, 0, weight.shape[0]));
  from.dispose();
  dropCopy(source, weight);
  dropCopy(at, index);
}

/** Sums of rows times their factors, whose gradient is the product of the row and that of the bag. */
function weighted(
  op: string,
  weight: Tensor,
  given: Tensor,
  factors: Tensor,
  bags: Bags,
  { padding, scaled }: Lookup,
): Tensor {
  let index = given;
  let scales = factors.reshape([factors.size]);
  let of = bagOf(bags);
  if (padding >= 0) {
    const kept = numbersOf(op, index).flatMap((row, i) => (row === padding ? [] : [i]));
    const into = of;
    of = Int32Array.from(kept, (i) => into[i]);
    const rest = ints(op, kept);
    index = indexSelect(index, 0, rest);
    scales = indexSelect(scales, 0, rest);
  }
  const rows = rowsOf(op, weight, index, padding, scaled).mul(scales.unsqueeze(1));
  return indexAddInto(rows, [bags.count, weight.shape[1]], 0, ints(op, of));
}

/** The bag of each index. */
function bagOf({ count, starts }: Bags): Int32Array {
  const of = new Int32Array(starts[count]);
  for (let bag = 0; bag < count; bag++) of.fill(bag, starts[bag], starts[bag + 1]);
  return of;
}

/** How many rows of each bag count. */
function sizesOf(op: string, index: Tensor, { count, starts }: Bags, padding: number): Int32Array {
  const sizes = new Int32Array(count);
  for (let bag = 0; bag < count; bag++) sizes[bag] = starts[bag + 1] - starts[bag];
  if (padding < 0) return sizes;
  const numbers = numbersOf(op, index);
  for (let bag = 0; bag < count; bag++) {
    for (let i = starts[bag]; i < starts[bag + 1]; i++) if (numbers[i] === padding) sizes[bag]--;
  }
  return sizes;
}

function bagsOf(op: string, indices: Tensor, options: EmbeddingBagOptions | undefined): Bags {
  const { offsets } = options ?? {};
  const ends = checkBoolean(op, 'includeLastOffset', options?.includeLastOffset ?? false);
  if (indices.ndim === 2 && offsets === undefined) {
    const [count, size] = indices.shape;
    return { count, starts: Int32Array.from({ length: count + 1 }, (_, bag) => bag * size) };
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
  // Without bags there are no indices, and 0 is where the first would begin.
  return { count, starts: Int32Array.from(count === 0 ? [0] : starts) };
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
