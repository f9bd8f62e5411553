// Elements as files store them: encoded and decoded a piece at a time, the same for every format.
import { DTYPES, type TypedArray } from '../core/dtype.js';
import { CHUNK, indexText, reserve } from './file-bytes.js';
import { type Bytes, broken, STORED, type Stored, type StoredDType, type Where, wrong } from './safetensors-header.js';

/** Elements on their way to a file. */
interface Elements {
  data: TypedArray;
  shape: readonly number[];
  stored: Stored;
  /** What errors call the tensor, and its type in the file. */
  label: string;
  type: string;
}

/** The stored bytes of elements in pieces; each is to be used before the next is asked for. */
export function* encodedPieces(op: string, { data, shape, stored, label, type }: Elements): Generator<Uint8Array> {
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
      throw wrong('value', op, `the values of ${label} to fit ${type}`, place);
    }
    yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
}

/** Elements in a file. */
interface Place {
  stored: Stored;
  /** Number of elements, and the bytes of the file that they take. */
  count: number;
  begin: number;
  end: number;
  bigEndian: boolean;
  /** What errors call the whole, and its type where it is boolean. */
  label: string;
  bools: string;
  /** The error for an element that the dtype in memory cannot hold. */
  misfit(value: number | bigint, flat: number): Error;
}

/** Yields the bytes to be filled from the file, in order, and returns the elements. */
export function* decodedElements(
  { stored, count, begin, end, bigEndian, label, bools, misfit }: Place,
  where: Where,
): Generator<{ at: number; into: Bytes }, TypedArray> {
  const { view: View, dtype, decode }: StoredDType = STORED[stored];
  const width = View.BYTES_PER_ELEMENT;
  const memory = reserve(where.op, count * DTYPES[dtype].bytes, label);
  const target = decode ? new Uint8Array(Math.min(CHUNK, end - begin)) : new Uint8Array(memory);
  const data = new DTYPES[dtype].array(memory, 0, count);
  for (let at = begin; at < end; at += CHUNK) {
    const from = decode ? 0 : at - begin;
    const into = target.subarray(from, from + Math.min(CHUNK, end - at));
    yield { at, into };
    if (bigEndian) swapBytes(into, width);
    const source = new View(into.buffer, into.byteOffset, into.length / width);
    const first = (at - begin) / width;
    const wrongAt = decode?.(source, data.subarray(first, first + source.length));
    if (typeof wrongAt === 'number' && wrongAt >= 0) throw misfit(source[wrongAt], first + wrongAt);
    const odd = dtype === 'bool' ? into.findIndex((byte) => byte > 1) : -1;
    if (odd >= 0) throw broken(where, at + odd, `0 or 1 in ${bools}`, `${into[odd]}`);
  }
  return data;
}

/** Turns big-endian elements into little-endian ones, which all supported hosts have, in place. */
function swapBytes(bytes: Bytes, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}
