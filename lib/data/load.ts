// One batch of a dataset, made where the loader is or in a worker thread: the same samples, the same random numbers.
import { Chance, withChance } from '../core/random.js';
import { Tensor } from '../tensor.js';
import { type Dataset, ImageDataset, TensorDataset } from './dataset.js';

/** A batch to be made. */
export interface Job {
  /** Numbers of its samples. */
  readonly indices: Int32Array;
  /** From which the random numbers of its samples follow; null to draw from the generators as they are. */
  readonly key: readonly [number, number] | null;
}

/** The batch, or a promise of it where samples are promises. */
export function loadBatch<S, B>(
  dataset: Dataset<S, B>,
  collate: (samples: S[]) => B,
  { indices, key }: Job,
): B | Promise<B> {
  const at = <T>(place: number, fn: () => T): T => (key === null ? fn() : withChance(new Chance(key, place), fn));
  if (dataset.batch !== undefined) return at(0, () => (dataset as Required<typeof dataset>).batch(indices));
  const samples = Array.from(indices, (i, place) => {
    const sample = at(place, () => dataset.get(i));
    // Whatever becomes of the batch: Promise.all reports the first failure, the others are nobody's.
    if (isPromise(sample)) sample.catch(() => {});
    return sample;
  });
  const join = (all: S[]) => at(indices.length, () => collate(all));
  if (!samples.some(isPromise)) return join(samples as S[]);
  return Promise.all(samples).then(join);
}

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise;
}

const KINDS: unknown[] = [TensorDataset, ImageDataset];

/** Whether the library itself makes the batches: then nobody but whoever reads them knows of their tensors. */
export function makesFresh<S, B>(dataset: Dataset<S, B>, collate: unknown): boolean {
  return dataset.batch === undefined ? collate === undefined : KINDS.includes(dataset.constructor);
}

/** Gives the memory of a batch back. */
export function drop(batch: unknown): void {
  if (batch instanceof Tensor) batch.dispose();
  else if (Array.isArray(batch)) for (const part of batch) drop(part);
  else if (batch !== null && typeof batch === 'object' && !ArrayBuffer.isView(batch)) {
    for (const part of Object.values(batch)) drop(part);
  }
}
