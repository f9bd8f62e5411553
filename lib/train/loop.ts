// The loop of fit(): epochs and steps as a stream of events, from wherever the run stands.
import { setImmediate as turn } from 'node:timers/promises';
import { DataLoader } from '../data/loader.js';
import { TensorError } from '../errors.js';
import { prepareToWrite } from '../io/atomic.js';
import { ReduceLROnPlateau } from '../optim/schedule-plateau.js';
import { after, areFresh, areReused, type Batch, type Batches, checkBatch, until } from './batches.js';
import type { EpochRecord, FitEnd, FitEvent, FitHistory } from './events.js';
import { checkFinite } from './locate.js';
import type { Plan } from './options.js';
import { RunState } from './run-state.js';
import { trainStep, validate } from './step.js';

/** The event loop turns at least this often, in milliseconds: a turn costs some microseconds, a small step not much more. */
const TURN_MS = 5;

type Events = AsyncGenerator<FitEvent, void, undefined>;

export class Loop<Output> {
  private readonly state: RunState<Output>;
  private reason: FitEnd | null = null;
  private turned = performance.now();
  /** The generators after the last step, or as the epoch began: where the run goes on if it is stopped before the next step. */
  private settled: number[][];

  constructor(private readonly plan: Plan<Output>) {
    this.state = new RunState(plan);
    this.settled = this.state.random();
  }

  history(): FitHistory {
    const { losses, epochs } = this.state;
    return { losses: [...losses], epochs: [...epochs], reason: this.reason ?? 'aborted' };
  }

  async *run(): Events {
    const { state, plan } = this;
    const { checkpoint } = plan;
    // Better known before hours of training than after.
    if (checkpoint !== undefined) await prepareToWrite(checkpoint.path, 'fit');
    const resumed = checkpoint?.resume === true && (await state.restore(checkpoint.path));
    plan.model.train();
    yield* this.emit({ type: 'start', epoch: state.progress.epoch, step: state.progress.step, resumed });
    if (state.progress.stopped) this.reason = 'earlyStop';
    while (this.reason === null && state.progress.epoch < plan.epochs) yield* this.epoch();
    this.reason ??= 'complete';
    if (this.reason !== 'aborted') state.restoreBest();
    const { epoch, step } = state.progress;
    yield* this.emit({ type: 'end', reason: this.reason, epoch, step });
  }

  private async *epoch(): Events {
    const { state } = this;
    const { progress } = state;
    this.settled = state.random();
    if (progress.batch === 0) {
      yield* this.emit({ type: 'epochStart', epoch: progress.epoch, step: progress.step });
      progress.epochStart = state.random();
    }
    for await (const group of this.groups()) {
      yield* this.step(group);
      this.settled = state.random();
      await this.pause();
    }
    if (this.aborted()) yield* this.stop();
    else yield* this.endEpoch();
  }

  /** The batches of the epoch that are left, as many together as make a step. */
  private async *groups(): AsyncGenerator<Batch[], void, undefined> {
    const { data, accumulate, signal } = this.plan;
    const copied = accumulate > 1 && areReused(data);
    const owned = copied || areFresh(data);
    let group: Batch[] = [];
    for await (const given of until(this.rest(), signal)) {
      const batch = checkBatch(given);
      group.push(copied ? batch.map((x) => x.clone()) : batch);
      if (group.length < accumulate) continue;
      this.checkDraws();
      yield group;
      if (owned) dispose(group);
      group = [];
    }
    if (group.length === 0 || this.aborted()) return;
    yield group;
    if (owned) dispose(group);
  }

  /**
   * Numbers drawn for batches ahead of the step would be drawn again by a resumed run, which reads those batches anew. The order of an epoch
   * is drawn with its first batch.
   */
  private checkDraws(): void {
    const { data, checkpoint } = this.plan;
    const { state, settled } = this;
    if (checkpoint === undefined || !(data instanceof DataLoader) || !data.readsAhead) return;
    if (state.progress.batch === 0 || String(state.random()) === String(settled)) return;
    const expected = 'expected a dataset that draws no random numbers ahead, since the run could not be resumed';
    const remedy = 'give the loader prefetch: 0, or workers';
    throw new TensorError('value', 'fit', `${expected}, got one that does; ${remedy}`);
  }

  /** The batches of the epoch that are left. */
  private rest(): Batches {
    const { state } = this;
    const { data } = this.plan;
    const { batch, epochStart } = state.progress;
    if (batch === 0) return data;
    // The order is drawn as it was when the epoch began; after that the generators are where the run had taken them.
    const random = state.random();
    state.setRandom(epochStart);
    if (!(data instanceof DataLoader)) return after(data, batch, () => state.setRandom(random));
    const rest = data.from(batch) as Batches;
    state.setRandom(random);
    return rest;
  }

