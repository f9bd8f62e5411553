// Differences of neighbours, and sums that undo them: discrete derivatives and integrals.
import { checkTensor, isTensor } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { composite, composites } from '../../core/scope.js';
import { checkInteger, checkNumber, formatShape, normalizeAxes, normalizeAxis } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { cat } from '../shape/join.js';

/** Options of {@link diff}. */
export interface DiffOptions {
  /** How many times; 1 unless given. */
  n?: number;
  /** The dimension; the last unless given. */
  dim?: number;
  /** What stands in front of the elements. */
  prepend?: Tensor;
  /** What stands behind them. */
  append?: Tensor;
}

/** All elements along a dimension but `left` at its beginning and `right` at its end. */
function inner(x: Tensor, axis: number, left: number, right: number): Tensor {
  const n = x.shape[axis];
  return x.narrow(axis, Math.min(left, n), Math.max(0, n - left - right));
}

/**
 * Differences of neighbours along a dimension: `y[i] = x[i + 1] - x[i]`, n times; of booleans, whether they differ (PyTorch:
 * `torch.diff`).
 *
 * @throws TensorError `shape` for a 0-d tensor or where what is put in front or behind does not fit, `axis` for a dimension
 * that is not there, `value` for a negative n
 *
 * @example
 * ```ts
 * import { diff, tensor } from 'chainrule';
 * console.log(diff(tensor([1, 4, 9, 16])).toArray()); // [3, 5, 7]
 * console.log(diff(tensor([1, 4, 9, 16]), { n: 2 }).toArray()); // [2, 2]
 * ```
 */
export function diff(x: Tensor, options?: DiffOptions): Tensor {
  const op = 'diff';
  const { ndim } = checkTensor(op, x);
  checkOptions(op, options, ['n', 'dim', 'prepend', 'append']);
  const times = checkInteger(op, 'n', options?.n ?? 1, 0);
  if (ndim === 0) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  const axis = normalizeAxis(op, options?.dim ?? -1, ndim);
  const { prepend, append } = options ?? {};
  return composite(() => {
    const parts = [prepend, x, append].filter((part) => part !== undefined);
    let y = parts.length === 1 ? x.clone() : cat(parts, axis);
    for (let i = 0; i < Math.min(times, y.shape[axis] + i); i++) {
      const [left, right] = [inner(y, axis, 0, 1), inner(y, axis, 1, 0)];
      y = x.dtype === 'bool' ? right.logicalXor(left) : right.sub(left);
    }
    return y;
  });
}

/** Options of {@link trapezoid} and {@link cumulativeTrapezoid}. */
export interface TrapezoidOptions {
  /** Where the values stand: [n], or a shape that broadcasts with theirs. */
  x?: Tensor;
  /** How far they stand apart, where `x` is not given; 1 unless given. */
  dx?: number;
  /** The dimension; the last unless given. */
  dim?: number;
}

/** Twice the areas between neighbours, and the dimension along which they lie. */
function strips(op: string, y: Tensor, options: TrapezoidOptions | undefined): [axis: number, areas: () => Tensor] {
  const { ndim, shape } = checkTensor(op, y);
  checkOptions(op, options, ['x', 'dx', 'dim']);
  if (ndim === 0) throw new TensorError('shape', op, 'expected at least one dimension, got []');
  const axis = normalizeAxis(op, options?.dim ?? -1, ndim);
  const { x } = options ?? {};
  if (x !== undefined && options?.dx !== undefined) {
    throw new TensorError('value', op, 'expected x or dx, got both');
  }
  const dx = checkNumber(op, 'dx', options?.dx ?? 1);
  if (x !== undefined) {
    checkTensor(op, x, 'places x');
    const n = x.ndim === 1 ? x.size : x.shape[x.ndim - (ndim - axis)];
    if (n !== shape[axis] || x.ndim > ndim) {
      throw new TensorError(
        'shape',
        op,
        `expected ${shape[axis]} places for dimension ${axis} of ${formatShape(shape)}, got ${formatShape(x.shape)}`,
      );
    }
  }
  const areas = () => {
    const sums = inner(y, axis, 1, 0).add(inner(y, axis, 0, 1));
    if (x === undefined) return sums.mul(dx);
    const places = x.ndim === 1 ? x.reshape(shape.map((_, i) => (i === axis ? x.size : 1))) : x;
    const at = axis - (ndim - places.ndim);
    return sums.mul(inner(places, at, 1, 0).sub(inner(places, at, 0, 1)));
  };
  return [axis, areas];
}

/**
 * Integral along a dimension by the trapezoidal rule: `sum (y[i] + y[i + 1]) / 2 (x[i + 1] - x[i])` (PyTorch:
 * `torch.trapezoid`).
 *
 * @throws TensorError `shape` for a 0-d tensor or places that do not fit, `axis` for a dimension that is not there, `value` for
 * both x and dx
 *
 * @example
 * ```ts
 * import { tensor, trapezoid } from 'chainrule';
 * console.log(trapezoid(tensor([1, 5, 10])).item()); // 10.5
 * console.log(trapezoid(tensor([1, 5, 10]), { x: tensor([1, 3, 6]) }).item()); // 28.5
 * ```
 */
export function trapezoid(y: Tensor, options?: TrapezoidOptions): Tensor {
  const [axis, areas] = strips('trapezoid', y, options);
  return composite(() => areas().sum(axis).div(2));
}

