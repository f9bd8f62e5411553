// The safetensors file format on typed arrays: reading, checking and writing. Tensors are wrapped elsewhere.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DTYPES, type DType, type TypedArray } from '../core/dtype.js';
import { checkOptions, describe, type ErrorCode, TensorError } from '../errors.js';
import { checkPath, ioError, writeAtomically } from './atomic.js';
import * as half from './half.js';

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

export interface SafetensorsWriteOptions {
  /** Texts to store under `__metadata__`. */
  metadata?: Readonly<Record<string, string>>;
  /** The format's dtype, by name, of tensors stored otherwise than in memory: 'F16', 'BF16', 'I64', ... */
  dtypes?: Readonly<Record<string, string>>;
}

type Bytes = Uint8Array<ArrayBuffer>;
type View = TypedArray | Int8Array | Int16Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array;

interface StoredDType {
  readonly view: { new (buffer: ArrayBuffer, byteOffset: number, length: number): View; BYTES_PER_ELEMENT: number };
  /** The dtype in memory. */
  readonly dtype: DType;
  /** Conversions, absent where memory and file agree; a number returned is the index of a misfit, or -1. */
  decode?(source: View, target?: View): number | View;
  encode?(source: View, target?: View): number | View;
}

// In the order of the reference implementation, widest first, which is also the order of the data in a file.
const STORED = {
  U64: { view: BigUint64Array, dtype: 'int32', decode: half.int64ToInt32, encode: half.int32ToInt64 },
  I64: { view: BigInt64Array, dtype: 'int32', decode: half.int64ToInt32, encode: half.int32ToInt64 },
  F64: { view: Float64Array, dtype: 'float64' },
  F32: { view: Float32Array, dtype: 'float32' },
  U32: { view: Uint32Array, dtype: 'int32', decode: half.copyIntegers, encode: half.copyIntegers },
  I32: { view: Int32Array, dtype: 'int32' },
  BF16: { view: Uint16Array, dtype: 'float32', decode: half.bfloat16ToFloat32, encode: half.float32ToBfloat16 },
  F16: { view: Uint16Array, dtype: 'float32', decode: half.float16ToFloat32, encode: half.float32ToFloat16 },
  U16: { view: Uint16Array, dtype: 'int32', decode: half.copyIntegers, encode: half.copyIntegers },
  I16: { view: Int16Array, dtype: 'int32', decode: half.copyIntegers, encode: half.copyIntegers },
  F8_E4M3: { view: Uint8Array, dtype: 'float32', decode: half.float8E4M3ToFloat32 },
  F8_E5M2: { view: Uint8Array, dtype: 'float32', decode: half.float8E5M2ToFloat32 },
  I8: { view: Int8Array, dtype: 'int32', decode: half.copyIntegers, encode: half.copyIntegers },
  U8: { view: Uint8Array, dtype: 'uint8' },
  BOOL: { view: Uint8Array, dtype: 'bool' },
} as const satisfies Record<string, StoredDType>;

type Stored = keyof typeof STORED;
const NAMES = Object.keys(STORED) as Stored[];

const MAX_HEADER = 100_000_000;
/** More dimensions than any tensor has; unbounded, one list could fill a header of 100 MB. */
const MAX_NDIM = 64;
/** Bytes moved at a time, a multiple of every element size. */
const CHUNK = 4 * 1024 * 1024;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** The function and the file that an error names. */
interface Where {
  op: string;
  file: string;
}

function wrong(code: ErrorCode, op: string, expected: string, got: string, cause?: unknown): TensorError {
  return new TensorError(code, op, `expected ${expected}, got ${got}`, cause === undefined ? undefined : { cause });
}

function broken({ op, file }: Where, at: number, expected: string, got: string): TensorError {
  return wrong('format', op, expected, `${got} at byte ${at} of '${file}'`);
}

