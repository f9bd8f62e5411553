// Adamax, NAdam and RAdam: Adam with another norm, with Nesterov's momentum, with a rectified start.

import { checkBoolean, checkNumber } from '../nn/check.js';
import { checkBetas } from '../ops/optimize/optimizer.js';
import type { Like, Update } from '../ops/optimize/update.js';
import type { Tensor } from '../tensor.js';
import { FusedOptimizer } from './fused.js';
import type { Params, StateFields } from './optimizer.js';

/** The options of {@link Adamax} and {@link RAdam} for one group of parameters. */
export interface AdamaxRule {
  /** Learning rate. */
  lr: number;
  /** Decay of the mean of the gradient and of its norm. */
  betas: readonly [number, number];
  /** Against division by 0. */
  eps: number;
  /** Factor of the parameter added to its gradient. */
  weightDecay: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** The options of {@link NAdam} for one group of parameters. */
export interface NAdamRule extends AdamaxRule {
  /** How fast the momentum grows towards its full size. */
  momentumDecay: number;
}

/** What Adamax remembers of a parameter. */
export interface AdamaxState {
  /** Steps so far. */
  step: number;
  /** Running mean of the gradient. */
  expAvg: Tensor;
  /** Its largest size, which decays. */
  expInf: Tensor;
}

/** What RAdam remembers of a parameter. */
export interface RAdamState {
  /** Steps so far. */
  step: number;
  /** Running mean of the gradient. */
  expAvg: Tensor;
  /** Running mean of its square. */
  expAvgSq: Tensor;
}

/** What NAdam remembers of a parameter. */
export interface NAdamState extends RAdamState {
  /** Product of all momenta so far. */
  muProduct: number;
}

/** Options of {@link Adamax}; what is left out has PyTorch's default. */
export type AdamaxOptions = Partial<AdamaxRule>;
/** Options of {@link NAdam}; what is left out has PyTorch's default. */
export type NAdamOptions = Partial<NAdamRule>;
/** Options of {@link RAdam}; what is left out has PyTorch's default. */
export type RAdamOptions = Partial<AdamaxRule>;

function checkAdamax(op: string, rule: AdamaxRule): void {
  for (const name of ['lr', 'eps', 'weightDecay'] as const) checkNumber(op, name, rule[name], 0);
  checkBetas(op, rule.betas);
  checkBoolean(op, 'maximize', rule.maximize);
}

const BETAS = [0.9, 0.999] as const;

/**
 * Adam by the largest gradient: `m = b1 m + (1 - b1) g`, `u = max(b2 u, |g| + eps)`, `p = p - lr / (1 - b1^t) m / u`
 * (Kingma and Ba 2014; PyTorch: `torch.optim.Adamax`).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 2e-3, `betas` [0.9, 0.999], `eps` 1e-8, `weightDecay` 0, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1, -2]));
 * const optimizer = new optim.Adamax([p], { lr: 0.5 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.toArray()); // [0.5, -1.5]
 * ```
 */
export class Adamax extends FusedOptimizer<AdamaxRule, AdamaxState> {
  protected readonly fields: StateFields = { step: 'number', expAvg: 'tensor', expInf: 'tensor' };

  constructor(params: Params<AdamaxRule>, options?: AdamaxOptions) {
    super(params, options, { lr: 2e-3, betas: BETAS, eps: 1e-8, weightDecay: 0, maximize: false });
  }

  protected checkRule(rule: AdamaxRule): void {
    checkAdamax(this.name, rule);
  }

  protected begin(_: AdamaxRule, like: Like): AdamaxState {
    return { step: 0, expAvg: like(), expInf: like() };
  }

