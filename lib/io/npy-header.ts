// The header of a NumPy .npy file: how its elements are stored, in which order, and in which shape.
import { describe } from '../errors.js';
import { broken, countOf, MAX_NDIM, STORED, type Stored, type Where, wrong } from './safetensors-header.js';

/** Element types of NumPy that have a place here, by kind and bytes. */
export const NPY_DTYPES = {
  b1: 'BOOL',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
} as const satisfies Record<string, Stored>;

/** An element type as NumPy's dtype strings name it, without byte order. */
export type NpyDType = keyof typeof NPY_DTYPES;

/** What the header of a .npy file says. */
export interface NpyHeader {
  stored: Stored;
  bigEndian: boolean;
  fortranOrder: boolean;
  shape: number[];
  count: number;
  /** Byte of the file at which the elements begin. */
  begin: number;
}

/** Bytes before the text of the header: magic, version, and the length as two bytes or, from version 2 on, as four. */
export const NPY_PREFIX = 12;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** More than any header without named fields needs: at most 64 sizes of 16 digits and a few words. */
const MAX_NPY_HEADER = 65_536;

/** Bytes of the file up to the elements, believed only as far as the size of the file allows. */
export function npyHeaderEnd(first: Uint8Array, size: number, where: Where): number {
  const wrongByte = MAGIC.findIndex((byte, i) => first[i] !== byte);
  if (wrongByte >= 0) {
    throw broken(where, wrongByte, "the magic '\\x93NUMPY' of an npy file", shown(first[wrongByte]));
  }
  const major = first[6];
  if (!(major >= 1 && major <= 3)) throw broken(where, 6, 'version 1, 2 or 3', shown(major));
  if (first[7] !== 0) throw broken(where, 7, `version ${major}.0`, `${major}.${shown(first[7])}`);
  const prefix = major === 1 ? 10 : 12;
  if (first.length < prefix) throw broken(where, first.length, 'the length of the header', 'the end of the file');
  const numbers = new DataView(first.buffer, first.byteOffset);
  const length = major === 1 ? numbers.getUint16(8, true) : numbers.getUint32(8, true);
  const most = Math.min(MAX_NPY_HEADER, size - prefix);
  if (length > most) throw broken(where, 8, `a header length of at most ${most}`, `${length}`);
  return prefix + length;
}

function shown(byte: number | undefined): string {
  return byte === undefined ? 'the end of the file' : `the byte ${byte}`;
}

/** Reads the Python literal `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`. */
class LiteralReader {
  private at: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly where: Where,
  ) {
    this.at = bytes[6] === 1 ? 10 : 12;
  }

  unexpected(expected: string): Error {
    const byte = this.bytes[this.at];
    const visible = byte > 0x20 && byte < 0x7f;
    const got = visible ? `'${String.fromCharCode(byte)}'` : `the byte ${byte}`;
    return broken(this.where, this.at, expected, byte === undefined ? 'the end of the header' : got);
  }

  /** The next byte that is not white space, as a character; '' at the end. */
  next(): string {
    for (; ; this.at++) {
      const byte = this.bytes[this.at];
      if (byte === undefined) return '';
      if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) return String.fromCharCode(byte);
    }
  }

  take(character: string): void {
    if (this.next() !== character) throw this.unexpected(`'${character}'`);
    this.at++;
  }

  /** After an item of a tuple or dictionary: whether another follows; a comma may stand behind the last. */
  more(close: string): boolean {
    const comma = this.next() === ',';
    if (comma) this.at++;
    if (this.next() === close) {
      this.at++;
      return false;
    }
    if (!comma) throw this.unexpected(`',' or '${close}'`);
    return true;
  }

  text(): string {
    const quote = this.next();
    if (quote !== "'" && quote !== '"') throw this.unexpected('a text in quotes');
    const start = ++this.at;
    for (; this.bytes[this.at] !== quote.charCodeAt(0); this.at++) {
      const byte = this.bytes[this.at];
      // No name and no type that is known here needs a backslash or a byte beyond ASCII.
      if (byte === undefined || byte < 0x20 || byte > 0x7e || byte === 0x5c) {
        throw this.unexpected('the closing quote of a text');
      }
    }
    return String.fromCharCode(...this.bytes.subarray(start, this.at++));
  }

  boolean(): boolean {
    this.next();
    for (const [word, value] of [['True', true] as const, ['False', false] as const]) {
      if (String.fromCharCode(...this.bytes.subarray(this.at, this.at + word.length)) === word) {
        this.at += word.length;
        return value;
      }
    }
    throw this.unexpected('True or False');
  }

  private integer(): number {
    this.next();
    const start = this.at;
    let value = 0;
    for (; this.bytes[this.at] >= 0x30 && this.bytes[this.at] <= 0x39; this.at++) {
      value = value * 10 + this.bytes[this.at] - 0x30;
      if (value > Number.MAX_SAFE_INTEGER) throw broken(this.where, start, 'a size below 2^53', 'a larger one');
    }
    if (this.at === start) throw this.unexpected('a size');
    // Python 2 wrote long integers as 3L.
    if (this.bytes[this.at] === 0x4c) this.at++;
    return value;
  }

  sizes(): number[] {
    const list: number[] = [];
    this.take('(');
    if (this.next() === ')') {
      this.at++;
      return list;
    }
    let more = true;
    for (; more; more = this.more(')')) {
      if (list.length === MAX_NDIM) throw this.unexpected(`at most ${MAX_NDIM} sizes`);
      list.push(this.integer());
      // (3) is the number 3; the tuple of one is (3,).
      if (list.length === 1 && this.next() === ')') throw this.unexpected("','");
    }
    return list;
  }

  get place(): number {
    return this.at;
  }
}

