// Schedules that multiply: by a function, at every epoch, at some epochs.
import { describe, TensorError } from '../errors.js';
import { checkNumber, checkSize } from '../nn/check.js';
import type { Optimizer } from './optimizer.js';
import { LRScheduler, type PerGroup, perGroup, type ScheduledGroup, type ScheduleOptions } from './schedule.js';

/** A factor by epoch. */
export type EpochFunction = (epoch: number) => number;

function functions(op: string, optimizer: Optimizer, given: PerGroup<EpochFunction>): EpochFunction[] {
  const list = perGroup(op, 'a function', optimizer, given);
  for (const fn of list) {
    if (typeof fn !== 'function') throw new TensorError('value', op, `expected functions, got ${describe(fn)}`);
  }
  return list;
}

/**
 * The initial rate times a function of the epoch (PyTorch: `optim.lr_scheduler.LambdaLR`). State dicts do not hold the function.
 *
 * @param lrLambda one function for all groups, or one for each
 * @throws TensorError `value` for another number of functions than groups
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 1 / (1 + epoch));
 * schedule.step();
 * console.log(optimizer.paramGroups[0].lr); // 0.5
 * ```
 */
export class LambdaLR extends LRScheduler {
  private readonly lambdas: EpochFunction[];

  constructor(optimizer: Optimizer, lrLambda: PerGroup<EpochFunction>, options?: ScheduleOptions) {
    super(optimizer, options);
    this.lambdas = functions(this.name, optimizer, lrLambda);
    this.begin();
  }

  protected rate(_: ScheduledGroup, base: number, i: number): number {
    return base * (this.lambdas[i] ?? this.lambdas[0])(this.lastEpoch);
  }
}

/**
 * The rate before times a function of the epoch, from epoch 1 on (PyTorch: `optim.lr_scheduler.MultiplicativeLR`). State
 * dicts do not hold the function.
 *
 * @param lrLambda one function for all groups, or one for each
 * @throws TensorError `value` for another number of functions than groups
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.MultiplicativeLR(optimizer, () => 0.5);
 * for (let i = 0; i < 3; i++) schedule.step();
 * console.log(optimizer.paramGroups[0].lr); // 0.125
 * ```
 */
export class MultiplicativeLR extends LRScheduler {
  private readonly lambdas: EpochFunction[];

  constructor(optimizer: Optimizer, lrLambda: PerGroup<EpochFunction>, options?: ScheduleOptions) {
    super(optimizer, options);
    this.lambdas = functions(this.name, optimizer, lrLambda);
    this.begin();
  }

  protected rate(group: ScheduledGroup, _: number, i: number): number {
    return this.lastEpoch > 0 ? group.lr * (this.lambdas[i] ?? this.lambdas[0])(this.lastEpoch) : group.lr;
  }
}

/** Options of {@link StepLR} and {@link MultiStepLR}. */
export interface StepLROptions extends ScheduleOptions {
  /** Factor of each decay; 0.1 unless given. */
  gamma?: number;
}

/**
 * Decays by `gamma` every `stepSize` epochs: `lr gamma^floor(epoch / stepSize)` (PyTorch: `optim.lr_scheduler.StepLR`).
 *
 * @throws TensorError `value` for a step size that is no whole number from 1 up
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.StepLR(optimizer, 2, { gamma: 0.5 });
 * for (let i = 0; i < 5; i++) schedule.step();
 * console.log(schedule.getLastLr()); // [0.25]
 * ```
 */
export class StepLR extends LRScheduler {
  private readonly gamma: number;

  constructor(
    optimizer: Optimizer,
    private readonly stepSize: number,
    options?: StepLROptions,
  ) {
    super(optimizer, options, ['gamma']);
    checkSize(this.name, 'stepSize', stepSize);
    this.gamma = checkNumber(this.name, 'gamma', options?.gamma ?? 0.1);
    this.begin();
  }

  protected rate(group: ScheduledGroup): number {
    return this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0 ? group.lr : group.lr * this.gamma;
  }

  protected override closed(_: ScheduledGroup, base: number): number {
    return base * this.gamma ** Math.floor(this.lastEpoch / this.stepSize);
  }
}

/**
 * Decays by `gamma` at every milestone, twice at one that is there twice (PyTorch: `optim.lr_scheduler.MultiStepLR`).
 *
 * @param milestones epochs, in any order
 * @throws TensorError `value` for milestones that are no whole numbers
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.MultiStepLR(optimizer, [1, 3], { gamma: 0.5 });
 * for (let i = 0; i < 3; i++) schedule.step();
 * console.log(schedule.getLastLr()); // [0.25]
 * ```
 */
export class MultiStepLR extends LRScheduler {
  private readonly milestones: number[];
  private readonly gamma: number;

  constructor(optimizer: Optimizer, milestones: readonly number[], options?: StepLROptions) {
    super(optimizer, options, ['gamma']);
    if (!Array.isArray(milestones)) {
      throw new TensorError('value', this.name, `expected a list of milestones, got ${describe(milestones)}`);
    }
    for (const epoch of milestones) checkSize(this.name, 'each milestone', epoch, 0);
    this.milestones = [...milestones];
    this.gamma = checkNumber(this.name, 'gamma', options?.gamma ?? 0.1);
    this.begin();
  }

  protected rate(group: ScheduledGroup): number {
    const times = this.milestones.filter((epoch) => epoch === this.lastEpoch).length;
    return times === 0 ? group.lr : group.lr * this.gamma ** times;
  }

  protected override closed(_: ScheduledGroup, base: number): number {
    return base * this.gamma ** this.milestones.filter((epoch) => epoch <= this.lastEpoch).length;
  }
}

/**
 * Decays by `gamma` at every epoch: `lr gamma^epoch` (PyTorch: `optim.lr_scheduler.ExponentialLR`).
 *
 * @throws TensorError `value` unless gamma is a number
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.ExponentialLR(optimizer, 0.5);
 * for (let i = 0; i < 3; i++) schedule.step();
 * console.log(schedule.getLastLr()); // [0.125]
 * ```
 */
export class ExponentialLR extends LRScheduler {
  constructor(
    optimizer: Optimizer,
    private readonly gamma: number,
    options?: ScheduleOptions,
  ) {
    super(optimizer, options);
    checkNumber(this.name, 'gamma', gamma);
    this.begin();
  }

  protected rate(group: ScheduledGroup): number {
    return this.lastEpoch === 0 ? group.lr : group.lr * this.gamma;
  }

  protected override closed(_: ScheduledGroup, base: number): number {
    return base * this.gamma ** this.lastEpoch;
  }
}
