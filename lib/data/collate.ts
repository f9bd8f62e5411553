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
    const parts = rows[0].map((_, i) => pad(partsOf(rows, `place ${i}`, (row) => (row as unknown[])[i])));
    return [...parts, lengths] as PaddedBatch<S>;
  };
  return ofLibrary(padded, op, options);
}

function join(samples: readonly unknown[]): unknown {
  const [first] = samples;
  if (first instanceof Tensor) return stack(samples as Tensor[]);
  if (typeof first === 'number' || typeof first === 'boolean') return tensor(samples as number[]);
  if (ArrayBuffer.isView(first)) return stack((samples as TypedArray[]).map((sample) => tensor(sample)));
  if (Array.isArray(first))
    return first.map((_, i) => join(partsOf(samples, `place ${i}`, (s) => (s as unknown[])[i])));
  if (first !== null && typeof first === 'object') {
    const keys = Object.keys(first);
    const part = (key: string) => join(partsOf(samples, `'${key}'`, (s) => (s as Record<string, unknown>)[key]));
    return Object.fromEntries(keys.map((key) => [key, part(key)]));
  }
  return samples;
}

/** The same part of every sample. */
function partsOf(samples: readonly unknown[], name: string, part: (sample: unknown) => unknown): unknown[] {
  return samples.map((sample, i) => {
    const value = sample !== null && typeof sample === 'object' ? part(sample) : undefined;
    if (value !== undefined) return value;
    throw new TensorError(
      'value',
      'collate',
      `expected samples of one form, but sample ${i} of a batch has no ${name}`,
    );
  });
}
