// Checkpoints: a tree of tensors and plain values in one safetensors file, replaced whole or not at all.
import { TensorError } from '../errors.js';
import { loadSafetensors, saveSafetensors } from '../io/safetensors.js';
import type { Tensor } from '../tensor.js';
import { putTensors, type Tree, takeTensors } from './tree.js';

/** The metadata's text that holds all that is no tensor. */
const KEY = 'chainrule.checkpoint';

/**
 * Saves tensors and plain values together: the states of model, optimizer, schedule and generators for example.
 *
 * One safetensors file: the tensors under their paths ('model.fc.weight'), all else as JSON in the metadata. It is written beside the
 * old one, synced to disk and renamed over it, so that a crash at any moment leaves one or the other. Values are those at
 * the time of the call, copied before it returns. Of `undefined` nothing is kept.
 *
 * @param tree a {@link Tree}: what `stateDict()` functions return, and objects and arrays of it
 * @throws TensorError `io` if the file cannot be written, `value` for functions, class instances, objects in circles and the like
 *
 * @example no-run
 * ```ts
 * import { nn, optim, train } from 'chainrule';
 * const model = new nn.Linear(2, 1);
 * const optimizer = new optim.Adam(model.parameters());
 * await train.saveCheckpoint('run.safetensors', {
 *   epoch: 3,
 *   model: model.stateDict(),
 *   optimizer: optimizer.stateDict(),
 * });
 * ```
 */
export async function saveCheckpoint(path: string, tree: Tree | object): Promise<void> {
  const tensors: Record<string, Tensor> = {};
  const rest = takeTensors('saveCheckpoint', tree, '', tensors);
  await saveSafetensors(path, tensors, { metadata: { [KEY]: JSON.stringify(rest ?? null) } });
}

/**
 * Reads what {@link saveCheckpoint} wrote, or a run of {@link fit}.
 *
 * @typeParam Saved what the file is taken to hold; nobody checks
 * @throws TensorError `io` if the file cannot be read, `format` if it is no checkpoint
 *
 * @example no-run
 * ```ts
 * import { nn, train } from 'chainrule';
 * const saved = await train.loadCheckpoint<{ epoch: number; model: nn.StateDict }>('run.safetensors');
 * new nn.Linear(2, 1).loadStateDict(saved.model);
 * ```
 */
export async function loadCheckpoint<Saved = Tree>(path: string): Promise<Saved> {
  const op = 'loadCheckpoint';
  const { tensors, metadata } = await loadSafetensors(path);
  const bad = (got: string, cause?: unknown) =>
    new TensorError('format', op, `expected '${path}' to be a checkpoint, got ${got}`, { cause });
  if (metadata[KEY] === undefined) throw bad('a file without its metadata');
  let rest: unknown;
  try {
    rest = JSON.parse(metadata[KEY]);
  } catch (cause) {
    throw bad('metadata that are no JSON', cause);
  }
  return putTensors(rest, (name) => {
    if (tensors[name] === undefined) throw bad(`no tensor '${name}'`);
    return tensors[name];
  }) as Saved;
}
