// The safetensors file format on typed arrays: reading, checking and writing. Tensors are wrapped elsewhere.
import type { FileHandle } from 'node:fs/promises';
import { DTYPES, type DType, type TypedArray } from '../core/dtype.js';
import { checkOptions, describe } from '../errors.js';
import { writeAtomically } from './atomic.js';
import { fill, indexText, reserve, writeAll } from './file-bytes.js';
import { readFile } from './read-file.js';
import {
  type Bytes,
  countOf,
  HeaderReader,
  headerLength,
  LONE_SURROGATE,
  MAX_HEADER,
  MAX_NDIM,
  NAMES,
  STORED,
  type Stored,
  type StoredDType,
  type Where,
  wrong,
} from './safetensors-header.js';
import { decodedElements, encodedPieces } from './stored-elements.js';

/** One tensor of a file, its elements in row-major order. */
export interface SafetensorsEntry {
  dtype: DType;
  shape: number[];
  data: TypedArray;
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** The tensors by name, in the order of their data. */
  entries: Map<string, SafetensorsEntry>;
  /** The texts under `__metadata__`; empty where there are none. */
  metadata: Record<string, string>;
  /** The format's own dtype of each tensor, before conversion: 'BF16', 'I64', ... */
  storedDTypes: Map<string, string>;
}

/** Options of {@link saveSafetensors}. */
export interface SafetensorsWriteOptions {
  /** Texts to store under `__metadata__`. */
  metadata?: Readonly<Record<string, string>>;
  /** The format's dtype, by name, of tensors stored otherwise than in memory: 'F16', 'BF16', 'I64', ... */
  dtypes?: Readonly<Record<string, string>>;
}

/** Yields the bytes to be filled from the file, in order, and turns them into tensors. */
function* load(
  header: HeaderReader,
  content: SafetensorsContent,
  where: Where,
): Generator<{ at: number; into: Bytes }> {
  for (const { name, stored, shape, count, begin, end } of header.tensors) {
    const quoted = describe(name);
    const misfit = (value: number | bigint, flat: number) => {
      const place = `${value} at index ${indexText(shape, flat)} of '${where.file}'`;
      const remedy = 'save it as F64, or with smaller values';
      return wrong('value', where.op, `the values of tensor ${quoted} (${stored}) to fit int32`, `${place}; ${remedy}`);
    };
    const texts = { label: `tensor ${quoted} of '${where.file}'`, bools: `BOOL tensor ${quoted}` };
    const data = yield* decodedElements({ stored, count, begin, end, bigEndian: false, misfit, ...texts }, where);
    content.entries.set(name, { dtype: STORED[stored].dtype, shape, data });
    content.storedDTypes.set(name, stored);
  }
}

/**
 * Reads a safetensors file held in memory; `name` is what errors call it.
 *
 * float16, bfloat16 and float8 become float32, integers become int32, except U8, which is uint8; the arrays are new.
 * Throws a TensorError 'format' with the byte where the content breaks the format, 'value' for an integer beyond
 * int32, 'memory' for lack of it. Hosts are taken to be little-endian, as the format is.
 * Source: the format section of the safetensors README, with torch's float8_e4m3fn for F8_E4M3.
 *
 * @example no-run
 * ```ts
 * const { entries, metadata } = parseSafetensors(await readFile('model.safetensors'), 'the model');
 * entries.get('fc.weight')?.shape; // [10, 784]
 * ```
 */
export function parseSafetensors(bytes: Uint8Array, name: string, op = 'parseSafetensors'): SafetensorsContent {
  if (!(bytes instanceof Uint8Array)) {
    throw wrong('value', op, 'a Uint8Array', describe(bytes));
  }
  const where = { op, file: name };
  const length = headerLength(bytes, bytes.length, where);
  const header = new HeaderReader(bytes.subarray(0, 8 + length), bytes.length, where);
  const content = { entries: new Map(), metadata: header.metadata, storedDTypes: new Map() };
  for (const { at, into } of load(header, content, where)) into.set(bytes.subarray(at, at + into.length));
  return content;
}

