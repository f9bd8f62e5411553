// Losses between real numbers and their targets, beyond the plain ones of lib/ops/loss/loss.ts.
import { checkTensor } from '../../core/dispatch.js';
import { fused } from '../../core/fused.js';
import { checkValues } from '../../core/range.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape, sameShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { checkPairOf, checkReduction, type LossOptions, reduce } from './loss.js';

function checkPositive(op: string, name: string, value: unknown): number {
  const number = checkNumber(op, name, value, 0);
  if (number > 0) return number;
  throw new TensorError('value', op, `expected ${name} to be a number above 0, got 0`);
}

/**
 * `bound a - bound^2 / 2`, or `a^2 / 2` below the bound, for `a = |input - target|`; the least of both, c, enters as
 * `c (a - c / 2)`, whose gradient stays finite for infinite differences.
 */
function rounded(input: Tensor, target: Tensor, bound: number): Tensor {
  const a = input.sub(target).abs();
  const c = a.clamp(null, bound);
  return c.mul(a.sub(c.mul(0.5)));
}

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1Options extends LossOptions {
  /** Difference at which the square turns into a line, at least 0; 1 unless given. */
  beta?: number;
}

/**
 * Absolute error, a parabola near 0: `d^2 / (2 beta)` where `|d| < beta`, else `|d| - beta / 2`, for `d = input - target`
 * (PyTorch: `F.smooth_l1_loss`).
 *
 * @throws TensorError `shape` unless both have one shape, `value` for a negative beta
 *
 * @example
 * ```ts
 * import { smoothL1Loss, tensor } from 'chainrule';
 * console.log(smoothL1Loss(tensor([1, 2]), tensor([1, 4])).item()); // 0.75
 * ```
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options?: SmoothL1Options): Tensor {
  const op = 'smoothL1Loss';
  checkOptions(op, options, ['reduction', 'beta']);
  checkPairOf(op, input, target);
  const beta = checkNumber(op, 'beta', options?.beta ?? 1, 0);
  const reduction = checkReduction(op, options);
  return composite(() =>
    reduce(beta === 0 ? input.sub(target).abs() : rounded(input, target, beta).div(beta), reduction),
  );
}

/** Options of {@link huberLoss}. */
export interface HuberOptions extends LossOptions {
  /** Difference at which the square turns into a line, above 0; 1 unless given. */
  delta?: number;
}

/**
 * Huber loss: `d^2 / 2` where `|d| < delta`, else `delta (|d| - delta / 2)`, for `d = input - target` (PyTorch:
 * `F.huber_loss`).
 *
 * @throws TensorError `shape` unless both have one shape, `value` unless delta is above 0
 *
 * @example
 * ```ts
 * import { huberLoss, tensor } from 'chainrule';
 * console.log(huberLoss(tensor([1, 2]), tensor([1, 4])).item()); // 0.75
 * ```
 */
export function huberLoss(input: Tensor, target: Tensor, options?: HuberOptions): Tensor {
  const op = 'huberLoss';
  checkOptions(op, options, ['reduction', 'delta']);
  checkPairOf(op, input, target);
  const delta = checkPositive(op, 'delta', options?.delta ?? 1);
  const reduction = checkReduction(op, options);
  return composite(() => reduce(rounded(input, target, delta), reduction));
}

/** Options of {@link poissonNllLoss}. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate; true unless given. */
  logInput?: boolean;
  /** Add Stirling's approximation of `log(target!)` for targets above 1; false unless given. */
  full?: boolean;
  /** Added to the rate before its logarithm; 1e-8 unless given. */
  eps?: number;
}

/**
 * Negative log likelihood of counts under a Poisson distribution: `e^x - t x`, or with `logInput: false`
 * `x - t log(x + eps)`, for input x and target t (PyTorch: `F.poisson_nll_loss`).
 *
 * @throws TensorError `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { poissonNllLoss, tensor } from 'chainrule';
 * console.log(poissonNllLoss(tensor([0]), tensor([3])).item()); // 1
 * ```
 */
