// Reductions beyond sums: variance, norms, products, logarithms of sums, NaN left out. Every export is also a method of Tensor.
import { cast, checkFloat, checkTensor, filled } from '../../core/dispatch.js';
import { floatOf, isFloat } from '../../core/dtype.js';
import { fused, remembered } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { checkNumber, formatShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { describe, TensorError } from '../../errors.js';
import { kernelId } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { cat, where } from '../shape/join.js';
import { amax, amin, mean, sum } from './reduce.js';
import { type Axes, type Plan, plan, type ReduceOptions, reduceRaw } from './reduction.js';

/** Options of `variance`, `std` and `varMean`. */
export interface VarianceOptions extends ReduceOptions {
  /** Taken off the number of elements in the divisor; 1 unless given (Bessel's correction), 0 for the plain mean. */
  correction?: number;
}

const KEEP = { keepdim: true } as const;

// ---- spread

interface Spread extends Plan {
  /** What the sum of squared differences is divided by; 0 where the correction leaves nothing, as in PyTorch. */
  readonly divisor: number;
}

function planSpread(op: string, x: Tensor, axes: Axes | undefined, options: VarianceOptions | undefined): Spread {
  checkFloat(op, checkTensor(op, x));
  const p = plan(op, x, axes, options, ['correction', 'keepdim']);
  const correction = checkNumber(op, 'correction', options?.correction ?? 1);
  return { ...p, divisor: Math.max(0, p.count - correction) };
}

/** Two passes, mean and then differences: exact where the mean is far larger than the spread. */
function squares(x: Tensor, p: Spread): Tensor {
  return sum(x.sub(mean(x, p.axes, KEEP)).square(), p.axes, p.options).div(p.divisor);
}

/** dx of the variance. */
function varianceBackward(g: Tensor, x: Tensor, p: Spread): Tensor {
  return x.sub(mean(x, p.axes, KEEP)).mul(g.reshape(p.kept).mul(2 / p.divisor));
}

function varianceOf(op: string, x: Tensor, p: Spread): Tensor {
  return fused(
    op,
    [x],
    [x],
    () => squares(x, p),
    (g, [input]) => varianceBackward(g, input, p),
  );
}

/**
 * Variance over dimensions: `y = sum((x - mean)^2) / (n - correction)`, NaN where the divisor is 0 (PyTorch: `torch.var`).
 *
 * `var` is a reserved word, so the function is called `variance`; the method has PyTorch's name, `x.var()`.
 *
 * @param axes one dimension, several, or all when left out
 * @param options `correction`, 1 unless given (PyTorch's older `unbiased: false` is 0); `keepdim`
 * @throws TensorError `axis` for an axis outside the tensor or named twice, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor, variance } from 'chainrule';
 * const x = tensor([1, 2, 3, 4]);
 * console.log(x.var(0, { correction: 0 }).item()); // 1.25
 * console.log(variance(x, 0, { correction: 0 }).item()); // 1.25
 * ```
 */
function variance(x: Tensor, axes?: Axes, options?: VarianceOptions): Tensor {
  return varianceOf('var', x, planSpread('var', x, axes, options));
}

export { variance as var };

/**
 * Standard deviation over dimensions: `y = sqrt(sum((x - mean)^2) / (n - correction))`; where it is 0, so is its gradient
 * (PyTorch: `torch.std`).
 *
 * @param axes one dimension, several, or all when left out
 * @param options `correction`, 1 unless given (PyTorch's older `unbiased: false` is 0); `keepdim`
 * @throws TensorError `axis` for an axis outside the tensor or named twice, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2, 3], [2, 4, 6]]).std(1).toArray()); // [1, 2]
 * ```
 */
export function std(x: Tensor, axes?: Axes, options?: VarianceOptions): Tensor {
  const p = planSpread('std', x, axes, options);
  return remembered(
    'std',
    x,
    () => squares(x, p).sqrt(),
    // Dividing by infinity where y is 0 gives 0 in the second derivative too.
    (g, input, y) => varianceBackward(g.div(where(y.eq(0), Infinity, y.mul(2))), input, p),
  );
}

/** The result of {@link varMean}. */
export interface VarMean {
  variance: Tensor;
  mean: Tensor;
}

/**
 * Variance and mean over dimensions: `sum((x - mean)^2) / (n - correction)` and `sum(x) / n` (PyTorch: `torch.var_mean`).
 *
 * @param axes one dimension, several, or all when left out
 * @param options `correction`, 1 unless given (PyTorch's older `unbiased: false` is 0); `keepdim`
 * @throws TensorError `axis` for an axis outside the tensor or named twice, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { variance, mean } = tensor([1, 2, 3]).varMean();
 * console.log(variance.item(), mean.item()); // 1 2
 * ```
 */
export function varMean(x: Tensor, axes?: Axes, options?: VarianceOptions): VarMean {
  const p = planSpread('varMean', x, axes, options);
  return { variance: varianceOf('varMean', x, p), mean: mean(x, p.axes, p.options) };
}

/** The result of {@link stdMean}. */
export interface StdMean {
  std: Tensor;
  mean: Tensor;
}

/**
 * Standard deviation and mean over dimensions (PyTorch: `torch.std_mean`).
 *
 * @param axes one dimension, several, or all when left out
 * @param options `correction`, 1 unless given (PyTorch's older `unbiased: false` is 0); `keepdim`
 * @throws TensorError `axis` for an axis outside the tensor or named twice, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { std, mean } = tensor([1, 2, 3]).stdMean();
 * console.log(std.item(), mean.item()); // 1 2
 * ```
 */
export function stdMean(x: Tensor, axes?: Axes, options?: VarianceOptions): StdMean {
  const p = planSpread('stdMean', x, axes, options);
  return { std: std(x, axes, options), mean: mean(x, p.axes, p.options) };
}

/** The result of {@link aminmax}. */
export interface LeastAndMost {
  min: Tensor;
  max: Tensor;
}

/**
 * Smallest and largest elements of all, or along one dimension; equal ones share the gradient (PyTorch: `torch.aminmax`).
 *
 * @param axis one dimension, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor, `shape` where there is nothing to reduce
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const { min, max } = tensor([[1, 5], [4, 2]]).aminmax(1);
 * console.log(min.toArray(), max.toArray()); // [1, 2] [5, 4]
 * ```
 */
export function aminmax(x: Tensor, axis?: number, options?: ReduceOptions): LeastAndMost {
  checkTensor('aminmax', x);
  if (Array.isArray(axis)) {
    throw new TensorError('axis', 'aminmax', `expected one axis, or none for all of them, got ${describe(axis)}`);
  }
  return { min: amin(x, axis, options), max: amax(x, axis, options) };
}

// ---- logarithms of sums, NaN left out

/**
 * `y = log sum e^x` over dimensions, without overflow; -Infinity for none. `dx = g e^(x - y)`; integers give float32
 * (PyTorch: `torch.logsumexp`).
 *
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor or named twice
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1000, 1000]).logsumexp(0).item().toFixed(3)); // 1000.693
 * ```
 */
export function logsumexp(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  const op = 'logsumexp';
  const p = plan(op, checkTensor(op, x), axes, options);
  const input = cast(op, x, floatOf(x.dtype));
  const forward = () => {
    if (p.count === 0) return sum(input.exp(), p.axes, p.options).log();
    const top = amax(input, p.axes, KEEP);
    const shift = where(top.isInf(), 0, top);
    return sum(input.sub(shift).exp(), p.axes, p.options).log().add(shift.reshape(p.shape));
  };
  const y = remembered(op, input, forward, (g, v, out) => g.reshape(p.kept).mul(v.sub(out.reshape(p.kept)).exp()));
  if (input !== x) input.dispose();
  return y;
}

const withoutNan = (x: Tensor): Tensor => (isFloat(x.dtype) ? where(x.isNan(), 0, x) : x);

/**
 * Sum over dimensions of what is not NaN; `dx = g`, 0 at NaN. Integers and booleans give int32 (PyTorch: `torch.nansum`).
 *
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor or named twice
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, Number.NaN, 2]).nansum().item()); // 3
 * ```
 */
export function nansum(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  const p = plan('nansum', checkTensor('nansum', x), axes, options);
  return composite(() => sum(withoutNan(x), p.axes, p.options));
}

/**
 * Mean over dimensions of what is not NaN, NaN where there is nothing: `y = nansum(x) / n`, n the elements that count
 * (PyTorch: `torch.nanmean`).
 *
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor or named twice, `dtype` unless x is floating point
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, Number.NaN, 2]).nanmean().item()); // 1.5
 * ```
 */
export function nanmean(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  checkFloat('nanmean', checkTensor('nanmean', x));
  const p = plan('nanmean', x, axes, options);
  return composite(() => sum(withoutNan(x), p.axes, p.options).div(sum(x.isNan().logicalNot(), p.axes, p.options)));
}

// ---- products and counts

/** Products of all elements before each along a dimension (after each with `reverse`), in log2(n) steps. */
function productsBeside(x: Tensor, axis: number, reverse: boolean): Tensor {
  const n = x.shape[axis];
  const shift = (v: Tensor, by: number): Tensor => {
    const ones = filled('prod', v.shape.toSpliced(axis, 1, by), v.dtype, 1);
    const rest = v.narrow(axis, reverse ? by : 0, n - by);
    return cat(reverse ? [rest, ones] : [ones, rest], axis);
  };
  let y = shift(x, 1);
  for (let by = 1; by < n; by *= 2) y = y.mul(shift(y, by));
  return y;
}

const PROD = kernelId('reduce', 'prod');
/**
 * Product over one dimension or all, 1 for none: `dx_i = g` times the product of the others, right with zeros too. Integers
 * and booleans give int32 (PyTorch: `torch.prod`).
 *
 * @param axis one dimension, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[1, 2], [3, 4]]).prod(1).toArray()); // [2, 12]
 * ```
 */
export function prod(x: Tensor, axis?: number, options?: ReduceOptions): Tensor {
  checkTensor('prod', x);
  if (Array.isArray(axis)) {
    throw new TensorError('axis', 'prod', `expected one axis, or none for all of them, got ${describe(axis)}`);
  }
  const p = plan('prod', x, axis, options);
  const y = reduceRaw('prod', PROD, x, p, isFloat(x.dtype) ? x.dtype : 'int32');
  return record('prod', y, [x], [x, y], (g, [input, out]) => {
    const gy = g.reshape(p.kept);
    if (input.eq(0).any().item() === 0) return gy.mul(out.reshape(p.kept)).div(input);
    // Division would lose what the other factors of a zero make, and the second derivative with it.
    const whole = axis === undefined || input.ndim === 0;
    const line = whole ? input.reshape([input.size]) : input;
    const at = whole ? 0 : p.axes[0];
    const others = productsBeside(line, at, false).mul(productsBeside(line, at, true));
    return gy.mul(others.reshape(input.shape));
  });
}

const COUNT_NONZERO = kernelId('reduce', 'countNonzero');
/**
 * How many elements over dimensions are not 0, int32; NaN counts (PyTorch: `torch.count_nonzero`).
 *
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor or named twice
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([[0, 1], [2, 3]]).countNonzero(1).toArray()); // [1, 2]
 * ```
 */
export function countNonzero(x: Tensor, axes?: Axes): Tensor {
  const p = plan('countNonzero', checkTensor('countNonzero', x), axes, undefined);
  return reduceRaw('countNonzero', COUNT_NONZERO, x, p, 'int32');
}

// ---- norms

/** dx of `(sum |x|^p)^(1/p)`: sign(x) |x|^(p - 1) g / y^(p - 1), and 0 where x or y is. */
function normBackward(g: Tensor, x: Tensor, y: Tensor, p: number): Tensor {
  const none = y.eq(0);
  if (p === 2) return x.mul(g.div(where(none, Infinity, y)));
  const scale = where(none, 0, g.div(where(none, 1, y).pow(p - 1)));
  const zero = x.eq(0);
  const size = where(zero, 1, x.abs()).pow(p - 1);
  return where(zero, 0, x.sign().mul(size)).mul(scale);
}

const SUM_SQUARES = kernelId('reduce', 'sumSquares');
/**
 * Vector norm over dimensions: `y = (sum |x|^p)^(1 / p)`, the largest |x| for Infinity, the smallest for -Infinity, the number
 * of nonzeros for 0; equal extremes share the gradient, which is 0 where the norm is (PyTorch: `torch.norm`).
 *
 * @param p any number, or 'fro' (the default), which is 2
 * @param axes one dimension, several, or all when left out
 * @throws TensorError `axis` for an axis outside the tensor or named twice, `dtype` unless x is floating point, `shape` where
 * an extreme has nothing to reduce
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * const x = tensor([[3, 4], [6, 8]]);
 * console.log(x.norm(2, 1).toArray()); // [5, 10]
 * console.log(x.norm(Infinity).item()); // 8
 * ```
 */
export function norm(x: Tensor, p: number | 'fro' = 'fro', axes?: Axes, options?: ReduceOptions): Tensor {
  const op = 'norm';
  checkFloat(op, checkTensor(op, x));
  if (p !== 'fro' && (typeof p !== 'number' || Number.isNaN(p))) {
    throw new TensorError('value', op, `expected p to be a number or 'fro', got ${describe(p)}`);
  }
  const q = p === 'fro' ? 2 : p;
  const by = plan(op, x, axes, options);
  if (Math.abs(q) === Infinity) {
    if (by.count === 0) {
      const over = `${formatShape(x.shape)} over axes ${formatShape(by.axes)}`;
      throw new TensorError('shape', op, `expected at least one element for p = ${q}, got ${over}`);
    }
    return composite(() => (q > 0 ? amax : amin)(x.abs(), by.axes, by.options));
  }
  if (q === 0) {
    const count = () => cast(op, reduceRaw(op, COUNT_NONZERO, x, by, 'int32'), x.dtype);
    return fused(op, [x], [], count, (g) => filled('zeros', x.shape, g.dtype, 0));
  }
  if (q === 1) return composite(() => sum(x.abs(), by.axes, by.options));
  const forward = () =>
    q === 2 ? reduceRaw(op, SUM_SQUARES, x, by, x.dtype).sqrt() : sum(x.abs().pow(q), by.axes, by.options).pow(1 / q);
  return remembered(op, x, forward, (g, input, y) => normBackward(g.reshape(by.kept), input, y.reshape(by.kept), q));
}