/**
 * Reads a safetensors file, converting as {@link parseSafetensors} does.
 *
 * The header is checked against the size of the file before memory is taken, and the data are read straight into the
 * arrays returned. Throws what {@link parseSafetensors} throws, a TensorError 'io' if the file cannot be read, and
 * 'aborted' once `signal` is.
 *
 * @example no-run
 * ```ts
 * const { entries } = await readSafetensorsFile('model.safetensors', { signal: AbortSignal.timeout(60_000) });
 * ```
 */
export async function readSafetensorsFile(
  path: string,
  options?: { signal?: AbortSignal },
  op = 'readSafetensorsFile',
): Promise<SafetensorsContent> {
  return readFile(op, path, options, async ({ handle, size, where, proceed }) => {
    const first = new Uint8Array(Math.min(8, size));
    await fill(handle, first, 0, where);
    const bytes = new Uint8Array(8 + headerLength(first, size, where));
    await fill(handle, bytes, 0, where);
    const header = new HeaderReader(bytes, size, where);
    const content = { entries: new Map(), metadata: header.metadata, storedDTypes: new Map() };
    for (const { at, into } of load(header, content, where)) {
      proceed();
      await fill(handle, into, at, where);
    }
    return content;
  });
}

/** Refuses what a header cannot hold as text. */
function checkText(op: string, what: string, text: unknown, reserved: readonly string[]): void {
  if (typeof text !== 'string' || LONE_SURROGATE.test(text) || reserved.includes(text)) {
    throw wrong('value', op, `${what} to be text and not a reserved name`, describe(text));
  }
}

/** How a tensor of a dtype can be stored; the first is the way it is in memory. */
function choices(dtype: DType): Stored[] {
  const row = (name: Stored): StoredDType => STORED[name];
  const possible = NAMES.filter((name) => row(name).dtype === dtype && (!row(name).decode || row(name).encode));
  return possible.sort((a, b) => Number(!!row(a).decode) - Number(!!row(b).decode));
}

type Entries = ReadonlyMap<string, Readonly<SafetensorsEntry>>;

/** A tensor on its way to a file. */
interface Outgoing extends SafetensorsEntry {
  name: string;
  stored: Stored;
}

function checkEntry(op: string, name: string, entry: Readonly<SafetensorsEntry>, wanted: unknown): Outgoing {
  checkText(op, 'the name of a tensor', name, ['__proto__', '__metadata__']);
  const label = `tensor ${describe(name)}`;
  const { dtype, shape, data } = entry;
  if (!Object.hasOwn(DTYPES, dtype) || !(data instanceof DTYPES[dtype].array)) {
    throw wrong('dtype', op, `${label} to hold the array of its dtype ${dtype}`, describe(data));
  }
  const sizes = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!sizes || shape.length > MAX_NDIM || countOf(shape) !== data.length) {
    throw wrong('shape', op, `the shape of ${label} to hold ${data.length} elements`, describe(shape));
  }
  const odd = dtype === 'bool' ? data.findIndex((value) => value > 1) : -1;
  if (odd >= 0) throw wrong('value', op, `0 or 1 in bool ${label}`, `${data[odd]} at index ${indexText(shape, odd)}`);
  const possible = choices(dtype);
  const stored = wanted === undefined ? possible[0] : possible.find((choice) => choice === wanted);
  if (stored) return { name, dtype, shape, data, stored };
  throw wrong('dtype', op, `${label} (${dtype}) to be stored as ${possible.join(' or ')}`, describe(wanted));
}

