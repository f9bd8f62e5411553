// Operations made of operations, but recorded as one step with a gradient of their own.
import type { Tensor } from '../tensor.js';
import { view } from './dispatch.js';
import { restoreGradEnabled, setGradEnabled } from './mode.js';
import { composite } from './scope.js';
import { type Node, type Rule, record, walk } from './tape.js';

/** What `forward` gives outside the tape, with nothing left of what it took. */
function quietly(op: string, forward: () => Tensor): Tensor {
  const before = setGradEnabled(false);
  let made: Tensor;
  try {
    made = composite(forward);
  } finally {
    restoreGradEnabled(before);
  }
  const y = view(op, made, made.shape, made.strides, made.offset, made.isContiguous);
  made.dispose();
  return y;
}

/**
 * The result of `forward` as one node of the tape, with `rule` as its gradient.
 *
 * For what a plain composition would differentiate less well: with cancellation, NaN from infinities, or other values at
 * kinks than PyTorch's. `forward` returns a tensor that it made itself.
 */
export function fused<const S extends readonly Tensor[]>(
  op: string,
  inputs: readonly (Tensor | null)[],
  saved: S,
  forward: () => Tensor,
  rule: Rule<S>,
): Tensor {
  const y = quietly(op, forward);
  return record(op, y, inputs, saved, rule);
}

/** Like {@link fused}, for a gradient of one input that reads the result too. */
export function remembered(
  op: string,
  x: Tensor,
  forward: () => Tensor,
  rule: (g: Tensor, x: Tensor, y: Tensor) => Tensor,
): Tensor {
  const y = quietly(op, forward);
  return record(op, y, [x], [x, y], (g, [input, out]) => rule(g, input, out));
}

/**
 * The gradients of `compose` at its inputs for the gradient `g` of its result, recorded so that they can be differentiated
 * again: for rules whose backward kernel cannot be. Null where `needs` is.
 */
export function differentiate(
  op: string,
  inputs: readonly (Tensor | null)[],
  needs: readonly (Node | null)[],
  compose: (inputs: readonly (Tensor | null)[]) => Tensor,
  g: Tensor,
): (Tensor | null)[] {
  // Handles of their own: one input may have been computed from another.
  const own = inputs.map((x, i) => {
    if (x === null || needs[i] === null) return x;
    return record('alias', view('alias', x, x.shape, x.strides, x.offset, x.isContiguous), [x], [], (h) => h);
  });
  const nodes = own.map((x, i) => (needs[i] === null ? null : (x?.node ?? null)));
  const targets = nodes.filter((node) => node !== null);
  const root = compose(own).node as Node;
  const found = walk(op, [root], [g], { retainGraph: true, createGraph: true, targets });
  return nodes.map((node) => (node === null ? null : found[targets.indexOf(node)]));
}
