// optim.swaUtils: averages of weights over a run, by SWA and EMA, under the name PyTorch users look for.
import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { zeros } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { BatchNorm } from '../nn/batch-norm.js';
import { checkBoolean, checkChoice, checkNumber, checkSize } from '../nn/check.js';
import { constant } from '../nn/init.js';
import { type AnyModule, Module } from '../nn/module.js';
import { Tensor } from '../tensor.js';
import type { Optimizer } from './optimizer.js';
import { LRScheduler, type PerGroup, perGroup, type ScheduledGroup, type ScheduleOptions } from './schedule.js';

/** The next average of a tensor, from the average so far, the new value, and how many values are in the average. */
export type AverageFunction = (averaged: Tensor, current: Tensor, numAveraged: number) => Tensor;

/** Options of {@link AveragedModel}. */
export interface AveragedModelOptions {
  /** How averages go on; the mean of all unless given. See {@link getEmaAvgFn}. */
  avgFn?: AverageFunction;
  /** Average the buffers too, running statistics for example; false unless given. */
  useBuffers?: boolean;
}

const mean: AverageFunction = (averaged, current, n) => averaged.add(current.sub(averaged).div(n + 1));

/**
 * An exponential moving average: `averaged <- decay averaged + (1 - decay) current` (PyTorch 2: `swa_utils.get_ema_avg_fn`).
 *
 * @param decay share of the average that stays, from 0 to 1; 0.999 unless given
 * @throws TensorError `value` for another decay
 *
 * @example
 * ```ts
 * import { optim, tensor } from 'chainrule';
 * console.log(optim.swaUtils.getEmaAvgFn(0.75)(tensor(4), tensor(8), 1).item()); // 5
 * ```
 */
export function getEmaAvgFn(decay = 0.999): AverageFunction {
  checkNumber('getEmaAvgFn', 'decay', decay, 0, 1);
  return (averaged, current) => averaged.mul(decay).add(current.mul(1 - decay));
}

/**
 * A copy of a model whose weights are the average of those the model had at each {@link updateParameters}: stochastic weight averaging
 * (Izmailov et al. 2018), or with {@link getEmaAvgFn} an exponential moving average (PyTorch: `optim.swa_utils.AveragedModel`).
 *
 * The copy is made by `clone()`. State dicts hold `n_averaged` and, under `module.`, what the model's hold; `avgFn` is not in them.
 *
 * @param model the model that is trained
 * @throws TensorError `value` for anything but a module, and from `avgFn` for anything but a tensor
 *
 * @example
 * ```ts
 * import { nn, optim } from 'chainrule';
 * const model = new nn.Linear(1, 1, { bias: false });
 * const averaged = new optim.swaUtils.AveragedModel(model);
 * for (const value of [1, 2, 6]) {
 *   nn.init.constant(model.weight, value);
 *   averaged.updateParameters(model);
 * }
 * console.log(averaged.module.weight.item()); // 3
 * ```
 */
export class AveragedModel<Inputs extends unknown[], Output, M extends Module<Inputs, Output>> extends Module<
  Inputs,
  Output
> {
  /** How many values are in the average, int32. */
  readonly nAveraged: Tensor;
  /** The model with the averages. */
  readonly module: M;
  /** Whether buffers are averaged too. */
  readonly useBuffers: boolean;
  private readonly avgFn: AverageFunction;

  constructor(model: M & Module<Inputs, Output>, options?: AveragedModelOptions) {
    super();
    const op = 'AveragedModel';
    checkOptions(op, options, ['avgFn', 'useBuffers']);
    checkModule(op, model);
    const avgFn = options?.avgFn ?? mean;
    if (typeof avgFn !== 'function') {
      throw new TensorError('value', op, `expected avgFn to be a function, got ${describe(avgFn)}`);
    }
    this.avgFn = avgFn;
    this.useBuffers = checkBoolean(op, 'useBuffers', options?.useBuffers ?? false);
    this.module = model.clone();
    this.nAveraged = this.registerBuffer('nAveraged', zeros([], { dtype: 'int32' }));
  }

  protected override stateName(attribute: string): string {
    return attribute === 'nAveraged' ? 'n_averaged' : attribute;
  }

  forward(...inputs: Inputs): Output {
    return this.module.forward(...inputs);
  }

  /**
   * Takes the values that the model has now into the average; the first time, they are the average (PyTorch:
   * `update_parameters`).
   *
   * @throws TensorError `value` for a module with other parameters; nothing is changed then
   */
  updateParameters(model: AnyModule): void {
    const op = 'AveragedModel.updateParameters';
    checkModule(op, model);
    const [own, theirs] = [this.tensors(this.module), this.tensors(model)];
    const odd = own.findIndex((x, i) => x.shape.join() !== theirs[i]?.shape.join());
    if (odd >= 0 || own.length !== theirs.length) {
      const got = `${theirs.length} tensors${odd >= 0 ? `, number ${odd} of another shape` : ''}`;
      throw new TensorError(
        'value',
        op,
        `expected a model like the one averaged, with ${own.length} tensors, got ${got}`,
      );
    }
    const n = this.nAveraged.item();
    noGrad(() =>
      scope(() => {
        for (const [i, averaged] of own.entries()) {
          const current = theirs[i].detach();
          const next = n === 0 ? current : this.avgFn(averaged.detach(), current, n);
          if (!(next instanceof Tensor)) {
            throw new TensorError('value', op, `expected avgFn to return a tensor, got ${describe(next)}`);
          }
          averaged.assign(next);
        }
        this.nAveraged.assign(this.nAveraged.add(1));
      }),
    );
  }

  private tensors(model: AnyModule | M): Tensor[] {
    return this.useBuffers ? [...model.parameters(), ...model.buffers()] : model.parameters();
  }
}

