// Writing elements where an index names their place, each by its own.
import { checkTensor, copyInto, filled, isTensor, make } from '../../core/dispatch.js';
import { type DType, isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape, normalizeAxis, sameShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { placed } from '../shape/stride.js';
import { around, checkIndex, gather, places, runIndexed } from './index.js';

const G = native.geometry;

const of = (kind: number) => (y: Bytes, x: Bytes, index: Bytes) => {
  G[9] = kind;
  return native.scatter(y, x, index);
};
const REPLACE = of(0);
const MULTIPLY = of(1);
const LARGER = of(2);
const SMALLER = of(3);

/** `x` with `src` written where the index says; all three cover the same outside the axis. Not recorded. */
function written(op: string, kernel: typeof REPLACE, x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  const y = make(op, x.shape, x.dtype);
  copyInto(y, x);
  return runIndexed(kernel, op, y, src, index, around(x.shape, axis, index.shape[axis]));
}

/** Which elements stay: where several meet in one place, the last in row-major order does. */
function lasting(index: Tensor, n: number, axis: number): Tensor {
  const own = places('scatter', index.size).reshape(index.shape);
  const none = filled('scatter', index.shape.with(axis, n), 'int32', 0);
  return gather(written('scatter', REPLACE, none, axis, index, own), axis, index).eq(own);
}

/** The last of those that meet stays; the gradient goes to that one alone. */
function replaced(op: string, x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  const n = x.shape[axis];
  const y = written(op, REPLACE, x, axis, index, src);
  return record(op, y, [x, src], [index], (g, [i], needs) => [
    needs[0] === null ? null : replaced(op, g, axis, i, filled(op, i.shape, g.dtype, 0)),
    needs[1] === null ? null : where(lasting(i, n, axis), gather(g, axis, i), 0),
  ]);
}

function added(op: string, x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  const y = written(op, native.scatterAdd, x, axis, index, src);
  return record(op, y, [x, src], [index], (g, [i], needs) => [g, needs[1] === null ? null : gather(g, axis, i)]);
}

/** `dx = g prod src`; a single 0 among the factors gets the product of the others. */
function multiplied(op: string, x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  const y = written(op, MULTIPLY, x, axis, index, src);
  return record(op, y, [x, src], [x, index, src, y], (g, [a, i, b, product], needs) => {
    const dx = () => g.mul(multiplied(op, filled(op, a.shape, a.dtype, 1), axis, i, b));
    const db = () => {
      const zero = b.eq(0);
      const zeros = added(op, filled(op, a.shape, 'int32', 0), axis, i, zero.to('int32'));
      const single = zero.logicalAnd(gather(zeros, axis, i).eq(1));
      const others = multiplied(op, a, axis, i, where(single, 1, b));
      return where(single, gather(g.mul(others), axis, i), gather(g.mul(product), axis, i).div(where(zero, 1, b)));
    };
    return [needs[0] === null ? null : dx(), needs[1] === null ? null : db()];
  });
}

/** Equal extremes share the gradient. */
function extreme(op: string, kernel: typeof LARGER, x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  const y = written(op, kernel, x, axis, index, src);
  return record(op, y, [x, src], [x, index, src, y], (g, [a, i, b, best]) => {
    const own = a.eq(best).to(g.dtype);
    const hits = b.eq(gather(best, axis, i)).to(g.dtype);
    const share = g.div(added(op, own, axis, i, hits));
    return [share.mul(own), gather(share, axis, i).mul(hits)];
  });
}

const REDUCTIONS = ['sum', 'prod', 'mean', 'amax', 'amin'] as const;
/** How {@link scatterReduce} joins the elements that meet in one place. */
export type ScatterReduction = (typeof REDUCTIONS)[number];

/** What a reduction begins with where `x` itself is left out. */
function identity(reduction: ScatterReduction, dtype: DType): number {
  if (reduction === 'prod') return 1;
  if (reduction !== 'amax' && reduction !== 'amin') return 0;
  const bounds = { float32: Infinity, float64: Infinity, int32: 2 ** 31 - 1, uint8: 255, bool: 1 };
  if (reduction === 'amin') return bounds[dtype];
  return dtype === 'uint8' || dtype === 'bool' ? 0 : dtype === 'int32' ? -(2 ** 31) : -Infinity;
}

/** The reduction of `x` and `src`, all three covering the same outside the axis. */
function reduced(
  op: string,
  reduction: ScatterReduction,
  x: Tensor,
  axis: number,
  index: Tensor,
  src: Tensor,
  includeSelf: boolean,
): Tensor {
  const begin = (value: number) =>
    includeSelf ? x : replaced(op, x, axis, index, filled(op, index.shape, x.dtype, value));
  const first = begin(identity(reduction, x.dtype));
  if (reduction === 'sum') return added(op, first, axis, index, src);
  if (reduction === 'prod') return multiplied(op, first, axis, index, src);
  if (reduction === 'amax') return extreme(op, LARGER, first, axis, index, src);
  if (reduction === 'amin') return extreme(op, SMALLER, first, axis, index, src);
  const sum = added(op, first, axis, index, src);
  const counts = filled(op, x.shape, 'int32', includeSelf ? 1 : 0);
  const n = added(op, counts, axis, index, filled(op, index.shape, 'int32', 1)).maximum(1);
  return isFloat(x.dtype) ? sum.div(n) : sum.floorDivide(n).to(x.dtype);
}

/** The operands checked and cut to what the index covers, handed to `write`; the rest of `x` stays as it is. */
function covering(
  op: string,
  x: Tensor,
  axis: number,
  index: Tensor,
  src: Tensor | number,
  write: (x: Tensor, axis: number, index: Tensor, src: Tensor) => Tensor,
): Tensor {
  checkTensor(op, x);
  const at = normalizeAxis(op, axis, x.ndim);
  const given = checkIndex(op, index);
  if (isTensor(src)) checkSource(op, x, src);
  else checkHolds(op, x, src);
  return composite(() => {
    const row = (t: Tensor) => (t.ndim === 0 ? t.reshape([1]) : t);
    const [a, i] = [row(x), row(given)];
    if (i.size === 0) return x.clone();
    const b = isTensor(src) ? row(src) : filled(op, i.shape, x.dtype, src);
    if (
      i.ndim !== a.ndim ||
      b.ndim !== a.ndim ||
      i.shape.some((n, d) => n > b.shape[d] || (d !== at && n > a.shape[d]))
    ) {
      throw new TensorError(
        'shape',
        op,
        `expected an index with ${x.ndim} dimensions, no larger than the source ${formatShape(b.shape)}, nor than ${formatShape(x.shape)} outside axis ${axis}, got ${formatShape(given.shape)}`,
      );
    }
    const cut = (t: Tensor, whole: number) =>
      i.shape.reduce((part, n, d) => (d === whole || n === t.shape[d] ? part : part.narrow(d, 0, n)), t);
    const part = cut(a, at);
    const y = write(part, at, i, cut(b, -1));
    const whole = sameShape(part.shape, a.shape) ? y : placed(op, a, y, (t) => cut(t, at));
    return x.ndim === 0 ? whole.reshape([]) : whole;
  });
}

/** Refuses a source of another dtype than that of `x`. */
export function checkSource(op: string, x: Tensor, src: Tensor): void {
  if (checkTensor(op, src, 'a source tensor').dtype === x.dtype) return;
  throw new TensorError(
    'dtype',
    op,
    `expected a source of dtype ${x.dtype}, got ${src.dtype}; convert it with .to('${x.dtype}')`,
  );
}

/** Refuses a number that the dtype of `x` would change. */
export function checkHolds(op: string, x: Tensor, value: number): void {
  if (!Number.isNaN(value)) checkNumber(op, 'a value that is no tensor', value);
  if (isFloat(x.dtype) || (Number.isInteger(value) && (x.dtype !== 'bool' || value === 0 || value === 1))) {
    return;
  }
  throw new TensorError(
    'dtype',
    op,
    `expected a value that ${x.dtype} can hold, got ${value}; convert x with x.to('float32')`,
  );
}

/**
 * A copy of `x` with elements written along one dimension, each at its own index: for axis 1
 * `y[i][index[i][j]] = src[i][j]`. Where several meet the last one stays, and takes the gradient (PyTorch: `torch.scatter`).
 *
 * @param index int32, as many dimensions as `x`, no larger than `src`, nor than `x` outside the dimension; negative places
 * count from the end
 * @param src values of the dtype of `x`, or one number
 * @param options `reduce`: `'add'` or `'multiply'` what is there already, instead of replacing it
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together, `dtype` for
 * an index that is not int32 or a source of another dtype, `value` for another reduction
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * const index = tensor([[2], [0]], { dtype: 'int32' });
 * console.log(zeros([2, 3]).scatter(1, index, 5).toArray()); // [[0, 0, 5], [5, 0, 0]]
 * ```
 */
export function scatter(
  x: Tensor,
  axis: number,
  index: Tensor,
  src: Tensor | number,
  options?: { reduce?: 'add' | 'multiply' },
): Tensor {
  const op = 'scatter';
  checkOptions(op, options, ['reduce']);
  const reduce = options?.reduce;
  if (reduce !== undefined && reduce !== 'add' && reduce !== 'multiply') {
    throw new TensorError('value', op, `expected reduce to be 'add' or 'multiply', got ${describe(reduce)}`);
  }
  const write = reduce === undefined ? replaced : reduce === 'add' ? added : multiplied;
  return covering(op, x, axis, index, src, (...operands) => write(op, ...operands));
}

/**
 * A copy of `x` with elements added along one dimension, each at its own index: for axis 1
 * `y[i][index[i][j]] += src[i][j]` (PyTorch: `torch.scatter_add`).
 *
 * @param index int32, as many dimensions as `x`, no larger than `src`, nor than `x` outside the dimension
 * @param src values of the dtype of `x`
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together, `dtype` for
 * an index that is not int32 or a source of another dtype
 *
 * @example
 * ```ts
 * import { ones, tensor } from 'chainrule';
 * const index = tensor([0, 1, 0], { dtype: 'int32' });
 * console.log(ones([2]).scatterAdd(0, index, tensor([1, 2, 3])).toArray()); // [5, 3]
 * ```
 */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  const op = 'scatterAdd';
  checkTensor(op, src, 'a source tensor');
  return covering(op, x, axis, index, src, (...operands) => added(op, ...operands));
}

