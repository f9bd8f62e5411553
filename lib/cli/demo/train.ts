// What a demo run trains, and how: fit() with an order of its own for every epoch and a learning rate that falls along a cosine.
import { crossEntropy, data, type nn, optim, train } from '../../index.js';
import { CLASSES } from '../models.js';
import { MOMENTUM, type Settings } from './settings.js';

/** Images at once where no gradient is needed; more would fall out of the cache. */
const TEST_BATCH = 250;

/** What a run works on. */
export interface Run {
  readonly settings: Settings;
  readonly model: nn.Module;
  readonly optimizer: optim.SGD | optim.Adam;
  readonly train: data.ImageDataset;
  readonly test: data.ImageDataset;
  /** Row = true class, column = predicted class, after the last complete epoch. */
  confusion: number[][] | null;
}

export function makeOptimizer(settings: Settings, model: nn.Module): optim.SGD | optim.Adam {
  const { lr } = settings;
  if (settings.optimizer === 'adam') return new optim.Adam(model.parameters(), { lr });
  return new optim.SGD(model.parameters(), { lr, momentum: MOMENTUM });
}

export const stepsPerEpoch = (run: Run) => Math.ceil(run.train.length / run.settings.batchSize);

/** From `lr` at the first step to 0 after the last along a cosine (Loshchilov and Hutter 2017, without restarts). */
export function learningRate(lr: number, step: number, steps: number): number {
  return (lr / 2) * (1 + Math.cos((Math.PI * step) / steps));
}

/** The training of a run; `run.confusion` follows the epochs. */
export function training(run: Run, checkpoint: { path: string; resume: boolean }, signal: AbortSignal): train.FitRun {
  const { settings, model, optimizer, test } = run;
  const { epochs, batchSize, seed } = settings;
  const steps = epochs * stepsPerEpoch(run);
  const matrix = new train.metrics.ConfusionMatrix(CLASSES);
  let epoch = 0;
  // An order that follows from the number of the epoch: whatever --epochs was, the first ones are the same.
  const batches = () =>
    new data.DataLoader(run.train, { batchSize, shuffle: true, seed: seed * 2 ** 20 + epoch, reuse: true });
  const rate = (step: number) => {
    // No schedule: a resumed run may have another rate and other epochs.
    for (const group of optimizer.paramGroups) group.lr = learningRate(settings.lr, step, steps);
  };
  const extra = { settings, confusion: run.confusion };
  const follow = (event: train.FitEvent) => {
    if (event.type === 'start' || event.type === 'epochStart') epoch = event.epoch;
    if (event.type === 'start') rate(event.step);
    if (event.type === 'step') rate(event.step + 1);
    if (event.type === 'epochEnd') run.confusion = extra.confusion = matrix.table;
  };
  return train.fit({
    model,
    optimizer,
    loss: crossEntropy,
    data: { [Symbol.iterator]: () => batches()[Symbol.iterator]() },
    epochs,
    validation: new data.DataLoader(test, { batchSize: TEST_BATCH }),
    metrics: { accuracy: matrix },
    callbacks: [follow],
    checkpoint: { ...checkpoint, extra },
    signal,
  });
}
