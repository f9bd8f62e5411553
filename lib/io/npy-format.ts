// The NumPy .npy format on typed arrays: decoding, checking and encoding. Tensors are wrapped elsewhere.
import { DTYPES, type DType, type TypedArray } from '../core/dtype.js';
import { CHUNK, indexText, reserve } from './file-bytes.js';
import {
  encodeNpyHeader,
  NPY_DTYPES,
  NPY_PREFIX,
  type NpyDType,
  type NpyHeader,
  npyHeaderEnd,
  readNpyHeader,
} from './npy-header.js';
import { type Bytes, broken, STORED, type StoredDType, type Where, wrong } from './safetensors-header.js';

/** One array of a .npy file: its elements in the order of the file. */
export interface NpyArray {
  dtype: DType;
  shape: number[];
  /** Whether the first dimension varies fastest. */
  fortranOrder: boolean;
  data: TypedArray;
}

/** Turns big-endian elements into little-endian ones, which all supported hosts have, in place. */
function swapBytes(bytes: Bytes, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

/** Yields the bytes to be filled from the file, in order, and returns them as an array. */
export function* loadNpyElements(
  { stored, bigEndian, fortranOrder, shape, count, begin }: NpyHeader,
  where: Where,
): Generator<{ at: number; into: Bytes }, NpyArray> {
  const { view: View, dtype, decode }: StoredDType = STORED[stored];
  const width = View.BYTES_PER_ELEMENT;
  const memory = reserve(where.op, count * DTYPES[dtype].bytes, `the array of '${where.file}'`);
  const end = begin + count * width;
  const target = decode ? new Uint8Array(Math.min(CHUNK, end - begin)) : new Uint8Array(memory);
  const data = new DTYPES[dtype].array(memory, 0, count);
  for (let at = begin; at < end; at += CHUNK) {
    const from = decode ? 0 : at - begin;
    const into = target.subarray(from, from + Math.min(CHUNK, end - at));
    yield { at, into };
    if (bigEndian) swapBytes(into, width);
    const source = new View(into.buffer, into.byteOffset, into.length / width);
    const first = (at - begin) / width;
    const misfit = decode?.(source, data.subarray(first, first + source.length));
    if (typeof misfit === 'number' && misfit >= 0) {
      const index = fortranOrder ? indexOfFortran(shape, first + misfit) : indexText(shape, first + misfit);
      const expected = `the elements of '${where.file}' to fit int32`;
      throw wrong('value', where.op, expected, `${source[misfit]} at index ${index}; save it with astype('float64')`);
    }
    const odd = dtype === 'bool' ? into.findIndex((byte) => byte > 1) : -1;
    if (odd >= 0) throw broken(where, at + odd, '0 or 1 in an array of booleans', `${into[odd]}`);
  }
  return { dtype, shape, fortranOrder, data };
}

function indexOfFortran(shape: readonly number[], flat: number): string {
  let rest = flat;
  const index = shape.map((size) => {
    const i = rest % size;
    rest = Math.floor(rest / size);
    return i;
  });
  return `[${index.join(', ')}]`;
}

/** Reads a .npy file held in memory; `where` names it in errors. */
export function decodeNpy(bytes: Uint8Array, where: Where): NpyArray {
  const end = npyHeaderEnd(bytes.subarray(0, NPY_PREFIX), bytes.length, where);
  const elements = loadNpyElements(readNpyHeader(bytes.subarray(0, end), bytes.length, where), where);
  for (;;) {
    const step = elements.next();
    if (step.done) return step.value;
    const { at, into } = step.value;
    into.set(bytes.subarray(at, at + into.length));
  }
}

/** How arrays of a dtype can be stored; the first is the way they are in memory. */
const CHOICES: Readonly<Record<DType, readonly NpyDType[]>> = {
  float32: ['f4', 'f2'],
  float64: ['f8'],
  int32: ['i4', 'i8', 'i2', 'i1', 'u8', 'u4', 'u2'],
  uint8: ['u1'],
  bool: ['b1'],
};

/** The type in the file: the one asked for if the dtype can be stored so. */
export function storedAs(op: string, dtype: DType, wanted: string | undefined, label: string): NpyDType {
  const possible = CHOICES[dtype];
  const chosen = wanted === undefined ? possible[0] : possible.find((choice) => choice === wanted);
  if (chosen) return chosen;
  throw wrong('dtype', op, `${label} (${dtype}) to be stored as ${possible.join(' or ')}`, `'${wanted}'`);
}

/** The bytes of a .npy file in pieces: the header, then the elements; each is to be used before the next is asked for. */
export function* storeNpy(
  op: string,
  data: TypedArray,
  shape: readonly number[],
  stored: NpyDType,
  label: string,
): Generator<Uint8Array> {
  yield encodeNpyHeader(stored, shape, false);
  const { view: View, encode }: StoredDType = STORED[NPY_DTYPES[stored]];
  const step = CHUNK / View.BYTES_PER_ELEMENT;
  const room = encode ? Math.min(step, data.length) : 0;
  const target = new View(new ArrayBuffer(room * View.BYTES_PER_ELEMENT), 0, room);
  for (let first = 0; first < data.length; first += step) {
    const source = data.subarray(first, first + step);
    const piece = encode ? target.subarray(0, source.length) : source;
    const misfit = encode?.(source, piece);
    if (typeof misfit === 'number' && misfit >= 0) {
      const place = `${source[misfit]} at index ${indexText(shape, first + misfit)}`;
      throw wrong('value', op, `the values of ${label} to fit ${stored}`, place);
    }
    yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
}