/** Number of elements; NaN for sizes whose product, taken without the zeros, is too large for counts and strides. */
function countOf(shape: readonly number[]): number {
  const room = shape.reduce((product, size) => product * (size || 1), 1);
  if (room * 8 > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return shape.includes(0) ? 0 : room;
}

/** A tensor as the header states it; begin and end are bytes of the file. */
interface StoredTensor {
  name: string;
  stored: Stored;
  shape: number[];
  count: number;
  begin: number;
  end: number;
  /** Where the header states begin and end. */
  at: number;
}

/** Reads the header's JSON off its bytes: JSON.parse accepts repeated keys and cannot tell where a value stood. */
class HeaderReader {
  readonly tensors: StoredTensor[] = [];
  readonly metadata: Record<string, string> = {};
  private readonly text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private at = 8;

  /** `bytes` are those of the file up to the end of the header. */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly size: number,
    private readonly where: Where,
  ) {
    if (bytes[8] !== 0x7b) throw this.unexpected("'{'");
    this.members((name, at) => {
      if (name === '__metadata__') this.members((key) => (this.metadata[key] = this.string()));
      else this.tensor(name, at);
    });
    if (this.next() !== undefined) throw this.unexpected('spaces up to the end of the header');
    this.checkLayout();
  }

  private unexpected(expected: string): TensorError {
    const byte = this.bytes[this.at];
    const printable = byte > 0x20 && byte < 0x7f;
    const got = printable ? `'${String.fromCharCode(byte)}'` : `the byte ${byte}`;
    return broken(this.where, this.at, expected, byte === undefined ? 'the end of the header' : got);
  }

  /** The next byte that is not white space; undefined at the end. */
  private next(): number | undefined {
    for (; ; this.at++) {
      const byte = this.bytes[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
  }

  private take(character: string): void {
    if (this.next() !== character.charCodeAt(0)) throw this.unexpected(`'${character}'`);
    this.at++;
  }

  /** After an item of a list or object: whether another follows. */
  private more(close: string): boolean {
    const byte = this.next();
    if (byte !== 0x2c && byte !== close.charCodeAt(0)) throw this.unexpected(`',' or '${close}'`);
    this.at++;
    return byte === 0x2c;
  }

  private string(): string {
    this.take('"');
    const start = this.at;
    let plain = true;
    for (; this.bytes[this.at] !== 0x22; this.at++) {
      const byte = this.bytes[this.at];
      if (byte === undefined || byte < 0x20) throw this.unexpected('the closing quote of a text');
      if (byte === 0x5c) {
        plain = false;
        this.at++;
      }
    }
    try {
      const text = this.text.decode(this.bytes.subarray(start, this.at++));
      const value: string = plain ? text : JSON.parse(`"${text}"`);
      // Escapes can spell half a surrogate pair, which no UTF-8 text contains.
      if (LONE_SURROGATE.test(value)) throw new SyntaxError('lone surrogate');
      return value;
    } catch {
      throw broken(this.where, start, 'a JSON text in UTF-8', 'bytes or escapes that are not');
    }
  }

  private integer(): number {
    const first = this.next();
    const start = this.at;
    let value = 0;
    for (; this.bytes[this.at] >= 0x30 && this.bytes[this.at] <= 0x39; this.at++) {
      value = value * 10 + this.bytes[this.at] - 0x30;
      if (value > Number.MAX_SAFE_INTEGER) throw broken(this.where, start, 'a number below 2^53', 'a larger one');
    }
    const leadingZero = first === 0x30 && this.at > start + 1;
    const fraction = '.eE'.includes(String.fromCharCode(this.bytes[this.at]));
    if (this.at === start || fraction) throw this.unexpected('a whole number of at least 0');
    if (leadingZero) throw broken(this.where, start, 'a number without leading zeros', "'0'");
    return value;
  }

  private integers(): number[] {
    const list: number[] = [];
    this.take('[');
    if (this.next() === 0x5d) {
      this.at++;
      return list;
    }
    do {
      if (list.length === MAX_NDIM) throw this.unexpected(`at most ${MAX_NDIM} numbers`);
      list.push(this.integer());
    } while (this.more(']'));
    return list;
  }

  private members(visit: (key: string, at: number) => void): void {
    const seen = new Set<string>();
    this.take('{');
    if (this.next() === 0x7d) {
      this.at++;
      return;
    }
    do {
      this.next();
      const at = this.at;
      const key = this.string();
      if (seen.has(key)) throw broken(this.where, at, 'every key once', `${describe(key)} again`);
      // Assigned to a plain object, this name would replace its prototype.
      if (key === '__proto__') throw broken(this.where, at, "a key other than '__proto__'", 'that');
      seen.add(key);
      this.take(':');
      visit(key, at);
    } while (this.more('}'));
  }

  private tensor(name: string, at: number): void {
    let stored: Stored | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    let offsetsAt = 0;
    this.members((key, keyAt) => {
      this.next();
      const valueAt = this.at;
      if (key === 'dtype') {
        const value = this.string();
        stored = NAMES.find((known) => known === value);
        if (!stored) throw broken(this.where, valueAt, `one of ${NAMES.join(', ')}`, describe(value));
      } else if (key === 'shape') {
        shape = this.integers();
      } else if (key === 'data_offsets') {
        offsets = this.integers();
        offsetsAt = valueAt;
      } else throw broken(this.where, keyAt, 'the key dtype, shape or data_offsets', describe(key));
    });
    const label = describe(name);
    if (!stored || !shape || !offsets) {
      const missing = !stored ? 'dtype' : !shape ? 'shape' : 'data_offsets';
      throw broken(this.where, at, `dtype, shape and data_offsets for tensor ${label}`, `no ${missing}`);
    }
    const count = countOf(shape);
    const bytes = count * STORED[stored].view.BYTES_PER_ELEMENT;
    if (Number.isNaN(count)) {
      throw broken(this.where, at, `sizes of tensor ${label} with a product below 2^50`, describe(shape));
    }
    const [begin, end] = offsets;
    const available = this.size - this.bytes.length;
    if (offsets.length !== 2 || begin > end || end > available) {
      const expected = `data_offsets [begin, end] of tensor ${label} within the ${available} bytes of data`;
      throw broken(this.where, offsetsAt, expected, describe(offsets));
    }
    if (end - begin !== bytes) {
      const expected = `data_offsets of tensor ${label} ${bytes} bytes apart, as ${stored} ${describe(shape)} needs`;
      throw broken(this.where, offsetsAt, expected, describe(offsets));
    }
    const base = this.bytes.length;
    this.tensors.push({ name, stored, shape, count, begin: base + begin, end: base + end, at: offsetsAt });
  }

  /** The data of the tensors follow each other from the end of the header to the end of the file. */
  private checkLayout(): void {
    this.tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
    const base = this.bytes.length;
    let end = base;
    for (const tensor of this.tensors) {
      if (tensor.begin !== end) {
        const expected = `the data of tensor ${describe(tensor.name)} to begin at offset ${end - base}`;
        const got = `${tensor.begin < end ? 'an overlap' : 'a hole'}: offset ${tensor.begin - base}`;
        throw broken(this.where, tensor.at, expected, got);
      }
      end = tensor.end;
    }
    if (end !== this.size) throw broken(this.where, end, 'the end of the file', `${this.size - end} more bytes`);
  }
}

/** Length of the header, believed only as far as the size of the file allows. */
function headerLength(first: Uint8Array, size: number, where: Where): number {
  if (size < 8) throw broken(where, size, 'the 8 bytes of the header length', 'the end of the file');
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  const most = Math.min(MAX_HEADER, size - 8);
  if (length < 2n || length > most) throw broken(where, 0, `a header length from 2 to ${most}`, `${length}`);
  return Number(length);
}

function reserve(op: string, bytes: number, purpose: string): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw wrong('memory', op, `${bytes} bytes of memory for ${purpose}`, 'none', cause);
  }
}

