// Memory of tensors: a pool of aligned buffers by size class, slabs for small tensors, counts and a budget.
//
// Buffers are ordinary ArrayBuffers, so the collector is always a correct fallback; giving them back to the pool only makes
// them come back sooner. Memory from the system costs 99 us per MB, pooled memory 3 (page faults). What the collector frees comes
// back warm: nothing that it watches holds a buffer, so that collections of young objects, which are cheap, take buffers too.
import { Buffer, constants } from 'node:buffer';
import { runInNewContext } from 'node:vm';
import { builtin } from '../builtin.js';
import { TensorError } from '../errors.js';
import { type Bytes, native } from '../native.js';
import { recording } from './recording.js';

const ALIGNMENT = 64;
const SLAB_BYTES = 64 * 1024;
/** Tensors up to this size are carved from shared slabs: an ArrayBuffer of their own would cost more than they do. */
export const SMALL_BYTES = 4 * 1024;

/** What one ArrayBuffer adds to the counts; outlives the buffer, so that its finalizer can subtract it again. */
interface Account {
  /** 0 once {@link emptyCache} has subtracted them. */
  bytes: number;
  tensors: number;
  pooled: boolean;
}

/** An aligned stretch of one ArrayBuffer. */
class Block {
  /** What is registered for the block's end: a registered buffer would outlive every collection of young objects. */
  readonly life = {};
  /** Bytes handed out so far (slabs only). */
  top = 0;
  /** A typed array outside looks at part of a slab: it is never handed out again. */
  pinned = false;
  constructor(
    readonly bytes: Bytes,
    readonly account: Account,
  ) {}
}

/** The memory of one tensor and of all views on it, with the count of those who share it. */
export class Storage {
  refs = 1;
  /** Counts in-place changes, so that backward notices a saved tensor that is no longer what it was. */
  version = 0;
  /** Somebody outside holds a typed array on this memory: it is never recycled. */
  pinned = false;
  constructor(
    readonly bytes: Bytes,
    readonly byteOffset: number,
    readonly byteLength: number,
    readonly block: Block | null,
  ) {}
}

/** Takes the place of a tensor's storage once it is released. */
export const RELEASED = new Storage(new Uint8Array(0), 0, 0, null);

let liveTensors = 0;
let totalBytes = 0;
let pooledBytes = 0;
let budget = Number.POSITIVE_INFINITY;
// Bytes the collector has freed already while their finalizers wait for the event loop.
let unreported = 0;

// Registered once per ArrayBuffer, not per tensor: the finalizer subtracts what the collector took.
const registry = new FinalizationRegistry<Account>((account) => {
  totalBytes -= account.bytes;
  unreported = Math.max(0, unreported - account.bytes);
  liveTensors -= account.tensors;
  if (account.pooled) pooledBytes -= account.bytes;
});

const freeBlocks = new Map<number, Block[]>();
const freeSlabs: Block[] = [];
let slab: Block | null = null;

function newBlock(op: string, capacity: number): Block {
  if (totalBytes - unreported + capacity > budget) makeRoom(op, capacity);
  const buffer = newBuffer(op, capacity + ALIGNMENT);
  const skip = (ALIGNMENT - native.misalignment(new Uint8Array(buffer))) % ALIGNMENT;
  const account: Account = { bytes: capacity, tensors: 0, pooled: false };
  const block = new Block(new Uint8Array(buffer, skip, capacity), account);
  registry.register(block.life, account);
  totalBytes += capacity;
  return block;
}

function newBuffer(op: string, size: number): ArrayBuffer {
  try {
    return uninitialised(size);
  } catch {
    // Garbage that no turn of the event loop has collected yet may be all that is in the way.
    emptyCache();
    collectGarbage();
  }
  try {
    return uninitialised(size);
  } catch (cause) {
    throw new TensorError('memory', op, `expected to get ${formatBytes(size)} from the system, which refused`, {
      cause,
    });
  }
}

/** Filling memory with zeros costs more than most operations on it. */
function uninitialised(size: number): ArrayBuffer {
  return size <= constants.MAX_LENGTH ? Buffer.allocUnsafeSlow(size).buffer : new ArrayBuffer(size);
}

let gc: (() => void) | null = null;
function collectGarbage(): void {
  if (gc === null) {
    builtin.v8.setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
  }
  gc();
}

/** Bytes that are really held: V8's own count is exact where our finalizers have not run yet. */
function countBytes(): number {
  const real = Math.min(totalBytes, process.memoryUsage().arrayBuffers);
  unreported = totalBytes - real;
  return real;
}

/** The budget seems reached: count what really lives, then drop the pool and collect garbage, then give up. */
function makeRoom(op: string, capacity: number): void {
  let real = countBytes();
  if (real + capacity <= budget) return;
  emptyCache();
  // V8 frees buffers on another thread; a second collection waits for what the first one found.
  for (let i = 0; i < 2; i++) {
    collectGarbage();
    real = countBytes();
    if (real + capacity <= budget) return;
  }
  throw new TensorError(
    'memory',
    op,
    `expected to stay within the memory budget of ${formatBytes(budget)}, but ${formatBytes(real)} are in use and ` +
      `${formatBytes(capacity)} more are needed. Release tensors earlier (scope, dispose), use smaller batches, or raise setMemoryBudget()`,
  );
}

