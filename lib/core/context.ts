// What asynchronous functions carry across their awaits, at no cost to the promises of a process in which none does.
import { AsyncLocalStorage } from 'node:async_hooks';

/** Milliseconds after a call until the context is switched off: to switch it in every turn of an event loop would take as long as the turn. */
const REST_MS = 100;

/**
 * An AsyncLocalStorage that is off while nobody needs it. Until version 24, Node runs hooks for every promise of the process from the first
 * run() on, also of those that have nothing to do with it: each takes twice as long.
 */
export class Context<T> {
  /** Calls whose promise is pending: they go on in their context. */
  held = 0;
  private readonly storage = new AsyncLocalStorage<T>();
  private ending = false;

  /** What the code that runs now was started with. */
  get(): T | undefined {
    return this.storage.getStore();
  }

  /** Runs a function with a value, and what it awaits while the context is held. */
  run<R>(value: T, fn: () => R): R {
    if (!this.ending) this.endSoon();
    return this.storage.run(value, fn);
  }

  hold(): void {
    this.held++;
  }

  release(): void {
    if (--this.held === 0 && !this.ending) this.endSoon();
  }

  /** Later, for a call around this one may be about to return a promise. */
  private endSoon(): void {
    this.ending = true;
    const end = () => {
      this.ending = false;
      if (this.held === 0) this.storage.disable();
    };
    setTimeout(end, REST_MS).unref();
  }
}
