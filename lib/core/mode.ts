// Whether operations are recorded for differentiation: noGrad, enableGrad, inferenceMode.
import { AsyncLocalStorage } from 'node:async_hooks';

let enabled = true;
let asyncModes = 0;
const asyncMode = new AsyncLocalStorage<boolean>();

/** Whether operations are recorded for {@link backward} at this moment. */
export function isGradEnabled(): boolean {
  return asyncModes === 0 ? enabled : (asyncMode.getStore() ?? enabled);
}

/** Sets the mode and returns the one before; for synchronous stretches inside the library. */
export function setGradEnabled(mode: boolean): boolean {
  const before = enabled;
  enabled = mode;
  return before;
}

function withMode<T>(mode: boolean, fn: () => T): T {
  if (asyncModes > 0) return asyncMode.run(mode, fn);
  const before = setGradEnabled(mode);
  let result: T;
  try {
    result = fn();
  } finally {
    enabled = before;
  }
  return result;
}

function run<T>(mode: boolean, fn: () => T): T {
  // An async function goes on after this call returns: its mode follows it through AsyncLocalStorage.
  if (fn.constructor.name !== 'AsyncFunction') return withMode(mode, fn);
  asyncModes++;
  const result = asyncMode.run(mode, fn) as Promise<unknown>;
  return result.finally(() => {
    asyncModes--;
  }) as T;
}

/**
 * Runs a function without recording anything for differentiation (PyTorch: `torch.no_grad`).
 *
 * Asynchronous functions keep the mode across their awaits, without effect on what runs in between.
 *
 * @example
 * ```ts
 * import { noGrad, tensor } from 'chainrule';
 * const w = tensor([1, 2], { requiresGrad: true });
 * console.log(noGrad(() => w.mul(2)).requiresGrad); // false
 * ```
 */
export function noGrad<T>(fn: () => T): T {
  return run(false, fn);
}

/** Runs a function with recording switched on, inside a {@link noGrad} for example (PyTorch: `torch.enable_grad`). */
export function enableGrad<T>(fn: () => T): T {
  return run(true, fn);
}

/** Same as {@link noGrad}; the name PyTorch users expect for serving (`torch.inference_mode`). */
export function inferenceMode<T>(fn: () => T): T {
  return run(false, fn);
}
