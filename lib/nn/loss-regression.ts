// Losses between real numbers and their targets beyond the plain ones, as modules.
import {
  type GaussianNllOptions,
  gaussianNllLoss,
  type HuberOptions,
  huberLoss,
  type PoissonNllOptions,
  poissonNllLoss,
  type SmoothL1Options,
  smoothL1Loss,
} from '../ops/loss/regression.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber } from './check.js';
import { Loss } from './loss.js';

/**
 * Absolute error, a parabola near 0: `d^2 / (2 beta)` where `|d| < beta`, else `|d| - beta / 2`, for `d = input - target`
 * (PyTorch: `nn.SmoothL1Loss`).
 *
 * @param options `beta`, 1 unless given; `reduction`
 * @throws TensorError `value` for a negative beta, `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.SmoothL1Loss().forward(tensor([1, 2]), tensor([1, 4])).item()); // 0.75
 * ```
 */
export class SmoothL1Loss extends Loss {
  readonly beta: number;

  constructor(options?: SmoothL1Options) {
    const op = 'SmoothL1Loss';
    super(op, options, ['beta']);
    this.beta = checkNumber(op, 'beta', options?.beta ?? 1, 0);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { beta, reduction } = this;
    return smoothL1Loss(input, target, { beta, reduction });
  }
}

/**
 * Huber loss: `d^2 / 2` where `|d| < delta`, else `delta (|d| - delta / 2)`, for `d = input - target` (PyTorch: `nn.HuberLoss`).
 *
 * @param options `delta`, 1 unless given; `reduction`
 * @throws TensorError `value` unless delta is above 0, `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.HuberLoss({ delta: 2 }).forward(tensor([1, 2]), tensor([1, 5])).item()); // 2
 * ```
 */
export class HuberLoss extends Loss {
  readonly delta: number;

  constructor(options?: HuberOptions) {
    const op = 'HuberLoss';
    super(op, options, ['delta']);
    this.delta = checkNumber(op, 'delta', options?.delta ?? 1, Number.MIN_VALUE);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { delta, reduction } = this;
    return huberLoss(input, target, { delta, reduction });
  }
}

/**
 * Negative log likelihood of counts under a Poisson distribution: `e^x - t x`, or with `logInput: false`
 * `x - t log(x + eps)` (PyTorch: `nn.PoissonNLLLoss`).
 *
 * @param options `logInput`, true unless given; `full`, false unless given: adds Stirling's approximation of `log(t!)`; `eps`, 1e-8 unless given;
 * `reduction`
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.PoissonNLLLoss().forward(tensor([0]), tensor([3])).item()); // 1
 * ```
 */
export class PoissonNLLLoss extends Loss {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;

  constructor(options?: PoissonNllOptions) {
    const op = 'PoissonNLLLoss';
    super(op, options, ['logInput', 'full', 'eps']);
    this.logInput = checkBoolean(op, 'logInput', options?.logInput ?? true);
    this.full = checkBoolean(op, 'full', options?.full ?? false);
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-8);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { logInput, full, eps, reduction } = this;
    return poissonNllLoss(input, target, { logInput, full, eps, reduction });
  }
}

/**
 * Negative log likelihood of targets under normal distributions: `(log v + (input - target)^2 / v) / 2` with
 * `v = max(variance, eps)` (PyTorch: `nn.GaussianNLLLoss`).
 *
 * @param options `full`, false unless given: adds `log(2 pi) / 2`; `eps`, 1e-6 unless given; `reduction`
 * @throws TensorError `value` unless eps is above 0, or in forward for a negative variance; `shape` in forward where shapes do not go together
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.GaussianNLLLoss().forward(tensor([1, 2]), tensor([1, 4]), tensor([1, 1])).item()); // 1
 * ```
 */
export class GaussianNLLLoss extends Loss<[input: Tensor, target: Tensor, variance: Tensor]> {
  readonly full: boolean;
  readonly eps: number;

  constructor(options?: GaussianNllOptions) {
    const op = 'GaussianNLLLoss';
    super(op, options, ['full', 'eps']);
    this.full = checkBoolean(op, 'full', options?.full ?? false);
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-6, Number.MIN_VALUE);
  }

  forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    const { full, eps, reduction } = this;
    return gaussianNllLoss(input, target, variance, { full, eps, reduction });
  }
}