function checkModule(op: string, model: unknown): void {
  if (!(model instanceof Module)) throw new TensorError('value', op, `expected a module, got ${describe(model)}`);
}

/**
 * Measures the running statistics of all batch normalisations anew by one pass over data, as averaged weights need them
 * (PyTorch: `optim.swa_utils.update_bn`). Modules are in training mode meanwhile, and as they were afterwards.
 *
 * @param batches tensors, or arrays whose first element goes into the model
 * @throws TensorError `value` for other batches, or no module
 *
 * @example
 * ```ts
 * import { nn, optim, tensor } from 'chainrule';
 * const model = new nn.BatchNorm1d(1);
 * await optim.swaUtils.updateBN([tensor([[1], [3]]), tensor([[5], [7]])], model);
 * console.log(model.runningMean?.toArray(), model.training); // [4] true
 * ```
 */
export async function updateBN(
  batches: Iterable<Tensor | readonly Tensor[]> | AsyncIterable<Tensor | readonly Tensor[]>,
  model: AnyModule,
): Promise<void> {
  const op = 'updateBN';
  checkModule(op, model);
  if (batches === null || typeof batches !== 'object' || batches instanceof Tensor) {
    throw new TensorError('value', op, `expected an iterable of batches, got ${describe(batches)}`);
  }
  const norms = model.modules().filter((module) => module instanceof BatchNorm);
  if (norms.length === 0) return;
  const momenta = norms.map(({ momentum }) => momentum);
  const modes = model.modules().map((module) => [module, module.training] as const);
  for (const { runningMean, runningVar, numBatchesTracked } of norms) {
    if (runningMean !== null) constant(runningMean, 0);
    if (runningVar !== null) constant(runningVar, 1);
    numBatchesTracked?.assign(zeros([], { dtype: 'int32' }));
  }
  try {
    model.train();
    for (const norm of norms) norm.momentum = null;
    for await (const batch of batches) {
      const input: unknown = Array.isArray(batch) ? batch[0] : batch;
      if (!(input instanceof Tensor)) {
        throw new TensorError('value', op, `expected batches of tensors, got ${describe(batch)}`);
      }
      scope(() => noGrad(() => void model.forward(input)));
    }
  } finally {
    for (const [i, norm] of norms.entries()) norm.momentum = momenta[i];
    for (const [module, training] of modes) module.training = training;
  }
}

/** Options of {@link SWALR}. */
export interface SWALROptions extends ScheduleOptions {
  /** Epochs until the rate is reached; 10 unless given. */
  annealEpochs?: number;
  /** How it gets there: along a cosine unless given, or a line. */
  annealStrategy?: 'cos' | 'linear';
}

/**
 * Leads the rate to a constant one, at which weights are then averaged (PyTorch: `optim.swa_utils.SWALR`). It starts from whatever rate
 * another schedule has left.
 *
 * @param swaLr the rate at the end, one for all groups or one for each
 * @throws TensorError `value` for numbers out of range, `option` for an unknown option
 *
 * @example
 * ```ts
 * import { nn, optim, zeros } from 'chainrule';
 * const optimizer = new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 1 });
 * const schedule = new optim.swaUtils.SWALR(optimizer, 0.5, { annealEpochs: 2, annealStrategy: 'linear' });
 * schedule.step();
 * console.log(optimizer.paramGroups[0].lr); // 0.75
 * ```
 */
export class SWALR extends LRScheduler {
  private readonly swaLrs: number[];
  private readonly annealEpochs: number;
  private readonly annealStrategy: 'cos' | 'linear';

  constructor(optimizer: Optimizer, swaLr: PerGroup<number>, options?: SWALROptions) {
    super(optimizer, options, ['annealEpochs', 'annealStrategy']);
    this.swaLrs = perGroup(this.name, 'a rate', optimizer, swaLr).map((lr) => checkNumber(this.name, 'swaLr', lr, 0));
    this.annealEpochs = checkSize(this.name, 'annealEpochs', options?.annealEpochs ?? 10, 0);
    this.annealStrategy = checkChoice(this.name, 'annealStrategy', options?.annealStrategy ?? 'cos', ['cos', 'linear']);
    this.begin();
  }

  /** How far a step has come, from 0 to 1. */
  private progress(step: number): number {
    const t = Math.max(0, Math.min(1, step / Math.max(1, this.annealEpochs)));
    return this.annealStrategy === 'cos' ? (1 - Math.cos(Math.PI * t)) / 2 : t;
  }

  protected rate({ lr }: ScheduledGroup, _: number, i: number): number {
    const step = this.annealEpochs === 0 ? Math.max(1, this.stepCount - 1) : this.stepCount - 1;
    const swaLr = this.swaLrs[i] ?? this.swaLrs[0];
    const before = this.progress(step - 1);
    // What the rate would have been without annealing; another schedule may have changed it.
    const free = before === 1 ? swaLr : (lr - before * swaLr) / (1 - before);
    const alpha = this.progress(step);
    return swaLr * alpha + free * (1 - alpha);
  }
}