/** Throws what {@link allocate} would for as many bytes, once `returning` of those in use have come back. */
export function checkRoom(op: string, byteLength: number, returning: number): void {
  const more = sizeClass(Math.max(byteLength, 1)) - returning;
  if (totalBytes - unreported - pooledBytes + more > budget) makeRoom(op, more);
}

/** Sizes are rounded up to four steps per power of two, which wastes at most a quarter and lets sizes share blocks. */
function sizeClass(bytes: number): number {
  const step = bytes <= 2 ** 32 ? (2 ** 29) >>> Math.clz32(bytes - 1) : 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

/** Takes uninitialised memory for `byteLength` bytes. */
export function allocate(op: string, byteLength: number): Storage {
  if (byteLength <= SMALL_BYTES) {
    const need = (byteLength + ALIGNMENT - 1) & -ALIGNMENT;
    if (slab === null || slab.top + need > SLAB_BYTES) slab = nextSlab(op);
    const storage = new Storage(slab.bytes, slab.top, byteLength, slab);
    slab.top += need;
    slab.account.tensors++;
    liveTensors++;
    return recording === null ? storage : recording.allocated(storage);
  }
  const capacity = sizeClass(byteLength);
  const free = freeBlocks.get(capacity);
  let block = free?.pop();
  if (block === undefined) block = newBlock(op, capacity);
  else {
    block.account.pooled = false;
    pooledBytes -= capacity;
  }
  block.account.tensors = 1;
  liveTensors++;
  const storage = new Storage(block.bytes, 0, byteLength, block);
  return recording === null ? storage : recording.allocated(storage);
}

/** A slab to carve from once the current one is full. */
function nextSlab(op: string): Block {
  // Everything in the full one may be gone already: start over in memory that is still in cache.
  if (slab !== null && slab.account.tensors === 0 && !slab.pinned) {
    slab.top = 0;
    return slab;
  }
  const next = freeSlabs.pop();
  if (next === undefined) return newBlock(op, SLAB_BYTES);
  next.account.pooled = false;
  pooledBytes -= SLAB_BYTES;
  next.top = 0;
  return next;
}

/** Wraps memory that somebody else owns; it is never recycled. */
export function adopt(bytes: Bytes): Storage {
  const storage = new Storage(bytes, 0, bytes.byteLength, null);
  storage.pinned = true;
  return storage;
}

/** One user of the storage less; the last one gives the memory back. */
export function release(storage: Storage): void {
  if (--storage.refs > 0 || storage.block === null) return;
  const block = storage.block;
  block.account.tensors--;
  liveTensors--;
  if (storage.pinned) block.pinned = true;
  if (block.pinned) return;
  if (storage.byteLength <= SMALL_BYTES) {
    if (block.account.tensors === 0 && block !== slab) recycle(block, freeSlabs);
    return;
  }
  const free = freeBlocks.get(block.bytes.byteLength) ?? [];
  if (free.length === 0) freeBlocks.set(block.bytes.byteLength, free);
  recycle(block, free);
}

function recycle(block: Block, list: Block[]): void {
  block.account.pooled = true;
  pooledBytes += block.bytes.byteLength;
  list.push(block);
}

/** Lets go of all pooled memory; the collector returns it to the system. */
export function emptyCache(): void {
  for (const list of [freeSlabs, ...freeBlocks.values()]) {
    for (const block of list) {
      totalBytes -= block.bytes.byteLength;
      pooledBytes -= block.bytes.byteLength;
      block.account.bytes = 0;
    }
    list.length = 0;
  }
  freeBlocks.clear();
}

/** What {@link memory} reports. */
export interface MemoryUsage {
  /** Tensors whose memory was not given back (views count with the tensor they look at). */
  tensors: number;
  /** Bytes held by tensors in use. */
  bytes: number;
  /** Bytes kept ready for the next tensors. */
  poolBytes: number;
  /** The budget set by {@link setMemoryBudget}, or Infinity. */
  budget: number;
}

/**
 * Counts tensors and the bytes they hold.
 *
 * What the garbage collector took is subtracted from `bytes` at once, from `tensors` when the event loop turns after its next
 * full collection.
 *
 * @example
 * ```ts
 * import { memory, zeros } from 'chainrule';
 * const x = zeros([1024, 1024]);
 * console.log(memory().bytes >= 4 * 2 ** 20); // true
 * x.dispose();
 * ```
 */
export function memory(): MemoryUsage {
  const bytes = Math.max(0, countBytes() - pooledBytes);
  return { tensors: liveTensors, bytes, poolBytes: pooledBytes, budget };
}

/**
 * Sets the most bytes that tensors and the pool may hold together; more gives a `TensorError` with code `memory`.
 *
 * @param bytes the budget, or `Infinity` for none (the default)
 *
 * @example
 * ```ts
 * import { setMemoryBudget } from 'chainrule';
 * setMemoryBudget(2 * 2 ** 30);
 * ```
 */
export function setMemoryBudget(bytes: number): void {
  if (typeof bytes !== 'number' || !(bytes > 0)) {
    throw new TensorError('value', 'setMemoryBudget', `expected a number of bytes above 0, got ${String(bytes)}`);
  }
  budget = bytes;
}

function formatBytes(n: number): string {
  if (n < 1024) return `${n} bytes`;
  const unit = Math.min(3, Math.floor(Math.log2(n) / 10));
  return `${(n / 1024 ** unit).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB'][unit]}`;
}
