// Schedule and LRScheduler: what all learning rate schedules share.
import { prelude } from '../core/recording.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { checkNumber, checkSize } from '../nn/check.js';
import { Optimizer, type ParamGroup } from './optimizer.js';

/** A group as schedules see it. */
export type ScheduledGroup = ParamGroup<{ lr: number }>;
/** One value for all groups, or one for each. */
export type PerGroup<T> = T | readonly T[];
/** A value of {@link ScheduleState}. */
export type ScheduleValue = number | string | boolean | null | readonly number[] | readonly ScheduleState[];
/** What {@link Schedule.stateDict} gives: plain values that JSON can hold. */
export interface ScheduleState {
  [name: string]: ScheduleValue;
}

/** Options of every schedule that counts epochs. */
export interface ScheduleOptions {
  /** The last epoch of a run that is taken up again; -1, a new one, unless given. */
  lastEpoch?: number;
}

/** Spreads a value over the groups of an optimizer. */
export function perGroup<T>(op: string, name: string, optimizer: Optimizer, value: PerGroup<T>): T[] {
  const { length } = optimizer.paramGroups;
  if (!Array.isArray(value)) return Array.from({ length }, () => value as T);
  if (value.length === length) return [...value];
  throw new TensorError('value', op, `expected ${name} for each of ${length} groups, got ${describe(value)}`);
}

const isPlain = (value: unknown): value is ScheduleValue =>
  value === null ||
  ['number', 'string', 'boolean'].includes(typeof value) ||
  (Array.isArray(value) && value.every((item) => typeof item === 'number'));

function sameKind(own: ScheduleValue, saved: unknown): boolean {
  if (Array.isArray(own)) {
    return Array.isArray(saved) && saved.length === own.length && saved.every((item) => typeof item === typeof own[0]);
  }
  // null stands for a number that is not there yet.
  if (own === null) return saved === null || typeof saved === 'number';
  return typeof saved === typeof own || (saved === null && typeof own === 'number');
}

/** Throws unless a saved state has the names and kinds of values of one's own. */
export function checkState(op: string, own: ScheduleState, saved: ScheduleState): void {
  if (saved === null || typeof saved !== 'object') {
    throw new TensorError('value', op, `expected values from stateDict(), got ${describe(saved)}`);
  }
  checkOptions(op, saved, Object.keys(own));
  for (const [name, value] of Object.entries(own)) {
    if (!sameKind(value, saved[name])) {
      throw new TensorError('value', op, `expected ${name} like ${describe(value)}, got ${describe(saved[name])}`);
    }
  }
}

/**
 * Changes the options of an optimizer's groups as training goes on; what {@link LRScheduler} and schedules that count no epochs share.
 *
 * @throws TensorError `value` for anything but an optimizer
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * class Off extends optim.lrScheduler.Schedule {
 *   step() {
 *     for (const group of this.optimizer.paramGroups) group.lr = 0;
 *     this.lastLr = [0];
 *   }
 * }
 * const schedule = new Off(new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 }));
 * schedule.step();
 * console.log(schedule.getLastLr()); // [0]
 * ```
 */
export abstract class Schedule {
  protected lastLr: number[];

  constructor(readonly optimizer: Optimizer) {
    if (!(optimizer instanceof Optimizer)) {
      throw new TensorError('value', this.name, `expected an optimizer, got ${describe(optimizer)}`);
    }
    this.lastLr = optimizer.paramGroups.map((group) => group.lr);
  }

  /** Name in error messages. */
  protected get name(): string {
    return this.constructor.name;
  }

  /** The rates that the last step set, a group each (PyTorch: `get_last_lr`). */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /**
   * Everything needed to go on later, as plain values; functions are left out (PyTorch: `state_dict`). The rates themselves
   * are in the state of the optimizer.
   */
  stateDict(): ScheduleState {
    const entries = Object.entries(this).filter(([name, value]) => name !== 'optimizer' && isPlain(value));
    return structuredClone(Object.fromEntries(entries)) as ScheduleState;
  }

