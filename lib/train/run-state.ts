// The state of a run of fit(): all that decides how it goes on, taken as a tree for a checkpoint and put back.
import { builtin } from '../builtin.js';
import { defaultGenerator, type Generator } from '../core/random.js';
import { fromTypedArray } from '../create.js';
import { DataLoader } from '../data/loader.js';
import { TensorError } from '../errors.js';
import type { StateDict } from '../nn/state.js';
import type { OptimizerState } from '../optim/optimizer.js';
import type { ScheduleState } from '../optim/schedule.js';
import { Tensor } from '../tensor.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { EpochRecord } from './events.js';
import type { Plan } from './options.js';
import type { Tree } from './tree.js';

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
    const all = [defaultGenerator, ...loaders.flatMap((loader) => loader.generators), ...plan.generators];
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
  private shape(): Record<string, number> {
    const { data, accumulate } = this.plan;
    const { average, earlyStop } = this.plan;
    const common: Record<string, number> = { accumulate, generators: this.generators.length };
    if (average !== undefined) common.average = 1;
    if (earlyStop?.restoreBest) common.restoreBest = 1;
    return data instanceof DataLoader ? { ...common, samples: data.dataset.length, batchSize: data.batchSize } : common;
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
    const { model, optimizer, schedule, average } = this.plan;
    return saveCheckpoint(path, {
      format: FORMAT,
      shape: this.shape(),
      progress: { ...this.progress } as unknown as Tree,
      random: this.random(),
      losses: fromTypedArray(Float64Array.from(this.losses)),
      epochs: this.epochs as unknown as Tree,
      schedule: (schedule?.stateDict() ?? null) as Tree,
      model: model.stateDict(),
      optimizer: optimizer.stateDict() as unknown as Tree,
      average: average?.model.stateDict() ?? null,
      best: this.best,
    });
  }

  /**
   * Goes back to a checkpoint; where anything does not fit, nothing is changed. False where there is no file.
   */
  async restore(path: string): Promise<boolean> {
    if (!builtin.fs.existsSync(path)) return false;
    const saved = (await loadCheckpoint(path)) as unknown as Saved;
    const bad = (expected: string, got: string) =>
      new TensorError('format', 'fit', `expected '${path}' to be ${expected}, got ${got}`);
    if (saved?.format !== FORMAT || !(saved.losses instanceof Tensor)) {
      throw bad(`a checkpoint of fit in format ${FORMAT}`, `format ${String(saved?.format)}`);
    }
    const [own, theirs] = [this.shape(), saved.shape].map((shape) => JSON.stringify(shape));
    if (own !== theirs) throw bad(`of a run with ${own}`, `${theirs}; give the same data, or another path`);
    const { model, optimizer, schedule, average } = this.plan;
    if ((schedule === undefined) !== (saved.schedule === null)) {
      throw bad(`of a run ${schedule ? 'with' : 'without'} a schedule`, 'one of the other kind');
    }
    const modelBefore = copyOf(model.stateDict());
    const averageBefore = average && copyOf(average.model.stateDict());
    const optimizerBefore = optimizer.stateDict();
    const scheduleBefore = schedule?.stateDict();
    try {
      model.loadStateDict(saved.model);
      optimizer.loadStateDict(saved.optimizer);
      if (saved.average) average?.model.loadStateDict(saved.average);
      if (schedule !== undefined) schedule.loadStateDict(saved.schedule as ScheduleState);
      this.setRandom(saved.random);
    } catch (error) {
      model.loadStateDict(modelBefore);
      if (averageBefore !== undefined) average?.model.loadStateDict(averageBefore);
      optimizer.loadStateDict(optimizerBefore);
      if (scheduleBefore !== undefined) schedule?.loadStateDict(scheduleBefore);
      throw error;
    } finally {
      for (const copies of [modelBefore, averageBefore ?? {}]) for (const x of Object.values(copies)) x.dispose();
    }
    this.progress = { ...saved.progress };
    this.best = saved.best ?? null;
    this.losses = Array.from(saved.losses.typed());
    this.epochs = [...saved.epochs];
    return true;
  }
}

/** A run as its checkpoint holds it. */
interface Saved {
  format: unknown;
  shape: Record<string, number>;
  progress: Progress;
  random: number[][];
  losses: Tensor;
  epochs: EpochRecord[];
  schedule: ScheduleState | null;
  model: StateDict;
  optimizer: OptimizerState;
  /** Absent or null where the run had none. */
  average?: StateDict | null;
  best?: StateDict | null;
}

function copyOf(dict: StateDict): StateDict {
  return Object.fromEntries(Object.entries(dict).map(([name, value]) => [name, value.clone()]));
}
