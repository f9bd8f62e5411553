// Schedules made of schedules: one after another, and all at once.
import { prelude } from '../core/recording.js';
import { describe, TensorError } from '../errors.js';
import { checkSize } from '../nn/check.js';
import type { Optimizer } from './optimizer.js';
import { checkState, LRScheduler, Schedule, type ScheduleState } from './schedule.js';

/** Schedules of one optimizer, whose states are in the state of the whole. */
abstract class Joined extends Schedule {
  constructor(
    optimizer: Optimizer,
    protected readonly schedulers: readonly LRScheduler[],
  ) {
    super(optimizer);
    for (const [i, part] of schedulers.entries()) {
      if (part.optimizer !== optimizer) {
        throw new TensorError('value', this.name, `expected schedules of one optimizer, but number ${i} has another`);
      }
    }
  }

  protected static check(op: string, schedulers: unknown): readonly LRScheduler[] {
    const good =
      Array.isArray(schedulers) && schedulers.length > 0 && schedulers.every((part) => part instanceof LRScheduler);
    if (good) return [...schedulers];
    const wanted = 'a list of at least one schedule that counts epochs';
    throw new TensorError('value', op, `expected ${wanted}, got ${describe(schedulers)}`);
  }

  override stateDict(): ScheduleState {
    return { ...super.stateDict(), schedulers: this.schedulers.map((part) => part.stateDict()) };
  }

  override loadStateDict(saved: ScheduleState): void {
    const op = `${this.name}.loadStateDict`;
    const { schedulers: states, ...own } = saved ?? {};
    if (!Array.isArray(states) || states.length !== this.schedulers.length) {
      const wanted = `the states of ${this.schedulers.length} schedules`;
      throw new TensorError('value', op, `expected ${wanted} in schedulers, got ${describe(states)}`);
    }
    checkState(op, super.stateDict(), own);
    for (const [i, part] of this.schedulers.entries()) checkState(op, part.stateDict(), states[i]);
    for (const [i, part] of this.schedulers.entries()) part.loadStateDict(states[i]);
    Object.assign(this, structuredClone(own));
  }
}

/**
 * One schedule after another: at each milestone the next begins, at its epoch 0 (PyTorch: `optim.lr_scheduler.SequentialLR`).
 *
 * A warm-up is a {@link LinearLR} before something else.
 *
 * @param milestones epochs, one less than there are schedules, increasing
 * @throws TensorError `value` for schedules of another optimizer, or another number of milestones
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const { LinearLR, ExponentialLR, SequentialLR } = optim.lrScheduler;
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * const decay = new ExponentialLR(optimizer, 0.5);
 * const schedule = new SequentialLR(optimizer, [warmUp, decay], [2]);
 * const rates = [0, 1, 2, 3].map(() => {
 *   const [lr] = schedule.getLastLr();
 *   schedule.step();
 *   return lr;
 * });
 * console.log(rates); // [0.5, 0.75, 1, 0.5]
 * ```
 */
export class SequentialLR extends Joined {
  /** The epoch of the last step; 0 after construction. */
  lastEpoch = 0;
  private readonly milestones: number[];

  constructor(optimizer: Optimizer, schedulers: readonly LRScheduler[], milestones: readonly number[]) {
    super(optimizer, Joined.check('SequentialLR', schedulers));
    const { name } = this;
    if (!Array.isArray(milestones) || milestones.length !== schedulers.length - 1) {
      const got = Array.isArray(milestones) ? `${milestones.length}` : describe(milestones);
      throw new TensorError(
        'value',
        name,
        `expected ${schedulers.length - 1} milestones between schedules, got ${got}`,
      );
    }
    for (const [i, epoch] of milestones.entries()) {
      checkSize(name, 'each milestone', epoch, i === 0 ? 0 : milestones[i - 1] + 1);
    }
    this.milestones = [...milestones];
    // What the schedules did as they were made is undone; the first begins.
    for (const group of optimizer.paramGroups) group.lr = group.initialLr as number;
    for (const part of schedulers) part.lastEpoch--;
    schedulers[0].begin();
    this.lastLr = schedulers[0].getLastLr();
  }

  /** Goes on to the next epoch. */
  step(): void {
    prelude(this, () => {
      this.lastEpoch++;
      const { milestones, lastEpoch } = this;
      const i = milestones.filter((epoch) => epoch <= lastEpoch).length;
      const part = this.schedulers[i];
      if (i > 0 && milestones[i - 1] === lastEpoch) part.step(0);
      else part.step();
      this.lastLr = part.getLastLr();
    });
  }
}

/**
 * Several schedules that act at once, one on the rate of the other (PyTorch: `optim.lr_scheduler.ChainedScheduler`).
 *
 * @throws TensorError `value` for an empty list, or schedules of several optimizers
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const { ConstantLR, ExponentialLR, ChainedScheduler } = optim.lrScheduler;
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const parts = [new ConstantLR(optimizer, { factor: 0.5, totalIters: 2 }), new ExponentialLR(optimizer, 0.5)];
 * const schedule = new ChainedScheduler(parts);
 * schedule.step();
 * console.log(schedule.getLastLr()); // [0.25]
 * ```
 */
export class ChainedScheduler extends Joined {
  constructor(schedulers: readonly LRScheduler[]) {
    const parts = Joined.check('ChainedScheduler', schedulers);
    super(parts[0].optimizer, parts);
  }

  /** Goes on to the next epoch. */
  step(): void {
    prelude(this, () => {
      for (const part of this.schedulers) part.step();
      this.lastLr = this.optimizer.paramGroups.map((group) => group.lr);
    });
  }
}
