// Rounding, limits and replacement of values. Every export is also a method of Tensor.
import { checkFloat, checkTensor, isTensor, meet, unary, unaryOp } from '../../core/dispatch.js';
import { isFloat } from '../../core/dtype.js';
import { fused } from '../../core/fused.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkInteger } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { where } from '../shape/join.js';
import { flat } from './backward.js';
import { maximum, minimum } from './binary.js';
import { lt } from './compare.js';

const FLOOR = unaryOp('floor', 'none', (g) => flat(g), { float: false });
/**
 * Largest whole number that is not above x; integers stay. Its gradient is 0 (PyTorch: `torch.floor`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1.5, -1.5]).floor().toArray()); // [1, -2]
 * ```
 */
export function floor(x: Tensor): Tensor {
  return unary(FLOOR, x);
}

const CEIL = unaryOp('ceil', 'none', (g) => flat(g), { float: false });
/**
 * Smallest whole number that is not below x; integers stay. Its gradient is 0 (PyTorch: `torch.ceil`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1.5, -2.5]).ceil().toArray()); // [2, -2]
 * ```
 */
export function ceil(x: Tensor): Tensor {
  return unary(CEIL, x);
}

const ROUND = unaryOp('round', 'none', (g) => flat(g), { float: false });
/**
 * Nearest whole number, the even one of two equally near; its gradient is 0 (PyTorch: `torch.round`).
 *
 * @param options `decimals` to keep, 0 unless given; negative ones round to tens, hundreds and so on
 * @throws TensorError `dtype` for decimals of integers
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([0.5, 1.5, 2.6]).round().toArray()); // [0, 2, 3]
 * ```
 */
export function round(x: Tensor, options?: { decimals?: number }): Tensor {
  checkOptions('round', options, ['decimals']);
  const decimals = checkInteger('round', 'decimals', options?.decimals ?? 0, -300, 300);
  if (decimals === 0) return unary(ROUND, x);
  checkFloat('round', checkTensor('round', x));
  const unit = 10 ** Math.abs(decimals);
  return composite(() => (decimals > 0 ? unary(ROUND, x.mul(unit)).div(unit) : unary(ROUND, x.div(unit)).mul(unit)));
}

const TRUNC = unaryOp('trunc', 'none', (g) => flat(g), { float: false });
/**
 * Drops the fraction; integers stay. Its gradient is 0 (PyTorch: `torch.trunc`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1.5, -1.5]).trunc().toArray()); // [1, -1]
 * ```
 */
export function trunc(x: Tensor): Tensor {
  return unary(TRUNC, x);
}

const FRAC = unaryOp('frac', 'none', (g) => g);
/**
 * The fraction: `y = x - trunc(x)`, `dx = g` (PyTorch: `torch.frac`).
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1.5, -1.25]).frac().toArray()); // [0.5, -0.25]
 * ```
 */
export function frac(x: Tensor): Tensor {
  return unary(FRAC, x);
}

// A value is inside its bounds where clamping does not change it.
const CLAMP = unaryOp('clamp', 'x', (g, x, low, high) => unary(CLAMP, x, low, high).eq(x).where(g, 0));
/**
 * Limits values: `y = min(max(x, min), max)`, so max where min is above it; NaN where any of the three is. Bounds broadcast.
 * The gradient of x is g inside the bounds (ends included) and 0 outside, where it goes to a tensor of bounds (PyTorch:
 * `torch.clamp`).
 *
 * @param min number or tensor; null for none
 * @param max number or tensor; null for none
 * @throws TensorError `value` without any bound, `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-2, 0.5, 2]).clamp(-1, 1).toArray()); // [-1, 0.5, 1]
 * console.log(tensor([-2, 0.5, 2]).clamp(null, 0).toArray()); // [-2, 0, 0]
 * ```
 */
export function clamp(x: Tensor, min: Tensor | number | null = null, max: Tensor | number | null = null): Tensor {
  checkTensor('clamp', x);
  if (min === null && max === null) throw new TensorError('value', 'clamp', 'expected min, max or both, got neither');
  for (const bound of [min, max]) {
    if (bound !== null && typeof bound !== 'number') checkTensor('clamp', bound, 'a tensor or a number');
  }
  if (isFloat(x.dtype) && !isTensor(min) && !isTensor(max)) {
    const [low, high] = [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY];
    if (low <= high) return unary(CLAMP, x, low, high);
  }
  return between(x, min, max);
}

