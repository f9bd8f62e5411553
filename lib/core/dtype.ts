// Element types: their sizes, typed arrays and the one promotion table.
import { describe, TensorError } from '../errors.js';

/** Element type of a tensor. float32 is the default; float16, bfloat16 and int64 exist in files only. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool';

/** The typed array that holds a tensor's elements; bool is one byte an element, 0 or 1. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

interface DTypeInfo {
  /** Number of the dtype in native code (native/core/dtype.h). */
  readonly code: number;
  /** Bytes an element. */
  readonly bytes: number;
  /** 0 boolean, 1 integer, 2 floating point: the category decides promotion. */
  readonly category: 0 | 1 | 2;
  readonly array: new (buffer: ArrayBuffer, byteOffset: number, length: number) => TypedArray;
}

export const DTYPES = {
  float32: { code: 0, bytes: 4, category: 2, array: Float32Array },
  float64: { code: 1, bytes: 8, category: 2, array: Float64Array },
  int32: { code: 2, bytes: 4, category: 1, array: Int32Array },
  uint8: { code: 3, bytes: 1, category: 1, array: Uint8Array },
  bool: { code: 4, bytes: 1, category: 0, array: Uint8Array },
} as const satisfies Record<DType, DTypeInfo>;

/** Number of a dtype in native code; comparisons cost less than a look into {@link DTYPES} by a name that varies. */
export function codeOf(dtype: DType): number {
  return dtype === 'float32' ? 0 : dtype === 'float64' ? 1 : dtype === 'int32' ? 2 : dtype === 'uint8' ? 3 : 4;
}

/** Bytes an element. */
export function widthOf(dtype: DType): number {
  return dtype === 'float32' || dtype === 'int32' ? 4 : dtype === 'float64' ? 8 : 1;
}

export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(DTYPES, value);
}

export function checkDType(op: string, value: unknown): DType {
  if (isDType(value)) return value;
  throw new TensorError('dtype', op, `expected one of ${Object.keys(DTYPES).join(', ')}, got ${describe(value)}`);
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64';
}

/** The dtype in which two tensors meet: the higher category wins, inside a category the wider type. */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const p = DTYPES[a];
  const q = DTYPES[b];
  if (p.category !== q.category) return p.category > q.category ? a : b;
  return p.bytes >= q.bytes ? a : b;
}

/** The dtype in which a tensor meets a JavaScript number: its own, unless the number needs a higher category. */
export function promoteNumber(dtype: DType, value: number): DType {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return 'float32';
  return dtype === 'bool' ? 'int32' : dtype;
}

/** The dtype of an operation whose result is floating point whatever it is given. */
export function floatOf(dtype: DType): DType {
  return isFloat(dtype) ? dtype : 'float32';
}