/** `bytes` are those of the file up to the elements, `size` is that of the whole file. */
export function readNpyHeader(bytes: Uint8Array, size: number, where: Where): NpyHeader {
  const reader = new LiteralReader(bytes, where);
  const start = reader.place;
  let descr: string | undefined;
  let descrAt = 0;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  reader.take('{');
  let more = reader.next() !== '}' || reader.more('}');
  while (more) {
    reader.next();
    const keyAt = reader.place;
    const key = reader.text();
    reader.take(':');
    const first = reader.next();
    const again = { descr, fortran_order: fortranOrder, shape }[key];
    if (again !== undefined) throw broken(where, keyAt, 'every key once', `'${key}' again`);
    if (key === 'descr') {
      descrAt = reader.place;
      if (first === '[') {
        throw wrong(
          'dtype',
          where.op,
          `numbers in '${where.file}'`,
          'records with named fields; save each field apart',
        );
      }
      descr = reader.text();
    } else if (key === 'fortran_order') fortranOrder = reader.boolean();
    else if (key === 'shape') shape = reader.sizes();
    else throw broken(where, keyAt, "the key 'descr', 'fortran_order' or 'shape'", describe(key));
    more = reader.more('}');
  }
  if (reader.next() !== '') throw reader.unexpected('spaces up to the end of the header');
  if (descr === undefined || fortranOrder === undefined || shape === undefined) {
    const missing = descr === undefined ? 'descr' : fortranOrder === undefined ? 'fortran_order' : 'shape';
    throw broken(where, start, "the keys 'descr', 'fortran_order' and 'shape'", `no '${missing}'`);
  }
  const { stored, bigEndian } = parseDescr(descr, descrAt, where);
  const count = countOf(shape);
  if (Number.isNaN(count)) throw broken(where, start, 'sizes with a product below 2^50', describe(shape));
  const needed = count * STORED[stored].view.BYTES_PER_ELEMENT;
  if (size - bytes.length !== needed) {
    const got = `${size - bytes.length} bytes`;
    throw broken(where, bytes.length, `${needed} bytes of elements, as '${descr}' ${describe(shape)} needs`, got);
  }
  return { stored, bigEndian, fortranOrder, shape, count, begin: bytes.length };
}

function parseDescr(descr: string, at: number, where: Where): { stored: Stored; bigEndian: boolean } {
  const match = /^([<>=|]?)([a-zA-Z?])(\d*)/.exec(descr);
  if (match === null) throw broken(where, at, "an element type such as '<f4'", describe(descr));
  const [, order, kind, bytes] = match;
  const name = descr.slice(order.length) === '?' ? 'b1' : kind + bytes;
  if (!Object.hasOwn(NPY_DTYPES, name) || (match[0] !== descr && name !== 'b1')) {
    const known = Object.keys(NPY_DTYPES).join(', ');
    throw wrong(
      'dtype',
      where.op,
      `elements of type ${known} in '${where.file}'`,
      `${describe(descr)}; convert with astype`,
    );
  }
  // Native order, '=', is that of the machine that wrote the file: NumPy itself never writes it.
  return { stored: NPY_DTYPES[name as NpyDType], bigEndian: order === '>' };
}

/** The first bytes of a .npy file of version 1, as NumPy writes them: the elements begin at a multiple of 64. */
export function encodeNpyHeader(dtype: NpyDType, shape: readonly number[], fortranOrder: boolean): Uint8Array {
  const order = dtype.endsWith('1') ? '|' : '<';
  const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${order}${dtype}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${sizes}, }`;
  const end = Math.ceil((10 + text.length + 1) / 64) * 64;
  const head = new Uint8Array(end).fill(0x20);
  head.set(MAGIC);
  head.set([1, 0, (end - 10) & 0xff, (end - 10) >> 8], 6);
  head.set(Buffer.from(text, 'latin1'), 10);
  head[end - 1] = 0x0a;
  return head;
}
