// Elements that a mask, an index or a diagonal names. Every export is also a method of Tensor.
import { checkTensor, isTensor, meet } from '../../core/dispatch.js';
import { checkValues } from '../../core/range.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkInteger, checkNumber, formatShape, normalizeAxis } from '../../core/shape.js';
import { describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { nonzero } from './at.js';
import { gather, indexSelect, places } from './index.js';
import { rowsReplaced } from './index-write.js';
import { checkSource } from './scatter.js';

function checkMask(op: string, mask: Tensor): Tensor {
  if (checkTensor(op, mask, 'a mask').dtype === 'bool') return mask;
  throw new TensorError('dtype', op, `expected a bool mask, got ${mask.dtype}; convert it with mask.to('bool')`);
}

/**
 * One value where the mask is true: `y = mask ? value : x`, `dx = mask ? 0 : g`; mask and `x` broadcast
 * (PyTorch: `torch.masked_fill`).
 *
 * @param mask bool
 * @param value a number or a 0-d tensor
 * @throws TensorError `dtype` for a mask that is not bool or a value that the dtype of `x` cannot hold, `shape` for a value
 * of more than one element or shapes that do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([1, -2, 3]);
 * console.log(x.maskedFill(x.lt(0), 0).toArray()); // [1, 0, 3]
 * ```
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Tensor | number): Tensor {
  const op = 'maskedFill';
  checkTensor(op, x);
  checkMask(op, mask);
  if (isTensor(value)) {
    if (checkTensor(op, value).ndim > 0) {
      throw new TensorError('shape', op, `expected a value of shape [], got ${formatShape(value.shape)}; use where()`);
    }
  } else if (!Number.isNaN(value)) checkNumber(op, 'the value', value);
  if (meet(x, value) !== x.dtype) {
    throw new TensorError(
      'dtype',
      op,
      `expected a value that ${x.dtype} can hold, got ${describe(value)}; convert x with x.to('float32')`,
    );
  }
  return where(mask, value, x);
}

/**
 * The elements where the mask is true, in row-major order, 1-d; mask and `x` broadcast (PyTorch: `torch.masked_select`).
 *
 * @param mask bool
 * @throws TensorError `dtype` for a mask that is not bool, `shape` for shapes that do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([1, -2, 3]);
 * console.log(x.maskedSelect(x.gt(0)).toArray()); // [1, 3]
 * ```
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  const op = 'maskedSelect';
  checkTensor(op, x);
  const shape = broadcastShapes(op, x.shape, checkMask(op, mask).shape);
  return composite(() => {
    const all = x.expand(shape);
    const row = all.reshape([all.size]);
    return indexSelect(row, 0, nonzero(mask.expand(shape).reshape([all.size])).squeeze(1));
  });
}

/**
 * A copy of `x` with the first elements of a source, in row-major order, where the mask is true; mask and `x` broadcast
 * (PyTorch: `torch.masked_scatter`).
 *
 * @param mask bool
 * @param source at least as many elements as the mask has true ones, of the dtype of `x`
 * @throws TensorError `dtype` for a mask that is not bool or another dtype of the source, `shape` for too few elements or
 * shapes that do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([1, -2, -3]);
 * console.log(x.maskedScatter(x.lt(0), tensor([7, 8, 9])).toArray()); // [1, 7, 8]
 * ```
 */
export function maskedScatter(x: Tensor, mask: Tensor, source: Tensor): Tensor {
  const op = 'maskedScatter';
  checkTensor(op, x);
  checkMask(op, mask);
  checkSource(op, x, source);
  const shape = broadcastShapes(op, x.shape, mask.shape);
  return composite(() => {
    const row = (t: Tensor) => {
      const whole = t.expand(shape);
      return whole.reshape([whole.size]);
    };
    const index = nonzero(row(mask)).squeeze(1);
    if (source.size < index.size) {
      throw new TensorError(
        'shape',
        op,
        `expected at least ${index.size} elements, one for each true of the mask, got ${formatShape(source.shape)}`,
      );
    }
    const values = source.reshape([source.size]).narrow(0, 0, index.size);
    return rowsReplaced(op, row(x), 0, index, values).reshape(shape);
  });
}

/**
 * Picks along one dimension as `gather` does, but `x` and the index broadcast outside it
 * (PyTorch: `torch.take_along_dim`).
 *
 * @param index int32, as many dimensions as `x`
 * @param axis the dimension; both as one row unless given
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together, `dtype` unless
 * the index is int32
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(x.takeAlongDim(tensor([[1]], { dtype: 'int32' }), 1).toArray()); // [[2], [4]]
 * ```
 */
export function takeAlongDim(x: Tensor, index: Tensor, axis?: number): Tensor {
  const op = 'takeAlongDim';
  const { shape, ndim } = checkTensor(op, x);
  checkTensor(op, index, 'an index tensor');
  if (axis === undefined) return composite(() => gather(x.reshape([x.size]), 0, index.reshape([index.size])));
  const at = normalizeAxis(op, axis, ndim);
  if (index.ndim !== ndim) {
    throw new TensorError(
      'shape',
      op,
      `expected an index with ${ndim} dimensions, as ${formatShape(shape)} has, got ${formatShape(index.shape)}`,
    );
  }
  if (ndim === 0) return gather(x, at, index);
  const around = broadcastShapes(op, shape.with(at, 1), index.shape.with(at, 1));
  return composite(() =>
    gather(x.expand(around.with(at, shape[at])), at, index.expand(around.with(at, index.shape[at]))),
  );
}

/** `x` where the column is `below` a diagonal (or on it), or above, and 0 elsewhere. */
function triangle(op: 'tril' | 'triu', x: Tensor, diagonal: number): Tensor {
  const { shape, ndim } = checkTensor(op, x);
  const k = checkInteger(op, 'diagonal', diagonal, -(2 ** 30), 2 ** 30);
  if (ndim < 2) {
    throw new TensorError('shape', op, `expected at least two dimensions, got ${formatShape(shape)}`);
  }
  return composite(() => {
    const rows = places(op, shape[ndim - 2], k).unsqueeze(1);
    const columns = places(op, shape[ndim - 1]);
    const mask = op === 'tril' ? columns.le(rows) : columns.ge(rows);
    return x.dtype === 'bool' ? x.logicalAnd(mask) : where(mask, x, 0);
  });
}

/**
 * The lower triangle of matrices: `y[i][j] = j <= i + diagonal ? x[i][j] : 0` (PyTorch: `torch.tril`).
 *
 * @param diagonal the last one kept, 0 (the main one) unless given
 * @throws TensorError `shape` for fewer than two dimensions
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).tril().toArray()); // [[1, 0], [3, 4]]
 * ```
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle('tril', x, diagonal);
}

/**
 * The upper triangle of matrices: `y[i][j] = j >= i + diagonal ? x[i][j] : 0` (PyTorch: `torch.triu`).
 *
 * @param diagonal the first one kept, 0 (the main one) unless given
 * @throws TensorError `shape` for fewer than two dimensions
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).triu().toArray()); // [[1, 2], [0, 4]]
 * ```
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle('triu', x, diagonal);
}

/**
 * Class numbers as rows with a 1 at their place: `y[..., c] = x[...] == c ? 1 : 0`, int32 (PyTorch:
 * `torch.nn.functional.one_hot`).
 *
 * @param classes number of classes; -1 (unless given) takes the largest in `x` plus one
 * @throws TensorError `dtype` unless x is int32 or uint8, `index` for a class outside the range, `value` for a number of
 * classes below 1, `shape` where it is left to an empty tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0, 2], { dtype: 'int32' }).oneHot().toArray()); // [[1, 0, 0], [0, 0, 1]]
 * ```
 */
export function oneHot(x: Tensor, classes = -1): Tensor {
  const op = 'oneHot';
  const { dtype, size } = checkTensor(op, x);
  if (dtype !== 'int32' && dtype !== 'uint8') {
    throw new TensorError('dtype', op, `expected classes of dtype int32, got ${dtype}; convert with x.to('int32')`);
  }
  const given = classes === -1 ? 0 : checkInteger(op, 'classes', classes, 1, 2 ** 31);
  if (size === 0 && given === 0) {
    throw new TensorError('shape', op, `expected a number of classes for no elements, got ${formatShape(x.shape)}`);
  }
  return composite(() => {
    const n = given === 0 ? x.amax().item() + 1 : given;
    checkValues(op, x, 0, n - 1, (read, place) => {
      return new TensorError('index', op, `expected classes from 0 to ${n - 1}, got ${read.read(place)}`);
    });
    return x.unsqueeze(-1).eq(places(op, n)).to('int32');
  });
}
