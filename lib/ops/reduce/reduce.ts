// Reductions over some or all dimensions. Every export is also a method of Tensor.
import { cast, checkTensor, make } from '../../core/dispatch.js';
import { floatOf, isFloat } from '../../core/dtype.js';
import { composite } from '../../core/scope.js';
import { formatShape, normalizeAxis, type Shape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { TensorError } from '../../errors.js';
import { kernelId } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { scatterAddInto } from '../index/index.js';
import { type Axes, type Plan, plan, type ReduceOptions, reduceRaw } from './reduction.js';

/** The gradient of a sum: g repeated over what was summed. */
function spread(g: Tensor, kept: Shape, shape: Shape): Tensor {
  return g.reshape(kept).expand(shape);
}

function nonEmpty(op: string, x: Tensor, p: Plan): void {
  if (p.count > 0) return;
  throw new TensorError(
    'shape',
    op,
    `expected at least one element to reduce, got ${formatShape(x.shape)} over axes ${formatShape(p.axes)}`,
  );
}

const SUM = kernelId('reduce', 'sum');
/**
 * Sum over dimensions; float32 adds up in double precision. Integers and booleans give int32 (PyTorch: `torch.sum`).
 *
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor or named twice
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).sum(0).toArray()); // [4, 6]
 * ```
 */
export function sum(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  const p = plan('sum', checkTensor('sum', x), axes, options);
  const y = reduceRaw('sum', SUM, x, p, isFloat(x.dtype) ? x.dtype : 'int32');
  const { shape } = x;
  return record('sum', y, [x], [], (g) => spread(g, p.kept, shape));
}

const MEAN = kernelId('reduce', 'mean');
/**
 * Mean over dimensions, floating point even for integers and booleans; NaN where there is nothing (PyTorch: `torch.mean`).
 *
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor or named twice
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, true, false, false]).mean().item()); // 0.5
 * ```
 */
export function mean(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  const p = plan('mean', checkTensor('mean', x), axes, options);
  const input = cast('mean', x, floatOf(x.dtype));
  const y = reduceRaw('mean', MEAN, input, p, input.dtype);
  if (!x.requiresGrad && input !== x) input.dispose();
  const { shape } = x;
  return record('mean', y, [input], [], (g) => spread(g.div(p.count), p.kept, shape));
}

const AMAX = kernelId('reduce', 'amax');
const AMIN = kernelId('reduce', 'amin');

function extreme(
  op: string,
  kernel: number,
  x: Tensor,
  axes: Axes | undefined,
  options: ReduceOptions | undefined,
): Tensor {
  const p = plan(op, checkTensor(op, x), axes, options);
  nonEmpty(op, x, p);
  const y = reduceRaw(op, kernel, x, p, x.dtype);
  return record(op, y, [x], [x, y], (g, [input, out]) => {
    const mask = input.eq(out.reshape(p.kept)).to(g.dtype);
    return mask.mul(g.reshape(p.kept)).div(mask.sum(p.axes, { keepdim: true }));
  });
}

/**
 * Largest value over dimensions, NaN where there is one; equal maxima share the gradient (PyTorch: `torch.amax`).
 *
 * @throws TensorError `shape` where there is nothing to reduce
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 5], [3, 4]]).amax(1).toArray()); // [5, 4]
 * ```
 */
export function amax(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return extreme('amax', AMAX, x, axes, options);
}

/**
 * Smallest value over dimensions, NaN where there is one; equal minima share the gradient (PyTorch: `torch.amin`).
 *
 * @throws TensorError `shape` where there is nothing to reduce
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 5], [3, 4]]).amin(1).toArray()); // [1, 3]
 * ```
 */
export function amin(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return extreme('amin', AMIN, x, axes, options);
}

/** The result of {@link max} and {@link min} along one dimension. */
export interface Extremes {
  values: Tensor;
  /** Where they stand along the dimension, int32; the first of equal ones. */
  indices: Tensor;
}

function withIndices(
  op: string,
  kernel: number,
  x: Tensor,
  axis: number,
  options: ReduceOptions | undefined,
): Extremes {
  const p = plan(op, x, normalizeAxis(op, axis, x.ndim), options);
  nonEmpty(op, x, p);
  const indices = make(op, p.shape, 'int32');
  const values = reduceRaw(op, kernel, x, p, x.dtype, indices);
  const { shape } = x;
  if (x.ndim === 0) return { values: record(op, values, [x], [], (g) => g), indices };
  record(op, values, [x], [indices], (g, [at]) =>
    scatterAddInto(g.reshape(p.kept), shape, p.axes[0], at.reshape(p.kept)),
  );
  return { values, indices };
}

/** Largest of all elements, or values and places of the largest along a dimension (PyTorch: `torch.max`). */
export function max(x: Tensor): Tensor;
export function max(x: Tensor, axis: number, options?: ReduceOptions): Extremes;
export function max(x: Tensor, axis?: number, options?: ReduceOptions): Tensor | Extremes {
  checkTensor('max', x);
  return axis === undefined ? extreme('max', AMAX, x, undefined, options) : withIndices('max', AMAX, x, axis, options);
}

/** Smallest of all elements, or values and places of the smallest along a dimension (PyTorch: `torch.min`). */
export function min(x: Tensor): Tensor;
export function min(x: Tensor, axis: number, options?: ReduceOptions): Extremes;
export function min(x: Tensor, axis?: number, options?: ReduceOptions): Tensor | Extremes {
  checkTensor('min', x);
  return axis === undefined ? extreme('min', AMIN, x, undefined, options) : withIndices('min', AMIN, x, axis, options);
}

const ARGMAX = kernelId('reduce', 'argmax');
const ARGMIN = kernelId('reduce', 'argmin');

function place(
  op: string,
  kernel: number,
  x: Tensor,
  axis: number | undefined,
  options: ReduceOptions | undefined,
): Tensor {
  const p = plan(op, checkTensor(op, x), axis, options);
  nonEmpty(op, x, p);
  return reduceRaw(op, kernel, x, p, 'int32');
}

/**
 * Place of the largest value along a dimension, or in the flattened tensor; the first of equal ones, int32
 * (PyTorch: `torch.argmax`).
 *
 * @throws TensorError `shape` where there is nothing to reduce
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 5], [3, 2]]).argmax(1).toArray()); // [1, 0]
 * ```
 */
export function argmax(x: Tensor, axis?: number, options?: ReduceOptions): Tensor {
  return place('argmax', ARGMAX, x, axis, options);
}

/**
 * Place of the smallest value along a dimension, or in the flattened tensor; the first of equal ones, int32
 * (PyTorch: `torch.argmin`).
 *
 * @throws TensorError `shape` where there is nothing to reduce
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 5], [3, 2]]).argmin(1).toArray()); // [0, 1]
 * ```
 */
export function argmin(x: Tensor, axis?: number, options?: ReduceOptions): Tensor {
  return place('argmin', ARGMIN, x, axis, options);
}

const ALL = kernelId('reduce', 'all');
const ANY = kernelId('reduce', 'any');

/**
 * True where every element over the dimensions is nonzero; true for none (PyTorch: `torch.all`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, false]).all().item()); // 0
 * ```
 */
export function all(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  const p = plan('all', checkTensor('all', x), axes, options);
  return reduceRaw('all', ALL, x, p, 'bool');
}

/**
 * True where some element over the dimensions is nonzero (PyTorch: `torch.any`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([true, false]).any().item()); // 1
 * ```
 */
export function any(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  const p = plan('any', checkTensor('any', x), axes, options);
  return reduceRaw('any', ANY, x, p, 'bool');
}

/** Sums a gradient back to the shape its operand had before broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const lead = x.ndim - shape.length;
  const axes: number[] = [];
  for (let i = 0; i < x.ndim; i++) if (i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1)) axes.push(i);
  if (axes.length === 0) return x.reshape(shape);
  if (lead === 0) return sum(x, axes, { keepdim: true });
  // The usual case, a bias: no view, so that the walk owns the memory of the result alone.
  return axes.length === lead ? sum(x, axes) : composite(() => sum(x, axes, { keepdim: true }).reshape(shape));
}
