// Schedules that go up and down by steps, the momentum against the rate: CyclicLR and OneCycleLR.
import { TensorError } from '../errors.js';
import { checkBoolean, checkChoice, checkNumber, checkSize } from '../nn/check.js';
import type { Optimizer } from './optimizer.js';
import { LRScheduler, type PerGroup, perGroup, type ScheduledGroup, type ScheduleOptions } from './schedule.js';

/** What cycling the momentum shares. */
export interface MomentumOptions extends ScheduleOptions {
  /** Whether the momentum, or the first of `betas`, goes against the rate; true unless given. */
  cycleMomentum?: boolean;
  /** The momentum at the highest rate. */
  baseMomentum?: PerGroup<number>;
  /** The momentum at the lowest rate. */
  maxMomentum?: PerGroup<number>;
}

const MOMENTUM = ['cycleMomentum', 'baseMomentum', 'maxMomentum'];

type WithMomentum = ScheduledGroup & { momentum?: number; betas?: readonly number[] };

/** A schedule that sets the momentum too. */
abstract class Cycle extends LRScheduler {
  protected baseMomentums: number[] = [];
  protected maxMomentums: number[] = [];

  /** The momentum of group `i` at `lastEpoch`. */
  protected abstract momentum(i: number): number;

  protected takeMomentum(options: MomentumOptions | undefined, base: number, max: number): void {
    if (!checkBoolean(this.name, 'cycleMomentum', options?.cycleMomentum ?? true)) return;
    const { optimizer, name } = this;
    for (const group of optimizer.paramGroups as WithMomentum[]) {
      if (group.momentum === undefined && group.betas === undefined) {
        const remedy = 'pass { cycleMomentum: false }';
        throw new TensorError('value', name, `expected an optimizer with momentum or betas, got neither; ${remedy}`);
      }
    }
    const list = (key: string, value: PerGroup<number>) =>
      perGroup(name, key, optimizer, value).map((m) => checkNumber(name, key, m, 0, 1));
    this.baseMomentums = list('baseMomentum', options?.baseMomentum ?? base);
    this.maxMomentums = list('maxMomentum', options?.maxMomentum ?? max);
  }

  protected override setRates(closed: boolean): void {
    super.setRates(closed);
    for (const [i, group] of (this.optimizer.paramGroups as WithMomentum[]).entries()) {
      if (this.baseMomentums[i] === undefined) continue;
      const value = this.momentum(i);
      if (group.betas !== undefined) group.betas = [value, ...group.betas.slice(1)];
      else group.momentum = value;
    }
  }
}

function rates(op: string, name: string, optimizer: Optimizer, given: PerGroup<number>): number[] {
  return perGroup(op, name, optimizer, given).map((lr) => checkNumber(op, name, lr, 0));
}

const MODES = ['triangular', 'triangular2', 'expRange'] as const;

/** Options of {@link CyclicLR}. */
export interface CyclicLROptions extends MomentumOptions {
  /** Steps from the lowest rate to the highest; 2000 unless given. */
  stepSizeUp?: number;
  /** Steps back; as many unless given. */
  stepSizeDown?: number;
  /** What becomes of the height: it stays, halves with every cycle, or shrinks by `gamma` with every step; 'triangular' unless given. */
  mode?: (typeof MODES)[number];
  /** Factor of 'expRange'; 1 unless given. */
  gamma?: number;
  /** Factor of the height in place of a mode. */
  scaleFn?: (x: number) => number;
  /** What goes into `scaleFn`: the number of the cycle, from 1, or of the step; 'cycle' unless given. */
  scaleMode?: 'cycle' | 'iterations';
}

/**
 * Up and down between two rates, linearly (Smith 2015; PyTorch: `optim.lr_scheduler.CyclicLR`). Step after every batch.
 *
 * @param options momentum goes from `maxMomentum` 0.9 down to `baseMomentum` 0.8 unless given; `betas[0]` where there is no momentum
 * @throws TensorError `value` for an optimizer without momentum unless `cycleMomentum` is false
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1, momentum: 0.9 });
 * const schedule = new optim.lrScheduler.CyclicLR(optimizer, 0, 1, { stepSizeUp: 2 });
 * for (let i = 0; i < 3; i++) schedule.step();
 * console.log(schedule.getLastLr(), optimizer.paramGroups[0].lr); // [0.5] 0.5
 * ```
 */
