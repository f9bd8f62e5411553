// x[...] = v as a function: a copy with values at subscripts. Every export is also a method of Tensor.
import { cast, checkTensor, filled, isTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape, type Shape, sameShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { placed, type Stretch, stride } from '../shape/stride.js';
import { joinPicks, type Pick, readSubscripts, type Subscript, slice } from './at.js';
import { rowsAdded, rowsReplaced } from './index-write.js';
import { checkSource } from './scatter.js';

/**
 * A copy of `x` with a value in the part that subscripts name: `y = x`, `y.at(...subscripts) = value`. Where index tensors
 * name a place several times the last value stays, and takes the gradient (PyTorch: `x[...] = value`, which writes to `x`).
 *
 * @param subscripts what `at` takes: numbers, `slice()`, `'...'`, null for a new axis, int32 or bool tensors
 * @param value a number or a tensor that broadcasts to the part; converted to the dtype of `x`
 * @throws TensorError `index` for a place outside its dimension, `shape` for too many subscripts or a value that does not
 * broadcast, `dtype` for subscripts of another dtype
 *
 * @example
 * ```ts
 * import { slice, tensor, zeros } from 'chainrule';
 * console.log(zeros([2, 3]).setAt([1, slice(1)], 5).toArray()); // [[0, 0, 0], [0, 5, 5]]
 * console.log(zeros([3]).setAt([tensor([2, 0], { dtype: 'int32' })], tensor([5, 6])).toArray()); // [6, 0, 5]
 * ```
 */
export function setAt(x: Tensor, subscripts: readonly Subscript[], value: Tensor | number): Tensor {
  const op = 'setAt';
  checkTensor(op, x);
  if (!Array.isArray(subscripts)) {
    throw new TensorError('value', op, `expected an array of subscripts, got ${describe(subscripts)}`);
  }
  if (isTensor(value)) checkTensor(op, value);
  else if (!Number.isNaN(value)) checkNumber(op, 'a value that is no tensor', value);
  return composite(() => {
    // Converted as a tensor is, so that integers cut the fraction off.
    const values = isTensor(value) ? value : filled(op, [], Number.isInteger(value) ? x.dtype : 'float64', value);
    return assigned(op, x, subscripts, cast(op, values, x.dtype), false);
  });
}

/**
 * A copy of `x` with values at the places that index tensors name together; what they leave out is taken whole. Where they
 * name a place several times the last value stays, and takes the gradient (PyTorch: `torch.index_put`).
 *
 * @param indices int32 tensors that broadcast, bool tensors (the places where they are true), or null for a whole dimension
 * @param values of the dtype of `x`, broadcast to `x.at(...indices)`
 * @param options `accumulate`: add to what is there, false unless given
 * @throws TensorError `index` for a place outside its dimension, `shape` for too many indices or values that do not
 * broadcast, `dtype` for indices or values of another dtype, `value` for no index tensor
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * const index = tensor([1, 1], { dtype: 'int32' });
 * console.log(zeros([3]).indexPut([index], tensor([5, 6]), { accumulate: true }).toArray()); // [0, 11, 0]
 * ```
 */
export function indexPut(
  x: Tensor,
  indices: readonly (Tensor | null)[],
  values: Tensor,
  options?: { accumulate?: boolean },
): Tensor {
  const op = 'indexPut';
  checkTensor(op, x);
  checkOptions(op, options, ['accumulate']);
  const accumulate = checkBoolean(op, 'accumulate', options?.accumulate ?? false);
  if (!Array.isArray(indices) || !indices.some(isTensor) || !indices.every((i) => i === null || isTensor(i))) {
    throw new TensorError(
      'value',
      op,
      `expected an array of index tensors, null for a whole dimension, got ${describe(indices)}`,
    );
  }
  checkSource(op, x, values);
  return composite(() =>
    assigned(
      op,
      x,
      indices.map((i) => i ?? slice()),
      values,
      accumulate,
    ),
  );
}

function assigned(
  op: string,
  x: Tensor,
  subscripts: readonly Subscript[],
  values: Tensor,
  accumulate: boolean,
): Tensor {
  const mask = accumulate || values.ndim > 0 ? null : leadingMask(x, subscripts);
  if (mask !== null) return where(mask, values, x);
  const { stretches, shape, picks } = readSubscripts(op, x, subscripts);
  const look = (t: Tensor) => stride(t, stretches).reshape(shape);
  if (picks.length === 0) return placed(op, x, fitted(op, values, shape), look);
  const y = picked(op, look(x), picks, values, accumulate);
  return coversAll(x, stretches) && sameShape(shape, x.shape) ? y : placed(op, x, y, look);
}

/** A mask that is the only subscript and fits: one value under it needs no list of places. */
function leadingMask(x: Tensor, subscripts: readonly Subscript[]): Tensor | null {
  const [mask] = subscripts;
  if (subscripts.length !== 1 || !isTensor(mask) || mask.dtype !== 'bool' || mask.ndim === 0) return null;
  if (mask.ndim > x.ndim || mask.shape.some((n, i) => n !== x.shape[i])) return null;
  return mask.reshape(x.shape.map((n, i) => (i < mask.ndim ? n : 1)));
}

function coversAll(x: Tensor, stretches: readonly Stretch[]): boolean {
  return stretches.every(({ step, length }, i) => step === 1 && length === x.shape[i]);
}

/** Values for a part of a shape: without the leading ones it has no dimensions for, as PyTorch's assignment takes them. */
function fitted(op: string, values: Tensor, shape: Shape): Tensor {
  const extra = Math.max(0, values.ndim - shape.length);
  const own = values.shape.slice(extra);
  const lead = shape.length - own.length;
  if (values.shape.slice(0, extra).some((n) => n !== 1) || own.some((n, i) => n !== 1 && n !== shape[i + lead])) {
    throw new TensorError(
      'shape',
      op,
      `expected values that broadcast to ${formatShape(shape)}, got ${formatShape(values.shape)}`,
    );
  }
  return extra === 0 ? values : values.reshape(own);
}

/** `x` with the values where index tensors pick, contiguous. */
function picked(op: string, x: Tensor, picks: readonly Pick[], values: Tensor, accumulate: boolean): Tensor {
  const { index, order, from, found, back } = joinPicks(op, x.shape, picks);
  const target = back === null ? found : back.map((i) => found[i]);
  const whole = fitted(op, values, target).expand(target);
  const rows = (back === null ? whole : whole.permute(inverse(back))).reshape([index.size, ...from.slice(1)]);
  const write = accumulate ? rowsAdded : rowsReplaced;
  const y = write(op, x.permute(order).reshape(from), 0, index, rows);
  return y
    .reshape(order.map((i) => x.shape[i]))
    .permute(inverse(order))
    .contiguous();
}

function inverse(order: readonly number[]): number[] {
  const places = new Array<number>(order.length);
  order.forEach((axis, i) => {
    places[axis] = i;
  });
  return places;
}
