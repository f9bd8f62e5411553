// Whether operations are recorded for differentiation: noGrad, enableGrad, inferenceMode.
import { describe, TensorError } from '../errors.js';
import { Context } from './context.js';

/** A mode that an asynchronous function carries across its awaits; over once its promise settles. */
interface AsyncMode {
  readonly mode: boolean;
  readonly outer: AsyncMode | undefined;
  open: boolean;
}

/** The mode of the synchronous stretch that is running, null outside of one: then the asynchronous context decides. */
let forced: boolean | null = null;
const modes = new Context<AsyncMode>();

/** Whether operations are recorded for {@link backward} at this moment. */
export function isGradEnabled(): boolean {
  if (forced !== null) return forced;
  return modes.held === 0 || (surrounding()?.mode ?? true);
}

/** The innermost asynchronous mode that is not over. */
function surrounding(): AsyncMode | undefined {
  let found = modes.get();
  while (found !== undefined && !found.open) found = found.outer;
  return found;
}

/** Sets the mode of a synchronous stretch and returns what {@link restoreGradEnabled} takes at its end. */
export function setGradEnabled(mode: boolean): boolean | null {
  const before = forced;
  forced = mode;
  return before;
}

export function restoreGradEnabled(before: boolean | null): void {
  forced = before;
}

function run<T>(op: string, mode: boolean, fn: () => T): T {
  if (typeof fn !== 'function') throw new TensorError('value', op, `expected a function, got ${describe(fn)}`);
  const context: AsyncMode = { mode, outer: surrounding(), open: true };
  const before = setGradEnabled(mode);
  let result: T | Promise<unknown>;
  try {
    // Whether fn goes on after this call is known when it returns a promise; its awaits must see the context by then.
    result = modes.run(context, fn);
  } catch (error) {
    context.open = false;
    throw error;
  } finally {
    restoreGradEnabled(before);
  }
  if (!(result instanceof Promise)) {
    context.open = false;
    return result;
  }
  modes.hold();
  return result.finally(() => {
    context.open = false;
    modes.release();
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
  return run('noGrad', false, fn);
}

/**
 * Runs a function with recording switched on, inside a {@link noGrad} for example (PyTorch: `torch.enable_grad`).
 *
 * @example
 * ```ts
 * import { enableGrad, noGrad, tensor } from 'chainrule';
 * const w = tensor([1, 2], { requiresGrad: true });
 * console.log(noGrad(() => enableGrad(() => w.mul(2))).requiresGrad); // true
 * ```
 */
export function enableGrad<T>(fn: () => T): T {
  return run('enableGrad', true, fn);
}

/**
 * Same as {@link noGrad}; the name PyTorch users expect for serving (`torch.inference_mode`).
 *
 * @example
 * ```ts
 * import { inferenceMode, tensor } from 'chainrule';
 * const w = tensor([1, 2], { requiresGrad: true });
 * console.log(inferenceMode(() => w.mul(2)).requiresGrad); // false
 * ```
 */
export function inferenceMode<T>(fn: () => T): T {
  return run('inferenceMode', false, fn);
}
