// Samples joined to batches: of one form, or of different lengths under one shape.
import type { TypedArray } from '../core/dtype.js';
import { checkNumber } from '../core/shape.js';
import { tensor } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { padSequence } from '../nn/packed.js';
import { stack } from '../ops/shape/join.js';
import { Tensor } from '../tensor.js';
import { ofLibrary } from './portable.js';

/** What a batch of samples becomes: tensors are stacked, numbers and typed arrays become tensors, arrays and objects go by part. */
export type Collated<S> = S extends Tensor | number | boolean | TypedArray
  ? Tensor
  : S extends readonly unknown[]
    ? { -readonly [K in keyof S]: Collated<S[K]> }
    : S extends string
      ? string[]
      : S extends object
        ? { [K in keyof S]: Collated<S[K]> }
        : S[];

/**
 * Joins samples of one form to a batch, as a DataLoader does unless told otherwise (PyTorch: `default_collate`).
 *
 * @throws TensorError `value` for samples of different forms or none, `shape` for tensors of different shapes
 *
 * @example
 * ```ts
 * import { data, tensor } from 'chainrule';
 * const { x, y } = data.collate([{ x: tensor([1, 2]), y: 0 }, { x: tensor([3, 4]), y: 1 }]);
 * console.log(x.toArray(), y.toArray()); // [[1, 2], [3, 4]] [0, 1]
 * ```
 */
export function collate<S>(samples: readonly S[]): Collated<S> {
  if (!Array.isArray(samples) || samples.length === 0) {
    throw new TensorError('value', 'collate', `expected at least one sample, got ${describe(samples)}`);
  }
  return join(samples) as Collated<S>;
}

/** A batch of sequences filled up to the longest, what else was in the samples, and the lengths. */
export type PaddedBatch<S> = S extends Tensor
  ? [padded: Tensor, lengths: Tensor]
  : S extends readonly unknown[]
    ? [...Extract<Collated<S>, readonly unknown[]>, lengths: Tensor]
    : never;

/** Options of {@link padCollate}. */
export interface PadCollateOptions {
  /** What stands behind the end of a sequence; 0 unless given. */
  paddingValue?: number;
}

/**
 * A `collate` for sequences of different lengths: tensors in a sample, `[L, *]`, are filled up to the longest, `[N, T, *]`;
 * behind the parts of the batch come the lengths of the first, int32 `[N]`.
 *
 * @param options `paddingValue`: 0 unless given
 * @returns for samples that are sequences, or arrays that begin with one
 * @throws TensorError `value` for samples that do not begin with a tensor, `shape` for sequences that differ in more than length
 *
 * @example
 * ```ts
 * import { data, tensor } from 'chainrule';
 * const words = [tensor([1, 2, 3]), tensor([4])];
 * const dataset = { length: 2, get: (i: number) => [words[i], i] as [typeof words[0], number] };
 * const loader = new data.DataLoader(dataset, { batchSize: 2, collate: data.padCollate<[typeof words[0], number]>({ paddingValue: -1 }) });
 * for (const [x, y, lengths] of loader) console.log(x.toArray(), y.toArray(), lengths.toArray()); // [[1, 2, 3], [4, -1, -1]] [0, 1] [3, 1]
 * ```
 */
export function padCollate<S extends Tensor | readonly unknown[]>(
  options?: PadCollateOptions,
): (samples: readonly S[]) => PaddedBatch<S> {
  const op = 'padCollate';
  checkOptions(op, options, ['paddingValue']);
  const paddingValue = checkNumber(op, 'paddingValue', options?.paddingValue ?? 0);
  const pad = (parts: readonly unknown[]) => {
    const sequences = parts.every((x) => x instanceof Tensor && x.ndim > 0);
    return sequences ? padSequence(parts as Tensor[], { batchFirst: true, paddingValue }) : join(parts);
  };
  const padded = (samples: readonly S[]): PaddedBatch<S> => {
    const rows = samples.map((sample) => (sample instanceof Tensor ? [sample] : sample)) as readonly unknown[][];
    const firsts = rows.map((row) => (Array.isArray(row) ? row[0] : undefined));
    const odd = firsts.findIndex((x) => !(x instanceof Tensor) || x.ndim === 0);
    if (rows.length === 0 || odd >= 0) {
      const got = rows.length === 0 ? 'no samples' : describe(samples[odd]);
      throw new TensorError('value', op, `expected samples that begin with a sequence [L, *], got ${got}`);
    }
    const lengths = tensor(
      firsts.map((x) => (x as Tensor).shape[0]),
      { dtype: 'int32' },
    );
    return [...listsOf(rows).map(pad), lengths] as PaddedBatch<S>;
  };
  return ofLibrary(padded, op, options);
}

function join(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (first instanceof Tensor) return stack(samples as Tensor[]);
  if (typeof first === 'number' || typeof first === 'boolean') return tensor(samples as number[]);
  if (ArrayBuffer.isView(first)) return stack((samples as TypedArray[]).map((sample) => tensor(sample)));
  if (Array.isArray(first)) return listsOf(samples).map(join);
  if (first !== null && typeof first === 'object') {
    const keys = Object.keys(first);
    if (keys.length === 0 && Object.getPrototypeOf(first) !== Object.prototype) throw unknown(first);
    return Object.fromEntries(keys.map((key) => [key, join(fieldsOf(samples, key))]));
  }
  if (first === undefined || typeof first === 'function') throw unknown(first);
  const odd = samples.findIndex((sample) => typeof sample !== typeof first);
  if (odd >= 0) throw misfit(odd, `is ${describe(samples[odd])} and not like ${describe(first)}`);
  return samples;
}

/** The first values of all samples, the second, ...: samples are lists, one as long as the other. */
function listsOf(samples: readonly unknown[]): unknown[][] {
  const [first] = samples as readonly unknown[][];
  for (const [i, sample] of samples.entries()) {
    if (!Array.isArray(sample)) throw misfit(i, `is ${describe(sample)} and no list`);
    if (sample.length !== first.length) throw misfit(i, `has ${sample.length} values and not ${first.length}`);
  }
  return first.map((_, place) => samples.map((sample) => (sample as unknown[])[place]));
}

/** What every sample has under a name. */
function fieldsOf(samples: readonly unknown[], key: string): unknown[] {
  return samples.map((sample, i) => {
    if (sample !== null && typeof sample === 'object' && key in sample) return sample[key as keyof typeof sample];
    throw misfit(i, `has no '${key}'`);
  });
}

function misfit(number: number, how: string): TensorError {
  return new TensorError('value', 'collate', `expected samples of one form, but sample ${number} of a batch ${how}`);
}

function unknown(sample: unknown): TensorError {
  const wanted = 'samples of tensors, numbers, texts, typed arrays, lists and objects of them';
  return new TensorError('value', 'collate', `expected ${wanted}, got ${describe(sample)}`);
}
