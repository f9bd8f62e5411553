// nn.utils.rnn: sequences of different lengths in one batch, padded or packed.
import { full, tensor } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { indexSelect } from '../ops/index/index.js';
import { cat } from '../ops/shape/join.js';
import { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize } from './check.js';

/** Lengths of sequences: whole numbers, or an int32 tensor of one dimension. */
export type Lengths = readonly number[] | Tensor;

const ints = (values: readonly number[]) => tensor(Int32Array.from(values));

/**
 * Sequences without padding: all elements of the first step, then those of the second and so on, longest sequence first
 * (PyTorch: `nn.utils.rnn.PackedSequence`). {@link packPaddedSequence} and {@link packSequence} make it.
 *
 * @throws TensorError `shape` unless the batch sizes fall and add up to the rows of the data, `value` for other types
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const { rnn } = nn.utils;
 * console.log(rnn.packSequence([tensor([1, 2, 3]), tensor([4])]).data.toArray()); // [1, 4, 2, 3]
 * ```
 */
export class PackedSequence {
  /** [rows, *] */
  readonly data: Tensor;
  /** How many sequences have a first element, a second ..., int32. */
  readonly batchSizes: Tensor;
  /** Places of the sequences, longest first, in the batch they came from; null where that was sorted. */
  readonly sortedIndices: Tensor | null;
  /** Places of that batch's sequences in this one. */
  readonly unsortedIndices: Tensor | null;
  /** @internal */
  readonly sizes: readonly number[];