/**
 * A copy of `x` where the elements of `src` that an index sends to one place, and what is there, are joined to their sum,
 * product, mean, largest or smallest; equal extremes share the gradient (PyTorch: `torch.scatter_reduce`).
 *
 * @param index int32, as many dimensions as `x`, no larger than `src`, nor than `x` outside the dimension
 * @param src values of the dtype of `x`
 * @param reduce `'sum'`, `'prod'`, `'mean'` (integers round down), `'amax'` or `'amin'`
 * @param options `includeSelf`: whether the element of `x` counts too, true unless given
 * @throws TensorError `index` for a place outside the dimension, `shape` where the shapes do not go together, `dtype` for
 * an index that is not int32 or a source of another dtype, `value` for another reduction
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'chainrule';
 * const index = tensor([0, 1, 0], { dtype: 'int32' });
 * const src = tensor([1, 2, 3]);
 * console.log(zeros([2]).scatterReduce(0, index, src, 'mean', { includeSelf: false }).toArray()); // [2, 2]
 * ```
 */
export function scatterReduce(
  x: Tensor,
  axis: number,
  index: Tensor,
  src: Tensor,
  reduce: ScatterReduction,
  options?: { includeSelf?: boolean },
): Tensor {
  const op = 'scatterReduce';
  checkTensor(op, src, 'a source tensor');
  const [reduction, includeSelf] = checkReduction(op, reduce, options);
  return covering(op, x, axis, index, src, (a, at, i, b) => reduced(op, reduction, a, at, i, b, includeSelf));
}

/** The arguments of {@link scatterReduce} that say how. */
export function checkReduction(
  op: string,
  reduce: unknown,
  options: { includeSelf?: boolean } | undefined,
): [ScatterReduction, boolean] {
  checkOptions(op, options, ['includeSelf']);
  const reduction = REDUCTIONS.find((name) => name === reduce);
  if (reduction === undefined) {
    throw new TensorError('value', op, `expected one of ${REDUCTIONS.join(', ')}, got ${describe(reduce)}`);
  }
  return [reduction, checkBoolean(op, 'includeSelf', options?.includeSelf ?? true)];
}
