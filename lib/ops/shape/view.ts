// Views and copies: new shapes on the same memory. Every export is also a method of Tensor.
import { cast, checkTensor, copyInto, dense, make, view } from '../../core/dispatch.js';
import { checkDType, type DType } from '../../core/dtype.js';
import {
  broadcastShapes,
  broadcastStrides,
  checkInteger,
  checkShape,
  formatShape,
  isContiguous,
  MAX_NDIM,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { alias, stride } from './stride.js';

/** Strides that read `x` as `shape` without copying, or null: each run of dimensions must lie evenly in memory. */
function viewStrides(x: Tensor, shape: Shape): number[] | null {
  if (x.isContiguous || x.size === 0) return stridesOf(shape);
  const strides = new Array<number>(shape.length);
  const old = x.shape.map((n, i) => [n, x.strides[i]] as const).filter(([n]) => n !== 1);
  let i = old.length - 1;
  let left = 1; // elements of the current run not yet given to a new dimension
  let step = 1;
  for (let j = shape.length - 1; j >= 0; j--) {
    if (shape[j] === 1) {
      strides[j] = step;
      continue;
    }
    if (left === 1) {
      if (i < 0) return null;
      [left, step] = old[i--];
      // Older dimensions join the run while they continue it evenly.
      while (i >= 0 && old[i][1] === step * left) left *= old[i--][0];
    }
    if (left % shape[j] !== 0) return null;
    strides[j] = step;
    step *= shape[j];
    left /= shape[j];
  }
  return strides;
}

/**
 * The same elements in another shape, without a copy where strides allow; one size may be -1 and is worked out
 * (PyTorch: `torch.reshape`).
 *
 * @throws TensorError `shape` where the number of elements differs
 *
 * @example
 * ```ts
 * import { arange } from 'chainrule';
 * console.log(arange(6).reshape([2, -1]).shape); // [2, 3]
 * ```
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor('reshape', x);
  const target = inferShape(x, shape);
  if (sameShape(target, x.shape)) return alias(x);
  const strides = viewStrides(x, target);
  const source = strides === null ? contiguous(x) : x;
  const y = view('reshape', source, target, strides ?? stridesOf(target), source.offset, source.isContiguous);
  const before = x.shape;
  // A copy belongs to the view alone, unless the graph holds it.
  if (source !== x && !source.requiresGrad) source.dispose();
  return record('reshape', y, [source], [], (g) => g.reshape(before));
}

function inferShape(x: Tensor, shape: Shape): number[] {
  if (!Array.isArray(shape))
    throw new TensorError('shape', 'reshape', `expected a shape such as [2, -1], got ${describe(shape)}`);
  const free = shape.indexOf(-1);
  if (free < 0) {
    checkShape('reshape', shape);
    if (sizeOf(shape) === x.size) return [...shape];
  } else {
    const target = [...shape];
    target[free] = 1;
    checkShape('reshape', target);
    const rest = sizeOf(target);
    target[free] = rest === 0 ? 0 : x.size / rest;
    if (rest !== 0 && Number.isInteger(target[free])) return target;
  }
  throw new TensorError(
    'shape',
    'reshape',
    `expected a shape for the ${x.size} elements of ${formatShape(x.shape)}, got ${formatShape(shape)}`,
  );
}

/**
 * The same memory outside the graph: no gradient flows through it (PyTorch: `Tensor.detach`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([1, 2], { requiresGrad: true });
 * console.log(x.detach().requiresGrad); // false
 * ```
 */
export function detach(x: Tensor): Tensor {
  return view('detach', checkTensor('detach', x), x.shape, x.strides, x.offset, x.isContiguous);
}

/**
 * A copy with memory of its own, in row-major order; gradients flow through (PyTorch: `torch.clone`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, 2]).clone().toArray()); // [1, 2]
 * ```
 */
export function clone(x: Tensor): Tensor {
  const y = make('clone', checkTensor('clone', x).shape, x.dtype);
  copyInto(y, x);
  return record('clone', y, [x], [], (g) => g);
}

/**
 * The tensor itself where its elements lie in row-major order, else a copy that does. Never needed before calling an
 * operation: all take any strides (PyTorch: `Tensor.contiguous`).
 *
 * @example
 * ```ts
 * import { arange } from 'chainrule';
 * console.log(arange(6).reshape([2, 3]).t().contiguous().data.length); // 6
 * ```
 */
export function contiguous(x: Tensor): Tensor {
  checkTensor('contiguous', x);
  return x.isContiguous ? x : record('contiguous', dense('contiguous', x), [x], [], (g) => g);
}

/**
 * Converts the dtype; the tensor itself where nothing changes. Floats are cut towards 0 for integers
 * (PyTorch: `Tensor.to(dtype)`).
 *
 * @throws TensorError `dtype` for an unknown dtype
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1.7, -1.7]).to('int32').toArray()); // [1, -1]
 * ```
 */
export function to(x: Tensor, dtype: DType): Tensor {
  return cast('to', checkTensor('to', x), checkDType('to', dtype));
}

/**
 * Reorders dimensions: output dimension i is input dimension `axes[i]`; a view (PyTorch: `torch.permute`).
 *
 * @throws TensorError `axis` unless every axis is named once
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([2, 3, 4]).permute([2, 0, 1]).shape); // [4, 2, 3]
 * ```
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  checkTensor('permute', x);
  if (!Array.isArray(axes) || axes.length !== x.ndim) {
    throw new TensorError(
      'axis',
      'permute',
      `expected the ${x.ndim} axes of ${formatShape(x.shape)} in a new order, got ${describe(axes)}`,
    );
  }
  const order = x.ndim === 0 ? [] : normalizeAxes('permute', axes, x.ndim);
  const shape = order.map((axis) => x.shape[axis]);
  const strides = order.map((axis) => x.strides[axis]);
  const y = view('permute', x, shape, strides, x.offset, isContiguous(shape, strides));
  return record('permute', y, [x], [], (g) => {
    const inverse = new Array<number>(order.length);
    order.forEach((axis, i) => {
      inverse[axis] = i;
    });
    return g.permute(inverse);
  });
}

/**
 * Exchanges two dimensions; a view (PyTorch: `torch.transpose`).
 *
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([2, 3, 4]).transpose(0, 2).shape); // [4, 3, 2]
 * ```
 */
export function transpose(x: Tensor, axis0: number, axis1: number): Tensor {
  const { ndim } = checkTensor('transpose', x);
  const p = normalizeAxis('transpose', axis0, ndim);
  const q = normalizeAxis('transpose', axis1, ndim);
  const order = Array.from({ length: ndim }, (_, i) => (i === p ? q : i === q ? p : i));
  return permute(x, order);
}

/**
 * The transposed matrix; tensors of fewer than two dimensions are returned as they are (PyTorch: `torch.t`).
 *
 * @throws TensorError `shape` for more than two dimensions
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).t().toArray()); // [[1, 3], [2, 4]]
 * ```
 */
export function t(x: Tensor): Tensor {
  checkTensor('t', x);
  if (x.ndim > 2)
    throw new TensorError(
      'shape',
      't',
      `expected at most two dimensions, got ${formatShape(x.shape)}; use transpose(0, 1)`,
    );
  return x.ndim < 2 ? alias(x) : permute(x, [1, 0]);
}

/**
 * Repeats dimensions of size 1 without a copy; -1 keeps a size, new dimensions come first (PyTorch: `Tensor.expand`).
 *
 * @throws TensorError `shape` where a size other than 1 would change
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1], [2]]).expand([2, 3]).toArray()); // [[1, 1, 1], [2, 2, 2]]
 * ```
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  checkTensor('expand', x);
  const lead = Array.isArray(shape) ? shape.length - x.ndim : -1;
  const target = lead < 0 ? [] : shape.map((n, i) => (n === -1 && i >= lead ? x.shape[i - lead] : n));
  if (lead < 0 || !sameShape(broadcastShapes('expand', x.shape, checkShape('expand', target)), target)) {
    throw new TensorError(
      'shape',
      'expand',
      `expected a shape that ${formatShape(x.shape)} stretches to, got ${describe(shape)}`,
    );
  }
  const strides = broadcastStrides(x.shape, x.strides, target);
  const y = view('expand', x, target, strides, x.offset, isContiguous(target, strides));
  return record('expand', y, [x], [], (g) => g);
}

/**
 * Removes dimensions of size 1: all of them, or those named (PyTorch: `torch.squeeze`).
 *
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([1, 3, 1]).squeeze(0).shape); // [3, 1]
 * ```
 */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  checkTensor('squeeze', x);
  const drop = new Set(normalizeAxes('squeeze', axes, x.ndim));
  return reshape(
    x,
    x.shape.filter((n, i) => n !== 1 || !drop.has(i)),
  );
}