/** Clamp by bounds that are tensors, or that only PyTorch's rules for crossed and NaN bounds settle. */
function between(x: Tensor, min: Tensor | number | null, max: Tensor | number | null): Tensor {
  const bounds = [min, max].filter(isTensor);
  let { shape } = x;
  for (const bound of bounds) shape = broadcastShapes('clamp', shape, bound.shape);
  return fused(
    'clamp',
    [x, isTensor(min) ? min : null, isTensor(max) ? max : null],
    [x, ...bounds],
    () => {
      const raised = min === null ? x : maximum(x, min);
      return max === null ? raised : minimum(raised, max);
    },
    (g, [x, ...bounds], needs) => {
      const low = isTensor(min) ? bounds[0] : min;
      const high = isTensor(max) ? bounds[bounds.length - 1] : max;
      const give = (i: number, chosen: () => Tensor) => (needs[i] === null ? null : chosen().where(g, 0));
      // A tensor of bounds gets what it took: nothing where the other bound took it from there.
      return [
        give(0, () =>
          low === null ? x.le(high as Tensor) : high === null ? x.ge(low) : x.ge(low).logicalAnd(x.le(high)),
        ),
        give(1, () => (high === null ? x.lt(low as Tensor) : x.lt(low as Tensor).logicalAnd(lt(low as Tensor, high)))),
        give(2, () => (low === null ? x.gt(high as Tensor) : x.gt(high as Tensor).logicalOr(lt(high as Tensor, low)))),
      ];
    },
  );
}

/**
 * Step: 0 below 0, 1 above, `values` at 0; no gradient (PyTorch: `torch.heaviside`).
 *
 * @param values a number, or a tensor that broadcasts
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([-1, 0, 2]).heaviside(0.5).toArray()); // [0, 0.5, 1]
 * ```
 */
export function heaviside(x: Tensor, values: Tensor | number): Tensor {
  checkTensor('heaviside', x);
  if (typeof values !== 'number') checkTensor('heaviside', values, 'a tensor or a number');
  if (isTensor(values)) broadcastShapes('heaviside', x.shape, values.shape);
  return composite(() => {
    const p = x.detach();
    const v = typeof values === 'number' ? values : values.detach();
    return where(p.eq(0), v, p.gt(0).to(meet(p, v)));
  });
}

/**
 * Replaces NaN and infinities by numbers; the gradient is g where x was finite and 0 elsewhere (PyTorch: `torch.nan_to_num`).
 *
 * @param options `nan`, 0 unless given; `posinf` and `neginf`, the largest and the lowest finite number unless given
 *
 * @example
 * ```ts
 * import { tensor } from 'chainrule';
 * console.log(tensor([1, Number.NaN]).nanToNum().toArray()); // [1, 0]
 * ```
 */
export function nanToNum(x: Tensor, options?: { nan?: number; posinf?: number; neginf?: number }): Tensor {
  checkOptions('nanToNum', options, ['nan', 'posinf', 'neginf']);
  checkTensor('nanToNum', x);
  if (!isFloat(x.dtype)) return x.clone();
  const largest = x.dtype === 'float64' ? Number.MAX_VALUE : FLOAT32_MAX;
  const nan = checkReplacement('nan', options?.nan ?? 0);
  const posinf = checkReplacement('posinf', options?.posinf ?? largest);
  const neginf = checkReplacement('neginf', options?.neginf ?? -largest);
  return composite(() => {
    const above = x.eq(Number.POSITIVE_INFINITY).where(posinf, x);
    const finite = x.eq(Number.NEGATIVE_INFINITY).where(neginf, above);
    return x.isNan().where(nan, finite);
  });
}

/** Any number, NaN too: it leaves what it would replace. */
function checkReplacement(name: string, value: unknown): number {
  if (typeof value === 'number') return value;
  throw new TensorError('value', 'nanToNum', `expected ${name} to be a number, got ${describe(value)}`);
}

const FLOAT32_MAX = 3.4028234663852886e38;
