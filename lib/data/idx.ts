// The IDX file format of MNIST: a header of sizes and then big-endian numbers, plain or gzipped.
import { endianness } from 'node:os';
import { builtin } from '../builtin.js';
import { describe, TensorError } from '../errors.js';

/** Elements of an IDX file: the typed array follows the element type in the file. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The content of an IDX file. */
export interface IdxArray {
  /** Sizes, outermost first. */
  shape: number[];
  /** The elements in row-major order. */
  data: IdxData;
}

interface IdxType {
  /** Bytes an element. */
  readonly bytes: number;
  readonly array: new (buffer: ArrayBuffer) => IdxData;
}

// The third byte of the file names the element type.
const TYPES: ReadonlyMap<number, IdxType> = new Map<number, IdxType>([
  [0x08, { bytes: 1, array: Uint8Array }],
  [0x09, { bytes: 1, array: Int8Array }],
  [0x0b, { bytes: 2, array: Int16Array }],
  [0x0c, { bytes: 4, array: Int32Array }],
  [0x0d, { bytes: 4, array: Float32Array }],
  [0x0e, { bytes: 8, array: Float64Array }],
]);

// Deflate makes at most 1032 bytes of one: 258 bytes from a length and a distance of one bit each.
const DEFLATE_LIMIT = 1032;

/** Where the bytes come from, for checks and messages. */
interface Source {
  readonly op: string;
  readonly name: string;
  /** Bytes in the file as it lies on disk. */
  readonly size: number;
  readonly packed: boolean;
}

interface Header {
  readonly shape: number[];
  readonly type: IdxType;
  /** Bytes of header. */
  readonly start: number;
  /** Bytes of header and elements. */
  readonly end: number;
}

/**
 * Reads an IDX file, plain or gzipped; which of the two is seen from its content.
 *
 * Memory for the elements is taken only after the header has been checked against the size of the file.
 *
 * @param path The file.
 * @returns The sizes in the header and the elements in the file's own type.
 * @throws TensorError `io` if the file cannot be read, `format` with the byte offset if it breaks the format (in a gzipped
 * file: the offset in its unpacked content), `memory` if it does not fit.
 * Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", on file formats.
 *
 * @example no-run
 * ```ts
 * const { shape, data } = await readIdx('train-images-idx3-ubyte.gz');
 * console.log(shape, data.length); // [ 60000, 28, 28 ] 47040000
 * ```
 */
export async function readIdx(path: string): Promise<IdxArray> {
  const op = 'readIdx';
  if (typeof path !== 'string') throw new TensorError('value', op, `expected a path, got ${describe(path)}`);
  const source = await probe(op, path);
  const builder = new IdxBuilder(source);
  const file = builtin.fs.createReadStream(path, { highWaterMark: 1 << 18 });
  const gunzip = source.packed ? builtin.zlib.createGunzip({ chunkSize: 1 << 18 }) : undefined;
  // Not stream.pipeline: on Node 20 it puts an AbortError in place of what the loop throws.
  if (gunzip) file.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  try {
    for await (const chunk of gunzip ?? file) builder.push(chunk);
    if (gunzip) checkConsumed(source, gunzip.bytesWritten);
  } catch (error) {
    throw readError(source, builder.received, error);
  } finally {
    file.destroy();
  }
  return builder.finish();
}

/**
 * Reads the content of an IDX file that is in memory already, plain or gzipped.
 *
 * @param bytes The whole file.
 * @param name What error messages call it.
 * @returns The sizes in the header and the elements, copied.
 * @throws TensorError `format` with the byte offset if the content breaks the format, `memory` if it does not fit.
 *
 * @example
 * ```ts
 * const { shape, data } = parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 6), 'two bytes');
 * console.log(shape, data); // [ 2 ] Uint8Array(2) [ 5, 6 ]
 * ```
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const op = 'parseIdx';
  if (!(bytes instanceof Uint8Array)) throw new TensorError('value', op, `expected bytes, got ${describe(bytes)}`);
  if (typeof name !== 'string') throw new TensorError('value', op, `expected a name, got ${describe(name)}`);
  const source = { op, name, size: bytes.length, packed: isGzip(bytes) };
  const builder = new IdxBuilder(source);
  builder.push(source.packed ? unpack(source, bytes) : bytes);
  return builder.finish();
}

/** Whether the bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Collects a file that arrives in pieces; an ill-formed header or one byte too many ends it at once. */
class IdxBuilder {
  /** Bytes taken so far. */
  received = 0;
  readonly #source: Source;
  #head: Uint8Array = new Uint8Array(0);
  #header: Header | undefined;
  #body: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(source: Source) {
    this.#source = source;
  }

  push(chunk: Uint8Array): void {
    let rest = chunk;
    if (this.#header === undefined) {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      this.#header = parseHeader(this.#source, this.#head);
      if (this.#header === undefined) {
        this.received = this.#head.length;
        return;
      }
      const { start, end } = this.#header;
      this.#body = allocate(this.#source, end - start);
      rest = this.#head.subarray(start);
      this.#head = new Uint8Array(0);
      this.received = start;
    }
    const { start, end } = this.#header;
    if (this.received + rest.length > end) throw trailing(this.#source, end);
    this.#body.set(rest, this.received - start);
    this.received += rest.length;
  }

  finish(): IdxArray {
    if (this.#header === undefined || this.received < this.#header.end) {
      throw truncated(this.#source, this.#header?.end, this.received);
    }
    const { shape, type } = this.#header;
    const { buffer } = this.#body;
    if (endianness() === 'LE') {
      const bytes = Buffer.from(buffer);
      if (type.bytes === 2) bytes.swap16();
      else if (type.bytes === 4) bytes.swap32();
      else if (type.bytes === 8) bytes.swap64();
    }
    return { shape, data: new type.array(buffer) };
  }
}

/** The header, or `undefined` if it is longer than what is there so far. */
function parseHeader(source: Source, bytes: Uint8Array): Header | undefined {
  const { op, name, size, packed } = source;
  const bad = (at: number, wanted: string, got: string) =>
    new TensorError('format', op, `expected ${wanted} at byte ${at} of ${quote(name)}, got ${got}`);
  for (let i = 0; i < Math.min(2, bytes.length); i++) {
    if (bytes[i] !== 0) throw bad(i, 'the 0 that every IDX file begins with', String(bytes[i]));
  }
  if (bytes.length < 4) return undefined;
  const type = TYPES.get(bytes[2]);
  if (type === undefined) throw bad(2, `an element type (${[...TYPES.keys()].join(', ')})`, String(bytes[2]));
  const start = 4 + 4 * bytes[3];
  if (bytes.length < start) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape: number[] = [];
  for (let at = 4; at < start; at += 4) shape.push(view.getUint32(at));
  // Beyond 2^53 the product is rounded or infinite, and then it is larger than any file anyway.
  const count = shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, 1);
  const end = start + count * type.bytes;
  if (end > (packed ? size * DEFLATE_LIMIT : size)) {
    const sizes = `sizes that need no more than the file's ${size} ${packed ? 'gzipped bytes can hold' : 'bytes'}`;
    throw bad(4, sizes, `${describe(shape)}, which need ${end} bytes`);
  }
  if (!packed && end < size) throw trailing(source, end);
  return { shape, type, start, end };
}

