// Options of fit(), checked before anything runs.
import { Generator } from '../core/random.js';
import { checkBoolean, checkInteger } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { checkPath } from '../io/atomic.js';
import { checkChoice, checkNumber } from '../nn/check.js';
import { type AnyModule, Module } from '../nn/module.js';
import { Optimizer } from '../optim/optimizer.js';
import { Schedule } from '../optim/schedule.js';
import type { ReduceLROnPlateau } from '../optim/schedule-plateau.js';
import { AveragedModel } from '../optim/swa-utils.js';
import type { Tensor } from '../tensor.js';
import type { Batches } from './batches.js';
import type { FitEvent } from './events.js';
import { Metric } from './metrics/metric.js';
import { takeTensors } from './tree.js';

/** A learning rate schedule of `optim.lrScheduler`. */
export type FitSchedule = (Schedule & { step(): void }) | ReduceLROnPlateau;

/** When {@link fit} ends before all epochs are done. */
export interface EarlyStopOptions {
  /** Epochs without improvement that are borne. */
  patience: number;
  /** What is watched: 'loss', 'validationLoss' or a metric by name; 'validationLoss' unless given, 'loss' without validation. */
  monitor?: string;
  /** Whether smaller numbers are better, or larger ones; 'min' unless given. */
  mode?: 'min' | 'max';
  /** By how much more than this a number must be better; 0 unless given. */
  minDelta?: number;
  /** End with the parameters and buffers of the best epoch, unless the signal ends the run; false unless given. */
  restoreBest?: boolean;
}

/** Weights averaged while {@link fit} runs; see `optim.swaUtils`. */
export interface AverageOptions {
  /** What takes the weights in: `new optim.swaUtils.AveragedModel(model, { avgFn: optim.swaUtils.getEmaAvgFn() })`. */
  model: AnyAveragedModel;
  /** How often; after every 'step' unless given. */
  by?: 'step' | 'epoch';
  /** The epoch with which it begins; 0 unless given. */
  from?: number;
}
type AnyAveragedModel = Pick<
  AveragedModel<unknown[], unknown, AnyModule>,
  'updateParameters' | 'stateDict' | 'loadStateDict'
>;

/** Where and when {@link fit} saves the state of the run. */
export interface CheckpointOptions {
  /** The file; its folder must exist. */
  path: string;
  /** Save after every so many steps too; only after every epoch, and when stopped by the signal, unless given. */
  every?: number;
  /** Go on from the file where there is one; false unless given: a new run, which replaces it. */
  resume?: boolean;
  /** Plain values and tensors of one's own, saved as they are at the time; `loadCheckpoint(path)` gives them as `extra`. */
  extra?: object;
}

/** Options of {@link fit}. */
export interface FitOptions<Output = Tensor> {
  /** What is trained; in training mode from the start, in evaluation mode while it is measured. */
  model: Module<Tensor[], Output>;
  /**
   * Batches `[...inputs, target]`. The orders of a `DataLoader` are part of checkpoints; other iterables must give the same batches again,
   * and are read anew up to the place where a resumed run goes on. A dataset that draws random numbers itself needs a loader with
   * `prefetch: 0` or `workers`, which is checked where there are checkpoints.
   */
  data: Batches;
  /** The loss of a batch, a tensor with one element: `crossEntropy`, `mseLoss` ... */
  loss: (output: Output, target: Tensor) => Tensor;
  /** Made with parameters of the model. */
  optimizer: Optimizer;
  /** Passes over the data, 1 unless given. */
  epochs?: number;
  /** Changes the learning rate; one that watches a number gets the validation loss, else the loss. */
  schedule?: FitSchedule;
  /** How often the schedule takes a step; 'epoch' unless given. */
  scheduleBy?: 'epoch' | 'step';
  /** Batches to measure on after every epoch, in evaluation mode. */
  validation?: Batches;
  /** What to measure on them besides the loss, by name. */
  metrics?: Readonly<Record<string, Metric>>;
  /** Batches whose gradients are averaged for one step; 1 unless given. */
  accumulate?: number;
  /** Limit of the norm of all gradients together; see `nn.utils.clipGradNorm`. */
  clipNorm?: number;
  /** Limit of every element of the gradients; see `nn.utils.clipGradValue`. */
  clipValue?: number;
  /** Ends the run where nothing improves any more. */
  earlyStop?: EarlyStopOptions;
  /** Averages the weights on the way; the averages are part of checkpoints. */
  average?: AverageOptions;
  /** Saves the run, so that it can go on after any end. */
  checkpoint?: CheckpointOptions;
  /** More generators whose states belong into checkpoints; the default one and those of loaders and modules are there anyway. */
  generators?: readonly Generator[];
  /** Called with every event, in this order, and awaited; an error ends the run. */
  callbacks?: readonly ((event: FitEvent) => unknown)[];
  /** Show a progress bar on standard error, where that is a terminal; false unless given. */
  progress?: boolean;
  /** Ends the run after the step in progress, saving a checkpoint where one is asked for. */
  signal?: AbortSignal;
}

