// backward() and grad(): the public ways to walk the tape.
import { binaryInPlace, cast, checkTensor, copyInto, isTensor, make } from '../core/dispatch.js';
import { isFloat } from '../core/dtype.js';
import { composite } from '../core/scope.js';
import { checkBoolean, formatShape, sameShape } from '../core/shape.js';
import { type Node, nodeOf, provideWalkOps, walk } from '../core/tape.js';
import { onesLike } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { kernelId } from '../native.js';
import { add } from '../ops/elementwise/binary.js';
import { isNan } from '../ops/elementwise/compare.js';
import { any, sumTo } from '../ops/reduce/reduce.js';
import { alias } from '../ops/shape/stride.js';
import { Tensor } from '../tensor.js';

const ADD = kernelId('binary', 'add');
provideWalkOps({
  alias,
  sumTo,
  cast: (x, dtype) => cast('backward', x, dtype),
  add,
  accumulate: (a, b) => binaryInPlace(ADD, a, b),
  copy: (x) => {
    const y = make('backward', x.shape, x.dtype);
    copyInto(y, x);
    return y;
  },
  hasNaN: (x) => {
    const found = composite(() => any(isNan(x.detach())));
    const answer = found.item() === 1;
    found.dispose();
    return answer;
  },
});

/** Options of {@link backward}. */
export interface BackwardOptions {
  /** Keep the graph for another pass; the value of createGraph unless given. */
  retainGraph?: boolean;
  /** Record the pass itself, for second derivatives; false unless given. */
  createGraph?: boolean;
}

function rootOf(op: string, y: Tensor): Node {
  const node = nodeOf(checkTensor(op, y));
  if (node !== null) return node;
  throw new TensorError(
    'grad',
    op,
    `expected a value computed from tensors with requiresGrad, got the result of '${y.op}' ${formatShape(y.shape)} without any. ` +
      'Make the inputs with { requiresGrad: true }, and do not compute it inside noGrad()',
  );
}

/** The gradient a walk starts with, owned by the walk. */
function seed(op: string, y: Tensor, given: Tensor | null | undefined): Tensor {
  if (given === undefined || given === null) {
    if (y.size !== 1) {
      throw new TensorError(
        'grad',
        op,
        `expected a value with one element, got ${formatShape(y.shape)}; reduce it with sum() or mean(), or pass its gradient`,
      );
    }
    return onesLike(y);
  }
  if (!sameShape(checkTensor(op, given, 'a gradient tensor').shape, y.shape) || !isFloat(given.dtype)) {
    throw new TensorError(
      'shape',
      op,
      `expected a floating gradient of shape ${formatShape(y.shape)}, got ${formatShape(given.shape)} ${given.dtype}`,
    );
  }
  return alias(given);
}

function flags(op: string, options: BackwardOptions | undefined): { retainGraph: boolean; createGraph: boolean } {
  const createGraph = checkBoolean(op, 'createGraph', options?.createGraph ?? false);
  return { createGraph, retainGraph: checkBoolean(op, 'retainGraph', options?.retainGraph ?? createGraph) };
}

/**
 * Computes the gradients of a value with respect to every leaf it came from and adds them to their `.grad`
 * (PyTorch: `Tensor.backward`).
 *
 * @param y what to differentiate; one element, unless its own gradient is given
 * @param gradient the gradient of some scalar with respect to y, of y's shape
 * @throws TensorError `grad` where nothing requires a gradient or y has several elements, `consumed` for a second pass
 * through a graph that was not retained
 *
 * @example
 * ```ts
 * import { backward, tensor } from 'chainrule';
 * const x = tensor(3, { requiresGrad: true });
 * backward(x.square());
 * console.log(x.grad?.item()); // 6
 * ```
 */
export function backward(y: Tensor, gradient?: Tensor | null, options?: BackwardOptions): void {
  checkOptions('backward', options, ['retainGraph', 'createGraph']);
  if (gradient !== undefined && gradient !== null && !isTensor(gradient)) {
    throw new TensorError(
      'value',
      'backward',
      `expected a gradient tensor first and options second, got ${describe(gradient)}`,
    );
  }
  const root = rootOf('backward', y);
  const { retainGraph, createGraph } = flags('backward', options);
  walk('backward', [root], [seed('backward', y, gradient)], { retainGraph, createGraph, targets: null });
}

/** Options of {@link grad}. */
export interface GradOptions extends BackwardOptions {
  /** Gradients of the outputs, where they have several elements. */
  gradOutputs?: Tensor | readonly (Tensor | null)[];
  /** Give null instead of an error for an input the outputs do not depend on; false unless given. */
  allowUnused?: boolean;
}

/**
 * The gradients of the sum of outputs with respect to inputs, without touching any `.grad` (PyTorch: `torch.autograd.grad`).
 *
 * @throws TensorError `grad` where an output does not depend on an input, unless allowUnused
 *
 * @example
 * ```ts
 * import { grad, tensor } from 'chainrule';
 * const x = tensor(3, { requiresGrad: true });
 * const [dx] = grad(x.square(), [x], { createGraph: true });
 * console.log(grad(dx, [x])[0].item()); // 2
 * ```
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: GradOptions & { allowUnused?: false },
): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: GradOptions,
): (Tensor | null)[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options?: GradOptions,
): (Tensor | null)[] {
  checkOptions('grad', options, ['retainGraph', 'createGraph', 'gradOutputs', 'allowUnused']);
  if (!isTensor(outputs) && !Array.isArray(outputs)) {
    throw new TensorError(
      'value',
      'grad',
      `expected a tensor or an array of tensors to differentiate, got ${describe(outputs)}`,
    );
  }
  const ys: readonly Tensor[] = isTensor(outputs) ? [outputs] : outputs;
  const given = options?.gradOutputs ?? ys.map(() => null);
  const seeds = isTensor(given) ? [given] : given;
  if (!Array.isArray(seeds) || seeds.length !== ys.length) {
    throw new TensorError(
      'value',
      'grad',
      `expected one gradient for each of the ${ys.length} outputs, got ${describe(seeds)}`,
    );
  }
  if (!Array.isArray(inputs))
    throw new TensorError('value', 'grad', `expected an array of inputs, got ${describe(inputs)}`);
  const roots = ys.map((y) => rootOf('grad', y));
  const targets = inputs.map((x) => rootOf('grad', x));
  const found = walk(
    'grad',
    roots,
    ys.map((y, i) => seed('grad', y, seeds[i])),
    { ...flags('grad', options), targets },
  );
  if (!(options?.allowUnused ?? false)) {
    const unused = found.indexOf(null);
    if (unused >= 0) {
      throw new TensorError(
        'grad',
        'grad',
        `expected every input to be part of the outputs' graph, but input ${unused} ${formatShape(inputs[unused].shape)} is not; pass { allowUnused: true } for null`,
      );
    }
  }
  return found;
}

declare module '../tensor.js' {
  interface Tensor {
    /** Adds the gradients of this value to the `.grad` of every leaf; see {@link backward}. */
    backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  }
}
Tensor.prototype.backward = function (gradient, options) {
  backward(this, gradient, options);
};
