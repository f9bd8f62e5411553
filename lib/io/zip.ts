// Zip archives of whole files: the directory at the end, entries stored or deflated (PKWARE APPNOTE 6.3.10, with Zip64 for reading).
import { constants as limits } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { builtin } from '../builtin.js';
import { fill, reserve, writeAll } from './file-bytes.js';
import { broken, type Where, wrong } from './safetensors-header.js';

type Inflate = (packed: Uint8Array, options: { maxOutputLength: number; info: boolean }) => Promise<unknown>;
type Deflate = (bytes: Uint8Array) => Promise<Buffer>;

/** One file of an archive as its directory states it. */
export interface ZipEntry {
  name: string;
  deflated: boolean;
  crc: number;
  packed: number;
  size: number;
  /** Byte of the archive at which the entry's own header begins. */
  header: number;
  /** Byte of the archive at which the directory speaks of it. */
  at: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const END_SIZE = 22;
/** No deflated byte stands for more (zlib's technical notes: 1032 to 1). */
const MOST_PER_BYTE = 1032;

async function piece(handle: FileHandle, at: number, length: number, where: Where): Promise<DataView> {
  const bytes = new Uint8Array(reserve(where.op, length, `the directory of '${where.file}'`));
  await fill(handle, bytes, at, where);
  return new DataView(bytes.buffer);
}

/** A 64-bit number; beyond 2^53 it is larger than any file and found wrong by the caller's bounds. */
const big = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

/** Where the directory begins and ends, and how many entries it has. */
async function findDirectory(handle: FileHandle, size: number, where: Where) {
  const tail = Math.min(size, END_SIZE + 0xffff);
  const view = await piece(handle, size - tail, tail, where);
  let at = tail - END_SIZE;
  // A comment of unknown length may follow; it must end where the file ends.
  while (at >= 0 && !(view.getUint32(at, true) === END && at + END_SIZE + view.getUint16(at + 20, true) === tail)) at--;
  if (at < 0) throw broken(where, size, 'the end record of a zip archive', 'the end of the file');
  const end = size - tail + at;
  let count = view.getUint16(at + 10, true);
  let length = view.getUint32(at + 12, true);
  let begin = view.getUint32(at + 16, true);
  let limit = end;
  if ((count === 0xffff || length === 0xffffffff || begin === 0xffffffff) && end >= 20) {
    const locator = await piece(handle, end - 20, 20, where);
    if (locator.getUint32(0, true) === LOCATOR64) {
      limit = big(locator, 8);
      if (limit > end - 76) throw broken(where, end - 12, 'a Zip64 end record before this place', `one at ${limit}`);
      const record = await piece(handle, limit, 56, where);
      if (record.getUint32(0, true) !== END64) throw broken(where, limit, 'a Zip64 end record', 'other bytes');
      count = big(record, 32);
      length = big(record, 40);
      begin = big(record, 48);
    }
  }
  if (begin + length > limit || count * 46 > length) {
    throw broken(where, end, `a directory of ${count} entries before byte ${limit}`, `${length} bytes at ${begin}`);
  }
  return { begin, length, count };
}

/** The entries of an archive, each checked against the size of the file. */
export async function readZipDirectory(handle: FileHandle, size: number, where: Where): Promise<ZipEntry[]> {
  const { begin, length, count } = await findDirectory(handle, size, where);
  const view = await piece(handle, begin, length, where);
  const entries: ZipEntry[] = [];
  const seen = new Set<string>();
  let p = 0;
  for (let i = 0; i < count; i++) {
    const at = begin + p;
    if (p + 46 > length || view.getUint32(p, true) !== CENTRAL) {
      throw broken(where, at, `entry ${i + 1} of ${count} of the directory`, 'other bytes');
    }
    const nameLength = view.getUint16(p + 28, true);
    const extraLength = view.getUint16(p + 30, true);
    const next = p + 46 + nameLength + extraLength + view.getUint16(p + 32, true);
    if (next > length)
      throw broken(where, at, 'an entry that ends within the directory', `an end at byte ${begin + next}`);
    const name = Buffer.from(view.buffer, p + 46, nameLength).toString('utf8');
    const method = view.getUint16(p + 10, true);
    if (view.getUint16(p + 8, true) & 1)
      throw wrong('format', where.op, `'${name}' without a password`, 'an encrypted entry');
    if (method !== 0 && method !== 8) {
      throw broken(where, at + 10, `'${name}' stored (0) or deflated (8)`, `compression method ${method}`);
    }
    const sizes = {
      size: view.getUint32(p + 24, true),
      packed: view.getUint32(p + 20, true),
      header: view.getUint32(p + 42, true),
    };
    readZip64(view, p + 46 + nameLength, extraLength, sizes);
    const entry = { name, deflated: method === 8, crc: view.getUint32(p + 16, true), ...sizes, at };
    const possible = entry.deflated ? entry.size <= entry.packed * MOST_PER_BYTE : entry.size === entry.packed;
    if (!possible || entry.header + 30 + entry.packed > begin) {
      const got = `${entry.size} bytes from ${entry.packed} at ${entry.header}`;
      throw broken(where, at, `'${name}' to lie before the directory in a possible size`, got);
    }
    if (seen.has(name)) throw broken(where, at, 'every name once', `'${name}' again`);
    seen.add(name);
    entries.push(entry);
    p = next;
  }
  return entries;
}

/** Takes the 64-bit numbers from the extra field 1, in the order of the format, where 32 bits do not hold them. */
function readZip64(
  view: DataView,
  begin: number,
  length: number,
  sizes: Pick<ZipEntry, 'size' | 'packed' | 'header'>,
): void {
  for (let at = begin; at + 4 <= begin + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const end = Math.min(at + 4 + view.getUint16(at + 2, true), begin + length);
    let from = at + 4;
    for (const key of ['size', 'packed', 'header'] as const) {
      if (sizes[key] !== 0xffffffff || from + 8 > end) continue;
      sizes[key] = big(view, from);
      from += 8;
    }
    return;
  }
}

/** The content of an entry, its length and checksum proven. */
export async function readZipEntry(handle: FileHandle, entry: ZipEntry, where: Where): Promise<Uint8Array> {
  const { name, header, packed, size } = entry;
  const local = await piece(handle, header, 30, where);
  if (local.getUint32(0, true) !== LOCAL) throw broken(where, header, `the header of '${name}'`, 'other bytes');
  const begin = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (begin + packed > entry.at)
    throw broken(where, header, `'${name}' to end before the directory`, `byte ${begin + packed}`);
  const purpose = `'${name}' of '${where.file}'`;
  const bytes = new Uint8Array(reserve(where.op, packed, purpose));
  await fill(handle, bytes, begin, where);
  const content = entry.deflated ? await unpack(bytes, size, begin, name, where) : bytes;
  const crc = builtin.zlib.crc32(content);
  if (crc !== entry.crc) throw broken(where, begin, `the checksum ${entry.crc} of '${name}'`, `${crc}`);
  return content;
}

async function unpack(packed: Uint8Array, size: number, at: number, name: string, where: Where): Promise<Uint8Array> {
  if (size > limits.MAX_LENGTH) throw wrong('memory', where.op, `${size} bytes of memory for '${name}'`, 'none');
  const expected = `${size} bytes deflated as '${name}'`;
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // At least 1: an empty content needs no byte, but zlib asks for room.
    result = (await (promisify(builtin.zlib.inflateRaw) as Inflate)(packed, {
      maxOutputLength: Math.max(1, size),
      info: true,
    })) as typeof result;
  } catch (error) {
    throw broken(where, at, expected, error instanceof Error ? error.message : 'none');
  }
  const { buffer, engine } = result;
  if (buffer.length !== size) throw broken(where, at, expected, `${buffer.length} bytes`);
  if (engine.bytesWritten !== packed.length) {
    throw broken(
      where,
      at + engine.bytesWritten,
      `the end of '${name}'`,
      `${packed.length - engine.bytesWritten} more bytes`,
    );
  }
  return buffer;
}