/**
 * Inserts a dimension of size 1 (PyTorch: `torch.unsqueeze`).
 *
 * @throws TensorError `axis` for a place outside the tensor
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([2, 3]).unsqueeze(-1).shape); // [2, 3, 1]
 * ```
 */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  checkTensor('unsqueeze', x);
  const at = normalizeAxis('unsqueeze', axis, x.ndim + 1);
  if (x.ndim === MAX_NDIM)
    throw new TensorError(
      'shape',
      'unsqueeze',
      `expected fewer than ${MAX_NDIM} dimensions, got ${formatShape(x.shape)}`,
    );
  const shape = x.shape.toSpliced(at, 0, 1);
  const strides = x.strides.toSpliced(at, 0, 1);
  const y = view('unsqueeze', x, shape, strides, x.offset, x.isContiguous);
  const before = x.shape;
  return record('unsqueeze', y, [x], [], (g) => g.reshape(before));
}

/**
 * Joins a run of dimensions into one: all of them, or those from `start` to `end` inclusive (PyTorch: `torch.flatten`).
 *
 * @throws TensorError `axis` for an axis outside the tensor, or `end` before `start`
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([2, 3, 4]).flatten(1).shape); // [2, 12]
 * ```
 */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  const { ndim, shape } = checkTensor('flatten', x);
  const from = normalizeAxis('flatten', start, ndim);
  const to = normalizeAxis('flatten', end, ndim);
  if (to < from) throw new TensorError('axis', 'flatten', `expected start before end, got ${start} and ${end}`);
  if (ndim === 0) return reshape(x, [1]);
  return reshape(x, [...shape.slice(0, from), sizeOf(shape.slice(from, to + 1)), ...shape.slice(to + 1)]);
}

