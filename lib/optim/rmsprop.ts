// RMSprop: steps scaled by a running mean of the squared gradient.
import { checkBoolean, checkNumber } from '../nn/check.js';
import type { Like, Update } from '../ops/optimize/update.js';
import type { Tensor } from '../tensor.js';
import { FusedOptimizer } from './fused.js';
import type { Params, StateFields } from './optimizer.js';

/** The options of {@link RMSprop} for one group of parameters. */
export interface RMSpropRule {
  /** Learning rate. */
  lr: number;
  /** Decay of the means. */
  alpha: number;
  /** Added to the root, against division by 0. */
  eps: number;
  /** Factor of the parameter added to its gradient. */
  weightDecay: number;
  /** Share of the previous step that is kept. */
  momentum: number;
  /** Divide by the deviation in place of the root mean square. */
  centered: boolean;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What RMSprop remembers of a parameter. */
export interface RMSpropState {
  /** Steps so far. */
  step: number;
  /** Mean of the squared gradients. */
  squareAvg: Tensor;
  /** Sum of the steps, with momentum. */
  momentumBuffer?: Tensor;
  /** Mean of the gradients, where they are centered. */
  gradAvg?: Tensor;
}

/** Options of {@link RMSprop}; what is left out has PyTorch's default. */
export type RMSpropOptions = Partial<RMSpropRule>;

/**
 * RMSprop: `v = alpha v + (1 - alpha) g^2`, `p = p - lr g / (sqrt(v) + eps)`; centered takes `v - m^2` in place of v, with
 * `m = alpha m + (1 - alpha) g`; momentum adds up the steps (Hinton, Lecture 6e of his course, 2012; Graves 2013 for the
 * centered form; PyTorch: `torch.optim.RMSprop`).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 0.01, `alpha` 0.99, `eps` 1e-8, `weightDecay` 0, `momentum` 0, `centered` false, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.RMSprop([p], { lr: 0.25, alpha: 0.75, eps: 0 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.item()); // 0.5
 * ```
 */
export class RMSprop extends FusedOptimizer<RMSpropRule, RMSpropState> {
  protected readonly fields: StateFields = {
    step: 'number',
    squareAvg: 'tensor',
    momentumBuffer: 'optional',
    gradAvg: 'optional',
  };

  constructor(params: Params<RMSpropRule>, options?: RMSpropOptions) {
    const rest = { eps: 1e-8, weightDecay: 0, momentum: 0, centered: false, maximize: false };
    super(params, options, { lr: 1e-2, alpha: 0.99, ...rest });
  }

  protected checkRule(rule: RMSpropRule): void {
    for (const name of ['lr', 'alpha', 'eps', 'weightDecay', 'momentum'] as const) {
      checkNumber(this.name, name, rule[name], 0);
    }
    checkBoolean(this.name, 'centered', rule.centered);
    checkBoolean(this.name, 'maximize', rule.maximize);
  }

  protected begin(_: RMSpropRule, like: Like): RMSpropState {
    return { step: 0, squareAvg: like() };
  }

  protected next(rule: RMSpropRule, state: RMSpropState, like: Like): Update {
    const { lr, alpha, eps, momentum, centered } = rule;
    state.step++;
    const states = [state.squareAvg];
    let kernel = 'rmsprop';
    if (centered) {
      kernel += 'Centered';
      state.gradAvg ??= like();
      states.push(state.gradAvg);
    }
    if (momentum > 0) {
      kernel += 'Momentum';
      state.momentumBuffer ??= like();
      states.push(state.momentumBuffer);
    }
    return { kernel, states, numbers: [alpha, 1 - alpha, lr, eps, momentum] };
  }
}