export class CyclicLR extends Cycle {
  private readonly maxLrs: number[];
  private readonly totalSize: number;
  private readonly stepRatio: number;
  private readonly mode: (typeof MODES)[number];
  private readonly gamma: number;
  private readonly scaleFn: ((x: number) => number) | undefined;
  private readonly scaleMode: 'cycle' | 'iterations';

  constructor(optimizer: Optimizer, baseLr: PerGroup<number>, maxLr: PerGroup<number>, options?: CyclicLROptions) {
    const own = ['stepSizeUp', 'stepSizeDown', 'mode', 'gamma', 'scaleFn', 'scaleMode'];
    super(optimizer, options, [...own, ...MOMENTUM]);
    const { name } = this;
    const low = rates(name, 'baseLr', optimizer, baseLr);
    this.maxLrs = rates(name, 'maxLr', optimizer, maxLr);
    const up = checkSize(name, 'stepSizeUp', options?.stepSizeUp ?? 2000);
    this.totalSize = up + checkSize(name, 'stepSizeDown', options?.stepSizeDown ?? up);
    this.stepRatio = up / this.totalSize;
    this.mode = checkChoice(name, 'mode', options?.mode ?? 'triangular', MODES);
    this.gamma = checkNumber(name, 'gamma', options?.gamma ?? 1);
    this.scaleFn = options?.scaleFn;
    if (this.scaleFn !== undefined && typeof this.scaleFn !== 'function') {
      throw new TensorError('value', name, 'expected scaleFn to be a function');
    }
    const by = checkChoice(name, 'scaleMode', options?.scaleMode ?? 'cycle', ['cycle', 'iterations']);
    this.scaleMode = this.scaleFn !== undefined ? by : this.mode === 'expRange' ? 'iterations' : 'cycle';
    this.takeMomentum(options, 0.8, 0.9);
    this.baseLrs = low;
    this.begin();
  }

  private scale(x: number): number {
    if (this.scaleFn !== undefined) return this.scaleFn(x);
    return this.mode === 'triangular' ? 1 : this.mode === 'triangular2' ? 1 / 2 ** (x - 1) : this.gamma ** x;
  }

  /** How much of the height there is at `lastEpoch`. */
  private height(): number {
    const { lastEpoch, totalSize, stepRatio } = this;
    const cycle = Math.floor(1 + lastEpoch / totalSize);
    const x = 1 + lastEpoch / totalSize - cycle;
    const factor = x <= stepRatio ? x / stepRatio : (x - 1) / (stepRatio - 1);
    return factor * this.scale(this.scaleMode === 'cycle' ? cycle : lastEpoch);
  }

  protected rate(_: ScheduledGroup, base: number, i: number): number {
    return base + ((this.maxLrs[i] ?? base) - base) * this.height();
  }

  protected momentum(i: number): number {
    return this.maxMomentums[i] - (this.maxMomentums[i] - this.baseMomentums[i]) * this.height();
  }
}

/** Options of {@link OneCycleLR}. */
export interface OneCycleLROptions extends MomentumOptions {
  /** Steps of the whole cycle; or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number;
  /** Epochs of the cycle. */
  epochs?: number;
  /** Steps of an epoch. */
  stepsPerEpoch?: number;
  /** Part of the cycle on the way up; 0.3 unless given. */
  pctStart?: number;
  /** The way between two rates; 'cos' unless given. */
  annealStrategy?: 'cos' | 'linear';
  /** The highest rate divided by the first; 25 unless given. */
  divFactor?: number;
  /** The first rate divided by the last; 1e4 unless given. */
  finalDivFactor?: number;
  /** Down to the first rate as long as up, then to the last; false, straight to the last, unless given. */
  threePhase?: boolean;
}

/** Where a phase ends, and how rate and momentum change in it, by their names. */
interface Phase {
  end: number;
  from: 'initial' | 'max';
  to: 'initial' | 'max' | 'min';
}

/**
 * Once up from `maxLr / divFactor` to `maxLr` and down to `maxLr / divFactor / finalDivFactor` (Smith and Topin 2017; PyTorch:
 * `optim.lr_scheduler.OneCycleLR`). Step after every batch.
 *
 * @param options momentum goes from `maxMomentum` 0.95 down to `baseMomentum` 0.85 and back unless given
 * @throws TensorError `value` without a number of steps, for an optimizer without momentum unless `cycleMomentum` is
 * false, and in step beyond the last
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.Adam([new nn.Parameter(zeros([1]))]);
 * const schedule = new optim.lrScheduler.OneCycleLR(optimizer, 1, { totalSteps: 10, pctStart: 0.4 });
 * for (let i = 0; i < 3; i++) schedule.step();
 * console.log(schedule.getLastLr(), optimizer.paramGroups[0].betas); // [1] [0.85, 0.999]
 * ```
 */
