// The state of a run of fit(): all that decides how it goes on, taken as a tree for a checkpoint and put back.
import { builtin } from '../builtin.js';
import { defaultGenerator, Generator } from '../core/random.js';
import { fromTypedArray } from '../create.js';
import { DataLoader } from '../data/loader.js';
import { describe, TensorError } from '../errors.js';
import type { AnyModule } from '../nn/module.js';
import type { StateDict } from '../nn/state.js';
import type { OptimizerState } from '../optim/optimizer.js';
import type { ScheduleState } from '../optim/schedule.js';
import { Tensor } from '../tensor.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { EpochRecord } from './events.js';
import type { Plan } from './options.js';

const FORMAT = 1;

/** How far a run has come. */
export interface Progress {
  /** Complete epochs. */
  epoch: number;
  /** Batches done of the next one. */
  batch: number;
  /** Steps of the optimizer in all. */
  step: number;
  /** Losses of the epoch so far, weighted by samples, and the samples. */
  lossSum: number;
  samples: number;
  /** What early stopping remembers: the best number, null before the first, and the epochs since. */
  best: number | null;
  since: number;
  /** Early stopping has ended the run. */
  stopped: boolean;
  /** The generators when the epoch began, before its order was drawn. */
  epochStart: number[][];
}

/** Progress, history and generators of a run. */
export class RunState<Output> {
  progress: Progress;
  losses: number[] = [];
  epochs: EpochRecord[] = [];
  private readonly generators: readonly Generator[];
  /** Parameters and buffers of the best epoch, where early stopping is to end with them. */
  private best: StateDict | null = null;

  constructor(private readonly plan: Plan<Output>) {
    const loaders = [plan.data, plan.validation].filter((source) => source instanceof DataLoader);
    const drawn = [...loaders.flatMap((loader) => loader.generators), ...generatorsIn(plan.model)];
    const all = [defaultGenerator, ...drawn, ...plan.generators];
    this.generators = [...new Set(all)];
    this.progress = {
      epoch: 0,
      batch: 0,
      step: 0,
      lossSum: 0,
      samples: 0,
      best: null,
      since: 0,
      stopped: false,
      epochStart: this.random(),
    };
  }

  /** The states of all generators. */
  random(): number[][] {
    return this.generators.map((generator) => generator.getState());
  }

  setRandom(states: readonly number[][]): void {
    for (const [i, generator] of this.generators.entries()) generator.setState(states[i]);
  }

  /** What a resumed run must have in common with the saved one. */
  private shape(): Shape {
    const { data, accumulate, scheduleBy, schedule, average, earlyStop } = this.plan;
    return {
      accumulate,
      schedule: schedule === undefined ? null : scheduleBy,
      average: average !== undefined,
      restoreBest: earlyStop?.restoreBest === true,
      generators: this.generators.length,
      ...(data instanceof DataLoader ? shapeOf(data) : Array.isArray(data) ? { batches: data.length } : {}),
    };
  }

  /** Remembers the weights as the best so far, if they are to be kept. */
  keepBest(): void {
    const { earlyStop, model } = this.plan;
    if (earlyStop?.restoreBest !== true) return;
    const before = this.best;
    this.best = copyOf(model.stateDict());
    for (const x of Object.values(before ?? {})) x.dispose();
  }

  /** Goes back to the best weights where there are any. */
  restoreBest(): void {
    if (this.best !== null) this.plan.model.loadStateDict(this.best);
  }

  /** Writes the checkpoint; values are those at the time of the call. */
  save(path: string): Promise<void> {
    const { model, optimizer, schedule, average, checkpoint } = this.plan;
    const saved: Saved = {
      format: FORMAT,
      shape: this.shape(),
      progress: this.progress,
      random: this.random(),
      losses: fromTypedArray(Float64Array.from(this.losses)),
      epochs: this.epochs,
      schedule: schedule?.stateDict() ?? null,
      model: model.stateDict(),
      optimizer: optimizer.stateDict(),
      average: average?.model.stateDict() ?? null,
      best: this.best,
      extra: checkpoint?.extra ?? null,
    };
    return saveCheckpoint(path, saved);
  }

