// The header of a safetensors file: dtypes as stored, and a reader that checks every statement against the file.
import type { DType, TypedArray } from '../core/dtype.js';
import { describe, type ErrorCode, TensorError } from '../errors.js';
import * as half from './half.js';

export type Bytes = Uint8Array<ArrayBuffer>;
export type View = TypedArray | Int8Array | Int16Array | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array;

export interface StoredDType {
  readonly view: { new (buffer: ArrayBuffer, byteOffset: number, length: number): View; BYTES_PER_ELEMENT: number };
  /** The dtype in memory. */
  readonly dtype: DType;
  /** Conversions, absent where memory and file agree; a number returned is the index of a misfit, or -1. */
  decode?(source: View, target?: View): number | View;
  encode?(source: View, target?: View): number | View;
}

// In the order of the reference implementation, widest first, which is also the order of the data in a file.
export const STORED = {
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

export type Stored = keyof typeof STORED;
export const NAMES = Object.keys(STORED) as Stored[];

export const MAX_HEADER = 100_000_000;
/** More dimensions than any tensor has; unbounded, one list could fill a header of 100 MB. */
export const MAX_NDIM = 64;

export const LONE_SURROGATE = /\p{Surrogate}/u;

/** The function and the file that an error names. */
export interface Where {
  op: string;
  file: string;
}

export function wrong(code: ErrorCode, op: string, expected: string, got: string, cause?: unknown): TensorError {
  return new TensorError(code, op, `expected ${expected}, got ${got}`, cause === undefined ? undefined : { cause });
}

export function broken({ op, file }: Where, at: number, expected: string, got: string): TensorError {
  return wrong('format', op, expected, `${got} at byte ${at} of '${file}'`);
}

/** Number of elements; NaN for sizes whose product, taken without the zeros, is too large for counts and strides. */
export function countOf(shape: readonly number[]): number {
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
export class HeaderReader {
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
export function headerLength(first: Uint8Array, size: number, where: Where): number {
  if (size < 8) throw broken(where, size, 'the 8 bytes of the header length', 'the end of the file');
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  const most = Math.min(MAX_HEADER, size - 8);
  if (length < 2n || length > most) throw broken(where, 0, `a header length from 2 to ${most}`, `${length}`);
  return Number(length);
}
