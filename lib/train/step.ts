// One step of training, and one pass over validation data.
import { noGrad } from '../core/mode.js';
import { scope } from '../core/scope.js';
import { describe, TensorError } from '../errors.js';
import { clipGradNorm, clipGradValue } from '../ops/optimize/gradients.js';
import { Tensor } from '../tensor.js';
import { locateNonFinite } from './locate.js';
import { Mean } from './metrics/regression.js';
import type { Batch, Batches, Plan } from './options.js';

/** What a step found out. */
export interface StepResult {
  loss: number;
  /** Norm of the gradients before clipping; null without `clipNorm`. */
  gradNorm: number | null;
}

/** Number of samples of a batch: the first size of its target. */
export function samplesOf(batch: Batch): number {
  const target = batch[batch.length - 1];
  return target.ndim === 0 ? 1 : target.shape[0];
}

/** Throws unless a batch is inputs and a target. */
export function checkBatch(batch: unknown): Batch {
  if (Array.isArray(batch) && batch.length >= 2 && batch.every((x) => x instanceof Tensor)) return batch;
  throw new TensorError('value', 'fit', `expected batches [...inputs, target] of tensors, got ${describe(batch)}`);
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
  const closure = () => {
    optimizer.zeroGrad();
    let total = 0;
    for (const batch of group) {
      total += scope(() => {
        const [, loss] = lossOf(plan, batch);
        const value = loss.item();
        if (!Number.isFinite(value)) {
          const place = locateNonFinite(model, batch.slice(0, -1), batch[batch.length - 1], () => lossOf(plan, batch));
          const remedy = 'try a smaller learning rate or clipNorm, and look for such values in the data';
          throw new TensorError(
            'nan',
            'fit',
            `expected a finite loss, got ${value} in step ${step}: ${place}; ${remedy}`,
          );
        }
        loss.backward();
        return value;
      });
    }
    if (group.length > 1) averageGradients(model.parameters(), group.length);
    if (clipNorm !== undefined) gradNorm = clipGradNorm(model.parameters(), clipNorm).item();
    if (clipValue !== undefined) clipGradValue(model.parameters(), clipValue);
    return total / group.length;
  };
  const loss = scope(() => optimizer.step(closure));
  return { loss, gradNorm };
}

function averageGradients(params: readonly Tensor[], count: number): void {
  noGrad(() => {
    for (const { gradient } of params) if (gradient !== null) scope(() => void gradient.assign(gradient.div(count)));
  });
}

/** Mean loss over validation data, with metrics updated on the way; null if `stopped` says so before the end. */
export async function validate<Output>(
  plan: Plan<Output>,
  batches: Batches,
  pause: () => Promise<void>,
  stopped: () => boolean,
): Promise<number | null> {
  const { model } = plan;
  const metrics = Object.values(plan.metrics);
  for (const metric of metrics) metric.reset();
  const mean = new Mean();
  let count = 0;
  const modes = model.modules().map((module) => [module, module.training] as const);
  model.eval();
  try {
    for await (const given of batches) {
      if (stopped()) return null;
      const batch = checkBatch(given);
      count++;
      scope(() =>
        noGrad(() => {
          const [output, loss] = lossOf(plan, batch);
          mean.update(loss.item(), samplesOf(batch));
          if (metrics.length === 0) return;
          if (!(output instanceof Tensor)) {
            throw new TensorError('value', 'fit', `expected a tensor to measure metrics on, got ${describe(output)}`);
          }
          for (const metric of metrics) metric.update(output, batch[batch.length - 1]);
        }),
      );
      await pause();
    }
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
  if (count === 0) throw new TensorError('value', 'fit', 'expected validation to give at least one batch, got none');
  return mean.compute();
}