/** Yields the bytes to be filled from the file, in order, and turns them into tensors. */
function* load(
  header: HeaderReader,
  content: SafetensorsContent,
  where: Where,
): Generator<{ at: number; into: Bytes }> {
  let scratch: Bytes = new Uint8Array(0);
  for (const { name, stored, shape, count, begin, end } of header.tensors) {
    const { view: View, dtype, decode }: StoredDType = STORED[stored];
    const memory = reserve(where.op, count * DTYPES[dtype].bytes, `tensor ${describe(name)} of '${where.file}'`);
    if (decode && scratch.length < Math.min(CHUNK, end - begin)) scratch = new Uint8Array(Math.min(CHUNK, end - begin));
    const data = new DTYPES[dtype].array(memory, 0, count);
    const target = decode ? scratch : new Uint8Array(memory);
    for (let at = begin; at < end; at += CHUNK) {
      const from = decode ? 0 : at - begin;
      const into = target.subarray(from, from + Math.min(CHUNK, end - at));
      yield { at, into };
      const source = new View(into.buffer, into.byteOffset, into.length / View.BYTES_PER_ELEMENT);
      const first = (at - begin) / View.BYTES_PER_ELEMENT;
      const misfit = decode?.(source, data.subarray(first, first + source.length));
      if (typeof misfit === 'number' && misfit >= 0) {
        const place = `${source[misfit]} at index ${indexText(shape, first + misfit)} of '${where.file}'`;
        const remedy = 'save it as F64, or with smaller values';
        const expected = `the values of tensor ${describe(name)} (${stored}) to fit int32`;
        throw wrong('value', where.op, expected, `${place}; ${remedy}`);
      }
      const odd = dtype === 'bool' ? into.findIndex((byte) => byte > 1) : -1;
      if (odd >= 0) throw broken(where, at + odd, `0 or 1 in BOOL tensor ${describe(name)}`, `${into[odd]}`);
    }
    content.entries.set(name, { dtype, shape, data });
    content.storedDTypes.set(name, stored);
  }
}

