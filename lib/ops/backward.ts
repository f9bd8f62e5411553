// Fused gradients of activations: one kernel where the composition would need three. Differentiable once more.
import { binary, binaryOp } from '../core/dispatch.js';
import type { Tensor } from '../tensor.js';

const RELU = binaryOp('reluBackward', (g, _, y) => reluBackward(g, y as Tensor), null);
/** `y > 0 ? g : 0`, for y the output (or the input) of relu. */
export function reluBackward(g: Tensor, y: Tensor): Tensor {
  return binary(RELU, g, y);
}

const SIGMOID = binaryOp(
  'sigmoidBackward',
  (g, _, y) => sigmoidBackward(g, y as Tensor),
  (g, a, y) => g.mul(a).mul((y as Tensor).mul(-2).add(1)),
);
/** `g y (1 - y)` for y = sigmoid(x). */
export function sigmoidBackward(g: Tensor, y: Tensor): Tensor {
  return binary(SIGMOID, g, y);
}

const TANH = binaryOp(
  'tanhBackward',
  (g, _, y) => tanhBackward(g, y as Tensor),
  (g, a, y) => g.mul(a).mul((y as Tensor).mul(-2)),
);
/** `g (1 - y^2)` for y = tanh(x). */
export function tanhBackward(g: Tensor, y: Tensor): Tensor {
  return binary(TANH, g, y);
}

const LEAKY_RELU = binaryOp('leakyReluBackward', (g, _, x, slope) => leakyReluBackward(g, x as Tensor, slope), null);
/** `x > 0 ? g : slope g`. */
export function leakyReluBackward(g: Tensor, x: Tensor, slope: number): Tensor {
  return binary(LEAKY_RELU, g, x, slope);
}

const ELU = binaryOp(
  'eluBackward',
  (g, _, x, alpha) => eluBackward(g, x as Tensor, alpha),
  (g, a, x, alpha) => eluBackward(g.mul(a), (x as Tensor).minimum(0), alpha).mul((x as Tensor).le(0)),
);
/** `x > 0 ? g : g alpha e^x`. */
export function eluBackward(g: Tensor, x: Tensor, alpha: number): Tensor {
  return binary(ELU, g, x, alpha);
}