  constructor(
    data: Tensor,
    batchSizes: Lengths,
    sortedIndices: Tensor | null = null,
    unsortedIndices: Tensor | null = null,
  ) {
    const op = 'PackedSequence';
    if (!(data instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(data)}`);
    data.check(op);
    const sizes = checkLengths(op, 'batch sizes', batchSizes);
    const sum = sizes.reduce((total, size) => total + size, 0);
    if (sizes.some((size, t) => t > 0 && size > sizes[t - 1]) || data.ndim === 0 || sum !== data.shape[0]) {
      throw new TensorError(
        'shape',
        op,
        `expected batch sizes that never rise and add up to the rows of [${data.shape.join(', ')}], got ${describe(sizes)}`,
      );
    }
    this.data = data;
    this.sizes = sizes;
    this.batchSizes = batchSizes instanceof Tensor ? batchSizes : ints(sizes);
    this.sortedIndices = sortedIndices;
    this.unsortedIndices = unsortedIndices ?? (sortedIndices && ints(inverse(sortedIndices)));
  }

  /** @internal The same lengths and order with other data, as a module gives it back. */
  with(data: Tensor): PackedSequence {
    return new PackedSequence(data, this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }
}

function inverse(order: Tensor): number[] {
  const places = new Array<number>(order.size);
  for (const [i, place] of (order.toArray() as number[]).entries()) places[place] = i;
  return places;
}

/** Whole numbers from 1 up, at least one of them. */
function checkLengths(op: string, name: string, lengths: unknown): number[] {
  if (lengths instanceof Tensor && (lengths.ndim !== 1 || lengths.dtype !== 'int32')) {
    const got = `[${lengths.shape.join(', ')}] ${lengths.dtype}`;
    throw new TensorError('value', op, `expected ${name} as an int32 tensor of one dimension, got ${got}`);
  }
  const list: unknown = lengths instanceof Tensor ? lengths.toArray() : lengths;
  if (!Array.isArray(list) || list.length === 0)
    throw new TensorError('value', op, `expected ${name}, at least one, got ${describe(lengths)}`);
  return list.map((length) => checkSize(op, `each of the ${name}`, length));
}

function checkPadded(op: string, padded: Tensor, lengths: Lengths, batchFirst: boolean): [list: number[], n: number] {
  if (!(padded instanceof Tensor)) throw new TensorError('value', op, `expected a tensor, got ${describe(padded)}`);
  padded.check(op);
  if (padded.ndim < 2) {
    const layout = batchFirst ? '[N, T, ...]' : '[T, N, ...]';
    throw new TensorError('shape', op, `expected sequences of shape ${layout}, got [${padded.shape.join(', ')}]`);
  }
  const list = checkLengths(op, 'lengths', lengths);
  const [steps, batch] = batchFirst ? [padded.shape[1], padded.shape[0]] : [padded.shape[0], padded.shape[1]];
  if (list.length !== batch || list.some((length) => length > steps)) {
    throw new TensorError(
      'shape',
      op,
      `expected ${batch} lengths up to ${steps} for sequences of shape [${padded.shape.join(', ')}], got ${describe(list)}`,
    );
  }
  return [list, batch];
}

/** The first two dimensions as one. */
function flat(x: Tensor): Tensor {
  return x.reshape([x.shape[0] * x.shape[1], ...x.shape.slice(2)]);
}

/**
 * Packs padded sequences of different lengths (PyTorch: `nn.utils.rnn.pack_padded_sequence`).
 *
 * @param padded [T, N, *], or [N, T, *] with `batchFirst`
 * @param lengths length of each sequence
 * @param options `batchFirst`: false unless given; `enforceSorted`: whether lengths that rise are an error, true unless given;
 * with false the sequences are sorted, and modules give their states back in the order given
 * @throws TensorError `shape` for another number of lengths than sequences or lengths above T, `value` for lengths that are no
 * whole numbers from 1 up, or rise
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const padded = tensor([[1, 2, 3], [4, 0, 0]]);
 * const packed = nn.utils.rnn.packPaddedSequence(padded, [3, 1], { batchFirst: true });
 * console.log(packed.data.toArray(), packed.batchSizes.toArray()); // [1, 4, 2, 3] [2, 1, 1]
 * ```
 */
export function packPaddedSequence(
  padded: Tensor,
  lengths: Lengths,
  options?: { batchFirst?: boolean; enforceSorted?: boolean },
): PackedSequence {
  const op = 'packPaddedSequence';
  checkOptions(op, options, ['batchFirst', 'enforceSorted']);
  const batchFirst = checkBoolean(op, 'batchFirst', options?.batchFirst ?? false);
  const enforceSorted = checkBoolean(op, 'enforceSorted', options?.enforceSorted ?? true);
  const [list, batch] = checkPadded(op, padded, lengths, batchFirst);
  const order = list.map((_, i) => i).sort((a, b) => list[b] - list[a] || a - b);
  if (enforceSorted && list.some((length, i) => i > 0 && length > list[i - 1])) {
    throw new TensorError(
      'value',
      op,
      `expected lengths that never rise, got ${describe(list)}; sort the sequences or pass { enforceSorted: false }`,
    );
  }
  const steps = padded.shape[batchFirst ? 1 : 0];
  const sizes: number[] = [];
  const places: number[] = [];
  for (let t = 0; t < list[order[0]]; t++) {
    const before = places.length;
    for (let r = 0; r < batch && list[order[r]] > t; r++) {
      places.push(batchFirst ? order[r] * steps + t : t * batch + order[r]);
    }
    sizes.push(places.length - before);
  }
  return new PackedSequence(indexSelect(flat(padded), 0, ints(places)), sizes, enforceSorted ? null : ints(order));
}

/** Rows of `data` at places, `paddingValue` where a place is -1. */
function spread(data: Tensor, places: readonly number[], paddingValue: number): Tensor {
  const { shape, dtype } = data;
  if (places.every((place) => place >= 0)) return indexSelect(data, 0, ints(places));
  const padding = full([1, ...shape.slice(1)], paddingValue, { dtype });
  const at = places.map((place) => (place < 0 ? shape[0] : place));
  return indexSelect(cat([data, padding]), 0, ints(at));
}

/** The lengths of packed sequences, longest first. */
function sortedLengths({ sizes }: PackedSequence): number[] {
  return Array.from({ length: sizes[0] }, (_, r) => sizes.filter((size) => size > r).length);
}

/**
 * Pads packed sequences: the inverse of {@link packPaddedSequence} (PyTorch: `nn.utils.rnn.pad_packed_sequence`).
 *
 * @param options `batchFirst`: false unless given; `paddingValue`: 0 unless given; `totalLength`: T, the longest length unless given
 * @returns the sequences [T, N, *] (or [N, T, *]) in the order they were given, and their lengths, int32
 * @throws TensorError `value` for a total length below the longest
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const { packSequence, padPackedSequence } = nn.utils.rnn;
 * const [padded, lengths] = padPackedSequence(packSequence([tensor([1, 2]), tensor([3])]), { batchFirst: true });
 * console.log(padded.toArray(), lengths.toArray()); // [[1, 2], [3, 0]] [2, 1]
 * ```
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options?: { batchFirst?: boolean; paddingValue?: number; totalLength?: number | null },
): [padded: Tensor, lengths: Tensor] {
  const op = 'padPackedSequence';
  checkOptions(op, options, ['batchFirst', 'paddingValue', 'totalLength']);
  if (!(sequence instanceof PackedSequence))
    throw new TensorError('value', op, `expected a PackedSequence, got ${describe(sequence)}`);
  const batchFirst = checkBoolean(op, 'batchFirst', options?.batchFirst ?? false);
  const paddingValue = checkNumber(op, 'paddingValue', options?.paddingValue ?? 0);
  const { data, sizes, unsortedIndices } = sequence;
  const steps = checkSize(op, 'totalLength', options?.totalLength ?? sizes.length, sizes.length);
  const batch = sizes[0];
  const at = unsortedIndices === null ? null : (unsortedIndices.toArray() as number[]);
  const places = new Array<number>(steps * batch).fill(-1);
  let first = 0;
  for (const [t, size] of sizes.entries()) {
    for (let n = 0; n < batch; n++) {
      const r = at === null ? n : at[n];
      if (r < size) places[batchFirst ? n * steps + t : t * batch + n] = first + r;
    }
    first += size;
  }
  const shape = [...(batchFirst ? [batch, steps] : [steps, batch]), ...data.shape.slice(1)];
  const lengths = sortedLengths(sequence);
  const inOrder = at === null ? lengths : at.map((r) => lengths[r]);
  return [spread(data, places, paddingValue).reshape(shape), ints(inOrder)];
}

/** At least one tensor [L, *], all equal but in L. */
function checkSequences(op: string, sequences: readonly Tensor[]): void {
  if (!Array.isArray(sequences) || sequences.length === 0 || !sequences.every((x) => x instanceof Tensor))
    throw new TensorError('value', op, `expected an array of at least one tensor, got ${describe(sequences)}`);
  for (const x of sequences) {
    if (x.ndim > 0 && x.shape.slice(1).join() === sequences[0].shape.slice(1).join()) continue;
    const shapes = sequences.map((y) => `[${y.shape.join(', ')}]`).join(', ');
    throw new TensorError('shape', op, `expected sequences [L, ...] equal but in length, got ${shapes}`);
  }
}

/**
 * Sequences of different lengths under one shape, short ones filled up (PyTorch: `nn.utils.rnn.pad_sequence`).
 *
 * @param sequences each [L, *]
 * @param options `batchFirst`: false unless given; `paddingValue`: 0 unless given
 * @returns [T, N, *] for the longest length T, or [N, T, *] with `batchFirst`
 * @throws TensorError `shape` for sequences that differ in more than length
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const padded = nn.utils.rnn.padSequence([tensor([1, 2]), tensor([3])], { batchFirst: true, paddingValue: -1 });
 * console.log(padded.toArray()); // [[1, 2], [3, -1]]
 * ```
 */
export function padSequence(
  sequences: readonly Tensor[],
  options?: { batchFirst?: boolean; paddingValue?: number },
): Tensor {
  const op = 'padSequence';
  checkOptions(op, options, ['batchFirst', 'paddingValue']);
  const batchFirst = checkBoolean(op, 'batchFirst', options?.batchFirst ?? false);
  const paddingValue = checkNumber(op, 'paddingValue', options?.paddingValue ?? 0);
  checkSequences(op, sequences);
  const batch = sequences.length;
  const steps = Math.max(...sequences.map((x) => x.shape[0]));
  const places = new Array<number>(steps * batch).fill(-1);
  let first = 0;
  for (const [n, x] of sequences.entries()) {
    for (let t = 0; t < x.shape[0]; t++) places[batchFirst ? n * steps + t : t * batch + n] = first + t;
    first += x.shape[0];
  }
  const shape = [...(batchFirst ? [batch, steps] : [steps, batch]), ...sequences[0].shape.slice(1)];
  return spread(cat(sequences), places, paddingValue).reshape(shape);
}

/**
 * Packs sequences of different lengths (PyTorch: `nn.utils.rnn.pack_sequence`).
 *
 * @param sequences each [L, *], L at least 1
 * @param options `enforceSorted`: whether lengths that rise are an error, true unless given
 * @throws TensorError `shape` for sequences that differ in more than length, `value` for lengths that rise or are 0
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const packed = nn.utils.rnn.packSequence([tensor([3]), tensor([1, 2])], { enforceSorted: false });
 * console.log(packed.data.toArray(), packed.sortedIndices?.toArray()); // [1, 3, 2] [1, 0]
 * ```
 */
export function packSequence(sequences: readonly Tensor[], options?: { enforceSorted?: boolean }): PackedSequence {
  checkOptions('packSequence', options, ['enforceSorted']);
  checkSequences('packSequence', sequences);
  const lengths = sequences.map((x) => x.shape[0]);
  return packPaddedSequence(padSequence(sequences), lengths, options);
}

/**
 * The sequences of a padded batch as views: the inverse of {@link padSequence} (PyTorch: `nn.utils.rnn.unpad_sequence`).
 *
 * @param padded [T, N, *], or [N, T, *] with `batchFirst`
 * @param options `batchFirst`: false unless given
 * @throws TensorError `shape` for another number of lengths than sequences or lengths above T, `value` for lengths that are no
 * whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const parts = nn.utils.rnn.unpadSequence(tensor([[1, 3], [2, 0]]), [2, 1]);
 * console.log(parts.map((x) => x.toArray())); // [[1, 2], [3]]
 * ```
 */
export function unpadSequence(padded: Tensor, lengths: Lengths, options?: { batchFirst?: boolean }): Tensor[] {
  const op = 'unpadSequence';
  checkOptions(op, options, ['batchFirst']);
  const batchFirst = checkBoolean(op, 'batchFirst', options?.batchFirst ?? false);
  const [list] = checkPadded(op, padded, lengths, batchFirst);
  return list.map((length, n) => padded.select(batchFirst ? 0 : 1, n).narrow(0, 0, length));
}

/**
 * The sequences of a packed batch in the order they were given (PyTorch: `nn.utils.rnn.unpack_sequence`).
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const { packSequence, unpackSequence } = nn.utils.rnn;
 * console.log(unpackSequence(packSequence([tensor([1, 2]), tensor([3])])).map((x) => x.toArray())); // [[1, 2], [3]]
 * ```
 */
export function unpackSequence(sequence: PackedSequence): Tensor[] {
  const [padded, lengths] = padPackedSequence(sequence, { batchFirst: true });
  return unpadSequence(padded, lengths, { batchFirst: true });
}
