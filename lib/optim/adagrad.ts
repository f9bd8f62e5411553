// Adagrad and Adadelta: steps scaled by what the squares of the gradients add up to.

import { checkBoolean, checkNumber } from '../nn/check.js';
import type { Like, Update } from '../ops/optimize/update.js';
import type { Tensor } from '../tensor.js';
import { FusedOptimizer } from './fused.js';
import type { Params, StateFields } from './optimizer.js';

/** The options of {@link Adagrad} for one group of parameters. */
export interface AdagradRule {
  /** Learning rate. */
  lr: number;
  /** The rate is divided by `1 + (t - 1) lrDecay`. */
  lrDecay: number;
  /** Factor of the parameter added to its gradient. */
  weightDecay: number;
  /** Where the sums of squares begin; a group's own counts, which PyTorch overlooks. */
  initialAccumulatorValue: number;
  /** Added to the root of the sum, against division by 0. */
  eps: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What Adagrad remembers of a parameter. */
export interface AdagradState {
  /** Steps so far. */
  step: number;
  /** Sum of the squared gradients. */
  sum: Tensor;
}

/** Options of {@link Adagrad}; what is left out has PyTorch's default. */
export type AdagradOptions = Partial<AdagradRule>;

/**
 * Adagrad: `s = s + g^2`, `p = p - lr / (1 + (t - 1) lrDecay) g / (sqrt(s) + eps)` (Duchi et al. 2011; PyTorch: `torch.optim.Adagrad`).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 0.01, `lrDecay` 0, `weightDecay` 0, `initialAccumulatorValue` 0, `eps` 1e-10, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1, -2]));
 * const optimizer = new optim.Adagrad([p], { lr: 0.5 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.toArray()); // [0.5, -1.5]
 * ```
 */
export class Adagrad extends FusedOptimizer<AdagradRule, AdagradState> {
  protected readonly fields: StateFields = { step: 'number', sum: 'tensor' };

  constructor(params: Params<AdagradRule>, options?: AdagradOptions) {
    const rest = { lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10, maximize: false };
    super(params, options, { lr: 1e-2, ...rest });
  }

  protected checkRule(rule: AdagradRule): void {
    for (const name of ['lr', 'lrDecay', 'weightDecay', 'initialAccumulatorValue', 'eps'] as const) {
      checkNumber(this.name, name, rule[name], 0);
    }
    checkBoolean(this.name, 'maximize', rule.maximize);
  }

  protected begin(rule: AdagradRule, like: Like): AdagradState {
    return { step: 0, sum: like(rule.initialAccumulatorValue) };
  }

  protected next({ lr, lrDecay, eps }: AdagradRule, state: AdagradState): Update {
    const rate = lr / (1 + state.step++ * lrDecay);
    return { kernel: 'adagrad', states: [state.sum], numbers: [rate, eps] };
  }
}

/** The options of {@link Adadelta} for one group of parameters. */
export interface AdadeltaRule {
  /** Factor of the step. */
  lr: number;
  /** Decay of the means of squares. */
  rho: number;
  /** Added to both means. */
  eps: number;
  /** Factor of the parameter added to its gradient. */
  weightDecay: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What Adadelta remembers of a parameter. */
export interface AdadeltaState {
  /** Steps so far. */
  step: number;
  /** Mean of the squared gradients. */
  squareAvg: Tensor;
  /** Mean of the squared steps. */
  accDelta: Tensor;
}

/** Options of {@link Adadelta}; what is left out has PyTorch's default. */
export type AdadeltaOptions = Partial<AdadeltaRule>;

/**
 * Adadelta: `v = rho v + (1 - rho) g^2`, `d = sqrt(u + eps) / sqrt(v + eps) g`, `u = rho u + (1 - rho) d^2`, `p = p - lr d`
 * (Zeiler 2012; PyTorch: `torch.optim.Adadelta`).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 1, `rho` 0.9, `eps` 1e-6, `weightDecay` 0, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.Adadelta([p], { rho: 0.75, eps: 1 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.item().toFixed(4)); // -0.4142
 * ```
 */
export class Adadelta extends FusedOptimizer<AdadeltaRule, AdadeltaState> {
  protected readonly fields: StateFields = { step: 'number', squareAvg: 'tensor', accDelta: 'tensor' };

  constructor(params: Params<AdadeltaRule>, options?: AdadeltaOptions) {
    super(params, options, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false });
  }

  protected checkRule(rule: AdadeltaRule): void {
    for (const name of ['lr', 'weightDecay', 'eps'] as const) checkNumber(this.name, name, rule[name], 0);
    checkNumber(this.name, 'rho', rule.rho, 0, 1);
    checkBoolean(this.name, 'maximize', rule.maximize);
  }

  protected begin(_: AdadeltaRule, like: Like): AdadeltaState {
    return { step: 0, squareAvg: like(), accDelta: like() };
  }

  protected next({ lr, rho, eps }: AdadeltaRule, state: AdadeltaState): Update {
    state.step++;
    return { kernel: 'adadelta', states: [state.squareAvg, state.accDelta], numbers: [rho, 1 - rho, eps, lr] };
  }
}
