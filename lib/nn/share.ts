// The state of a module in memory that worker threads share: how it is moved there, and how another module takes it up.
import { TensorError } from '../errors.js';
import { adoptShared, describeShared, moveToShared, openShared, type SharedTensors } from '../shared.js';
import type { Tensor } from '../tensor.js';
import { match } from './state.js';

/**
 * What `share()` gives: where the parameters and persistent buffers of a module lie in shared memory, by path. Messages carry it
 * to other threads.
 *
 * There are no locks. Threads that train one model at once read its weights as they happen to be, and of two updates of one
 * number at the same time one may be lost: Hogwild (Recht et al. 2011). No number is ever half one value and half another, but
 * a thread may see one parameter before and the next after somebody else's step. What was written before a message was sent is
 * there when the message arrives: where all must see the same weights, let messages or `Atomics` say whose turn it is. In a
 * thread's own graphs, changes by other threads between forward and backward go unnoticed.
 *
 * Gradients, state of optimizers and buffers that are not persistent belong to each thread alone. `memory()` does not count shared
 * memory, as no thread owns it; it is freed when no thread holds it any more.
 */
export type SharedState = SharedTensors;

/** Moves the tensors of a module into shared memory. */
export function shareState(own: ReadonlyMap<string, Tensor>): SharedState {
  moveToShared('share', [...own.values()]);
  return describeShared(own);
}

/** Lets the tensors of a module look at those of a shared state. */
export function openState(kind: string, own: ReadonlyMap<string, Tensor>, state: SharedState, strict: boolean): void {
  const op = 'loadShared';
  for (const tensor of own.values()) tensor.check(op);
  const given = openShared(op, state);
  const { pairs } = match(op, kind, own, given, strict, true);
  const places = new Map<Tensor, Tensor>();
  for (const [tensor, source] of pairs) {
    const before = places.get(tensor) ?? source;
    if (before.storage !== source.storage || before.offset !== source.offset) {
      const names = [...own].filter(([, t]) => t === tensor).map(([name]) => name);
      const message = `expected ${names.join(' and ')}, one tensor in ${kind}, to be one in the shared state, got several`;
      throw new TensorError('value', op, message);
    }
    places.set(tensor, source);
  }
  for (const [tensor, source] of places) adoptShared(tensor, source);
  for (const source of given.values()) source.dispose();
}
