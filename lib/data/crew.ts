// The worker threads behind a DataLoader: started, asked for batches, watched, and ended.
import type { Worker } from 'node:worker_threads';
import { builtin } from '../builtin.js';
import { checkBoolean, checkInteger } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import type { Job } from './load.js';
import { type Blueprint, modulesOf, type PackedError, type Parcel, unpackError } from './pack.js';

/** Options of the worker threads of a {@link DataLoader}. */
export interface WorkerOptions {
  /** How many; 0 makes the batches in this thread. */
  count: number;
  /** Keep them, and the datasets they have made, for the next pass; false unless given. `close()` ends them. */
  persistent?: boolean;
  /** Most memory of each for objects of JavaScript, in megabytes; what Node grants unless given. */
  heapMegabytes?: number;
}

const KNOWN = ['count', 'persistent', 'heapMegabytes'];

export function checkWorkers(op: string, given: number | WorkerOptions | undefined): WorkerOptions | undefined {
  if (given === undefined) return undefined;
  const options = typeof given === 'number' ? { count: given } : given;
  checkOptions(op, options, KNOWN);
  const count = checkInteger(op, 'workers', options.count, 0, 256);
  const persistent = checkBoolean(op, 'persistent', options.persistent ?? false);
  const { heapMegabytes } = options;
  if (heapMegabytes !== undefined) checkInteger(op, 'heapMegabytes', heapMegabytes, 1, 2 ** 20);
  return { count, persistent, heapMegabytes };
}

/** What a worker is told at its start. */
export interface Assignment {
  readonly entry: string;
  /** Some module is TypeScript: on Node 20, tsx does not reach into worker threads by itself. */
  readonly typescript: boolean;
  readonly blueprint: Blueprint;
  /** Samples that the dataset has here. */
  readonly length: number;
}

/** A batch that a worker is asked for. */
export type Order = Job & { readonly id: number };
/** Batches in their order, and memory that batches have come in before. */
export interface Request {
  readonly orders: Order[];
  readonly spare: SharedArrayBuffer[];
}
/** What a worker says to an order; without an id, that it cannot work at all. */
export type Answer =
  | { readonly id: number; readonly parcel: Parcel }
  | { readonly id: number | null; readonly error: PackedError };

/** Works as a script and as a module: Node reads it as whichever `--input-type` says. */
const START = `(async () => {
  const { workerData } = await import('node:worker_threads');
  if (workerData.typescript) await import('tsx/esm/api').then(({ register }) => register(), () => {});
  await import(workerData.entry);
})();`;

interface Waiting {
  readonly indices: Int32Array;
  resolve(parcel: Parcel): void;
  reject(error: Error): void;
}

interface Member {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  /** Why it cannot work any more. */
  failure: Error | null;
}

const OP = 'DataLoader';

/** Threads that all make the same batches of one dataset. */
export class Crew {
  private readonly members: readonly Member[];
  /** Memory of batches that were copied: threads make others in it. */
  private readonly spare: SharedArrayBuffer[] = [];
  private nextId = 0;
  private closed = false;

  constructor({ count, heapMegabytes }: WorkerOptions, blueprint: Blueprint, length: number) {
    // The sources lie beside each other; in dist/lib they are joined, and data/crew-worker.js is an entry of its own.
    const file = import.meta.url.endsWith('.ts') ? './crew-worker.ts' : './data/crew-worker.js';
    const entry = new URL(file, import.meta.url).href;
    const typescript = [entry, ...modulesOf(blueprint)].some((module) => /\.[cm]?tsx?$/.test(new URL(module).pathname));
    const workerData: Assignment = { entry, typescript, blueprint, length };
    const resourceLimits = heapMegabytes === undefined ? undefined : { maxOldGenerationSizeMb: heapMegabytes };
    this.members = Array.from({ length: count }, (_, i) => {
      const worker = new builtin.threads.Worker(START, {
        eval: true,
        workerData,
        resourceLimits,
        name: `${OP} worker ${i}`,
      });
      const member: Member = { worker, waiting: new Map(), failure: null };
      this.watch(member, i);
      return member;
    });
  }

  private watch(member: Member, number: number): void {
    const { worker, waiting } = member;
    const fail = (error: Error) => {
      member.failure ??= error;
      for (const { reject } of waiting.values()) reject(member.failure);
      waiting.clear();
    };
    const died = (how: string, cause?: unknown) => {
      if (this.closed || member.failure !== null) return;
      const [first] = waiting.values();
      const busy = first === undefined ? 'idle' : `making a batch of samples ${describe([...first.indices])}`;
      const message = `expected worker ${number} to go on, but ${how} while it was ${busy}`;
      fail(new TensorError('worker', OP, message, cause === undefined ? undefined : { cause }));
    };
    worker.on('message', (answer: Answer) => {
      if (answer.id === null) return fail(unpackError((answer as { error: PackedError }).error));
      const asked = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('error' in answer) asked?.reject(unpackError(answer.error));
      else asked?.resolve(answer.parcel);
    });
    worker.on('messageerror', (error) => died(`a message of it could not be read: ${error.message}`, error));
    worker.on('error', (error: unknown) => {
      died(`it ended with ${error instanceof Error ? `${error.name}: ${error.message}` : describe(error)}`, error);
    });
    worker.on('exit', (code) => died(`it ended with exit code ${code}`));
    // Only whoever waits for a batch keeps the process alive; listeners for messages had made it wait.
    worker.unref();
  }

  /** Has batches made, `run` after each other by the thread with the least to do. */
  request(jobs: readonly Job[], run: number): Promise<Parcel>[] {
    const orders = new Map<Member, Order[]>();
    const made: Promise<Parcel>[] = [];
    for (let i = 0; i < jobs.length; i += run) {
      const [first, ...others] = this.members;
      const member = others.reduce((best, one) => (one.waiting.size < best.waiting.size ? one : best), first);
      const own = orders.get(member) ?? [];
      orders.set(member, own);
      for (const job of jobs.slice(i, i + run)) made.push(this.order(member, job, own));
    }
    for (const [{ worker, failure }, own] of orders) {
      if (failure !== null) continue;
      const spare = this.spare.splice(0, own.length);
      const request: Request = { orders: own, spare };
      worker.postMessage(request);
    }
    return made;
  }

  private order(member: Member, { indices, key }: Job, orders: Order[]): Promise<Parcel> {
    if (member.failure !== null) return Promise.reject(member.failure);
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      member.waiting.set(id, { indices, resolve, reject });
      orders.push({ id, indices, key });
    });
  }

  /** Takes memory back that a batch has come in. */
  giveBack({ buffer }: Parcel): void {
    this.spare.push(buffer);
  }

  /** Waits for a batch; until it is there the process stays alive. */
  async wait<T>(batch: Promise<T>): Promise<T> {
    for (const { worker } of this.members) worker.ref();
    try {
      return await batch;
    } finally {
      for (const { worker } of this.members) worker.unref();
    }
  }

  /** Ends all threads: those in the middle of a batch, too. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.members.map(({ worker }) => worker.terminate()));
  }
}
