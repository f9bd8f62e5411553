// Schedules that go from one factor to another within a number of epochs.
import { checkNumber, checkSize } from '../nn/check.js';
import type { Optimizer } from './optimizer.js';
import { LRScheduler, type ScheduledGroup, type ScheduleOptions } from './schedule.js';

/** Options of {@link ConstantLR}. */
export interface ConstantLROptions extends ScheduleOptions {
  /** Factor until `totalIters`; 1 / 3 unless given. */
  factor?: number;
  /** The epoch that ends it; 5 unless given. */
  totalIters?: number;
}

/**
 * A part of the rate until an epoch, all of it from there on (PyTorch: `optim.lr_scheduler.ConstantLR`).
 *
 * @throws TensorError `value` for a factor outside 0..1
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.ConstantLR(optimizer, { factor: 0.5, totalIters: 2 });
 * const rates = [0, 1, 2].map(() => {
 *   const [lr] = schedule.getLastLr();
 *   schedule.step();
 *   return lr;
 * });
 * console.log(rates); // [0.5, 0.5, 1]
 * ```
 */
export class ConstantLR extends LRScheduler {
  private readonly factor: number;
  private readonly totalIters: number;

  constructor(optimizer: Optimizer, options?: ConstantLROptions) {
    super(optimizer, options, ['factor', 'totalIters']);
    this.factor = checkNumber(this.name, 'factor', options?.factor ?? 1 / 3, 0, 1);
    this.totalIters = checkSize(this.name, 'totalIters', options?.totalIters ?? 5, 0);
    this.begin();
  }

  protected rate(group: ScheduledGroup, base: number): number {
    if (this.lastEpoch === 0) return group.lr * this.factor;
    if (this.lastEpoch !== this.totalIters) return group.lr;
    return this.factor === 0 ? base : group.lr * (1 / this.factor);
  }

  protected override closed(_: ScheduledGroup, base: number): number {
    return base * (this.factor + (this.lastEpoch >= this.totalIters ? 1 - this.factor : 0));
  }
}

/** Options of {@link LinearLR}. */
export interface LinearLROptions extends ScheduleOptions {
  /** Factor at epoch 0; 1 / 3 unless given. */
  startFactor?: number;
  /** Factor from `totalIters` on; 1 unless given. */
  endFactor?: number;
  /** The epoch that ends it; 5 unless given. */
  totalIters?: number;
}

/**
 * A factor that changes linearly, to warm up for example (PyTorch: `optim.lr_scheduler.LinearLR`).
 *
 * @throws TensorError `value` for a factor outside 0..1, or a start factor of 0, from which nothing can be multiplied up
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * console.log(schedule.getLastLr()); // [0.5]
 * schedule.step();
 * console.log(schedule.getLastLr()); // [0.75]
 * ```
 */
export class LinearLR extends LRScheduler {
  private readonly startFactor: number;
  private readonly endFactor: number;
  private readonly totalIters: number;

  constructor(optimizer: Optimizer, options?: LinearLROptions) {
    super(optimizer, options, ['startFactor', 'endFactor', 'totalIters']);
    this.startFactor = checkNumber(this.name, 'startFactor', options?.startFactor ?? 1 / 3, Number.MIN_VALUE, 1);
    this.endFactor = checkNumber(this.name, 'endFactor', options?.endFactor ?? 1, 0, 1);
    this.totalIters = checkSize(this.name, 'totalIters', options?.totalIters ?? 5, 0);
    this.begin();
  }

  protected rate(group: ScheduledGroup): number {
    const { lastEpoch, startFactor, totalIters } = this;
    if (lastEpoch === 0) return group.lr * startFactor;
    if (lastEpoch > totalIters) return group.lr;
    const rise = this.endFactor - startFactor;
    return group.lr * (1 + rise / (totalIters * startFactor + (lastEpoch - 1) * rise));
  }

  protected override closed(_: ScheduledGroup, base: number): number {
    const { lastEpoch, startFactor, endFactor, totalIters } = this;
    const done = totalIters === 0 ? 1 : Math.min(totalIters, lastEpoch) / totalIters;
    return base * (startFactor + (endFactor - startFactor) * done);
  }
}

/** Options of {@link PolynomialLR}. */
export interface PolynomialLROptions extends ScheduleOptions {
  /** The epoch at which the rate is 0; 5 unless given. */
  totalIters?: number;
  /** Exponent; 1, a line, unless given. */
  power?: number;
}

/**
 * Down to 0: `lr (1 - min(epoch, totalIters) / totalIters)^power` (PyTorch: `optim.lr_scheduler.PolynomialLR`).
 *
 * @throws TensorError `value` for a `totalIters` that is no whole number from 1 up
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.PolynomialLR(optimizer, { totalIters: 4 });
 * schedule.step();
 * console.log(schedule.getLastLr()); // [0.75]
 * ```
 */
export class PolynomialLR extends LRScheduler {
  private readonly totalIters: number;
  private readonly power: number;

  constructor(optimizer: Optimizer, options?: PolynomialLROptions) {
    super(optimizer, options, ['totalIters', 'power']);
    this.totalIters = checkSize(this.name, 'totalIters', options?.totalIters ?? 5);
    this.power = checkNumber(this.name, 'power', options?.power ?? 1);
    this.begin();
  }

  protected rate(group: ScheduledGroup): number {
    const { lastEpoch, totalIters } = this;
    if (lastEpoch === 0 || lastEpoch > totalIters) return group.lr;
    return group.lr * ((1 - lastEpoch / totalIters) / (1 - (lastEpoch - 1) / totalIters)) ** this.power;
  }

  protected override closed(_: ScheduledGroup, base: number): number {
    return base * (1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters) ** this.power;
  }
}