  protected next({ lr, betas: [b1, b2], eps }: AdamaxRule, state: AdamaxState): Update {
    const rate = lr / (1 - b1 ** ++state.step);
    return { kernel: 'adamax', states: [state.expAvg, state.expInf], numbers: [b1, 1 - b1, b2, eps, rate] };
  }
}

/**
 * Adam with Nesterov's momentum: `mu_t = b1 (1 - 0.96^(t momentumDecay) / 2)`, m and v as in {@link Adam},
 * `p = p - lr ((1 - mu_t) / (1 - prod mu) g + mu_(t+1) / (1 - prod mu mu_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps)`
 * (Dozat 2016; PyTorch: `torch.optim.NAdam`, whose version 1.13 takes `mu_t` twice into the product of the second term; so does
 * this one).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 2e-3, `betas` [0.9, 0.999], `eps` 1e-8, `weightDecay` 0, `momentumDecay` 4e-3, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.NAdam([p], { lr: 0.5 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.item() < 1); // true
 * ```
 */
export class NAdam extends FusedOptimizer<NAdamRule, NAdamState> {
  protected readonly fields: StateFields = {
    step: 'number',
    muProduct: 'number',
    expAvg: 'tensor',
    expAvgSq: 'tensor',
  };

  constructor(params: Params<NAdamRule>, options?: NAdamOptions) {
    const rest = { eps: 1e-8, weightDecay: 0, momentumDecay: 4e-3, maximize: false };
    super(params, options, { lr: 2e-3, betas: BETAS, ...rest });
  }

  protected checkRule(rule: NAdamRule): void {
    checkAdamax(this.name, rule);
    checkNumber(this.name, 'momentumDecay', rule.momentumDecay, 0);
  }

  protected begin(_: NAdamRule, like: Like): NAdamState {
    return { step: 0, muProduct: 1, expAvg: like(), expAvgSq: like() };
  }

  protected next(rule: NAdamRule, state: NAdamState): Update {
    const { lr, eps, momentumDecay } = rule;
    const [b1, b2] = rule.betas;
    const step = ++state.step;
    const mu = b1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
    const nextMu = b1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentumDecay));
    state.muProduct *= mu;
    const ofGradient = (lr * (1 - mu)) / (1 - state.muProduct);
    const ofMean = (lr * nextMu) / (1 - state.muProduct * mu * nextMu);
    return {
      kernel: 'nadam',
      states: [state.expAvg, state.expAvgSq],
      numbers: [b1, 1 - b1, b2, 1 - b2, 1 - b2 ** step, eps, ofGradient, ofMean],
    };
  }
}

/**
 * Adam whose step is scaled by how well the second mean is known: m and v as in {@link Adam}, `p = p - lr m' r sqrt(1 - b2^t) /
 * (sqrt(v) + eps)` with `m' = m / (1 - b1^t)` and `r = sqrt((q - 4)(q - 2) Q / ((Q - 4)(Q - 2) q))`,
 * `Q = 2 / (1 - b2) - 1`, `q = Q - 2 t b2^t / (1 - b2^t)`; while `q <= 5`, `p = p - lr m'` (Liu et al. 2019; PyTorch:
 * `torch.optim.RAdam`).
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 1e-3, `betas` [0.9, 0.999], `eps` 1e-8, `weightDecay` 0, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1]));
 * const optimizer = new optim.RAdam([p], { lr: 0.25 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.item().toFixed(4)); // 0.5000
 * ```
 */
export class RAdam extends FusedOptimizer<AdamaxRule, RAdamState> {
  protected readonly fields: StateFields = { step: 'number', expAvg: 'tensor', expAvgSq: 'tensor' };

  constructor(params: Params<AdamaxRule>, options?: RAdamOptions) {
    super(params, options, { lr: 1e-3, betas: BETAS, eps: 1e-8, weightDecay: 0, maximize: false });
  }

  protected checkRule(rule: AdamaxRule): void {
    checkAdamax(this.name, rule);
  }

  protected begin(_: AdamaxRule, like: Like): RAdamState {
    return { step: 0, expAvg: like(), expAvgSq: like() };
  }

  protected next({ lr, betas: [b1, b2], eps }: AdamaxRule, state: RAdamState): Update {
    const step = ++state.step;
    const states = [state.expAvg, state.expAvgSq];
    const rest = 1 - b2 ** step;
    const longest = 2 / (1 - b2) - 1;
    const length = longest - (2 * step * b2 ** step) / rest;
    const numbers = [b1, 1 - b1, b2, 1 - b2, 1 - b1 ** step, lr];
    if (length <= 5) return { kernel: 'radamBegin', states, numbers };
    const known = ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length);
    numbers.push(Math.sqrt(rest), eps, Math.sqrt(known));
    return { kernel: 'radam', states, numbers };
  }
}
