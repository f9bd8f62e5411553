// What runs in a worker thread of a DataLoader: makes its own dataset, then batches, one after the other, as it is asked.
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { checkInteger } from '../core/shape.js';
import { TensorError } from '../errors.js';
import { native } from '../native.js';
import { collate } from './collate.js';
import type { Answer, Assignment, Order, Request } from './crew.js';
import type { Dataset } from './dataset.js';
import * as library from './index.js';
import { drop, loadBatch, makesFresh } from './load.js';
import { build, packError, send } from './pack.js';

const { blueprint, length } = workerData as Assignment;

/** Makes this thread less urgent than those that compute: woken on the CPU of one of them, it does not push that one aside. */
function giveWay(): void {
  // Elsewhere the call is for the whole process, not for the thread that makes it.
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.min(19, getPriority(0) + 5));
  } catch {
    // A sandbox that forbids it costs some speed and nothing else.
  }
}

interface Made {
  readonly dataset: Dataset;
  readonly collate: ((samples: unknown[]) => unknown) | undefined;
}

function post(answer: Answer): void {
  parentPort?.postMessage(answer);
}

async function start(): Promise<Made> {
  const made = (await build(blueprint, { ...library, ...library.transforms })) as Made;
  const found = checkInteger('DataLoader', 'the length of the dataset', made.dataset?.length, 0, 2 ** 31 - 1);
  if (found === length) return made;
  const message = `expected the dataset that a worker makes to have ${length} samples as here, got ${found}`;
  throw new TensorError('value', 'DataLoader', message);
}

giveWay();
// The pool belongs to whoever trains (PyTorch: `torch.set_num_threads(1)` in the workers of a DataLoader).
native.computeAlone();
const dataset = start();
dataset.catch((error) => post({ id: null, error: packError(error) }));
let before: Promise<unknown> = dataset.catch(() => {});

async function work(order: Order, spare: SharedArrayBuffer[]): Promise<void> {
  const { id } = order;
  try {
    const made = await dataset;
    const join = made.collate ?? (collate as (samples: unknown[]) => unknown);
    const batch = await loadBatch(made.dataset, join, order);
    post({ id, parcel: send(batch, spare) });
    if (makesFresh(made.dataset, made.collate)) drop(batch);
  } catch (error) {
    post({ id, error: packError(error) });
  }
}

parentPort?.on('message', ({ orders, spare }: Request) => {
  for (const order of orders) before = before.then(() => work(order, spare));
});
