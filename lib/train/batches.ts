// Batches as fit() reads them: until a signal fires, from where a run left off, checked, and given back.
import { ImageDataset, TensorDataset } from '../data/dataset.js';
import { DataLoader } from '../data/loader.js';
import { describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';

/** A batch: what the model takes, and the target last. */
export type Batch = readonly Tensor[];
/** Batches, again from the start each time they are iterated: a `DataLoader`, an array, or an object with an iterator. */
export type Batches = Iterable<Batch> | AsyncIterable<Batch>;

/** Number of samples of a batch: the first size of its target. */
export function samplesOf(batch: Batch): number {
  const target = batch[batch.length - 1];
  return target.ndim === 0 ? 1 : target.shape[0];
}

/** Throws unless a batch is inputs and a target, of one sample or more. */
export function checkBatch(batch: unknown): Batch {
  if (!Array.isArray(batch) || batch.length < 2 || !batch.every((x) => x instanceof Tensor)) {
    throw new TensorError('value', 'fit', `expected batches [...inputs, target] of tensors, got ${describe(batch)}`);
  }
  if (samplesOf(batch) > 0) return batch;
  throw new TensorError(
    'value',
    'fit',
    `expected batches of at least one sample, got a target ${describe(batch.at(-1))}`,
  );
}

/** Whether nobody else has the batches, so that their memory can be used again at once. */
export function areFresh(batches: Batches | undefined): boolean {
  const kinds: unknown[] = [TensorDataset, ImageDataset];
  return batches instanceof DataLoader && kinds.includes(batches.dataset.constructor);
}

/** Whether a batch is gone once the next is asked for. */
export function areReused(batches: Batches): boolean {
  return batches instanceof DataLoader && batches.reuse;
}

/** The values of an iterable up to the moment a signal fires, even while the next one is waited for. */
export function until(source: Batches, signal: AbortSignal | undefined): Iterable<unknown> | AsyncIterable<unknown> {
  return signal === undefined ? source : untilFired(source, signal);
}

async function* untilFired(source: Batches, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
  const values = all(source);
  let wake = () => {};
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort);
  let waiting = false;
  try {
    while (!signal.aborted) {
      waiting = true;
      const next = await new Promise<IteratorResult<unknown> | null>((resolve, reject) => {
        wake = () => resolve(null);
        values.next().then(resolve, reject);
      });
      if (next === null) return;
      waiting = false;
      if (next.done) return;
      if (!signal.aborted) yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    const closed = values.return();
    // What has not come may never come: nobody waits for it, and its errors are nobody's.
    if (waiting) closed.catch(() => {});
    else await closed;
  }
}

async function* all(source: Batches): AsyncGenerator<unknown, void, undefined> {
  yield* source;
}

/** The batches of an iterable after the first `count`, which are read as they were; `then` is called behind them. */
export async function* after(source: Batches, count: number, then: () => void): AsyncGenerator<Batch, void, undefined> {
  let read = 0;
  for await (const batch of source) {
    if (read === count) yield batch;
    else if (++read === count) then();
  }
  if (read === count) return;
  const expected = `expected data to give the ${count} batches that the checkpoint has behind it`;
  throw new TensorError('value', 'fit', `${expected}, got ${read}; give the data of the run that was saved`);
}
