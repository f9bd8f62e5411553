// What runs in a worker thread of a DataLoader: makes its own dataset, then batches, one after the other, as it is asked.
import { parentPort, workerData } from 'node:worker_threads';
import { checkInteger } from '../core/shape.js';
import { TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { collate } from './collate.js';
import type { Answer, Assignment, Order } from './crew.js';
import { type Dataset, ImageDataset, TensorDataset } from './dataset.js';
import * as library from './index.js';
import { loadBatch } from './load.js';
import { build, packError, send } from './pack.js';

const { blueprint, length } = workerData as Assignment;

interface Made {
  readonly dataset: Dataset;
  readonly collate: ((samples: unknown[]) => unknown) | undefined;
}

function post(answer: Answer): void {
  parentPort?.postMessage(answer, 'parcel' in answer ? [answer.parcel.buffer] : []);
}

async function start(): Promise<Made> {
  const made = (await build(blueprint, { ...library, ...library.transforms })) as Made;
  const found = checkInteger('DataLoader', 'the length of the dataset', made.dataset?.length, 0, 2 ** 31 - 1);
  if (found === length) return made;
  const message = `expected the dataset that a worker makes to have ${length} samples as here, got ${found}`;
  throw new TensorError('value', 'DataLoader', message);
}

/** Gives memory back that only this thread's loader can know of: of batches that the library itself has made. */
function drop(batch: unknown): void {
  if (batch instanceof Tensor) batch.dispose();
  else if (Array.isArray(batch)) for (const part of batch) drop(part);
  else if (batch !== null && typeof batch === 'object' && !ArrayBuffer.isView(batch)) {
    for (const part of Object.values(batch)) drop(part);
  }
}

const dataset = start();
dataset.catch((error) => post({ id: null, error: packError(error) }));
const kinds: unknown[] = [TensorDataset, ImageDataset];
let before: Promise<unknown> = dataset.catch(() => {});

parentPort?.on('message', (order: Order) => {
  before = before.then(async () => {
    const { id } = order;
    try {
      const made = await dataset;
      const join = made.collate ?? (collate as (samples: unknown[]) => unknown);
      const batch = await loadBatch(made.dataset, join, order);
      post({ id, parcel: send(batch) });
      const fresh =
        made.dataset.batch === undefined ? made.collate === undefined : kinds.includes(made.dataset.constructor);
      if (fresh) drop(batch);
    } catch (error) {
      post({ id, error: packError(error) });
    }
  });
});