export function poissonNllLoss(input: Tensor, target: Tensor, options?: PoissonNllOptions): Tensor {
  const op = 'poissonNllLoss';
  checkOptions(op, options, ['reduction', 'logInput', 'full', 'eps']);
  checkPairOf(op, input, target);
  const logInput = checkBoolean(op, 'logInput', options?.logInput ?? true);
  const full = checkBoolean(op, 'full', options?.full ?? false);
  const eps = checkNumber(op, 'eps', options?.eps ?? 1e-8);
  const reduction = checkReduction(op, options);
  return composite(() => {
    const loss = logInput ? input.exp().sub(target.mul(input)) : input.sub(target.mul(input.add(eps).log()));
    return reduce(full ? loss.add(stirling(target.to(input.dtype))) : loss, reduction);
  });
}

/** `t log t - t + log(2 pi t) / 2` where t > 1, else 0; the other targets are replaced so that no NaN comes back. */
function stirling(target: Tensor): Tensor {
  const large = target.gt(1);
  const t = large.where(target, 1);
  const log = t.log();
  const value = t
    .mul(log)
    .sub(t)
    .add(log.add(Math.log(2 * Math.PI)).mul(0.5));
  return large.where(value, 0);
}

/** Options of {@link gaussianNllLoss}. */
export interface GaussianNllOptions extends LossOptions {
  /** Add the constant `log(2 pi) / 2`; false unless given. */
  full?: boolean;
  /** Least variance, above 0; 1e-6 unless given. */
  eps?: number;
}

/**
 * Negative log likelihood of targets under normal distributions: `(log v + (input - target)^2 / v) / 2` with
 * `v = max(variance, eps)`, the gradient of the variance as if it were not bounded (PyTorch: `F.gaussian_nll_loss`).
 *
 * @param variance of the input's shape, or with 1 in the last dimension, or without it
 * @throws TensorError `shape` where shapes do not go together, `value` for a negative variance
 *
 * @example
 * ```ts
 * import { gaussianNllLoss, tensor } from 'chainrule';
 * console.log(gaussianNllLoss(tensor([1, 2]), tensor([1, 4]), tensor([1, 1])).item()); // 1
 * ```
 */
export function gaussianNllLoss(input: Tensor, target: Tensor, variance: Tensor, options?: GaussianNllOptions): Tensor {
  const op = 'gaussianNllLoss';
  checkOptions(op, options, ['reduction', 'full', 'eps']);
  checkPairOf(op, input, target);
  checkTensor(op, variance, 'a variance tensor');
  const full = checkBoolean(op, 'full', options?.full ?? false);
  const eps = checkPositive(op, 'eps', options?.eps ?? 1e-6);
  const reduction = checkReduction(op, options);
  const { shape } = input;
  const kept = [...shape.slice(0, -1), 1];
  const short = shape.length > 0 && sameShape(variance.shape, shape.slice(0, -1));
  if (!short && !sameShape(variance.shape, shape) && (shape.length === 0 || !sameShape(variance.shape, kept))) {
    throw new TensorError(
      'shape',
      op,
      `expected a variance of shape ${formatShape(shape)} or ${formatShape(kept)}, got ${formatShape(variance.shape)}`,
    );
  }
  return composite(() => {
    checkValues(op, variance, 0, Number.POSITIVE_INFINITY, (read, place) => {
      return new TensorError('value', op, `expected variances of at least 0, got ${read.read(place)}`);
    });
    const bounded = fused(
      op,
      [variance],
      [],
      () => variance.clamp(eps),
      (g) => g,
    );
    const v = short ? bounded.unsqueeze(-1) : bounded;
    const loss = v.log().add(input.sub(target).square().div(v)).mul(0.5);
    return reduce(full ? loss.add(0.5 * Math.log(2 * Math.PI)) : loss, reduction);
  });
}
