// ASGD: stochastic gradient descent that also averages what it passes through.
import { checkBoolean, checkNumber } from '../nn/check.js';
import type { Like, Update } from '../ops/optimize/update.js';
import type { Tensor } from '../tensor.js';
import { FusedOptimizer } from './fused.js';
import type { Params, StateFields } from './optimizer.js';

/** The options of {@link ASGD} for one group of parameters. */
export interface ASGDRule {
  /** Learning rate at the start. */
  lr: number;
  /** Decay of the parameters, and of the rate. */
  lambd: number;
  /** Exponent of the rate's decay. */
  alpha: number;
  /** The step at which averaging begins. */
  t0: number;
  /** Factor of the parameter added to its gradient. */
  weightDecay: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What ASGD remembers of a parameter; `ax` is the average. */
export interface ASGDState {
  /** Steps so far. */
  step: number;
  /** The rate of the next step. */
  eta: number;
  /** The share of the next value in the average. */
  mu: number;
  /** The average. */
  ax: Tensor;
}

/** Options of {@link ASGD}; what is left out has PyTorch's default. */
export type ASGDOptions = Partial<ASGDRule>;

/**
 * Averaged stochastic gradient descent: `p = (1 - lambd eta) p - eta g`, `a = a + mu (p - a)` with
 * `eta = lr / (1 + lambd lr t)^alpha` and `mu = 1 / max(1, t - t0)` (Polyak and Juditsky 1992; PyTorch: `torch.optim.ASGD`).
 * The average is in the state dict, as `ax`.
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 0.01, `lambd` 1e-4, `alpha` 0.75, `t0` 1e6, `weightDecay` 0, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.ASGD([p], { lr: 0.25, lambd: 0, t0: 0 });
 * for (let i = 0; i < 2; i++) {
 *   optimizer.zeroGrad();
 *   p.square().sum().backward();
 *   optimizer.step();
 * }
 * console.log(p.item(), optimizer.stateDict().state[0].step); // 0.25 2
 * ```
 */
export class ASGD extends FusedOptimizer<ASGDRule, ASGDState> {
  protected readonly fields: StateFields = { step: 'number', eta: 'number', mu: 'number', ax: 'tensor' };

  constructor(params: Params<ASGDRule>, options?: ASGDOptions) {
    const rest = { alpha: 0.75, t0: 1e6, weightDecay: 0, maximize: false };
    super(params, options, { lr: 1e-2, lambd: 1e-4, ...rest });
  }

  protected checkRule(rule: ASGDRule): void {
    for (const name of ['lr', 'weightDecay'] as const) checkNumber(this.name, name, rule[name], 0);
    for (const name of ['lambd', 'alpha', 't0'] as const) checkNumber(this.name, name, rule[name]);
    checkBoolean(this.name, 'maximize', rule.maximize);
  }

  protected begin({ lr }: ASGDRule, like: Like): ASGDState {
    return { step: 0, eta: lr, mu: 1, ax: like() };
  }

  protected next({ lr, lambd, alpha, t0 }: ASGDRule, state: ASGDState): Update {
    const { eta, mu } = state;
    const step = ++state.step;
    // The rate of a step was worked out at the step before, as in PyTorch.
    state.eta = lr / (1 + lambd * lr * step) ** alpha;
    state.mu = 1 / Math.max(1, step - t0);
    return { kernel: 'asgd', states: [state.ax], numbers: [1 - lambd * eta, eta, mu] };
  }
}