  /**
   * Goes back to a state of {@link stateDict}; load that of the optimizer too. Where anything does not fit, nothing is changed.
   *
   * @throws TensorError `option` for a name it does not know, `value` for one that is missing or of another kind
   */
  loadStateDict(saved: ScheduleState): void {
    const op = `${this.name}.loadStateDict`;
    checkState(op, this.stateDict(), saved);
    Object.assign(this, structuredClone(saved));
  }
}

/**
 * A schedule that counts epochs, or whatever its steps are called after (PyTorch: `optim.lr_scheduler._LRScheduler`).
 *
 * The rate of a step follows from the rate before, so that several schedules can act on one optimizer; `step(epoch)` takes
 * the closed form instead. Call `step()` after the optimizer's.
 *
 * @throws TensorError `value` for anything but an optimizer, or a `lastEpoch` in groups that have no rate to go on from
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * class Halving extends optim.lrScheduler.LRScheduler {
 *   constructor(optimizer: optim.Optimizer) {
 *     super(optimizer);
 *     this.begin();
 *   }
 *   protected rate(group: { lr: number }) {
 *     return this.lastEpoch === 0 ? group.lr : group.lr / 2;
 *   }
 * }
 * const schedule = new Halving(new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 }));
 * schedule.step();
 * console.log(schedule.getLastLr()); // [0.5]
 * ```
 */
export abstract class LRScheduler extends Schedule {
  /** The epoch of the last step; 0 after construction. */
  lastEpoch: number;
  /** The rates at the start. */
  protected baseLrs: number[];
  protected stepCount = 0;

  /** Constructors of schedules end with {@link begin}; `known` are the options besides `lastEpoch`. */
  constructor(optimizer: Optimizer, options?: ScheduleOptions, known: readonly string[] = []) {
    super(optimizer);
    checkOptions(this.name, options, [...known, 'lastEpoch']);
    this.lastEpoch = checkSize(this.name, 'lastEpoch', options?.lastEpoch ?? -1, -1);
    for (const [i, group] of optimizer.paramGroups.entries()) {
      if (this.lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined) {
        const remedy = 'load the state of the optimizer first';
        throw new TensorError('value', this.name, `expected an initialLr in group ${i} to go on from; ${remedy}`);
      }
    }
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr as number);
  }

  /** The rate of group `i` at `lastEpoch`, from that at the epoch before, `group.lr`. */
  protected abstract rate(group: ScheduledGroup, base: number, i: number): number;

  /** The same without the rate before, where there is such a form. */
  protected closed(group: ScheduledGroup, base: number, i: number): number {
    return this.rate(group, base, i);
  }

  /** @internal Sets the first rates. */
  begin(): void {
    this.stepCount = 0;
    this.step();
  }

  /**
   * Goes on to the next epoch, or to the one given.
   *
   * @throws TensorError `value` for an epoch below 0
   */
  step(epoch?: number): void {
    if (epoch !== undefined) checkNumber(this.name, 'epoch', epoch, 0);
    prelude(this, () => {
      this.stepCount++;
      this.lastEpoch = epoch ?? this.lastEpoch + 1;
      this.setRates(epoch !== undefined);
    });
  }

  /** Sets the rates of `lastEpoch`. */
  protected setRates(closed: boolean): void {
    const { paramGroups } = this.optimizer;
    const rates = paramGroups.map((group, i) => {
      // A group may have been added since.
      this.baseLrs[i] ??= group.initialLr ??= group.lr;
      const lr = closed ? this.closed(group, this.baseLrs[i], i) : this.rate(group, this.baseLrs[i], i);
      if (typeof lr === 'number' && !Number.isNaN(lr)) return lr;
      throw new TensorError(
        'value',
        this.name,
        `expected a number as the rate at epoch ${this.lastEpoch}, got ${describe(lr)}`,
      );
    });
    for (const [i, group] of paramGroups.entries()) group.lr = rates[i];
    this.lastLr = rates;
  }
}