export class OneCycleLR extends Cycle {
  private readonly maxLrs: number[];
  private readonly minLrs: number[];
  private readonly totalSteps: number;
  private readonly pctStart: number;
  private readonly annealStrategy: 'cos' | 'linear';
  private readonly threePhase: boolean;

  constructor(optimizer: Optimizer, maxLr: PerGroup<number>, options?: OneCycleLROptions) {
    const steps = ['totalSteps', 'epochs', 'stepsPerEpoch', 'pctStart', 'annealStrategy'];
    super(optimizer, options, [...steps, 'divFactor', 'finalDivFactor', 'threePhase', ...MOMENTUM]);
    const { name } = this;
    if (options?.totalSteps !== undefined) this.totalSteps = checkSize(name, 'totalSteps', options.totalSteps);
    else {
      const epochs = checkSize(name, 'epochs, without totalSteps,', options?.epochs);
      this.totalSteps = epochs * checkSize(name, 'stepsPerEpoch, without totalSteps,', options?.stepsPerEpoch);
    }
    this.pctStart = checkNumber(name, 'pctStart', options?.pctStart ?? 0.3, 0, 1);
    this.annealStrategy = checkChoice(name, 'annealStrategy', options?.annealStrategy ?? 'cos', ['cos', 'linear']);
    this.threePhase = checkBoolean(name, 'threePhase', options?.threePhase ?? false);
    this.maxLrs = rates(name, 'maxLr', optimizer, maxLr);
    const first = checkNumber(name, 'divFactor', options?.divFactor ?? 25, Number.MIN_VALUE);
    const last = checkNumber(name, 'finalDivFactor', options?.finalDivFactor ?? 1e4, Number.MIN_VALUE);
    this.takeMomentum(options, 0.85, 0.95);
    if (this.lastEpoch === -1) this.baseLrs = this.maxLrs.map((lr) => lr / first);
    for (const [i, group] of optimizer.paramGroups.entries()) group.initialLr = this.baseLrs[i];
    this.minLrs = this.baseLrs.map((lr) => lr / last);
    this.begin();
  }

  private phases(): Phase[] {
    const up = this.pctStart * this.totalSteps;
    const rise: Phase = { end: up - 1, from: 'initial', to: 'max' };
    const end = this.totalSteps - 1;
    if (!this.threePhase) return [rise, { end, from: 'max', to: 'min' }];
    return [rise, { end: 2 * up - 2, from: 'max', to: 'initial' }, { end, from: 'initial', to: 'min' }];
  }

  /** The phase of `lastEpoch`, and the place in it from 0 to 1. */
  private place(): { phase: Phase; part: number } {
    const { lastEpoch } = this;
    if (lastEpoch > this.totalSteps) {
      const more = `the ${this.totalSteps} steps of the cycle, got step ${lastEpoch + 1}`;
      throw new TensorError('value', this.name, `expected no more than ${more}`);
    }
    const phases = this.phases();
    const at = phases.findIndex((phase, i) => lastEpoch <= phase.end || i === phases.length - 1);
    const start = at === 0 ? 0 : phases[at - 1].end;
    const length = phases[at].end - start;
    // A phase that is over as it begins is at its end.
    return { phase: phases[at], part: length === 0 ? 1 : (lastEpoch - start) / length };
  }

  private between(start: number, end: number, part: number): number {
    if (this.annealStrategy === 'linear') return (end - start) * part + start;
    return end + ((start - end) / 2) * (Math.cos(Math.PI * part) + 1);
  }

  protected rate(_: ScheduledGroup, base: number, i: number): number {
    const { phase, part } = this.place();
    const levels = { initial: base, max: this.maxLrs[i] ?? base, min: this.minLrs[i] ?? base };
    return this.between(levels[phase.from], levels[phase.to], part);
  }

  protected momentum(i: number): number {
    const { phase, part } = this.place();
    const [high, low] = [this.maxMomentums[i], this.baseMomentums[i]];
    return this.between(phase.from === 'max' ? low : high, phase.to === 'max' ? low : high, part);
  }
}
