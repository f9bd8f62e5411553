// Fused gradients of activations: one kernel where the composition would need three. Differentiable once more.
import { binary, binaryOp, filled } from '../../core/dispatch.js';
import type { Tensor } from '../../tensor.js';

/** 0 of the shape of g: the gradient of what is constant between its steps. */
export function flat(g: Tensor): Tensor {
  return filled('zeros', g.shape, g.dtype, 0);
}

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

const SILU = binaryOp('siluBackward', null, null);
/** `g y'` for y = silu(x); not recorded, as is {@link geluBackward}: rules compose what must be differentiated again. */
export function siluBackward(g: Tensor, x: Tensor): Tensor {
  return binary(SILU, g, x);
}

const GELU = binaryOp('geluBackward', null, null);
/** `g y'` for y = gelu(x), of the form 0 (exact) or 1 (tanh). */
export function geluBackward(g: Tensor, x: Tensor, form: number): Tensor {
  return binary(GELU, g, x, form);
}