  /** Goes back to a checkpoint; where anything does not fit, nothing is changed. False where there is no file. */
  async restore(path: string): Promise<boolean> {
    if (!builtin.fs.existsSync(path)) return false;
    const saved = await loadCheckpoint<Partial<Saved>>(path);
    const bad = (expected: string, got: string, cause?: unknown) =>
      new TensorError('format', 'fit', `expected '${path}' to be ${expected}, got ${got}`, { cause });
    if (saved?.format !== FORMAT) {
      throw bad(`a checkpoint of fit in format ${FORMAT}`, `format ${describe(saved?.format)}`);
    }
    if (!isWhole(saved)) throw bad('a checkpoint of fit', 'a file that lacks part of one');
    const other = differences(this.shape(), saved.shape);
    if (other !== '') throw bad('of a run like this one', `${other}; give the same data and options, or another path`);
    try {
      this.load(saved);
    } catch (cause) {
      if (!(cause instanceof TensorError)) throw cause;
      throw bad('of this model, optimizer and schedule', cause.message, cause);
    }
    this.progress = saved.progress;
    this.best = saved.best;
    this.losses = Array.from(saved.losses.typed());
    this.epochs = saved.epochs;
    return true;
  }

  /** Takes the states over, all of them or none. */
  private load(saved: Saved): void {
    const { model, optimizer, schedule, average } = this.plan;
    const random = this.random();
    const undo = [() => this.setRandom(random)];
    const copies: StateDict[] = [];
    const keep = (dict: StateDict) => {
      const copy = copyOf(dict);
      copies.push(copy);
      return copy;
    };
    const change = <State>(part: Stateful<State>, state: State, before: State) => {
      part.loadStateDict(state);
      undo.push(() => part.loadStateDict(before));
    };
    try {
      // The best weights are those of the same model: whether they fit is found out the same way.
      if (saved.best !== null) change(model, saved.best, keep(model.stateDict()));
      change(model, saved.model, keep(model.stateDict()));
      if (average && saved.average) change(average.model, saved.average, keep(average.model.stateDict()));
      change(optimizer, saved.optimizer, optimizer.stateDict());
      if (schedule && saved.schedule) change(schedule, saved.schedule, schedule.stateDict());
      // Both are states of these generators; the first is needed again where the run stands amid an epoch.
      this.setRandom(saved.progress.epochStart);
      this.setRandom(saved.random);
    } catch (error) {
      for (const back of undo.reverse()) back();
      throw error;
    } finally {
      for (const copy of copies) for (const x of Object.values(copy)) x.dispose();
    }
  }
}

/** Numbers and names that tell runs apart. */
type Shape = Readonly<Record<string, number | string | boolean | null>>;

interface Stateful<State> {
  stateDict(): State;
  loadStateDict(state: State): unknown;
}

/** A run as its checkpoint holds it. */
interface Saved {
  format: number;
  shape: Shape;
  progress: Progress;
  random: number[][];
  losses: Tensor;
  epochs: EpochRecord[];
  schedule: ScheduleState | null;
  model: StateDict;
  optimizer: OptimizerState;
  average: StateDict | null;
  best: StateDict | null;
  extra: object | null;
}

/** Whether a file has every part; the states themselves are checked as they are loaded. */
function isWhole(saved: Partial<Saved>): saved is Saved {
  const { progress, losses, epochs, random, shape } = saved;
  const isObject = (value: unknown) => typeof value === 'object' && value !== null;
  const { epoch, batch, step, lossSum, samples, since, stopped, epochStart } = progress ?? {};
  return (
    isObject(shape) &&
    [epoch, batch, step, lossSum, samples, since].every((value) => typeof value === 'number') &&
    typeof stopped === 'boolean' &&
    [random, epochStart, epochs].every((value) => Array.isArray(value)) &&
    losses instanceof Tensor &&
    losses.size === step
  );
}

/** Generators that modules keep, as an attribute or among their options: those of dropout for example. */
function generatorsIn(model: AnyModule): Generator[] {
  const kept: unknown[] = model.modules().flatMap((module) => Object.values(module as object));
  const isPlain = (value: unknown) => Object.getPrototypeOf(value ?? 0) === Object.prototype;
  const all = kept.flatMap((value) => (isPlain(value) ? Object.values(value as object) : [value]));
  return all.filter((value) => value instanceof Generator);
}

/** How the order of a loader comes about. The default generator goes on from the checkpoint, whatever it was seeded with. */
function shapeOf({ dataset, batchSize, length, shuffle, generator }: DataLoader<unknown>): Shape {
  const seed = generator === defaultGenerator ? null : generator.state[0] + generator.state[1] * 2 ** 32;
  return { samples: dataset.length, batchSize, batches: length, shuffle, seed };
}

/** What two runs do not have in common: `batchSize 5 instead of 4`. */
function differences(own: Shape, saved: Shape): string {
  const names = Object.keys({ ...own, ...saved }).filter((name) => own[name] !== saved[name]);
  return names
    .map((name) => `${name} ${String(saved[name] ?? 'none')} instead of ${String(own[name] ?? 'none')}`)
    .join(', ');
}

function copyOf(dict: StateDict): StateDict {
  return Object.fromEntries(Object.entries(dict).map(([name, value]) => [name, value.clone()]));
}
