// IDX files: every element type, plain and gzipped, and files that lie about themselves.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IdxArray, parseIdx, readIdx } from '../../lib/data/idx.js';
import { TensorError } from '../../lib/errors.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-idx-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An IDX file with this type byte, these sizes and these bytes of elements. */
function idx(type: number, shape: number[], body: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + body.length);
  const view = new DataView(bytes.buffer);
  bytes[2] = type;
  bytes[3] = shape.length;
  shape.forEach((n, i) => {
    view.setUint32(4 + 4 * i, n);
  });
  bytes.set(body, 4 + 4 * shape.length);
  return bytes;
}

/** Equal shapes, types and bytes; toEqual would take seconds for a large array. */
function same(actual: IdxArray, expected: IdxArray): void {
  expect(actual).not.toBeInstanceOf(Error);
  expect(expected).not.toBeInstanceOf(Error);
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.data.constructor).toBe(expected.data.constructor);
  const [a, b] = [actual.data, expected.data].map((x) => new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
  expect(Buffer.compare(a, b)).toBe(0);
}

/** The same bytes through both readers; they must agree on the result or on the kind of error. */
async function both(bytes: Uint8Array): Promise<IdxArray | TensorError> {
  const path = join(folder, 'file');
  await writeFile(path, bytes);
  const read = await readIdx(path).catch((error: unknown) => error);
  let parsed: unknown;
  try {
    parsed = parseIdx(bytes, path);
  } catch (error) {
    parsed = error;
  }
  if (read instanceof TensorError && parsed instanceof TensorError) {
    expect(parsed.code).toBe(read.code);
    expect(read.op).toBe('readIdx');
    expect(parsed.op).toBe('parseIdx');
    return parsed;
  }
  same(parsed as IdxArray, read as IdxArray);
  return parsed as IdxArray;
}

const SETTERS = {
  setInt8: [1, Int8Array, 0x09, [-128, -1, 0, 1, 127]],
  setUint8: [1, Uint8Array, 0x08, [0, 1, 127, 128, 255]],
  setInt16: [2, Int16Array, 0x0b, [-32768, -2, 0, 258, 32767]],
  setInt32: [4, Int32Array, 0x0c, [-(2 ** 31), -2, 0, 16909060, 2 ** 31 - 1]],
  setFloat32: [4, Float32Array, 0x0d, [-1.5, 0, Infinity, Number.NaN, 2 ** -149]],
  setFloat64: [8, Float64Array, 0x0e, [-1.1, 0, -Infinity, Number.NaN, 5e-324]],
} as const;

describe('element types', () => {
  it.each(Object.entries(SETTERS))('%s', async (setter, [bytes, array, type, values]) => {
    const body = new Uint8Array(bytes * values.length);
    const view = new DataView(body.buffer);
    values.forEach((value, i) => {
      view[setter as keyof typeof SETTERS](i * bytes, value);
    });
    const file = idx(type, [values.length], body);
    const expected = { shape: [values.length], data: array.from(values) };
    expect(await both(file)).toEqual(expected);
    expect(await both(gzipSync(file))).toEqual(expected);
  });
});

describe('shapes', () => {
  it.each([
    { shape: [], n: 1 },
    { shape: [0], n: 0 },
    { shape: [0, 2 ** 32 - 1, 2 ** 32 - 1], n: 0 },
    { shape: [2, 3], n: 6 },
    { shape: new Array(255).fill(1), n: 1 },
    { shape: [70, 100, 100], n: 700_000 },
  ])('$shape', async ({ shape, n }) => {
    const body = Uint8Array.from({ length: n }, (_, i) => i * 7);
    same((await both(idx(8, shape, body))) as IdxArray, { shape, data: body });
    same((await both(gzipSync(idx(8, shape, body)))) as IdxArray, { shape, data: body });
  });

  it('reads a gzip file whose header name is longer than the first look', () => {
    const plain = gzipSync(idx(8, [2], [5, 6]));
    const named = Buffer.concat([plain.subarray(0, 10), Buffer.alloc(9000, 0x61), Buffer.alloc(1), plain.subarray(10)]);
    named[3] = 8;
    expect(parseIdx(named, 'named')).toEqual({ shape: [2], data: Uint8Array.of(5, 6) });
  });

  it('copies, so that the bytes may be used again', () => {
    const bytes = idx(8, [2], [5, 6]);
    const { data } = parseIdx(bytes.subarray(0), 'x');
    bytes.fill(0);
    expect(data).toEqual(Uint8Array.of(5, 6));
  });

  it('joins the members of a gzip file made of several', async () => {
    const bytes = idx(8, [4], [1, 2, 3, 4]);
    const file = Buffer.concat([gzipSync(bytes.subarray(0, 6)), gzipSync(bytes.subarray(6))]);
    expect(await both(file)).toEqual({ shape: [4], data: Uint8Array.of(1, 2, 3, 4) });
  });
});

const good = idx(8, [2], [5, 6]);
const packed = gzipSync(good);
const endless = new Array(255).fill(2 ** 32 - 1);

