// Custom functions: operations whose forward and gradient a user writes.
import { checkTensor, isTensor } from '../core/dispatch.js';
import { isFloat } from '../core/dtype.js';
import { noGrad } from '../core/mode.js';
import { formatShape, type Shape } from '../core/shape.js';
import { record } from '../core/tape.js';
import { describe, TensorError } from '../errors.js';
import { cat } from '../ops/shape/join.js';
import { alias } from '../ops/shape/stride.js';
import type { Tensor } from '../tensor.js';

/** What a custom function's forward leaves for its backward. */
export interface FunctionContext {
  /**
   * Keeps tensors for backward, in `savedTensors` (PyTorch: `ctx.save_for_backward`). Second derivatives flow through inputs and
   * outputs kept this way, not through intermediate values.
   */
  saveForBackward(...tensors: Tensor[]): void;
  /** What was kept. */
  readonly savedTensors: readonly Tensor[];
  /** For each argument, whether its gradient is asked for. */
  readonly needsInputGrad: readonly boolean[];
  /** Anything else to remember. */
  [name: string]: unknown;
}

/** Forward and backward of a custom function. */
export interface FunctionDefinition<A extends readonly unknown[], Y extends Tensor | readonly Tensor[]> {
  /** What errors and graphs call it; 'custom' unless given. */
  name?: string;
  /** Computes the result; nothing in it is recorded. */
  forward(ctx: FunctionContext, ...args: A): Y;
  /**
   * From the gradient of each output to that of each argument, null for what has none. Written in operations it can be
   * differentiated again.
   */
  backward(ctx: FunctionContext, ...grads: Tensor[]): Tensor | null | readonly (Tensor | null)[];
}

function checkResult(op: string, result: unknown): readonly Tensor[] {
  const all = isTensor(result) ? [result] : result;
  if (!Array.isArray(all) || all.length === 0 || !all.every(isTensor)) {
    throw new TensorError('value', op, `expected forward to return a tensor or several, got ${describe(result)}`);
  }
  for (const y of all) y.check(op);
  return all;
}

function checkGrads(op: string, result: unknown, args: readonly unknown[], shapes: readonly (Shape | null)[]) {
  const grads = isTensor(result) || result === null ? [result] : result;
  if (!Array.isArray(grads) || grads.length !== args.length) {
    throw new TensorError(
      'value',
      op,
      `expected backward to return a gradient or null for each of ${args.length} arguments, got ${describe(result)}`,
    );
  }
  return grads.map((g: unknown, i): Tensor | null => {
    const shape = shapes[i];
    if (g === null || g === undefined || shape === null) return null;
    const { shape: got } = checkTensor(op, g, `the gradient of argument ${i} as a tensor or null`);
    if (got.length !== shape.length || got.some((n, k) => n !== shape[k])) {
      throw new TensorError(
        'shape',
        op,
        `expected a gradient of shape ${formatShape(shape)} for argument ${i}, got ${formatShape(got)}`,
      );
    }
    return g as Tensor;
  });
}

/**
 * Makes an operation from a forward and a backward of one's own (PyTorch: `torch.autograd.Function`).
 *
 * @typeParam A the arguments; those that are tensors get gradients
 * @typeParam Y a tensor, or several of one dtype
 * @returns the operation, called like any other
 * @throws TensorError `value` where forward or backward return something else than they promise, `shape` for a gradient that is not
 * shaped as its argument, `dtype` for several results of different dtypes; all when the operation or its backward pass runs
 *
 * @example
 * ```ts
 * import { customFunction, tensor, type Tensor } from 'chainrule';
 * const cube = customFunction({
 *   name: 'cube',
 *   forward(ctx, x: Tensor) {
 *     ctx.saveForBackward(x);
 *     return x.pow(3);
 *   },
 *   backward(ctx, g) {
 *     const [x] = ctx.savedTensors;
 *     return g.mul(x.square()).mul(3);
 *   },
 * });
 * const x = tensor(2, { requiresGrad: true });
 * cube(x).backward();
 * console.log(x.grad?.item()); // 12
 * ```
 */
export function customFunction<A extends readonly unknown[], Y extends Tensor | readonly Tensor[]>(
  definition: FunctionDefinition<A, Y>,
): (...args: A) => Y {
  if (typeof definition?.forward !== 'function' || typeof definition.backward !== 'function') {
    throw new TensorError(
      'value',
      'customFunction',
      `expected { forward, backward } as functions, got ${describe(definition)}`,
    );
  }
  const op = definition.name ?? 'custom';
  return (...args: A): Y => {
    const tensors = args.map((arg) => (isTensor(arg) ? checkTensor(op, arg) : null));
    const kept: Tensor[] = [];
    const ctx: FunctionContext = {
      saveForBackward: (...given) => void kept.push(...given.map((t) => checkTensor(op, t, 'tensors to save'))),
      savedTensors: kept,
      needsInputGrad: tensors.map((x) => x?.requiresGrad ?? false),
    };
    const result = noGrad(() => definition.forward(ctx, ...args));
    const made = checkResult(op, result);
    const shapes = tensors.map((x) => x?.shape ?? null);
    const rule = (grads: readonly Tensor[], saved: readonly Tensor[]) =>
      checkGrads(op, definition.backward({ ...ctx, savedTensors: saved }, ...grads), args, shapes);
    // The results may be arguments or views of them; only a handle of its own can be recorded.
    if (made.length === 1) {
      const y = noGrad(() => alias(made[0]));
      const saved = kept.map((t) => (t === made[0] ? y : t));
      if (isFloat(y.dtype)) record(op, y, tensors, saved, (g, s) => rule([g], s), true);
      return (isTensor(result) ? y : [y]) as Y;
    }
    const [{ dtype }] = made;
    if (!isFloat(dtype) || made.some((y) => y.dtype !== dtype)) {
      const got = made.map((y) => y.dtype).join(', ');
      throw new TensorError('dtype', op, `expected several results to be of one floating dtype, got ${got}`);
    }
    // One node for all results: they are windows on one row.
    const row = noGrad(() => cat(made.map((y) => y.reshape([y.size]))));
    const cut = (x: Tensor) => {
      const parts = x.split(made.map((y) => y.size));
      return parts.map((part, i) => part.reshape(made[i].shape));
    };
    const before = [...kept];
    record(op, row, tensors, kept, (g, s) => rule(cut(g), s), true);
    const ys = cut(row);
    for (const [i, t] of before.entries()) {
      const k = made.indexOf(t);
      if (k >= 0 && t.storage.version === row.storage.version) kept[i] = ys[k];
    }
    return ys as unknown as Y;
  };
}
