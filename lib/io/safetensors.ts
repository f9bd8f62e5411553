// Safetensors files of tensors: the format that weights travel in between frameworks.
import { dense } from '../core/dispatch.js';
import { fromTypedArray } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import {
  readSafetensorsFile,
  type SafetensorsEntry,
  type SafetensorsWriteOptions,
  writeSafetensorsFile,
} from './safetensors-format.js';

/** Tensors by name: a plain object, `model.stateDict()` for example, or a Map. */
export type NamedTensors = Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>;

/** What {@link loadSafetensors} returns. */
export interface LoadedTensors {
  /** The tensors by name; an object without prototype, so that no name is special. */
  tensors: Record<string, Tensor>;
  /** The texts stored beside them. */
  metadata: Record<string, string>;
  /** The file's own dtype of each tensor before conversion: 'BF16', 'I64', ...; can be given back to {@link saveSafetensors}. */
  dtypes: Record<string, string>;
}

/** The elements as they are now: training may go on while the file is written. */
function snapshot(op: string, name: string, x: Tensor): SafetensorsEntry {
  if (!(x instanceof Tensor))
    throw new TensorError('value', op, `expected '${name}' to be a tensor, got ${describe(x)}`);
  x.check(op);
  const row = dense(op, x);
  const data = row.typed().slice();
  if (row !== x) row.dispose();
  return { dtype: x.dtype, shape: [...x.shape], data };
}

/**
 * Writes tensors to a safetensors file, whole or not at all. Values are those at the time of the call, copied before it
 * returns. The same tensors give the same bytes.
 *
 * @param options `metadata`: texts to store; `dtypes`: the file's dtype, by name, of tensors stored otherwise than in
 * memory ('F16', 'BF16' for float32; 'I64', ... for int32)
 * @throws TensorError `io` if the file cannot be written, `value` for a value that the asked dtype cannot hold
 *
 * @example no-run
 * ```ts
 * import { io, nn } from 'chainrule';
 * const model = new nn.Linear(784, 10);
 * await io.saveSafetensors('model.safetensors', model.stateDict(), { metadata: { epoch: '3' } });
 * ```
 */
export async function saveSafetensors(
  path: string,
  tensors: NamedTensors,
  options?: SafetensorsWriteOptions,
): Promise<void> {
  const op = 'saveSafetensors';
  checkOptions(op, options, ['metadata', 'dtypes']);
  if (tensors === null || typeof tensors !== 'object' || tensors instanceof Tensor || Array.isArray(tensors)) {
    throw new TensorError('value', op, `expected tensors by name, got ${describe(tensors)}`);
  }
  const named: Iterable<[string, Tensor]> =
    tensors instanceof Map ? tensors : Object.entries(tensors as Record<string, Tensor>);
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, x] of named) entries.set(name, snapshot(op, name, x));
  await writeSafetensorsFile(path, entries, options, op);
}

/**
 * Reads a safetensors file: float16, bfloat16 and float8 become float32, integers int32, except U8, which is uint8.
 *
 * @param options `signal` cancels
 * @throws TensorError `format` with the byte where the content breaks the format, `io` if the file cannot be read,
 * `value` for an integer beyond int32, `aborted` by the signal
 *
 * @example no-run
 * ```ts
 * import { io, nn } from 'chainrule';
 * const { tensors, metadata } = await io.loadSafetensors('model.safetensors');
 * new nn.Linear(784, 10).loadStateDict(tensors);
 * console.log(metadata.epoch);
 * ```
 */
export async function loadSafetensors(path: string, options?: { signal?: AbortSignal }): Promise<LoadedTensors> {
  const op = 'loadSafetensors';
  const { entries, metadata, storedDTypes } = await readSafetensorsFile(path, options, op);
  const tensors: Record<string, Tensor> = Object.create(null);
  const dtypes: Record<string, string> = Object.create(null);
  for (const [name, { dtype, shape, data }] of entries) {
    if (shape.length > 8) {
      throw new TensorError(
        'shape',
        op,
        `expected at most 8 dimensions, got ${shape.length} in tensor '${name}' of '${path}'`,
      );
    }
    tensors[name] = fromTypedArray(data, shape, { dtype });
    dtypes[name] = storedDTypes.get(name) as string;
  }
  return { tensors, metadata, dtypes };
}
