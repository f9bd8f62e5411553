// ReduceLROnPlateau: a schedule that watches a number.
import { recording } from '../core/recording.js';
import { checkOptions, TensorError } from '../errors.js';
import { checkChoice, checkNumber, checkSize } from '../nn/check.js';
import { Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { type PerGroup, perGroup, Schedule } from './schedule.js';

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether smaller numbers are better, or larger ones; 'min' unless given. */
  mode?: 'min' | 'max';
  /** Factor of a decay, below 1; 0.1 unless given. */
  factor?: number;
  /** Steps without improvement that are borne; 10 unless given. */
  patience?: number;
  /** What counts as an improvement; 1e-4 unless given. */
  threshold?: number;
  /** Whether the threshold is a part of the best number or a difference; 'rel' unless given. */
  thresholdMode?: 'rel' | 'abs';
  /** Steps after a decay in which nothing is counted; 0 unless given. */
  cooldown?: number;
  /** The lowest rate; 0 unless given. */
  minLr?: PerGroup<number>;
  /** A decay by no more than this is left out; 1e-8 unless given. */
  eps?: number;
}

/**
 * Decays by `factor` where a number, the loss of a validation for example, has not improved for more than `patience` steps
 * (PyTorch: `optim.lr_scheduler.ReduceLROnPlateau`).
 *
 * @throws TensorError `value` for a factor of 1 or more
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.5 });
 * for (const loss of [3, 2, 2, 2]) schedule.step(loss);
 * console.log(schedule.getLastLr()); // [0.5]
 * ```
 */
export class ReduceLROnPlateau extends Schedule {
  private readonly mode: 'min' | 'max';
  private readonly factor: number;
  private readonly patience: number;
  private readonly threshold: number;
  private readonly thresholdMode: 'rel' | 'abs';
  private readonly cooldown: number;
  private readonly minLrs: number[];
  private readonly eps: number;
  /** Null before the first step. */
  private best: number | null = null;
  private numBadEpochs = 0;
  private cooldownCounter = 0;
  /** How many steps there were. */
  lastEpoch = 0;

  constructor(optimizer: Optimizer, options?: ReduceLROnPlateauOptions) {
    super(optimizer);
    const { name } = this;
    const known = ['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'eps'];
    checkOptions(name, options, known);
    this.mode = checkChoice(name, 'mode', options?.mode ?? 'min', ['min', 'max']);
    this.factor = checkNumber(name, 'factor', options?.factor ?? 0.1, 0);
    if (this.factor >= 1) throw new TensorError('value', name, `expected a factor below 1, got ${this.factor}`);
    this.patience = checkSize(name, 'patience', options?.patience ?? 10, 0);
    this.threshold = checkNumber(name, 'threshold', options?.threshold ?? 1e-4);
    this.thresholdMode = checkChoice(name, 'thresholdMode', options?.thresholdMode ?? 'rel', ['rel', 'abs']);
    this.cooldown = checkSize(name, 'cooldown', options?.cooldown ?? 0, 0);
    this.minLrs = perGroup(name, 'minLr', optimizer, options?.minLr ?? 0).map((lr) =>
      checkNumber(name, 'minLr', lr, 0),
    );
    this.eps = checkNumber(name, 'eps', options?.eps ?? 1e-8, 0);
  }

  /**
   * Takes the number that is watched; NaN is no improvement.
   *
   * @throws TensorError `value` for what is no number, `capture` inside a captured function
   */
  step(metric: number | Tensor): void {
    if (recording !== null) {
      throw new TensorError(
        'capture',
        this.name,
        'expected no step() of this schedule inside a captured function, where the number it watches would stay as it is now; call it outside',
      );
    }
    const current = metric instanceof Tensor ? metric.item() : metric;
    if (typeof current !== 'number') throw new TensorError('value', this.name, 'expected a number to watch in step()');
    this.lastEpoch++;
    if (this.better(current)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = this.optimizer.paramGroups.map((group) => group.lr);
  }

  private better(current: number): boolean {
    const { best, threshold } = this;
    const sign = this.mode === 'min' ? -1 : 1;
    if (best === null) return sign * current > -Infinity;
    const needed = this.thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
    return this.mode === 'min' ? current < needed : current > needed;
  }

  private reduce(): void {
    for (const [i, group] of this.optimizer.paramGroups.entries()) {
      const lr = Math.max(group.lr * this.factor, this.minLrs[i] ?? 0);
      if (group.lr - lr > this.eps) group.lr = lr;
    }
  }
}
