// Tensors in memory that several threads share: moving or copying them there, and finding them again from a message.
import { copyInto, wrap } from './core/dispatch.js';
import { checkDType, DTYPES, type DType } from './core/dtype.js';
import { checkInteger, checkShape, isContiguous, type Shape, sizeOf } from './core/shape.js';
import { adopt, release, type Storage } from './core/storage.js';
import { describe, TensorError } from './errors.js';
import { type Bytes, native } from './native.js';
import { Tensor } from './tensor.js';

/** Every tensor starts at a multiple of this many bytes, as in memory of the pool. */
const ALIGNMENT = 64;

/** Where a tensor lies: in a stretch of bytes of one of the shared buffers. Tensors of one stretch share its memory. */
export interface SharedPlace {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly strides: Shape;
  /** Place of the first element in the stretch, in elements. */
  readonly offset: number;
  /** Number of the buffer. */
  readonly buffer: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Tensors by name in shared memory; `postMessage` and `workerData` carry it to other threads, the memory stays where it is. */
export interface SharedTensors {
  readonly buffers: readonly SharedArrayBuffer[];
  readonly tensors: Readonly<Record<string, SharedPlace>>;
}

function isShared(storage: Storage): boolean {
  return storage.bytes.buffer instanceof SharedArrayBuffer;
}

/** Shared memory of so many bytes each, in one buffer, zeroed. */
function stretches(op: string, lengths: readonly number[]): Bytes[] {
  // An empty tensor has a place of its own, too: places tell tensors apart.
  const sizes = lengths.map((n) => Math.max(1, Math.ceil(n / ALIGNMENT)) * ALIGNMENT);
  const total = sizes.reduce((a, b) => a + b, ALIGNMENT);
  let buffer: SharedArrayBuffer;
  try {
    buffer = new SharedArrayBuffer(total);
  } catch (cause) {
    throw new TensorError('memory', op, `expected to get ${total} shared bytes from the system, which refused`, {
      cause,
    });
  }
  let top = (ALIGNMENT - native.misalignment(new Uint8Array(buffer))) % ALIGNMENT;
  return lengths.map((n, i) => {
    const bytes = new Uint8Array(buffer, top, n);
    top += sizes[i];
    return bytes;
  });
}

/** Gives a tensor other memory of the same geometry. */
function rehouse(x: Tensor, storage: Storage): void {
  release(x.storage);
  x.storage = storage;
  storage.refs++;
}

/**
 * Moves the memory of tensors into one shared buffer, but for what is shared already. The tensors stay the same objects, and
 * those that share memory go on to do so; other views of it are left with the old memory.
 */
export function moveToShared(op: string, tensors: readonly Tensor[]): void {
  const moving = new Map<Storage, Tensor[]>();
  for (const x of new Set(tensors)) {
    x.check(op);
    if (!isShared(x.storage)) moving.set(x.storage, [...(moving.get(x.storage) ?? []), x]);
  }
  if (moving.size === 0) return;
  const made = stretches(
    op,
    [...moving.keys()].map((storage) => storage.byteLength),
  );
  for (const [storage, users] of moving) {
    const bytes = made.shift() as Bytes;
    bytes.set(storage.bytes.subarray(storage.byteOffset, storage.byteOffset + storage.byteLength));
    const shared = adopt(bytes);
    // The same values: graphs that saved them are still right.
    shared.version = storage.version;
    for (const x of users) rehouse(x, shared);
    shared.refs--;
  }
}

/** Contiguous copies of tensors in one shared buffer; those that lie in shared memory already stay as they are. */
export function copyToShared(op: string, tensors: readonly Tensor[]): Tensor[] {
  const lengths = tensors.map((x) => (isShared(x.storage) ? 0 : x.size * DTYPES[x.dtype].bytes));
  if (tensors.every((x) => isShared(x.storage))) return [...tensors];
  const made = stretches(op, lengths);
  return tensors.map((x, i) => {
    if (isShared(x.storage)) return x;
    const copy = wrap(op, adopt(made[i]), x.shape, x.dtype);
    copyInto(copy, x);
    return copy;
  });
}

/** The message that tells other threads where tensors in shared memory lie. */
export function describeShared(tensors: ReadonlyMap<string, Tensor>): SharedTensors {
  const buffers: SharedArrayBuffer[] = [];
  const places: [string, SharedPlace][] = [];
  for (const [name, { storage, dtype, shape, strides, offset }] of tensors) {
    const found = storage.bytes.buffer as unknown as SharedArrayBuffer;
    if (!buffers.includes(found)) buffers.push(found);
    const byteOffset = storage.bytes.byteOffset + storage.byteOffset;
    const { byteLength } = storage;
    const buffer = buffers.indexOf(found);
    places.push([name, { dtype, shape: [...shape], strides: [...strides], offset, buffer, byteOffset, byteLength }]);
  }
  return { buffers, tensors: Object.fromEntries(places) };
}

/** The tensors of a message, on the same memory; every number in it is checked. */
export function openShared(op: string, message: SharedTensors): Map<string, Tensor> {
  const { buffers, tensors } = message ?? {};
  const isRecord = tensors !== null && typeof tensors === 'object';
  if (!isRecord || !Array.isArray(buffers) || !buffers.every((buffer) => buffer instanceof SharedArrayBuffer)) {
    throw new TensorError(
      'value',
      op,
      `expected what share() gave, sent by postMessage or workerData, got ${describe(message)}`,
    );
  }
  const storages = new Map<string, Storage>();
  const open = (place: SharedPlace): Tensor => {
    const { shape, strides, offset, buffer, byteOffset, byteLength } = place;
    const dtype = checkDType(op, place.dtype);
    const sizes = checkShape(op, shape);
    if (!Array.isArray(strides) || strides.length !== sizes.length) {
      throw new TensorError(
        'value',
        op,
        `expected a stride for each of [${sizes.join(', ')}], got ${describe(strides)}`,
      );
    }
    const memory = buffers[checkInteger(op, 'the number of a buffer', buffer, 0, buffers.length - 1)];
    checkInteger(op, 'the bytes of a tensor', byteLength, 0, memory.byteLength);
    checkInteger(op, 'the place of a tensor', byteOffset, 0, memory.byteLength - byteLength);
    const { bytes } = DTYPES[dtype];
    checkInteger(op, 'the place of a tensor by its elements', byteOffset / bytes, 0);
    let [low, high] = [offset, offset];
    for (const [i, step] of strides.entries()) {
      const reach = checkInteger(op, 'a stride', step) * (sizes[i] - 1);
      if (reach > 0) high += reach;
      else low += reach;
    }
    checkInteger(op, 'the offset of a tensor', offset, 0);
    if (sizeOf(sizes) > 0 && (low < 0 || (high + 1) * bytes > byteLength)) {
      const got = `elements ${low} to ${high} of ${dtype}`;
      throw new TensorError('value', op, `expected a tensor within its ${byteLength} bytes, got ${got}`);
    }
    const key = [buffer, byteOffset, byteLength].join();
    let storage = storages.get(key);
    if (storage === undefined) {
      storage = adopt(new Uint8Array(memory, byteOffset, byteLength));
      storages.set(key, storage);
    } else storage.refs++;
    return new Tensor(storage, sizes, [...strides], offset, dtype, isContiguous(sizes, strides), 'shared');
  };
  return new Map(Object.entries(tensors).map(([name, place]) => [name, open(place)]));
}

/** Lets a tensor look at the memory of another of the same shape and dtype; graphs that saved its old values notice. */
export function adoptShared(x: Tensor, from: Tensor): void {
  const { storage, strides, offset, isContiguous: contiguous } = from;
  storage.version = Math.max(storage.version, x.storage.version + 1);
  rehouse(x, storage);
  Object.assign(x, { strides, offset, isContiguous: contiguous });
}
