// NumPy's .npy files of one tensor: on disk and in memory.
import { dense } from '../core/dispatch.js';
import { MAX_NDIM, type Shape } from '../core/shape.js';
import { fromTypedArray } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { writeAtomically } from './atomic.js';
import { fill, writeAll } from './file-bytes.js';
import { decodeNpy, loadNpyElements, type NpyArray, storedAs, storeNpy } from './npy-format.js';
import { NPY_PREFIX, type NpyDType, npyHeaderEnd, readNpyHeader } from './npy-header.js';
import { readFile } from './read-file.js';
import { wrong } from './safetensors-header.js';

/** Options of {@link saveNpy}. */
export interface NpyWriteOptions {
  /** NumPy's type of the elements in the file if not that in memory: 'f2' for float32; 'i8', 'i2', 'u4', ... for int32. */
  dtype?: NpyDType;
}

/** The tensor of an array in either order. */
export function tensorOfNpy(op: string, { dtype, shape, fortranOrder, data }: NpyArray, file: string): Tensor {
  if (shape.length > MAX_NDIM) {
    throw new TensorError('shape', op, `expected at most ${MAX_NDIM} dimensions, got ${shape.length} in '${file}'`);
  }
  if (!fortranOrder || shape.length < 2) return fromTypedArray(data, shape, { dtype });
  // Read backwards, the columns of the file are the rows of the transpose.
  const turned = fromTypedArray(data, shape.toReversed(), { dtype });
  return turned.permute([...shape.keys()].reverse()).contiguous();
}

/** The elements as they are now, and how they are to be stored. */
export interface NpySnapshot {
  data: Parameters<typeof storeNpy>[1];
  shape: Shape;
  stored: NpyDType;
}

export function snapshotForNpy(op: string, x: Tensor, dtype: string | undefined, label: string): NpySnapshot {
  if (!(x instanceof Tensor))
    throw new TensorError('value', op, `expected ${label} to be a tensor, got ${describe(x)}`);
  x.check(op);
  const stored = storedAs(op, x.dtype, dtype, label);
  const row = dense(op, x);
  const data = row.typed().slice();
  if (row !== x) row.dispose();
  return { data, shape: [...x.shape], stored };
}

/** All bytes of a .npy file. */
export function bytesOfNpy(op: string, { data, shape, stored }: NpySnapshot, label: string): Uint8Array {
  return Buffer.concat([...storeNpy(op, data, shape, stored, label)].map((piece) => Buffer.from(piece)));
}

/**
 * Writes a tensor to a NumPy file, whole or not at all (NumPy: `np.save`). Values are those at the time of the call.
 *
 * @param options `dtype`: the type in the file if not that in memory
 * @throws TensorError `io` if the file cannot be written, `dtype` for a type that the tensor cannot be stored as, `value` for
 * an element that it cannot hold
 *
 * @example no-run
 * ```ts
 * import { io, tensor } from 'chainrule';
 * await io.saveNpy('x.npy', tensor([[1, 2], [3, 4]])); // np.load('x.npy')
 * ```
 */
export async function saveNpy(path: string, x: Tensor, options?: NpyWriteOptions): Promise<void> {
  const op = 'saveNpy';
  checkOptions(op, options, ['dtype']);
  const { data, shape, stored } = snapshotForNpy(op, x, options?.dtype, 'the input');
  await writeAtomically(
    path,
    async (handle) => {
      for (const piece of storeNpy(op, data, shape, stored, 'the input')) await writeAll(handle, piece);
    },
    op,
  );
}

/**
 * Reads a NumPy file of either byte order and either memory order (NumPy: `np.load`): float16 becomes float32, integers int32,
 * except unsigned bytes, which stay uint8.
 *
 * @param options `signal` cancels
 * @throws TensorError `format` with the byte where the content breaks the format, `dtype` for records, texts, complex numbers or
 * objects, `io` if the file cannot be read, `value` for an integer beyond int32, `aborted` by the signal
 *
 * @example no-run
 * ```ts
 * import { io } from 'chainrule';
 * const x = await io.loadNpy('x.npy');
 * console.log(x.shape, x.dtype);
 * ```
 */
export async function loadNpy(path: string, options?: { signal?: AbortSignal }): Promise<Tensor> {
  const op = 'loadNpy';
  return readFile(op, path, options, async ({ handle, size, where, proceed }) => {
    const first = new Uint8Array(Math.min(NPY_PREFIX, size));
    await fill(handle, first, 0, where);
    const head = new Uint8Array(npyHeaderEnd(first, size, where));
    await fill(handle, head, 0, where);
    const elements = loadNpyElements(readNpyHeader(head, size, where), where);
    for (;;) {
      proceed();
      const step = elements.next();
      if (step.done) return tensorOfNpy(op, step.value, path);
      await fill(handle, step.value.into, step.value.at, where);
    }
  });
}

/**
 * A tensor as the bytes of a NumPy file, for a response or a queue.
 *
 * @param options `dtype`: the type in the file if not that in memory
 * @throws TensorError `dtype` for a type that the tensor cannot be stored as, `value` for an element that it cannot hold
 *
 * @example
 * ```ts
 * import { arange, io } from 'chainrule';
 * console.log(io.parseNpy(io.encodeNpy(arange(3), { dtype: 'f2' })).toArray()); // [0, 1, 2]
 * ```
 */
export function encodeNpy(x: Tensor, options?: NpyWriteOptions): Uint8Array {
  const op = 'encodeNpy';
  checkOptions(op, options, ['dtype']);
  return bytesOfNpy(op, snapshotForNpy(op, x, options?.dtype, 'the input'), 'the input');
}

/**
 * The tensor in the bytes of a NumPy file, converted as {@link loadNpy} does.
 *
 * @throws TensorError `format` with the byte where the content breaks the format, `dtype` and `value` as {@link loadNpy}
 *
 * @example
 * ```ts
 * import { eye, io } from 'chainrule';
 * console.log(io.parseNpy(io.encodeNpy(eye(2))).toArray()); // [[1, 0], [0, 1]]
 * ```
 */
export function parseNpy(bytes: Uint8Array): Tensor {
  const op = 'parseNpy';
  if (!(bytes instanceof Uint8Array)) throw wrong('value', op, 'a Uint8Array', describe(bytes));
  return tensorOfNpy(op, decodeNpy(bytes, { op, file: 'the bytes' }), 'the bytes');
}