const KNOWN = [
  'model',
  'data',
  'loss',
  'optimizer',
  'epochs',
  'schedule',
  'scheduleBy',
  'validation',
  'metrics',
  'accumulate',
  'clipNorm',
  'clipValue',
  'earlyStop',
  'average',
  'checkpoint',
  'generators',
  'callbacks',
  'progress',
  'signal',
];

/** Options with every default in its place. */
export type Plan<Output> = FitOptions<Output> &
  Required<
    Pick<
      FitOptions<Output>,
      'epochs' | 'scheduleBy' | 'metrics' | 'accumulate' | 'generators' | 'callbacks' | 'progress'
    >
  >;

function expect(fits: boolean, op: string, what: string, got: unknown): void {
  if (!fits) throw new TensorError('value', op, `expected ${what}, got ${describe(got)}`);
}

function isBatches(value: unknown): boolean {
  return value !== null && typeof value === 'object' && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** Checks options and fills in the defaults. */
export function planOf<Output>(op: string, options: FitOptions<Output>): Plan<Output> {
  if (options === undefined) throw new TensorError('option', op, 'expected options, got undefined');
  checkOptions(op, options, KNOWN);
  const { validation, metrics = {}, callbacks = [], generators = [], clipNorm, clipValue, signal } = options;
  checkParts(op, options);
  checkMetrics(op, metrics, validation);
  const areFunctions = Array.isArray(callbacks) && callbacks.every((call) => typeof call === 'function');
  expect(areFunctions, op, 'callbacks to be an array of functions', callbacks);
  const areGenerators = Array.isArray(generators) && generators.every((g) => g instanceof Generator);
  expect(areGenerators, op, 'generators to be an array of generators', generators);
  if (signal !== undefined) expect(signal instanceof AbortSignal, op, 'signal to be an AbortSignal', signal);
  if (clipNorm !== undefined) checkNumber(op, 'clipNorm', clipNorm, 0);
  if (clipValue !== undefined) checkNumber(op, 'clipValue', clipValue, 0);
  checkCheckpoint(op, options.checkpoint);
  checkAverage(op, options.average);
  checkEarlyStop(op, options.earlyStop, ['loss', ...(validation ? ['validationLoss'] : []), ...Object.keys(metrics)]);
  return {
    ...options,
    epochs: checkInteger(op, 'epochs', options.epochs ?? 1, 0),
    scheduleBy: checkChoice(op, 'scheduleBy', options.scheduleBy ?? 'epoch', ['epoch', 'step']),
    metrics,
    accumulate: checkInteger(op, 'accumulate', options.accumulate ?? 1, 1),
    generators,
    callbacks,
    progress: checkBoolean(op, 'progress', options.progress ?? false),
  };
}

/** Model, data, loss, optimizer and schedule, and that they belong together. */
function checkParts<Output>(op: string, options: FitOptions<Output>): void {
  const { model, data, loss, optimizer, schedule, validation } = options;
  expect(model instanceof Module, op, 'model to be a module', model);
  expect(isBatches(data), op, 'data to be an iterable of batches', data);
  if (validation !== undefined) {
    expect(isBatches(validation), op, 'validation to be an iterable of batches', validation);
  }
  expect(typeof loss === 'function', op, 'loss to be a function of output and target', loss);
  expect(optimizer instanceof Optimizer, op, 'optimizer to be an optimizer', optimizer);
  const trained = new Set(optimizer.paramGroups.flatMap(({ params }): readonly Tensor[] => params));
  const trainable = model.parameters().filter((p) => p.requiresGrad);
  if (trainable.length > 0 && !trainable.some((p) => trained.has(p))) {
    const remedy = 'make it with model.parameters() of this very model';
    throw new TensorError(
      'value',
      op,
      `expected optimizer to have parameters of the model, got none of them; ${remedy}`,
    );
  }
  if (schedule === undefined) return;
  expect(schedule instanceof Schedule, op, 'schedule to be a schedule', schedule);
  if (schedule.optimizer !== optimizer) {
    throw new TensorError('value', op, 'expected schedule to be made with the optimizer given, got one of another');
  }
}

function checkMetrics(op: string, metrics: unknown, validation: Batches | undefined): void {
  const fine = metrics !== null && typeof metrics === 'object';
  expect(fine && Object.values(metrics).every((m) => m instanceof Metric), op, 'metrics by name', metrics);
  const names = Object.keys(metrics as object);
  if (validation === undefined && names.length > 0) {
    const got = 'got none; pass batches as validation';
    throw new TensorError('value', op, `expected validation to measure metrics on, ${got}`);
  }
  const taken = names.find((name) => name === 'loss' || name === 'validationLoss');
  if (taken !== undefined) {
    throw new TensorError(
      'value',
      op,
      `expected metrics to have names of their own, got '${taken}', which fit measures`,
    );
  }
}

function checkCheckpoint(op: string, checkpoint: CheckpointOptions | undefined): void {
  checkOptions(op, checkpoint, ['path', 'every', 'resume', 'extra']);
  if (checkpoint === undefined) return;
  checkPath(op, checkpoint.path);
  if (checkpoint.every !== undefined) checkInteger(op, 'checkpoint.every', checkpoint.every, 1);
  checkBoolean(op, 'checkpoint.resume', checkpoint.resume ?? false);
  const { extra = {} } = checkpoint;
  expect(typeof extra === 'object' && extra !== null, op, 'checkpoint.extra to be an object', extra);
  // What cannot be saved is better known now than after an epoch.
  takeTensors(op, extra, 'checkpoint.extra', {});
}

function checkAverage(op: string, average: AverageOptions | undefined): void {
  checkOptions(op, average, ['model', 'by', 'from']);
  if (average === undefined) return;
  expect(average.model instanceof AveragedModel, op, 'average.model to be an AveragedModel', average.model);
  checkChoice(op, 'average.by', average.by ?? 'step', ['step', 'epoch']);
  checkInteger(op, 'average.from', average.from ?? 0, 0);
}

function checkEarlyStop(op: string, earlyStop: EarlyStopOptions | undefined, names: string[]): void {
  checkOptions(op, earlyStop, ['patience', 'monitor', 'mode', 'minDelta', 'restoreBest']);
  if (earlyStop === undefined) return;
  checkInteger(op, 'earlyStop.patience', earlyStop.patience, 0);
  checkBoolean(op, 'earlyStop.restoreBest', earlyStop.restoreBest ?? false);
  checkNumber(op, 'earlyStop.minDelta', earlyStop.minDelta ?? 0, 0);
  checkChoice(op, 'earlyStop.mode', earlyStop.mode ?? 'min', ['min', 'max']);
  if (earlyStop.monitor !== undefined) checkChoice(op, 'earlyStop.monitor', earlyStop.monitor, names);
}
