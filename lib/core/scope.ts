// scope(): releases what a function made and did not return; the same machinery frees temporaries of gradient rules.
import { describe, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { Context } from './context.js';

/** The tensors made since a scope began. */
export type Frame = Tensor[];

/** A scope as asynchronous functions carry it across their awaits; `frame` is null once it has ended. */
interface AsyncScope {
  frame: Frame | null;
  readonly outer: AsyncScope | undefined;
}

/** A frame for what no scope shall release: gradients of parameters, for example. */
export const HIDDEN: Frame = [];

let current: Frame | null = null;
const scopes = new Context<AsyncScope>();

/** Called for every new tensor. */
export function track(tensor: Tensor): void {
  if (current === HIDDEN) return;
  if (current !== null) current.push(tensor);
  else if (scopes.held > 0) surrounding()?.frame?.push(tensor);
}

/** Whether a scope may want to know of what is made now. */
export function isScoped(): boolean {
  return (current !== null && current !== HIDDEN) || scopes.held > 0;
}

/** The innermost asynchronous scope that has not ended: work that outlives its scope belongs to the one around it. */
function surrounding(): AsyncScope | undefined {
  let found = scopes.get();
  while (found !== undefined && found.frame === null) found = found.outer;
  return found;
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

/**
 * Runs a composite operation without leaving its temporaries to the collector; where the result is part of a graph they
 * may be too, and stay.
 */
export function composite(fn: () => Tensor): Tensor {
  return composites(() => [fn()])[0];
}

/** {@link composite} for an operation with several results. */
export function composites<T extends readonly (Tensor | null)[]>(fn: () => T): T {
  const frame: Frame = [];
  const outer = pushFrame(frame);
  try {
    const results = fn();
    popFrame(outer);
    const recorded = results.some((y) => y?.requiresGrad);
    for (const t of frame) {
      if (recorded || results.includes(t)) track(t);
      else t.dispose();
    }
    return results;
  } catch (error) {
    popFrame(outer);
    for (const t of frame) t.dispose();
    throw error;
  }
}

/** Tensors inside a result: itself, or whatever arrays, objects, maps and sets hold. */
function collect(result: unknown): Set<Tensor> {
  const found = new Set<Tensor>();
  const seen = new Set<object>();
  const stack = [result];
  while (stack.length > 0) {
    const value = stack.pop();
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    if (isTensor(value)) found.add(value);
    else if (Array.isArray(value) || value instanceof Set) for (const item of value) stack.push(item);
    else if (value instanceof Map) for (const item of value.values()) stack.push(item);
    else if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) stack.push(item);
  }
  return found;
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
    for (const edge of node.edges) stack.push(edge);
  }
  return saved;
}

function close(frame: Frame, result: unknown): void {
  const kept = collect(result);
  const saved = savedBy(kept);
  for (const t of frame) {
    // What leaves this scope belongs to the one around it.
    if (kept.has(t)) track(t);
    else if (!t.kept && !t.attached && !saved.has(t)) t.dispose();
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
  if (typeof fn !== 'function') throw new TensorError('value', 'scope', `expected a function, got ${describe(fn)}`);
  const frame: Frame = [];
  const context: AsyncScope = { frame, outer: surrounding() };
  const end = (value: unknown) => {
    context.frame = null;
    close(frame, value);
  };
  const outer = pushFrame(frame);
  let result: T;
  try {
    result = scopes.run(context, fn);
  } catch (error) {
    popFrame(outer);
    end(undefined);
    throw error;
  }
  popFrame(outer);
  if (!(result instanceof Promise)) {
    end(result);
    return result;
  }
  scopes.hold();
  const settle = (value: unknown) => {
    scopes.release();
    end(value);
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

/**
 * Marks a tensor so that no scope around it releases it; returns it.
 *
 * @throws TensorError `value` for what is no tensor
 *
 * @example
 * ```ts
 * import { keep, ones, type Tensor, scope } from 'chainrule';
 * const cache: Tensor[] = [];
 * scope(() => void cache.push(keep(ones([2]))));
 * console.log(cache[0].released); // false
 * ```
 */
export function keep(tensor: Tensor): Tensor {
  if (tensor === null || typeof tensor !== 'object' || !isTensor(tensor)) {
    throw new TensorError('value', 'keep', `expected a tensor, got ${describe(tensor)}`);
  }
  tensor.kept = true;
  return tensor;
}
