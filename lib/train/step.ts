// One step of training, and one pass over validation data.
import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { describe, TensorError } from '../errors.js';
import type { AnyModule } from '../nn/module.js';
import { clipGradNorm, clipGradValue } from '../ops/optimize/gradients.js';
import { Tensor } from '../tensor.js';
import { areFresh, type Batch, checkBatch, samplesOf, until } from './batches.js';
import { locateGradient, locateNonFinite } from './locate.js';
import type { Metric } from './metrics/metric.js';
import { Mean } from './metrics/regression.js';
import type { Plan } from './options.js';

/** What a step found out. */
export interface StepResult {
  /** Mean over the batches. */
  loss: number;
  /** Mean over the samples, which differs where batches have unequal sizes; and their number. */
  sampleLoss: number;
  samples: number;
  /** Norm of the gradients before clipping; null without `clipNorm`. */
  gradNorm: number | null;
}

function lossOf<Output>(plan: Plan<Output>, batch: Batch): [output: Output, loss: Tensor] {
  const output = plan.model.forward(...batch.slice(0, -1));
  const loss = plan.loss(output, batch[batch.length - 1]);
  if (loss instanceof Tensor && loss.size === 1) return [output, loss];
  throw new TensorError('value', 'fit', `expected loss to return a tensor with one element, got ${describe(loss)}`);
}

/**
 * One step of the optimizer by the mean gradient of some batches. A loss that is NaN or infinite is an error before the
 * optimizer has changed anything.
 */
export function trainStep<Output>(plan: Plan<Output>, group: readonly Batch[], step: number): StepResult {
  const { model, optimizer, clipNorm, clipValue } = plan;
  let gradNorm: number | null = null;
  let overSamples: Mean | null = null;
  const closure = () => {
    optimizer.zeroGrad();
    const [overBatches, mean] = [new Mean(), new Mean()];
    for (const batch of group) {
      const loss = scope(() => backward(plan, batch, step));
      overBatches.update(loss);
      mean.update(loss, samplesOf(batch));
    }
    // An optimizer may ask again, at other places; the loss of the step is the first.
    overSamples ??= mean;
    if (group.length > 1) averageGradients(model.parameters(), group.length);
    if (clipNorm !== undefined) gradNorm = limitNorm(model, clipNorm, step);
    if (clipValue !== undefined) clipGradValue(model.parameters(), clipValue);
    return overBatches.compute();
  };
  const loss = scope(() => optimizer.step(closure));
  const samples = group.reduce((sum, batch) => sum + samplesOf(batch), 0);
  return { loss, sampleLoss: (overSamples ?? new Mean()).compute(), samples, gradNorm };
}

/** Adds the gradients of a batch to those there are; gives its loss. */
function backward<Output>(plan: Plan<Output>, batch: Batch, step: number): number {
  const [, loss] = lossOf(plan, batch);
  const value = loss.item();
  if (!Number.isFinite(value)) {
    const place = locateNonFinite(plan.model, batch.slice(0, -1), batch[batch.length - 1], () => lossOf(plan, batch));
    const remedy = 'try a smaller learning rate or clipNorm, and look for such values in the data';
    throw new TensorError('nan', 'fit', `expected a finite loss, got ${value} in step ${step}: ${place}; ${remedy}`);
  }
  loss.backward();
  return value;
}

function averageGradients(params: readonly Tensor[], count: number): void {
  noGrad(() => {
    for (const { gradient } of params) if (gradient !== null) scope(() => void gradient.assign(gradient.div(count)));
  });
}

/** Clips the norm of the gradients and gives what it was; NaN in one of them would make NaN of all. */
function limitNorm(model: AnyModule, clipNorm: number, step: number): number {
  try {
    return clipGradNorm(model.parameters(), clipNorm, { errorIfNonfinite: true }).item();
  } catch (cause) {
    const found = locateGradient(model);
    if (found === null) throw cause;
    const message = `expected finite gradients, got NaN or infinity in step ${step}, in that of '${found}'`;
    throw new TensorError('nan', 'fit', `${message}; find where they come from with detectAnomaly()`, { cause });
  }
}

/** Mean loss over the samples of validation data, with metrics updated on the way; null if the signal fires before the end. */
export async function validate<Output>(plan: Plan<Output>, pause: () => Promise<void>): Promise<number | null> {
  const { model, validation, signal } = plan;
  const metrics = Object.values(plan.metrics);
  for (const metric of metrics) metric.reset();
  const mean = new Mean();
  const fresh = areFresh(validation);
  let count = 0;
  const modes = model.modules().map((module) => [module, module.training] as const);
  model.eval();
  try {
    for await (const given of until(validation ?? [], signal)) {
      const batch = checkBatch(given);
      count++;
      noGrad(() => scope(() => measure(plan, batch, mean, metrics)));
      if (fresh) for (const x of batch) x.dispose();
      await pause();
    }
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
  if (signal?.aborted) return null;
  if (count === 0) throw new TensorError('value', 'fit', 'expected validation to give at least one batch, got none');
  return mean.compute();
}

function measure<Output>(plan: Plan<Output>, batch: Batch, mean: Mean, metrics: readonly Metric[]): void {
  const [output, loss] = lossOf(plan, batch);
  mean.update(loss.item(), samplesOf(batch));
  if (metrics.length === 0) return;
  if (!(output instanceof Tensor)) {
    throw new TensorError('value', 'fit', `expected a tensor to measure metrics on, got ${describe(output)}`);
  }
  for (const metric of metrics) metric.update(output, batch[batch.length - 1]);
}
