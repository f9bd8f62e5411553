// The state of a run on disk: everything that a resumed run needs to go on as if it had never stopped.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultGenerator } from '../../core/random.js';
import { TensorError } from '../../errors.js';
import { io, type optim, type Tensor, tensor } from '../../index.js';
import { putTensors, takeTensors } from '../../train/tree.js';
import { isSettings, type Settings } from './settings.js';
import type { Run } from './train.js';

const FORMAT = 1;
const KEY = 'chainrule.demo';

/** What was measured on the test images after an epoch. */
export interface TestResult {
  loss: number;
  accuracy: number;
}

/** How far a run has come. */
export interface Progress {
  /** Complete epochs. */
  epoch: number;
  /** Steps done of the next one. */
  batch: number;
  /** Loss of every step so far. */
  losses: number[];
  /** One for every complete epoch. */
  tests: TestResult[];
}

/** A run as it was saved. */
export interface Saved {
  settings: Settings;
  progress: Progress;
  /** State of the default random generator. */
  generator: number[];
  /** As model.stateDict() and optimizer.stateDict() gave them. */
  model: Record<string, Tensor>;
  optimizer: optim.OptimizerState;
}

export const checkpointPath = (folder: string) => join(folder, 'checkpoint.safetensors');
export const modelPath = (folder: string) => join(folder, 'model.safetensors');
export const plotPath = (folder: string) => join(folder, 'loss.svg');

/** Makes the folder of a run, before hours of training end in a folder that is not there. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new TensorError(
      'io',
      'demo',
      `expected --out to be a folder or to become one, got ${(cause as Error).message}`,
      { cause },
    );
  }
}

function need(tensors: Readonly<Record<string, Tensor>>, name: string, path: string): Tensor {
  const found = tensors[name];
  if (found !== undefined) return found;
  throw new TensorError(
    'format',
    'demo',
    `expected a tensor '${name}' in '${path}', got none; it is not a checkpoint of this demo`,
  );
}

/** What model.safetensors says about itself, for `chainrule classify`. */
export function modelMetadata(settings: Settings): Record<string, string> {
  return { 'chainrule.model': settings.model, 'chainrule.dataset': settings.dataset };
}

/**
 * Saves a run: the weights alone for others, and everything for ourselves.
 *
 * Each file is replaced whole or not at all, and checkpoint.safetensors needs no other, so that a crash at any moment leaves a
 * state to go on from.
 */
export async function saveState(folder: string, run: Run): Promise<void> {
  const { settings, progress } = run;
  const tensors: Record<string, Tensor> = {};
  const model = run.model.stateDict();
  for (const [name, value] of Object.entries(model)) tensors[`model.${name}`] = value;
  tensors['history.losses'] = tensor(Float64Array.from(progress.losses));
  tensors['history.tests'] = tensor(Float64Array.from(progress.tests.flatMap((test) => [test.loss, test.accuracy])));
  const optimizer = takeTensors('demo', run.optimizer.stateDict(), 'optimizer', tensors);
  const state = {
    format: FORMAT,
    settings,
    epoch: progress.epoch,
    batch: progress.batch,
    generator: defaultGenerator.getState(),
    optimizer,
  };
  await io.saveSafetensors(checkpointPath(folder), tensors, { metadata: { [KEY]: JSON.stringify(state) } });
  await io.saveSafetensors(modelPath(folder), model, { metadata: modelMetadata(settings) });
}

/**
 * Reads a run back.
 *
 * @throws TensorError `io` if there is none, `format` if the file is not a checkpoint of the demo
 */
export async function loadState(folder: string): Promise<Saved> {
  const path = checkpointPath(folder);
  if (!existsSync(path)) {
    throw new TensorError(
      'io',
      'demo',
      `expected a saved run in '${path}', got no such file; start one without --resume, or say where it is with --out`,
    );
  }
  const { tensors, metadata } = await io.loadSafetensors(path);
  const bad = (text: string) =>
    new TensorError('format', 'demo', `expected '${path}' to be a checkpoint of this demo, got ${text}`);
  let state: Record<string, unknown>;
  try {
    state = JSON.parse(metadata[KEY] ?? 'null') ?? {};
  } catch (cause) {
    throw bad(`metadata that are no JSON (${(cause as Error).message})`);
  }
  const { format, settings, epoch, batch, generator, optimizer } = state;
  if (format !== FORMAT)
    throw bad(format === undefined ? 'a file without its metadata' : `format ${String(format)} instead of ${FORMAT}`);
  const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isSettings(settings) || !whole(epoch) || !whole(batch)) throw bad('settings or progress that no run has');
  const tests = Array.from(need(tensors, 'history.tests', path).data);
  const model: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(tensors))
    if (name.startsWith('model.')) model[name.slice('model.'.length)] = value;
  return {
    settings,
    progress: {
      epoch,
      batch,
      losses: Array.from(need(tensors, 'history.losses', path).data),
      tests: Array.from({ length: tests.length / 2 }, (_, i) => ({ loss: tests[2 * i], accuracy: tests[2 * i + 1] })),
    },
    generator: generator as number[],
    model,
    optimizer: putTensors(optimizer, (name) => need(tensors, name, path)) as optim.OptimizerState,
  };
}