describe('files that break the format', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /complete IDX header .* end at byte 0/],
    ['ends in the magic number', good.subarray(0, 3), /end at byte 3/],
    ['ends in the sizes', good.subarray(0, 6), /end at byte 6/],
    ['bad magic', Uint8Array.of(0, 1, 8, 0, 0), /at byte 1 of .* got 1/],
    ['unknown element type', idx(0x0a, [1], [1]), /at byte 2 of .* got 10/],
    ['header longer than the file', Uint8Array.of(0, 0, 8, 255, 0, 0, 0, 1), /end at byte 8/],
    ['too few elements', good.subarray(0, 9), /file's 9 bytes at byte 4 of .* got \[2\]/],
    ['too many elements', Buffer.concat([good, Uint8Array.of(7)]), /to end at byte 10 .* got more/],
    ['sizes beyond any number', idx(14, endless, []), /at byte 4 of .* an array of 255, which need Infinity bytes/],
    ['sizes beyond 2^64', idx(8, [2 ** 31, 2 ** 31, 8], [1]), /at byte 4/],
    ['gzip: too few elements', gzipSync(good.subarray(0, 9)), /10 bytes as the header says .* end at byte 9/],
    ['gzip: no header', gzipSync(good.subarray(0, 5)), /end at byte 5/],
    ['gzip: nothing', gzipSync(new Uint8Array(0)), /end at byte 0/],
    ['gzip: more than its bytes can hold', gzipSync(idx(8, [1 << 30], [])), /gzipped bytes can hold at byte 4/],
    ['gzip: sizes beyond any number', gzipSync(idx(14, endless, [])), /at byte 4/],
    ['gzip: one element too many', gzipSync(Buffer.concat([good, Uint8Array.of(7)])), /to end at byte 10/],
    ['gzip: expands without end', gzipSync(Buffer.concat([good, Buffer.alloc(1 << 26)])), /to end at byte 10/],
    ['gzip: cut off', packed.subarray(0, packed.length - 3), /whole gzip data .*unexpected end of file/],
    ['gzip: only its magic', packed.subarray(0, 2), /whole gzip data/],
    ['gzip: wrong checksum', packed.map((b, i) => (i === packed.length - 6 ? b ^ 1 : b)), /whole gzip data/],
    ['gzip: followed by zeros', Buffer.concat([packed, Buffer.alloc(5)]), /at byte 30, got 5 bytes more/],
    ['gzip: followed by text', Buffer.concat([packed, Buffer.from('abc')]), /gzip data/],
    ['gzip: twice', Buffer.concat([packed, packed]), /to end at byte 10/],
  ])('%s', async (_, bytes, message) => {
    const error = await both(bytes);
    expect(error).toBeInstanceOf(TensorError);
    expect(error).toMatchObject({ code: 'format' });
    expect((error as TensorError).message).toMatch(message);
    expect((error as TensorError).message).toContain(`'${join(folder, 'file')}'`);
  });

  it('takes no memory for sizes that a gzip file cannot hold', () => {
    const bytes = gzipSync(idx(14, [2 ** 32 - 1, 1000], []));
    const before = process.memoryUsage().arrayBuffers;
    expect(() => parseIdx(bytes, 'x')).toThrow(TensorError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 22);
  });

  it('survives any corruption', async () => {
    const bytes = idx(0x0b, [3, 4], new Uint8Array(24).fill(9));
    const change = fc.record({
      zip: fc.constantFrom('none', 'before', 'after'),
      edits: fc.array(fc.tuple(fc.nat({ max: 63 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      keep: fc.nat({ max: 64 }),
      tail: fc.uint8Array({ maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ zip, edits, keep, tail }) => {
        const file = Uint8Array.from(zip === 'before' ? gzipSync(bytes) : bytes);
        for (const [at, value] of edits) if (at < file.length) file[at] = value;
        const cut = Buffer.concat([file.subarray(0, keep), tail]);
        const result = await both(zip === 'after' ? gzipSync(cut) : cut);
        if (result instanceof TensorError) expect(result.code).toBe('format');
        else expect(result.data.length).toBe(result.shape.reduce((a, b) => a * b, 1));
      }),
      { numRuns: 400 },
    );
  });

  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        await both(bytes);
      }),
      { numRuns: 100 },
    );
  });
});

describe('files that cannot be read', () => {
  it('names a file that is not there', async () => {
    const path = join(folder, 'nowhere', 'train-images-idx3-ubyte');
    await expect(readIdx(path)).rejects.toMatchObject({
      code: 'io',
      op: 'readIdx',
      message: `[readIdx] expected to read an IDX file at '${path}', got no such file`,
    });
  });

  it('refuses a folder', async () => {
    await expect(readIdx(folder)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('got a folder'),
    });
  });

  it('refuses arguments of the wrong type', async () => {
    await expect(readIdx(5 as never)).rejects.toMatchObject({ code: 'value' });
    expect(() => parseIdx([0, 0, 8, 0] as never, 'x')).toThrow(/expected bytes/);
    expect(() => parseIdx(good, undefined as never)).toThrow(/expected a name/);
  });
});