/** Writes an archive entry by entry; `compress` deflates them. Dates are those of 1980, so that equal contents give equal bytes. */
export async function writeZip(
  handle: FileHandle,
  entries: Iterable<readonly [name: string, content: () => Uint8Array]>,
  compress: boolean,
  where: Where,
): Promise<void> {
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of entries) {
    const bytes = content();
    const body = compress ? await (promisify(builtin.zlib.deflateRaw) as Deflate)(bytes) : bytes;
    const key = Buffer.from(name);
    const common = Buffer.alloc(26);
    // Version 2.0, names in UTF-8, the method, the first day a zip knows.
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(compress ? 8 : 0, 4);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(builtin.zlib.crc32(bytes), 10);
    const next = at + 30 + key.length + body.length;
    if (next >= 0xffffffff || bytes.length >= 0xffffffff) {
      const remedy = 'save the tensors in several files, or as safetensors';
      throw wrong('value', where.op, `an archive of less than 4 GiB in '${where.file}'`, `more; ${remedy}`);
    }
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(key.length, 22);
    await writeAll(handle, Buffer.concat([signature(LOCAL), common, key]));
    await writeAll(handle, body);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([signature(CENTRAL), Buffer.from([20, 0]), common, tail, key]));
    at = next;
  }
  if (directory.length >= 0xffff) throw wrong('value', where.op, 'less than 65535 tensors', `${directory.length}`);
  const all = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(all.length, 8);
  end.writeUInt32LE(at, 12);
  await writeAll(handle, Buffer.concat([all, signature(END), end]));
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
