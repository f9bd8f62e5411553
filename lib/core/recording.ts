// What capture() sees while it records: the one place where the rest of the library tells it.
import type { TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import type { Storage } from './storage.js';

/** The recorder of a captured step, as the library calls it while the step runs for the first time. */
export interface Recording {
  /** Memory just taken; gives the storage that the recorder knows in its place. */
  allocated(storage: Storage): Storage;
  /** A tensor was made, on new memory or as a view of `base`. */
  made(x: Tensor, base: Tensor | null): void;
  /** A binding is about to get the memory of a tensor. */
  touched(x: Tensor): void;
  /** JavaScript is about to look at the elements of a tensor, or to write them. */
  looked(x: Tensor): void;
  /** Numbers of JavaScript are about to become a tensor. */
  constant(op: string): void;
  /** A random state was set to what it is now. */
  seeded(state: Uint32Array): void;
  /** The gradient of a leaf is about to be read, or with `cleared` to be dropped unread. */
  gradient(leaf: Tensor, cleared: boolean): void;
  /** The last call checks the indices in `read`; `refuse` is the error for the place of a bad one. */
  checked(place: number, read: Tensor, refuse: (place: number) => TensorError): void;
  /** Work of JavaScript that has to be done again before every replay. */
  prelude(owner: object, run: () => void): void;
  /** The module was asked whether it trains. */
  training(module: object): void;
}

/** The recorder at work, or null: a step is being captured or it is not. */
export let recording: Recording | null = null;

export function setRecording(recorder: Recording | null): void {
  recording = recorder;
}

/** Throws what `refuse` says of a bad index that a kernel found, at once and at every replay; -1 is none. */
export function checkPlace(place: number, read: Tensor, refuse: (place: number) => TensorError): void {
  if (recording !== null) recording.checked(place, read, refuse);
  if (place >= 0) throw refuse(place);
}

/** Does work whose numbers change from step to step, of an optimizer or a schedule; a captured step does it before every replay. */
export function prelude(owner: object, run: () => void): void {
  if (recording === null) run();
  else recording.prelude(owner, run);
}

/** How often a hook was added to a module or taken away. */
export const hooks = { changes: 0 };

/** A module as capture() watches it: for attributes that become other tensors or modules. */
export interface Watched {
  training: boolean;
}
const modules = new Set<WeakRef<Watched>>();
const dropped = new FinalizationRegistry<WeakRef<Watched>>((reference) => modules.delete(reference));

/** Makes a module known to captured steps. */
export function watch(module: Watched): void {
  const reference = new WeakRef(module);
  modules.add(reference);
  dropped.register(module, reference);
}

/** All modules that live. */
export function* watched(): Generator<Watched> {
  for (const reference of modules) {
    const module = reference.deref();
    if (module !== undefined) yield module;
  }
}
