// The NumPy .npy format on typed arrays: decoding, checking and encoding. Tensors are wrapped elsewhere.
import type { DType, TypedArray } from '../core/dtype.js';
import { indexText } from './file-bytes.js';
import {
  encodeNpyHeader,
  NPY_DTYPES,
  NPY_PREFIX,
  type NpyDType,
  type NpyHeader,
  npyHeaderEnd,
  readNpyHeader,
} from './npy-header.js';
import { type Bytes, STORED, type Where, wrong } from './safetensors-header.js';
import { decodedElements, encodedPieces } from './stored-elements.js';

/** One array of a .npy file: its elements in the order of the file. */
export interface NpyArray {
  dtype: DType;
  shape: number[];
  /** Whether the first dimension varies fastest. */
  fortranOrder: boolean;
  data: TypedArray;
}

/** Yields the bytes to be filled from the file, in order, and returns them as an array. */
export function* loadNpyElements(
  { stored, bigEndian, fortranOrder, shape, count, begin }: NpyHeader,
  where: Where,
): Generator<{ at: number; into: Bytes }, NpyArray> {
  const misfit = (value: number | bigint, flat: number) => {
    const index = fortranOrder ? indexOfFortran(shape, flat) : indexText(shape, flat);
    const expected = `the elements of '${where.file}' to fit int32`;
    return wrong('value', where.op, expected, `${value} at index ${index}; save it with astype('float64')`);
  };
  const { dtype, view } = STORED[stored];
  const end = begin + count * view.BYTES_PER_ELEMENT;
  const texts = { label: `the array of '${where.file}'`, bools: 'an array of booleans' };
  const data = yield* decodedElements({ stored, count, begin, end, bigEndian, misfit, ...texts }, where);
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
  yield* encodedPieces(op, { data, shape, stored: NPY_DTYPES[stored], label, type: stored });
}
