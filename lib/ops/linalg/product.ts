// Products of the namespace linalg: chains of matrices and cross products.
import type { Tensor } from '../../tensor.js';
import { cross as crossOf } from '../product/product.js';

export { multiDot } from '../product/many.js';

/**
 * Cross products of the vectors along a dimension of size 3, the last unless given; the other dimensions broadcast (PyTorch:
 * `torch.linalg.cross`).
 *
 * @throws TensorError `shape` unless both have as many dimensions and 3 elements in this one, `axis` for one that is not there
 *
 * @example
 * ```ts
 * import { linalg, tensor } from 'chainrule';
 * console.log(linalg.cross(tensor([[1, 0, 0]]), tensor([[0, 1, 0], [0, 0, 1]])).toArray()); // [[0, 0, 1], [0, -1, 0]]
 * ```
 */
export function cross(a: Tensor, b: Tensor, axis = -1): Tensor {
  return crossOf(a, b, axis);
}