/**
 * Integral up to each element along a dimension by the trapezoidal rule; one element fewer (PyTorch:
 * `torch.cumulative_trapezoid`).
 *
 * @throws TensorError `shape` for a 0-d tensor or places that do not fit, `axis` for a dimension that is not there, `value` for
 * both x and dx
 *
 * @example
 * ```ts
 * import { cumulativeTrapezoid, tensor } from 'chainrule';
 * console.log(cumulativeTrapezoid(tensor([1, 5, 10])).toArray()); // [3, 10.5]
 * ```
 */
export function cumulativeTrapezoid(y: Tensor, options?: TrapezoidOptions): Tensor {
  const [axis, areas] = strips('cumulativeTrapezoid', y, options);
  return composite(() => areas().cumsum(axis).div(2));
}

/** Options of {@link gradient}. */
export interface GradientOptions {
  /** How far the elements stand apart: one number, or for each dimension a number or a vector of places; 1 unless given. */
  spacing?: number | readonly (number | Tensor)[];
  /** The dimensions; all unless given. */
  dim?: number | readonly number[];
  /** 1 or 2: the order of the differences at both ends; 1 unless given. */
  edgeOrder?: 1 | 2;
}

/** Central differences inside, one-sided ones at the ends, for steps that are one number or differ. */
function slopes(x: Tensor, axis: number, spacing: number | Tensor, order: 1 | 2): Tensor {
  const n = x.shape[axis];
  const at = (i: number) => x.narrow(axis, i < 0 ? i + n : i, 1);
  const [before, here, after] = [inner(x, axis, 0, 2), inner(x, axis, 1, 1), inner(x, axis, 2, 0)];
  if (typeof spacing === 'number') {
    const first = order === 1 ? at(1).sub(at(0)) : at(1).mul(2).sub(at(0).mul(1.5)).sub(at(2).mul(0.5));
    const last = order === 1 ? at(-1).sub(at(-2)) : at(-1).mul(1.5).sub(at(-2).mul(2)).add(at(-3).mul(0.5));
    return cat([first.div(spacing), after.sub(before).div(2 * spacing), last.div(spacing)], axis);
  }
  const steps = inner(spacing, 0, 1, 0)
    .sub(inner(spacing, 0, 0, 1))
    .reshape(x.shape.map((_, i) => (i === axis ? n - 1 : 1)));
  const step = (i: number) => steps.narrow(axis, i < 0 ? i + n - 1 : i, 1);
  const [left, right] = [inner(steps, axis, 0, 1), inner(steps, axis, 1, 0)];
  const both = left.add(right);
  const middle = after
    .mul(left.div(right.mul(both)))
    .add(here.mul(right.sub(left).div(left.mul(right))))
    .sub(before.mul(right.div(left.mul(both))));
  if (order === 1) return cat([at(1).sub(at(0)).div(step(0)), middle, at(-1).sub(at(-2)).div(step(-1))], axis);
  const end = (a: Tensor, b: Tensor, [x0, x1, x2]: readonly Tensor[]) => {
    const whole = a.add(b);
    return x1
      .mul(whole.div(a.mul(b)))
      .sub(x0.mul(a.mul(2).add(b).div(a.mul(whole))))
      .sub(x2.mul(a.div(b.mul(whole))));
  };
  const first = end(step(0), step(1), [at(0), at(1), at(2)]);
  const last = end(step(-1), step(-2), [at(-1), at(-2), at(-3)]).neg();
  return cat([first, middle, last], axis);
}

/**
 * Derivatives of sampled values along each dimension: central differences of second order inside, one-sided ones at both ends
 * (PyTorch: `torch.gradient`; the derivatives of the tape are {@link grad}).
 *
 * @returns one tensor of the shape of x for each dimension
 * @throws TensorError `dtype` unless x is floating point, `shape` for too few elements in a dimension, `axis` for dimensions
 * that are not there or named twice, `value` for spacing that does not fit
 *
 * @example
 * ```ts
 * import { gradient, tensor } from 'chainrule';
 * console.log(gradient(tensor([1, 4, 9, 16]))[0].toArray()); // [3, 4, 6, 7]
 * ```
 */
export function gradient(x: Tensor, options?: GradientOptions): Tensor[] {
  const op = 'gradient';
  const { shape, ndim, dtype } = checkTensor(op, x);
  checkOptions(op, options, ['spacing', 'dim', 'edgeOrder']);
  if (!isFloat(dtype)) throw new TensorError('dtype', op, `expected floating point numbers, got ${dtype}`);
  const axes = normalizeAxes(op, options?.dim, ndim);
  const order = options?.edgeOrder ?? 1;
  if (order !== 1 && order !== 2) {
    throw new TensorError('value', op, `expected edgeOrder to be 1 or 2, got ${describe(order)}`);
  }
  for (const axis of axes) {
    if (shape[axis] > order) continue;
    throw new TensorError(
      'shape',
      op,
      `expected at least ${order + 1} elements in dimension ${axis}, got ${formatShape(shape)}`,
    );
  }
  const given = options?.spacing ?? 1;
  const list = Array.isArray(given) ? (given as readonly (number | Tensor)[]) : axes.map(() => given as number);
  if (list.length !== axes.length) {
    throw new TensorError(
      'value',
      op,
      `expected spacing for each of the ${axes.length} dimensions, got ${describe(given)}`,
    );
  }
  for (const [i, spacing] of list.entries()) {
    if (!isTensor(spacing)) checkNumber(op, 'spacing', spacing);
    else if (checkTensor(op, spacing).ndim !== 1 || spacing.size !== shape[axes[i]]) {
      const got = formatShape(spacing.shape);
      throw new TensorError('value', op, `expected ${shape[axes[i]]} places in dimension ${axes[i]}, got ${got}`);
    }
  }
  return composites(() => axes.map((axis, i) => slopes(x, axis, list[i], order)));
}
