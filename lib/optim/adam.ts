// Adam and AdamW: steps scaled by running means of the gradient and of its square.
import { type AdamRule, type AdamState, adamStep, checkAdamRule } from '../ops/optimize/optimizer.js';
import { Optimizer, type ParamGroup, type Params, type StateFields } from './optimizer.js';

/** Options of {@link Adam} and {@link AdamW}; what is left out has PyTorch's default. */
export type AdamOptions = Partial<AdamRule>;

/**
 * Adam: `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, `p = p - lr m' / (sqrt(v') + eps)` with `m' = m / (1 - b1^t)` and
 * `v' = v / (1 - b2^t)` (Kingma and Ba 2014; PyTorch: `torch.optim.Adam`).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 1e-3, `betas` [0.9, 0.999], `eps` 1e-8, `weightDecay` 0, `amsgrad` false, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, ones, optim } from 'chainrule';
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters(), { lr: 1e-2 });
 * model.forward(ones([4, 2])).square().mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class Adam extends Optimizer<AdamRule, AdamState> {
  /** What is used where an option is left out. */
  static readonly defaults: Readonly<AdamRule> = {
    lr: 1e-3,
    betas: [0.9, 0.999],
    eps: 1e-8,
    weightDecay: 0,
    amsgrad: false,
    maximize: false,
  };
  protected readonly fields: StateFields = {
    step: 'number',
    expAvg: 'tensor',
    expAvgSq: 'tensor',
    maxExpAvgSq: 'optional',
  };

  constructor(params: Params<AdamRule>, options?: AdamOptions) {
    super(params, options, new.target.defaults);
  }

  /** Whether weight decay acts on the parameter itself. */
  protected get decoupled(): boolean {
    return false;
  }

  protected checkRule(rule: AdamRule): void {
    checkAdamRule(this.name, rule);
  }

  protected update(group: ParamGroup<AdamRule>): void {
    adamStep(this.name, group.params, this.state, group, this.decoupled);
  }
}

/**
 * Adam with decoupled weight decay: `p = p - lr weightDecay p` first, then Adam's step on the plain gradient
 * (Loshchilov and Hutter 2017; PyTorch: `torch.optim.AdamW`).
 *
 * @param options those of {@link Adam}; `weightDecay` is 0.01 unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim } from 'chainrule';
 * const model = new nn.Linear(2, 1);
 * const { weight, bias } = model;
 * const groups = [{ params: [weight] }, { params: bias ? [bias] : [], weightDecay: 0 }];
 * console.log(new optim.AdamW(groups, { lr: 1e-3 }).paramGroups.length); // 2
 * ```
 */
export class AdamW extends Adam {
  static override readonly defaults: Readonly<AdamRule> = { ...Adam.defaults, weightDecay: 0.01 };

  protected override get decoupled(): boolean {
    return true;
  }
}