/**
 * Splits one dimension into several (PyTorch: `torch.unflatten`).
 *
 * @throws TensorError `shape` where the sizes do not multiply to the dimension's
 *
 * @example
 * ```ts
 * import { zeros } from 'chainrule';
 * console.log(zeros([2, 12]).unflatten(1, [3, 4]).shape); // [2, 3, 4]
 * ```
 */
export function unflatten(x: Tensor, axis: number, sizes: Shape): Tensor {
  const { ndim, shape } = checkTensor('unflatten', x);
  const at = normalizeAxis('unflatten', axis, ndim);
  if (!Array.isArray(sizes))
    throw new TensorError('shape', 'unflatten', `expected sizes such as [2, -1], got ${describe(sizes)}`);
  const known = sizeOf(sizes.filter((n) => n !== -1));
  const full = sizes.map((n) => (n === -1 ? shape[at] / known : n));
  if (ndim === 0 || sizeOf(checkShape('unflatten', full)) !== shape[at]) {
    throw new TensorError(
      'shape',
      'unflatten',
      `expected sizes that multiply to ${shape[at]}, got ${formatShape(sizes)}`,
    );
  }
  return reshape(x, shape.toSpliced(at, 1, ...full));
}

/**
 * A stretch of `length` elements along one dimension, from `start`; a view (PyTorch: `torch.narrow`).
 *
 * @throws TensorError `index` where the stretch leaves the dimension
 *
 * @example
 * ```ts
 * import { arange } from 'chainrule';
 * console.log(arange(5).narrow(0, 1, 3).toArray()); // [1, 2, 3]
 * ```
 */
export function narrow(x: Tensor, axis: number, start: number, length: number): Tensor {
  const { ndim, shape } = checkTensor('narrow', x);
  const at = normalizeAxis('narrow', axis, ndim);
  const n = shape[at] ?? 0;
  const from = checkInteger('narrow', 'start', start) < 0 ? start + n : start;
  if (ndim === 0 || from < 0 || checkInteger('narrow', 'length', length, 0) + from > n) {
    throw new TensorError(
      'index',
      'narrow',
      `expected a stretch inside 0..${n} of dimension ${axis}, got start ${start} and length ${length}`,
    );
  }
  return stride(
    x,
    shape.map((size, i) => (i === at ? { start: from, step: 1, length } : { start: 0, step: 1, length: size })),
  );
}