/** Row-major index of an element, by dimension. */
function indexText(shape: readonly number[], flat: number): string {
  const index: number[] = [];
  let rest = flat;
  for (const size of shape.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${index.join(', ')}]`;
}

/**
 * Reads a safetensors file held in memory; `name` is what errors call it.
 *
 * float16, bfloat16 and float8 become float32, integers become int32, except U8, which is uint8; the arrays are new.
 * Throws a TensorError 'format' with the byte where the content breaks the format, 'value' for an integer beyond
 * int32, 'memory' for lack of it. Hosts are taken to be little-endian, as the format is.
 * Source: the format section of the safetensors README, with torch's float8_e4m3fn for F8_E4M3.
 *
 * @example
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

async function fill(handle: FileHandle, into: Uint8Array, at: number, { op, file }: Where): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) throw wrong('io', op, `'${file}' to stay as it was`, 'a shorter file');
    done += bytesRead;
  }
}

function checkSignal(signal: AbortSignal | undefined, { op, file }: Where): void {
  if (signal?.aborted) throw wrong('aborted', op, `to read all of '${file}'`, 'an abort signal', signal.reason);
}

/**
 * Reads a safetensors file, converting as {@link parseSafetensors} does.
 *
 * The header is checked against the size of the file before memory is taken, and the data are read straight into the
 * arrays returned. Throws what {@link parseSafetensors} throws, a TensorError 'io' if the file cannot be read, and
 * 'aborted' once `signal` is.
 *
 * @example
 * ```ts
 * const { entries } = await readSafetensorsFile('model.safetensors', { signal: AbortSignal.timeout(60_000) });
 * ```
 */
export async function readSafetensorsFile(
  path: string,
  options?: { signal?: AbortSignal },
  op = 'readSafetensorsFile',
): Promise<SafetensorsContent> {
  checkOptions(op, options, ['signal']);
  checkPath(op, path);
  const where = { op, file: path };
  let handle: FileHandle | undefined;
  try {
    checkSignal(options?.signal, where);
    // A pipe would otherwise be waited for without end before its kind can be seen.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat();
    if (!stats.isFile()) throw wrong('io', op, `'${path}' to be a file`, 'a folder, device or pipe');
    const first = new Uint8Array(Math.min(8, stats.size));
    await fill(handle, first, 0, where);
    const bytes = new Uint8Array(8 + headerLength(first, stats.size, where));
    await fill(handle, bytes, 0, where);
    const header = new HeaderReader(bytes, stats.size, where);
    const content = { entries: new Map(), metadata: header.metadata, storedDTypes: new Map() };
    for (const { at, into } of load(header, content, where)) {
      checkSignal(options?.signal, where);
      await fill(handle, into, at, where);
    }
    checkSignal(options?.signal, where);
    return content;
  } catch (error) {
    throw ioError(op, 'read', path, error);
  } finally {
    await handle?.close();
  }
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
    const { view: View, encode }: StoredDType = STORED[stored];
    const step = CHUNK / View.BYTES_PER_ELEMENT;
    const room = encode ? Math.min(step, data.length) : 0;
    const target = new View(new ArrayBuffer(room * View.BYTES_PER_ELEMENT), 0, room);
    for (let first = 0; first < data.length; first += step) {
      const source = data.subarray(first, first + step);
      const piece = encode ? target.subarray(0, source.length) : source;
      const misfit = encode?.(source, piece);
      if (typeof misfit === 'number' && misfit >= 0) {
        const place = `${source[misfit]} at index ${indexText(shape, first + misfit)}`;
        throw wrong('value', op, `the values of tensor ${describe(name)} to fit ${stored}`, place);
      }
      yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    }
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

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
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
