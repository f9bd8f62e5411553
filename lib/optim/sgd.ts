// SGD: stochastic gradient descent.
import { checkSgdRule, type SgdRule, type SgdState, sgdStep } from '../ops/optimize/optimizer.js';
import { Optimizer, type ParamGroup, type Params, type StateFields } from './optimizer.js';

const DEFAULTS: SgdRule = { lr: 1e-3, momentum: 0, dampening: 0, nesterov: false, weightDecay: 0, maximize: false };

/** Options of {@link SGD}; what is left out has PyTorch's default. */
export type SgdOptions = Partial<SgdRule>;

/**
 * Stochastic gradient descent, with momentum if asked: `b = momentum b + (1 - dampening) g`, `p = p - lr b`
 * (PyTorch: `torch.optim.SGD`).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 1e-3, `momentum` 0, `dampening` 0, `nesterov` false, `weightDecay` 0, `maximize` false unless given
 * @throws TensorError `value` for an option out of range, or nesterov without momentum
 *
 * @example
 * ```ts
 * import { nn, ones, optim } from 'chainrule';
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
 * model.forward(ones([4, 2])).mean().backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * ```
 */
export class SGD extends Optimizer<SgdRule, SgdState> {
  protected readonly fields: StateFields = { momentumBuffer: 'tensor' };

  constructor(params: Params<SgdRule>, options?: SgdOptions) {
    super(params, options, DEFAULTS);
  }

  protected checkRule(rule: SgdRule): void {
    checkSgdRule(this.name, rule);
  }

  protected update(group: ParamGroup<SgdRule>): void {
    sgdStep(this.name, group.params, this.state, group);
  }
}
