// scope(): releases what a function made and did not return; the same machinery frees temporaries of gradient rules.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Tensor } from '../tensor.js';

/** The tensors made since a scope began. */
export type Frame = Tensor[];

let current: Frame | null = null;
let asyncScopes = 0;
const asyncFrames = new AsyncLocalStorage<Frame>();

/** Called for every new tensor. */
export function track(tensor: Tensor): void {
  if (current !== null) current.push(tensor);
  else if (asyncScopes > 0) asyncFrames.getStore()?.push(tensor);
}

/** Starts a frame that hides the outer one; the caller hands the return value to {@link popFrame}. */
export function pushFrame(frame: Frame | null): Frame | null {
  const outer = current;
  current = frame;
  return outer;
}

export function popFrame(outer: Frame | null): void {
  current = outer;
}

/** Tensors inside a result: itself, or whatever arrays, plain objects, maps and sets hold. */
function collect(value: unknown, into: Set<Tensor>, seen: Set<object>): void {
  if (value === null || typeof value !== 'object' || seen.has(value)) return;
  seen.add(value);
  if (isTensor(value)) into.add(value);
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) collect(item, into, seen);
  else if (value instanceof Map) for (const item of value.values()) collect(item, into, seen);
  else if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) collect(item, into, seen);
}

function isTensor(value: object): value is Tensor {
  return 'storage' in value && 'dtype' in value;
}

/** Tensors that a later backward pass through `results` will read. */
function savedBy(results: Set<Tensor>): Set<Tensor> {
  const saved = new Set<Tensor>();
  const seen = new Set<object>();
  const stack = [...results].map((t) => t.node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node === null || seen.has(node)) continue;
    seen.add(node);
    for (const t of node.saved) saved.add(t);
    stack.push(...node.edges);
  }
  return saved;
}

function close(frame: Frame, result: unknown): void {
  const kept = new Set<Tensor>();
  collect(result, kept, new Set());
  const saved = savedBy(kept);
  for (const t of frame) {
    // What leaves this scope belongs to the one around it.
    if (kept.has(t)) track(t);
    else if (!t.kept && !saved.has(t)) t.dispose();
  }
}

/**
 * Runs a function and releases every tensor it made, except those in its result, saved for a backward pass through the
 * result, or marked by `keep()`.
 *
 * Never needed for correctness: the garbage collector frees what nobody holds. It makes memory come back sooner.
 * Asynchronous functions are followed across their awaits.
 *
 * @param fn what to run
 * @returns what `fn` returned; tensors may be inside arrays, plain objects, maps and sets
 *
 * @example
 * ```ts
 * import { randn, scope } from 'chainrule';
 * const y = scope(() => randn([100, 100]).exp().sum()); // only the sum is left
 * ```
 */
export function scope<T>(fn: () => T): T {
  const frame: Frame = [];
  const outer = pushFrame(frame);
  let result: T;
  try {
    result = asyncFrames.run(frame, fn);
  } catch (error) {
    popFrame(outer);
    close(frame, undefined);
    throw error;
  }
  popFrame(outer);
  if (!(result instanceof Promise)) {
    close(frame, result);
    return result;
  }
  asyncScopes++;
  const settle = (value: unknown) => {
    asyncScopes--;
    close(frame, value);
  };
  return result.then(
    (value) => {
      settle(value);
      return value;
    },
    (error) => {
      settle(undefined);
      throw error;
    },
  ) as T;
}

/** Marks a tensor so that no scope around it releases it; returns it. */
export function keep(tensor: Tensor): Tensor {
  tensor.kept = true;
  return tensor;
}