  private async *step(group: Batch[]): Events {
    const { state, plan } = this;
    const { progress } = state;
    const { lr } = plan.optimizer.paramGroups[0];
    const { step, epoch } = progress;
    const { loss, sampleLoss, samples, gradNorm } = trainStep(plan, group, step);
    progress.lossSum += sampleLoss * samples;
    progress.samples += samples;
    progress.batch += group.length;
    progress.step++;
    state.losses.push(loss);
    if (plan.scheduleBy === 'step') this.schedule(loss);
    this.average('step', epoch);
    yield* this.emit({ type: 'step', epoch, step, batch: progress.batch, loss, lr, gradNorm });
    const { every } = plan.checkpoint ?? {};
    if (every !== undefined && progress.step % every === 0) yield* this.save();
  }

  /** Measures, and goes on to the next epoch. */
  private async *endEpoch(): Events {
    const { state, plan } = this;
    const { progress } = state;
    if (progress.batch === 0) throw noBatches(plan.data);
    const validationLoss = plan.validation === undefined ? null : await validate(plan, () => this.pause());
    if (this.aborted()) return yield* this.stop();
    const measured = Object.entries(plan.metrics).map(([name, metric]) => [name, metric.compute()] as const);
    const loss = progress.lossSum / progress.samples;
    const record = { epoch: progress.epoch, loss, validationLoss, metrics: Object.fromEntries(measured) };
    state.epochs.push(record);
    progress.epoch++;
    progress.batch = 0;
    progress.lossSum = 0;
    progress.samples = 0;
    if (plan.scheduleBy === 'epoch') this.schedule(validationLoss ?? loss);
    this.average('epoch', record.epoch);
    this.watch(record);
    if (progress.stopped) this.reason = 'earlyStop';
    yield* this.emit({ type: 'epochEnd', step: progress.step, ...record });
    yield* this.save();
  }

  private schedule(watched: number): void {
    const { schedule } = this.plan;
    if (schedule instanceof ReduceLROnPlateau) schedule.step(watched);
    else schedule?.step();
  }

  private average(by: 'step' | 'epoch', epoch: number): void {
    const { average, model } = this.plan;
    if (average === undefined || (average.by ?? 'step') !== by || epoch < (average.from ?? 0)) return;
    average.model.updateParameters(model);
  }

  /** Early stopping: counts the epochs without improvement. */
  private watch({ loss, validationLoss, metrics }: EpochRecord): void {
    const { earlyStop } = this.plan;
    if (earlyStop === undefined) return;
    const { progress } = this.state;
    const { patience, mode = 'min', minDelta = 0, monitor } = earlyStop;
    const numbers: Record<string, number> = { ...metrics, loss, validationLoss: validationLoss ?? loss };
    const value = numbers[monitor ?? 'validationLoss'];
    const gain = progress.best === null ? Infinity : mode === 'min' ? progress.best - value : value - progress.best;
    if (gain > minDelta && !Number.isNaN(value)) {
      progress.best = value;
      progress.since = 0;
      this.state.keepBest();
    } else progress.since++;
    progress.stopped = progress.since > patience;
  }

  private aborted(): boolean {
    return this.plan.signal?.aborted === true;
  }

  private async *stop(): Events {
    this.reason = 'aborted';
    // What was read, drawn or measured since then, the resumed run does again.
    this.state.setRandom(this.settled);
    yield* this.save();
  }

  private async *save(): Events {
    const { checkpoint } = this.plan;
    if (checkpoint === undefined) return;
    const { epoch, step } = this.state.progress;
    // A good file must not give way to one that nobody can go on from.
    checkFinite(this.plan.model, checkpoint.path);
    await this.state.save(checkpoint.path);
    yield* this.emit({ type: 'checkpoint', path: checkpoint.path, epoch, step });
  }

  private async *emit(event: FitEvent): Events {
    for (const call of this.plan.callbacks) await call(event);
    yield event;
  }

  private async pause(): Promise<void> {
    if (performance.now() - this.turned < TURN_MS) return;
    await turn();
    this.turned = performance.now();
  }
}

function dispose(group: readonly Batch[]): void {
  for (const batch of group) for (const x of batch) x.dispose();
}

function noBatches(data: Batches): TensorError {
  const usedUp =
    'next' in data ? ': an iterator gives them once; pass an array or an object that makes a new one each time' : '';
  return new TensorError('value', 'fit', `expected data to give at least one batch an epoch, got none${usedUp}`);
}
