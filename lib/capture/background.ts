// Running calls of a native program on a thread of its own, as a promise.
import { builtin } from '../builtin.js';
import type { Claim } from '../core/busy.js';
import { Storage } from '../core/storage.js';
import { native } from '../native.js';
import type { Instance } from './recorded.js';

const G = native.geometry;

/** How a run ended: `next` is the call it did not come past; `place` that of a bad index, or -1; `ms` what it took. */
export interface Ended {
  readonly next: number;
  readonly place: number;
  readonly ms: number;
}

const waiting = new Map<number, (ended: Ended) => void>();
let listening = false;

function listen(): void {
  listening = true;
  native.programListen((program, next, place, ms) => {
    const resolve = waiting.get(program);
    waiting.delete(program);
    resolve?.({ next, place, ms });
  });
}

/** Runs the calls from `begin` to before `end`; nobody else may use the instance until then. */
export function runInBackground(instance: Instance, begin: number, end: number): Promise<Ended> {
  if (!listening) listen();
  G[0] = instance.id;
  G[1] = begin;
  G[2] = end;
  native.programSubmit();
  return new Promise((resolve) => waiting.set(instance.id, resolve));
}

const held = new WeakSet<object>();

/**
 * Keeps memory that JavaScript outside has typed arrays on from being transferred to another thread, which could free it while a run
 * works on it.
 */
export function holdHere({ reads, writes }: Claim): void {
  for (const list of [reads, writes]) {
    for (const memory of list) {
      if (!(memory instanceof Storage) || !memory.pinned || held.has(memory)) continue;
      held.add(memory);
      builtin.threads.markAsUntransferable(memory.bytes.buffer);
    }
  }
}

/** Ends a run before its next call. */
export function cancel(instance: Instance): void {
  G[0] = instance.id;
  native.programCancel();
}