/** The first bytes of the file, and the tensors in the order of their data. */
function plan(op: string, entries: Entries, options: SafetensorsWriteOptions = {}) {
  checkOptions(op, options, ['metadata', 'dtypes']);
  if (!(entries instanceof Map)) throw wrong('value', op, 'a Map of tensors', describe(entries));
  const { metadata = {}, dtypes = {} } = options;
  const stray = Object.keys(dtypes).find((name) => !entries.has(name));
  if (stray !== undefined) throw wrong('value', op, 'dtypes to name tensors that are written', describe(stray));
  const tensors: (Outgoing & { key: Buffer })[] = [];
  for (const [name, entry] of entries) {
    const wanted = Object.hasOwn(dtypes, name) ? dtypes[name] : undefined;
    tensors.push({ ...checkEntry(op, name, entry, wanted), key: Buffer.from(name) });
  }
  // Names in the order of their UTF-8 bytes: JavaScript's own order differs beyond U+FFFF.
  tensors.sort((a, b) => NAMES.indexOf(a.stored) - NAMES.indexOf(b.stored) || Buffer.compare(a.key, b.key));
  const fields: string[] = [];
  const texts = Object.keys(metadata).sort();
  for (const key of texts) {
    checkText(op, 'a key of metadata', key, ['__proto__']);
    checkText(op, `metadata ${describe(key)}`, metadata[key], []);
  }
  if (texts.length > 0) fields.push(`"__metadata__":${JSON.stringify(metadata, texts)}`);
  let end = 0;
  for (const { name, stored, shape, data } of tensors) {
    const begin = end;
    end += data.length * STORED[stored].view.BYTES_PER_ELEMENT;
    const value = JSON.stringify({ dtype: stored, shape, data_offsets: [begin, end] });
    fields.push(`${JSON.stringify(name)}:${value}`);
  }
  const json = Buffer.from(`{${fields.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER) throw wrong('value', op, `a header of at most ${MAX_HEADER} bytes`, `${length}`);
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  return { head, tensors };
}

/** The bytes of the tensors in pieces; each is to be used before the next is asked for. */
function* store(op: string, tensors: readonly Outgoing[]): Generator<Uint8Array> {
  for (const { name, stored, shape, data } of tensors) {
    yield* encodedPieces(op, { data, shape, stored, label: `tensor ${describe(name)}`, type: stored });
  }
}

/**
 * Encodes tensors as the bytes of a safetensors file.
 *
 * The same tensors give the same bytes: they are ordered by dtype, widest first, then by name. `dtypes` stores float32
 * as 'F16' or 'BF16', rounded to nearest with ties to even, and int32 as 'I64', 'U64', 'U32', 'I16', 'U16' or 'I8';
 * the `storedDTypes` of a file read, but for float8, can be given back. Throws a TensorError 'shape' or 'dtype' for an
 * entry that contradicts itself, 'value' for an element that the asked dtype cannot hold.
 *
 * @example
 * ```ts
 * const fc = { dtype: 'float32' as const, shape: [2], data: Float32Array.of(1, 2) };
 * const bytes = encodeSafetensors(new Map([['fc.bias', fc]]), { dtypes: { 'fc.bias': 'F16' } });
 * ```
 */
export function encodeSafetensors(
  entries: Entries,
  options?: SafetensorsWriteOptions,
  op = 'encodeSafetensors',
): Uint8Array {
  const { head, tensors } = plan(op, entries, options);
  const sizes = tensors.map(({ stored, data }) => data.length * STORED[stored].view.BYTES_PER_ELEMENT);
  const total = sizes.reduce((sum, size) => sum + size, head.length);
  const bytes = new Uint8Array(reserve(op, total, 'the file; writeSafetensorsFile needs less'));
  bytes.set(head);
  let at = head.length;
  for (const piece of store(op, tensors)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * Writes a safetensors file whole or not at all, encoded as {@link encodeSafetensors} does but a piece at a time.
 *
 * The arrays must not change until the promise settles. Throws what {@link encodeSafetensors} throws, and a
 * TensorError 'io' if the file cannot be written.
 *
 * @example
 * ```ts
 * const fc = { dtype: 'float32' as const, shape: [2], data: Float32Array.of(1, 2) };
 * await writeSafetensorsFile('model.safetensors', new Map([['fc.bias', fc]]), { metadata: { format: 'pt' } });
 * ```
 */
export async function writeSafetensorsFile(
  path: string,
  entries: Entries,
  options?: SafetensorsWriteOptions,
  op = 'writeSafetensorsFile',
): Promise<void> {
  const { head, tensors } = plan(op, entries, options);
  const write = async (handle: FileHandle) => {
    await writeAll(handle, head);
    for (const piece of store(op, tensors)) await writeAll(handle, piece);
  };
  await writeAtomically(path, write, op);
}
