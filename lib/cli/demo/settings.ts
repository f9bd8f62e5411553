// What a demo run is: its settings, their defaults, and which of them a resumed run may change.
import { TensorError } from '../../errors.js';
import { DATASETS, type DatasetName, MODELS, type ModelName, OPTIMIZERS, type OptimizerName } from '../names.js';

/** Momentum of SGD, the usual value since Rumelhart, Hinton and Williams (1986). */
export const MOMENTUM = 0.9;

/** Everything the numbers of a run follow from; part of its checkpoint. */
export interface Settings {
  dataset: DatasetName;
  model: ModelName;
  epochs: number;
  batchSize: number;
  lr: number;
  optimizer: OptimizerName;
  seed: number;
  /** How many of the training images are used, or null for all. */
  limit: number | null;
}

/** What the command line gave; the rest is filled in. */
export type GivenSettings = { [K in keyof Settings]?: Settings[K] | undefined };

interface Defaults {
  epochs: Record<DatasetName, number>;
  lr: Record<OptimizerName, number>;
}

/** Found by trying: enough for the accuracies promised in the help, with room to spare over seeds. */
export const DEFAULTS: Readonly<Record<ModelName, Defaults>> = {
  linear: { epochs: { digits: 5, mnist: 10 }, lr: { sgd: 0.01, adam: 1e-3 } },
  mlp: { epochs: { digits: 5, mnist: 10 }, lr: { sgd: 0.05, adam: 1e-3 } },
  lenet: { epochs: { digits: 3, mnist: 10 }, lr: { sgd: 0.02, adam: 1e-3 } },
};

/** Settings of a new run. */
export function newSettings(given: GivenSettings): Settings {
  const model = given.model ?? 'lenet';
  const dataset = given.dataset ?? 'digits';
  const optimizer = given.optimizer ?? 'sgd';
  const { epochs, lr } = DEFAULTS[model];
  return {
    dataset,
    model,
    optimizer,
    epochs: given.epochs ?? epochs[dataset],
    batchSize: given.batchSize ?? 64,
    lr: given.lr ?? lr[optimizer],
    seed: given.seed ?? 0,
    limit: given.limit ?? null,
  };
}

/**
 * Settings of a resumed run: those of its checkpoint, with other epochs or another learning rate where asked for.
 *
 * @throws TensorError `value` for any other setting that differs, which would make it another run
 */
export function resumedSettings(saved: Settings, given: GivenSettings): Settings {
  for (const name of ['dataset', 'model', 'batchSize', 'optimizer', 'seed', 'limit'] as const) {
    if (given[name] === undefined || given[name] === saved[name]) continue;
    const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const has = saved[name] === null ? 'none' : saved[name];
    throw new TensorError(
      'value',
      'demo',
      `expected ${option} to be that of the run to resume (${has}), got ${given[name]}; leave it out, or start anew without --resume`,
    );
  }
  return { ...saved, epochs: given.epochs ?? saved.epochs, lr: given.lr ?? saved.lr };
}

/** Checks that what a file claims to be settings has their form. */
export function isSettings(value: unknown): value is Settings {
  if (value === null || typeof value !== 'object') return false;
  const s = value as Record<string, unknown>;
  const whole = (v: unknown) => Number.isSafeInteger(v) && (v as number) >= 0;
  return (
    DATASETS.some((name) => name === s.dataset) &&
    MODELS.some((name) => name === s.model) &&
    OPTIMIZERS.some((name) => name === s.optimizer) &&
    [s.epochs, s.batchSize, s.seed].every(whole) &&
    typeof s.lr === 'number' &&
    (s.limit === null || whole(s.limit))
  );
}
