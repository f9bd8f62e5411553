// Rprop and Lion: steps by the sign of the gradient.
import { describe, TensorError } from '../errors.js';
import { checkBoolean, checkNumber } from '../nn/check.js';
import type { CommonRule } from '../ops/optimize/crossing.js';
import { checkBetas } from '../ops/optimize/optimizer.js';
import type { Like, Update } from '../ops/optimize/update.js';
import type { Tensor } from '../tensor.js';
import { FusedOptimizer } from './fused.js';
import type { Params, StateFields } from './optimizer.js';

/** The options of {@link Rprop} for one group of parameters. */
export interface RpropRule {
  /** The first step. */
  lr: number;
  /** Factors of a step whose gradient changed its sign, and of one whose gradient kept it. */
  etas: readonly [number, number];
  /** The smallest and the largest step. */
  stepSizes: readonly [number, number];
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What Rprop remembers of a parameter. */
export interface RpropState {
  /** Steps so far. */
  step: number;
  /** The gradient before. */
  prev: Tensor;
  /** The step of each element. */
  stepSize: Tensor;
}

/** Options of {@link Rprop}; what is left out has PyTorch's default. */
export type RpropOptions = Partial<RpropRule>;

function checkTwo(op: string, name: string, value: unknown): readonly [number, number] {
  if (Array.isArray(value) && value.length === 2 && value.every((v) => typeof v === 'number' && !Number.isNaN(v))) {
    return value as [number, number];
  }
  throw new TensorError('value', op, `expected ${name} to be two numbers, got ${describe(value)}`);
}

/**
 * Resilient propagation: every element has a step of its own, that grows by `etas[1]` while its gradient keeps its sign and
 * shrinks by `etas[0]` where it changes; `p = p - sign(g) step`, without a move after a change (Riedmiller and Braun 1993;
 * PyTorch: `torch.optim.Rprop`). For full batches only.
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 0.01, `etas` [0.5, 1.2], `stepSizes` [1e-6, 50], `maximize` false unless given
 * @throws TensorError `value` for an option out of range: `0 < etas[0] < 1 < etas[1]`
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1, -2]));
 * const optimizer = new optim.Rprop([p], { lr: 0.5 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.toArray()); // [0.5, -1.5]
 * ```
 */
export class Rprop extends FusedOptimizer<RpropRule, RpropState> {
  protected readonly fields: StateFields = { step: 'number', prev: 'tensor', stepSize: 'tensor' };

  constructor(params: Params<RpropRule>, options?: RpropOptions) {
    super(params, options, { lr: 1e-2, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false });
  }

  protected checkRule(rule: RpropRule): void {
    checkNumber(this.name, 'lr', rule.lr, 0);
    const [less, more] = checkTwo(this.name, 'etas', rule.etas);
    if (!(less > 0 && less < 1 && more > 1)) {
      throw new TensorError(
        'value',
        this.name,
        `expected etas on either side of 1 and above 0, got ${describe(rule.etas)}`,
      );
    }
    checkTwo(this.name, 'stepSizes', rule.stepSizes);
    checkBoolean(this.name, 'maximize', rule.maximize);
  }

  protected begin(rule: RpropRule, like: Like): RpropState {
    return { step: 0, prev: like(), stepSize: like(rule.lr) };
  }

  protected next({ etas, stepSizes }: RpropRule, state: RpropState): Update {
    state.step++;
    const numbers = [etas[1], etas[0], ...stepSizes];
    return { kernel: 'rprop', states: [state.prev, state.stepSize], numbers };
  }
}

/** The options of {@link Lion} for one group of parameters. */
export interface LionRule {
  /** Learning rate. */
  lr: number;
  /** Share of the momentum in a step, and decay of the momentum. */
  betas: readonly [number, number];
  /** Decoupled: taken from the parameter itself. */
  weightDecay: number;
  /** Climb instead of descend. */
  maximize: boolean;
}

/** What Lion remembers of a parameter. */
export interface LionState {
  /** Running mean of the gradient. */
  expAvg: Tensor;
}

/** Options of {@link Lion}. */
export type LionOptions = Partial<LionRule>;

/**
 * Lion: `p = p - lr (sign(b1 m + (1 - b1) g) + weightDecay p)`, then `m = b2 m + (1 - b2) g` (Chen et al. 2023, Symbolic
 * Discovery of Optimization Algorithms; not in PyTorch). Its rates are 3 to 10 times smaller than AdamW's.
 *
 * @param params `model.parameters()`, or groups `{ params, lr, ... }`
 * @param options `lr` 1e-4, `betas` [0.9, 0.99], `weightDecay` 0, `maximize` false unless given
 * @throws TensorError `value` for an option out of range
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const p = new nn.Parameter(tensor([1, -2]));
 * const optimizer = new optim.Lion([p], { lr: 0.5 });
 * p.square().sum().backward();
 * optimizer.step();
 * console.log(p.toArray()); // [0.5, -1.5]
 * ```
 */
export class Lion extends FusedOptimizer<LionRule, LionState> {
  protected readonly fields: StateFields = { expAvg: 'tensor' };

  constructor(params: Params<LionRule>, options?: LionOptions) {
    super(params, options, { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false });
  }

  protected checkRule(rule: LionRule): void {
    for (const name of ['lr', 'weightDecay'] as const) checkNumber(this.name, name, rule[name], 0);
    checkBetas(this.name, rule.betas);
    checkBoolean(this.name, 'maximize', rule.maximize);
  }

  protected override common({ maximize }: LionRule): CommonRule {
    return { weightDecay: 0, maximize };
  }

  protected begin(_: LionRule, like: Like): LionState {
    return { expAvg: like() };
  }

  protected next({ lr, betas: [b1, b2], weightDecay }: LionRule, state: LionState): Update {
    const numbers = [b1, 1 - b1, 1 - lr * weightDecay, lr, b2, 1 - b2];
    return { kernel: 'lion', states: [state.expAvg], numbers };
  }
}