/** Unpacks gzipped bytes, never to more than their own IDX header promises. */
function unpack(source: Source, bytes: Uint8Array): Uint8Array {
  let header: Header | undefined;
  let maxOutputLength = bytes.length * DEFLATE_LIMIT;
  try {
    // The header is looked for in a little of the input, then in four times as much, and so on.
    for (let n = 2048; header === undefined; n *= 4) {
      const head = builtin.zlib.gunzipSync(bytes.subarray(0, n), { finishFlush: builtin.zlib.constants.Z_SYNC_FLUSH });
      header = parseHeader(source, head);
      if (n >= bytes.length) break;
    }
    if (header !== undefined) maxOutputLength = header.end + 1;
    // `info` gives the stream beside the bytes; @types/node does not know of it.
    const unpacked = builtin.zlib.gunzipSync(bytes, { maxOutputLength, info: true }) as unknown as {
      buffer: Uint8Array;
      engine: { bytesWritten: number };
    };
    checkConsumed(source, unpacked.engine.bytesWritten);
    return unpacked.buffer;
  } catch (error) {
    if (header !== undefined && codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw trailing(source, header.end);
    throw readError(source, header?.start ?? 0, error);
  }
}

async function probe(op: string, path: string): Promise<Source> {
  const begin = new Uint8Array(2);
  try {
    const info = await builtin.files.stat(path);
    // A pipe or a device has no size to check the header against, and opening one may wait for ever.
    if (!info.isFile()) {
      const kind = info.isDirectory() ? 'a folder' : 'a pipe or device';
      throw new TensorError('io', op, `expected an IDX file at ${quote(path)}, got ${kind}`);
    }
    await using file = await builtin.files.open(path);
    const { bytesRead } = await file.read(begin, 0, 2, 0);
    return { op, name: path, size: info.size, packed: isGzip(begin.subarray(0, bytesRead)) };
  } catch (error) {
    throw readError({ op, name: path, size: 0, packed: false }, 0, error);
  }
}

function allocate({ op, name }: Source, size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new TensorError('memory', op, `expected room for the ${size} bytes of ${quote(name)}, got none`, { cause });
  }
}

/** Bytes behind the end of the gzip stream, which zlib leaves unread if they are zeros. */
function checkConsumed({ op, name, size }: Source, consumed: number): void {
  if (consumed === size) return;
  const text = `expected ${quote(name)} to end with its gzip data at byte ${consumed}, got ${size - consumed} bytes more`;
  throw new TensorError('format', op, text);
}

function trailing({ op, name }: Source, end: number): TensorError {
  return new TensorError(
    'format',
    op,
    `expected ${quote(name)} to end at byte ${end} as its header says, got more bytes`,
  );
}

function truncated({ op, name }: Source, end: number | undefined, received: number): TensorError {
  const wanted = end === undefined ? 'a complete IDX header' : `${end} bytes as the header says`;
  return new TensorError('format', op, `expected ${wanted} in ${quote(name)}, got its end at byte ${received}`);
}

/** A TensorError for whatever went wrong while reading. */
function readError({ op, name }: Source, received: number, error: unknown): unknown {
  if (error instanceof TensorError) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  const options = { cause: error };
  if (code.startsWith('Z_')) {
    const text = `expected whole gzip data in ${quote(name)}, got '${(error as Error).message}' after byte ${received} of its content`;
    return new TensorError('format', op, text, options);
  }
  const got = code === 'ENOENT' ? 'no such file' : (error as Error).message;
  return new TensorError('io', op, `expected to read an IDX file at ${quote(name)}, got ${got}`, options);
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The whole name in quotes: a path cut short would not help. */
function quote(name: string): string {
  return `'${name}'`;
}
