// The files of a demo run: the checkpoint of fit() with the settings in it, the weights alone, the plot.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TensorError } from '../../errors.js';
import { io, train } from '../../index.js';
import { isSettings, type Settings } from './settings.js';
import type { Run } from './train.js';

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

/** Saves the weights alone, for `chainrule classify` and for others. */
export function saveModel(folder: string, { settings, model }: Run): Promise<void> {
  const metadata = { 'chainrule.model': settings.model, 'chainrule.dataset': settings.dataset };
  return io.saveSafetensors(modelPath(folder), model.stateDict(), { metadata });
}

/** What the demo adds to the checkpoint of fit(). */
interface Saved {
  settings: Settings;
  confusion: number[][] | null;
}

/**
 * Reads what a run was; fit() reads the rest.
 *
 * @throws TensorError `io` if there is none, `format` if the file is not a checkpoint of the demo
 */
export async function loadSaved(folder: string): Promise<Saved> {
  const path = checkpointPath(folder);
  if (!existsSync(path)) {
    throw new TensorError(
      'io',
      'demo',
      `expected a saved run in '${path}', got no such file; start one without --resume, or say where it is with --out`,
    );
  }
  const saved = await train.loadCheckpoint<{ extra?: Partial<Saved> } | null>(path);
  const { settings, confusion = null } = saved?.extra ?? {};
  if (isSettings(settings)) return { settings, confusion };
  const expected = `expected '${path}' to be a checkpoint of this demo`;
  throw new TensorError('format', 'demo', `${expected}, got one without settings that a run can have`);
}
