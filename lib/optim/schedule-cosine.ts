// Schedules along a cosine, with and without restarts.
import { prelude } from '../core/recording.js';
import { checkNumber, checkSize } from '../nn/check.js';
import type { Optimizer } from './optimizer.js';
import { LRScheduler, type ScheduledGroup, type ScheduleOptions } from './schedule.js';

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions extends ScheduleOptions {
  /** The lowest rate; 0 unless given. */
  etaMin?: number;
}

/**
 * Along half a cosine down to `etaMin` at epoch `tMax`, and up again: `etaMin + (lr - etaMin) (1 + cos(pi epoch / tMax)) / 2`
 * (Loshchilov and Hutter 2016, without restarts; PyTorch: `optim.lr_scheduler.CosineAnnealingLR`).
 *
 * @throws TensorError `value` for a `tMax` that is no whole number from 1 up
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, 4);
 * for (let i = 0; i < 2; i++) schedule.step();
 * console.log(schedule.getLastLr()[0].toFixed(4)); // 0.5000
 * ```
 */
export class CosineAnnealingLR extends LRScheduler {
  private readonly etaMin: number;

  constructor(
    optimizer: Optimizer,
    private readonly tMax: number,
    options?: CosineAnnealingLROptions,
  ) {
    super(optimizer, options, ['etaMin']);
    checkSize(this.name, 'tMax', tMax);
    this.etaMin = checkNumber(this.name, 'etaMin', options?.etaMin ?? 0);
    this.begin();
  }

  protected rate(group: ScheduledGroup, base: number): number {
    const { lastEpoch, tMax, etaMin } = this;
    if (lastEpoch === 0) return group.lr;
    if (this.stepCount === 1) return this.closed(group, base);
    // From the lowest point nothing can be multiplied up.
    if ((lastEpoch - 1 - tMax) % (2 * tMax) === 0) {
      return group.lr + ((base - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    }
    const height = (epoch: number) => 1 + Math.cos((Math.PI * epoch) / tMax);
    return (height(lastEpoch) / height(lastEpoch - 1)) * (group.lr - etaMin) + etaMin;
  }

  protected override closed(_: ScheduledGroup, base: number): number {
    return this.etaMin + ((base - this.etaMin) * (1 + Math.cos((Math.PI * this.lastEpoch) / this.tMax))) / 2;
  }
}

/** Options of {@link CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions extends CosineAnnealingLROptions {
  /** Factor of the length after each restart; 1 unless given. */
  tMult?: number;
}

/**
 * Along half a cosine down to `etaMin`, then from the top again: the first time within `t0` epochs, then `tMult` times as many
 * each (Loshchilov and Hutter 2016; PyTorch: `optim.lr_scheduler.CosineAnnealingWarmRestarts`). `step(epoch + i / batches)`
 * moves within an epoch.
 *
 * @throws TensorError `value` for lengths that are no whole numbers from 1 up
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.CosineAnnealingWarmRestarts(optimizer, 2, { tMult: 2 });
 * schedule.step();
 * console.log(schedule.getLastLr()[0].toFixed(4)); // 0.5000
 * schedule.step();
 * console.log(schedule.getLastLr()); // [1]
 * ```
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  private readonly tMult: number;
  private readonly etaMin: number;
  /** Epochs since the restart. */
  private tCur: number;
  /** Epochs from one restart to the next. */
  private tI: number;

  constructor(
    optimizer: Optimizer,
    private readonly t0: number,
    options?: CosineAnnealingWarmRestartsOptions,
  ) {
    super(optimizer, options, ['tMult', 'etaMin']);
    this.tI = checkSize(this.name, 't0', t0);
    this.tMult = checkSize(this.name, 'tMult', options?.tMult ?? 1);
    this.etaMin = checkNumber(this.name, 'etaMin', options?.etaMin ?? 0);
    this.tCur = this.lastEpoch;
    this.begin();
  }

  override step(epoch?: number): void {
    if (epoch !== undefined) checkNumber(this.name, 'epoch', epoch, 0);
    prelude(this, () => this.goOn(epoch ?? (this.lastEpoch < 0 ? 0 : undefined)));
  }

  /** Goes to an epoch, or on to the next. */
  private goOn(at: number | undefined): void {
    this.stepCount++;
    if (at === undefined) {
      this.lastEpoch++;
      this.tCur++;
      if (this.tCur >= this.tI) {
        this.tCur -= this.tI;
        this.tI *= this.tMult;
      }
    } else {
      this.restartBefore(at);
      this.lastEpoch = Math.floor(at);
    }
    this.setRates(false);
  }

  /** Finds the restart before an epoch. */
  private restartBefore(epoch: number): void {
    const { t0, tMult } = this;
    if (epoch < t0) {
      this.tI = t0;
      this.tCur = epoch;
    } else if (tMult === 1) {
      this.tCur = epoch % t0;
    } else {
      const n = Math.floor(Math.log((epoch / t0) * (tMult - 1) + 1) / Math.log(tMult));
      this.tCur = epoch - (t0 * (tMult ** n - 1)) / (tMult - 1);
      this.tI = t0 * tMult ** n;
    }
  }

  protected rate(_: ScheduledGroup, base: number): number {
    return this.etaMin + ((base - this.etaMin) * (1 + Math.cos((Math.PI * this.tCur) / this.tI))) / 2;
  }
}
