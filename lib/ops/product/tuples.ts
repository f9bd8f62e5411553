// Tuples of elements: one of every tensor, or several of one.
import { checkNdim, checkTensor, make } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkInteger } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { stack } from '../shape/join.js';
import { meshgrid } from '../shape/split.js';
import { alias } from '../shape/stride.js';

/**
 * All tuples of one element of each vector, the last changing fastest, as rows (PyTorch: `torch.cartesian_prod`).
 *
 * @param tensors one to eight vectors
 * @returns [n0 n1 ..., count], or the vector itself where there is one
 * @throws TensorError `shape` unless all are vectors, `value` for none or more than eight
 *
 * @example
 * ```ts
 * import { cartesianProd, tensor } from 'chainrule';
 * console.log(cartesianProd(tensor([1, 2]), tensor([3, 4])).toArray()); // [[1, 3], [1, 4], [2, 3], [2, 4]]
 * ```
 */
export function cartesianProd(...tensors: readonly Tensor[]): Tensor {
  const op = 'cartesianProd';
  if (tensors.length < 1 || tensors.length > 8) {
    throw new TensorError('value', op, `expected one to eight vectors, got ${tensors.length}`);
  }
  for (const x of tensors) checkNdim(op, checkTensor(op, x, 'vectors'), 1, '[n]', 'a vector');
  if (tensors.length === 1) return alias(tensors[0]);
  return composite(() =>
    stack(
      meshgrid(tensors).map((x) => x.flatten()),
      1,
    ),
  );
}

/** Numbers of {@link combinations} of `r` of `n`. */
function countOf(n: number, r: number): number {
  let count = 1;
  for (let i = 0; i < r && count > 0; i++) count = (count * (n - i)) / (i + 1);
  return Math.round(count);
}

/**
 * All ways to take `r` elements of a vector, in their order, as rows (PyTorch: `torch.combinations`).
 *
 * @param r how many, 2 unless given
 * @param options `withReplacement`: whether an element may be taken again, false unless given
 * @returns [ways, r]
 * @throws TensorError `shape` unless it is a vector, or for more than 2^31 places; `value` for a negative r
 *
 * @example
 * ```ts
 * import { combinations, tensor } from 'chainrule';
 * console.log(combinations(tensor([1, 2, 3])).toArray()); // [[1, 2], [1, 3], [2, 3]]
 * ```
 */
export function combinations(x: Tensor, r = 2, options?: { withReplacement?: boolean }): Tensor {
  const op = 'combinations';
  checkOptions(op, options, ['withReplacement']);
  const again = checkBoolean(op, 'withReplacement', options?.withReplacement ?? false);
  const n = checkNdim(op, checkTensor(op, x), 1, '[n]').size;
  checkInteger(op, 'r', r, 0, 2 ** 20);
  if (r === 0) return make(op, [0], x.dtype);
  const ways = again ? (n === 0 ? 0 : countOf(n + r - 1, r)) : r > n ? 0 : countOf(n, r);
  if (!(ways * r < 2 ** 31)) {
    throw new TensorError('shape', op, `expected fewer than 2^31 places, got ${ways} ways to take ${r} of ${n}`);
  }
  return composite(() => {
    const places = make(op, [ways * r], 'int32');
    const list = places.typed();
    const row = Array.from({ length: r }, (_, i) => (again ? 0 : i));
    for (let way = 0; way < ways; way++) {
      list.set(row, way * r);
      // The last place that can still move on; those behind it begin anew.
      let i = r - 1;
      while (i >= 0 && row[i] === (again ? n - 1 : n - r + i)) i--;
      if (i < 0) break;
      row[i]++;
      for (let j = i + 1; j < r; j++) row[j] = again ? row[i] : row[j - 1] + 1;
    }
    return x.indexSelect(0, places).reshape([ways, r]);
  });
}
