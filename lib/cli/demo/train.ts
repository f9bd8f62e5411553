// The training loop of the demo: steps and tests that let the event loop turn, so that signals are heard.
import { setImmediate as turn } from 'node:timers/promises';
import { TensorError } from '../../errors.js';
import { crossEntropy, data, type nn, noGrad, optim, scope } from '../../index.js';
import { MOMENTUM, type Settings } from './settings.js';
import type { Progress } from './state.js';

/** Images at once where no gradient is needed; more would fall out of the cache. */
const TEST_BATCH = 250;

/** What a run works on. */
export interface Run {
  readonly settings: Settings;
  readonly model: nn.Module;
  readonly optimizer: optim.SGD | optim.Adam;
  readonly train: data.ImageDataset;
  readonly test: data.ImageDataset;
  readonly progress: Progress;
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

/**
 * Takes the remaining steps of the current epoch, one after another until `stopped` says so.
 *
 * @param onStep called after every step with the images it took
 * @returns whether the epoch is complete
 */
export async function trainEpoch(run: Run, onStep: (images: number) => void, stopped: () => boolean): Promise<boolean> {
  const { settings, model, optimizer, train, progress } = run;
  const steps = settings.epochs * stepsPerEpoch(run);
  // An order of its own for every epoch, so that a resumed run needs no more than the number of the epoch.
  const seed = settings.seed * 2 ** 20 + progress.epoch;
  const loader = new data.DataLoader(train, { batchSize: settings.batchSize, shuffle: true, seed });
  model.train();
  let batch = 0;
  for (const [x, y] of loader) {
    if (batch++ < progress.batch) continue;
    if (stopped()) return false;
    for (const group of optimizer.paramGroups) group.lr = learningRate(settings.lr, progress.losses.length, steps);
    const loss = scope(() => {
      const value = crossEntropy(model.forward(x), y);
      optimizer.zeroGrad();
      value.backward();
      optimizer.step();
      return value.item();
    });
    if (!Number.isFinite(loss)) {
      const step = progress.losses.length + 1;
      throw new TensorError(
        'value',
        'demo',
        `expected a finite loss, got ${loss} in step ${step}; try a smaller --lr than ${settings.lr}`,
      );
    }
    progress.batch = batch;
    progress.losses.push(loss);
    onStep(y.size);
    await turn();
  }
  return true;
}

/** What a model says of the test images. */
export interface Verdict {
  /** Mean cross entropy. */
  loss: number;
  /** Classes predicted and true. */
  predicted: Int32Array;
  labels: Int32Array;
}

/** Runs a model over a data set; null if `stopped` says so before the end. */
export async function evaluate(
  model: nn.Module,
  test: data.ImageDataset,
  stopped: () => boolean,
): Promise<Verdict | null> {
  const predicted = new Int32Array(test.length);
  const labels = new Int32Array(test.length);
  let [sum, at] = [0, 0];
  model.eval();
  for (const [x, y] of new data.DataLoader(test, { batchSize: TEST_BATCH })) {
    if (stopped()) return null;
    scope(() =>
      noGrad(() => {
        const logits = model.forward(x);
        sum += crossEntropy(logits, y, { reduction: 'sum' }).item();
        predicted.set(logits.argmax(1).data, at);
        labels.set(y.data, at);
      }),
    );
    at += y.size;
    await turn();
  }
  return { loss: sum / test.length, predicted, labels };
}
