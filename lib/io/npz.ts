// NumPy's .npz files: several .npy files in one zip archive.
import { checkBoolean } from '../core/shape.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { writeAtomically } from './atomic.js';
import { bytesOfNpy, snapshotForNpy, tensorOfNpy } from './npy.js';
import { decodeNpy } from './npy-format.js';
import type { NpyDType } from './npy-header.js';
import { readFile } from './read-file.js';
import type { NamedTensors } from './safetensors.js';
import { LONE_SURROGATE, wrong } from './safetensors-header.js';
import { readZipDirectory, readZipEntry, writeZip } from './zip.js';

/** Options of {@link saveNpz}. */
export interface NpzWriteOptions {
  /** Deflate the arrays; false unless given, as in `np.savez`. */
  compress?: boolean;
  /** NumPy's type in the file, by name, of tensors stored otherwise than in memory: 'f2', 'i8', ... */
  dtypes?: Readonly<Record<string, NpyDType>>;
}

/**
 * Writes tensors to a NumPy archive, whole or not at all (NumPy: `np.savez`, `np.savez_compressed`). Values are those at the
 * time of the call; the same tensors give the same bytes.
 *
 * @param options `compress`: false unless given; `dtypes`: types in the file, by name
 * @throws TensorError `io` if the file cannot be written, `dtype` for a type that a tensor cannot be stored as, `value` for a
 * value that it cannot hold, a name that is no file name, or more than 4 GiB
 *
 * @example no-run
 * ```ts
 * import { arange, io } from 'chainrule';
 * await io.saveNpz('set.npz', { x: arange(6).reshape([2, 3]), y: arange(2) }, { compress: true }); // np.load('set.npz')['x']
 * ```
 */
export async function saveNpz(path: string, tensors: NamedTensors, options?: NpzWriteOptions): Promise<void> {
  const op = 'saveNpz';
  checkOptions(op, options, ['compress', 'dtypes']);
  const compress = checkBoolean(op, 'compress', options?.compress ?? false);
  if (tensors === null || typeof tensors !== 'object' || tensors instanceof Tensor || Array.isArray(tensors)) {
    throw new TensorError('value', op, `expected tensors by name, got ${describe(tensors)}`);
  }
  const named: [string, Tensor][] =
    tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, Tensor>);
  const dtypes = options?.dtypes ?? {};
  const stray = Object.keys(dtypes).find((key) => !named.some(([name]) => name === key));
  if (stray !== undefined) throw wrong('value', op, 'dtypes to name tensors that are written', describe(stray));
  const entries = named.map(([name, x]) => {
    const good =
      typeof name === 'string' && name !== '' && name.length < 10_000 && !/\0/.test(name) && !LONE_SURROGATE.test(name);
    if (!good || name === '__proto__') throw wrong('value', op, 'a name fit for a file', describe(name));
    const label = `tensor ${describe(name)}`;
    const snapshot = snapshotForNpy(op, x, Object.hasOwn(dtypes, name) ? dtypes[name] : undefined, label);
    return [`${name}.npy`, () => bytesOfNpy(op, snapshot, label)] as const;
  });
  await writeAtomically(path, (handle) => writeZip(handle, entries, compress, { op, file: path }), op);
}

/**
 * Reads a NumPy archive, stored or deflated: tensors by name, converted as `loadNpy` does (NumPy: `np.load`).
 *
 * @param options `signal` cancels
 * @returns an object without prototype, so that no name is special
 * @throws TensorError `format` with the byte where the content breaks the format, a checksum that does not hold included;
 * `dtype`, `value`, `io` and `aborted` as `loadNpy`
 *
 * @example no-run
 * ```ts
 * import { data, io } from 'chainrule';
 * const { x, y } = await io.loadNpz('set.npz');
 * console.log(new data.TensorDataset(x, y).length);
 * ```
 */
export async function loadNpz(path: string, options?: { signal?: AbortSignal }): Promise<Record<string, Tensor>> {
  const op = 'loadNpz';
  return readFile(op, path, options, async ({ handle, size, where, proceed }) => {
    const tensors: Record<string, Tensor> = Object.create(null);
    for (const entry of await readZipDirectory(handle, size, where)) {
      proceed();
      if (!entry.name.endsWith('.npy')) {
        throw wrong('format', op, `'${path}' to hold .npy files only, as NumPy's archives do`, describe(entry.name));
      }
      const content = await readZipEntry(handle, entry, where);
      const file = `${path}/${entry.name}`;
      tensors[entry.name.slice(0, -4)] = tensorOfNpy(op, decodeNpy(content, { op, file }), file);
    }
    return tensors;
  });
}
