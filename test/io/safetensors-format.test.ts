// The safetensors format against files assembled by hand from its rules.
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TypedArray } from '../../lib/core/dtype.js';
import { TensorError } from '../../lib/errors.js';
import {
  encodeSafetensors,
  parseSafetensors,
  readSafetensorsFile,
  type SafetensorsContent,
  type SafetensorsEntry,
  writeSafetensorsFile,
} from '../../lib/io/safetensors-format.js';

let folder = '';
beforeAll(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'chainrule-safetensors-'));
});
afterAll(async () => {
  await fs.rm(folder, { recursive: true, force: true });
});

/** A file by the rules: header length, header, data. */
function file(header: string | Uint8Array, data: readonly number[] = [], length?: bigint): Uint8Array {
  const text = Buffer.from(header);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(text.length));
  return new Uint8Array(Buffer.concat([size, text, Buffer.from(data)]));
}

const one = (dtype: string, shape: string, begin: number, end: number) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

/** Compares large arrays, for which toEqual takes minutes. */
function same(a: TypedArray, b: TypedArray): boolean {
  const bytes = (data: TypedArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return bytes(a).equals(bytes(b));
}

/** What both ways of reading say, which has to be the same. */
async function readBoth(bytes: Uint8Array): Promise<SafetensorsContent | TensorError> {
  const path = join(folder, 'both.safetensors');
  await fs.writeFile(path, bytes);
  const ways = [() => readSafetensorsFile(path, {}, 'read'), async () => parseSafetensors(bytes, path, 'read')];
  const outcomes: (SafetensorsContent | TensorError)[] = [];
  for (const way of ways) {
    outcomes.push(
      await way().catch((error: unknown) => {
        if (error instanceof TensorError) return error;
        throw error;
      }),
    );
  }
  expect(outcomes[0]).toEqual(outcomes[1]);
  return outcomes[0];
}

async function content(bytes: Uint8Array): Promise<SafetensorsContent> {
  const outcome = await readBoth(bytes);
  if (outcome instanceof TensorError) throw outcome;
  return outcome;
}

async function refusal(bytes: Uint8Array): Promise<TensorError> {
  const outcome = await readBoth(bytes);
  if (outcome instanceof TensorError) return outcome;
  throw new Error('read without an error');
}

describe('reading', () => {
  test.each<[string, string, number[], string, TypedArray]>([
    ['BOOL', '[3]', [1, 0, 1], 'bool', Uint8Array.of(1, 0, 1)],
    ['U8', '[2]', [0, 255], 'uint8', Uint8Array.of(0, 255)],
    ['I8', '[2]', [0x80, 0x7f], 'int32', Int32Array.of(-128, 127)],
    ['I16', '[2]', [0x00, 0x80, 0xff, 0x7f], 'int32', Int32Array.of(-32768, 32767)],
    ['U16', '[2]', [0xff, 0xff, 0x01, 0x02], 'int32', Int32Array.of(65535, 513)],
    ['F16', '[3]', [0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc], 'float32', Float32Array.of(1, 2 ** -24, -Infinity)],
    ['BF16', '[2]', [0x80, 0x3f, 0x49, 0x40], 'float32', Float32Array.of(1, 3.140625)],
    ['I32', '[2]', [0xfe, 0xff, 0xff, 0xff, 0x00, 0x01, 0x00, 0x00], 'int32', Int32Array.of(-2, 256)],
    ['U32', '[1]', [0xff, 0xff, 0xff, 0x7f], 'int32', Int32Array.of(2 ** 31 - 1)],
    ['F32', '[1]', [0x00, 0x00, 0x80, 0x3f], 'float32', Float32Array.of(1)],
    ['F64', '[1]', [0x18, 0x2d, 0x44, 0x54, 0xfb, 0x21, 0x09, 0x40], 'float64', Float64Array.of(Math.PI)],
    ['I64', '[1]', [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 'int32', Int32Array.of(-3)],
    ['U64', '[1]', [0x07, 0, 0, 0, 0, 0, 0, 0], 'int32', Int32Array.of(7)],
    ['F8_E5M2', '[3]', [0x3c, 0xfc, 0x01], 'float32', Float32Array.of(1, -Infinity, 2 ** -16)],
    ['F8_E4M3', '[3]', [0x38, 0x7e, 0x7f], 'float32', Float32Array.of(1, 448, Number.NaN)],
  ])('%s', async (stored, shape, data, dtype, expected) => {
    const { entries, storedDTypes } = await content(file(`{"x":${one(stored, shape, 0, data.length)}}`, data));
    expect(entries.get('x')).toEqual({ dtype, shape: JSON.parse(shape), data: expected });
    expect(storedDTypes.get('x')).toBe(stored);
  });

  test('several tensors in any order, metadata, white space, scalars, empty tensors, unaligned data', async () => {
    const header = `{ "b" :\t${one('F32', ' [ 1 , 2 ] ', 1, 9)},\r\n"none":${one('F64', '[3,0]', 1, 1)},
      "__metadata__":{"format":"pt","":"\\u00e9\\n"}, "a":${one('U8', '[]', 0, 1)} }   `;
    const { entries, metadata, storedDTypes } = await content(file(header, [7, 0, 0, 128, 63, 0, 0, 0, 64]));
    expect([...entries.keys()]).toEqual(['a', 'none', 'b']);
    expect(entries.get('a')).toEqual({ dtype: 'uint8', shape: [], data: Uint8Array.of(7) });
    expect(entries.get('none')).toEqual({ dtype: 'float64', shape: [3, 0], data: new Float64Array(0) });
    expect(entries.get('b')).toEqual({ dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) });
    expect(metadata).toEqual({ format: 'pt', '': 'é\n' });
    expect(storedDTypes.size).toBe(3);
  });

  test('the smallest files, and names that only look special', async () => {
    expect((await content(file('{}'))).entries.size).toBe(0);
    expect((await content(file('{"__metadata__":{}}'))).metadata).toEqual({});
    const names = ['', 'constructor', 'toString', '\ufeffbom', '😀', '"\\', 'a.b'];
    const fields = names.map((name, i) => `${JSON.stringify(name)}:${one('U8', '[1]', i, i + 1)}`);
    const { entries } = await content(file(`{${fields.join()}}`, [0, 1, 2, 3, 4, 5, 6]));
    expect([...entries.keys()]).toEqual(names);
  });

  test('the arrays are copies of their own, whatever the bytes came in', () => {
    const bytes = Buffer.from(file(`{"x":${one('U8', '[2]', 0, 2)}}`, [1, 2]));
    const pooled = Buffer.concat([Buffer.from('abc'), bytes]).subarray(3);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    for (const source of [bytes, pooled, shared]) {
      const x = parseSafetensors(source, 'memory').entries.get('x')!;
      source.fill(0);
      expect(x.data).toEqual(Uint8Array.of(1, 2));
      expect(x.data.buffer.byteLength).toBe(2);
    }
  });

  test.each([
    ['I64', [1, 0, 0, 0, 0, 0, 0, 0, 0, 0x5e, 0xd0, 0xb2, 0, 0, 0, 0], '3000000000 at index [1, 0]'],
    ['U64', [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255], '18446744073709551615 at index [1, 0]'],
    ['U32', [0, 0, 0, 0x80, 0, 0, 0, 0], '2147483648 at index [0, 0]'],
  ])('%s beyond int32 is refused with its place and a remedy', async (dtype, data, place) => {
    const error = await refusal(file(`{"ids":${one(dtype, '[2,1]', 0, data.length)}}`, data));
    expect(error.code).toBe('value');
    expect(error.message).toContain(`expected the values of tensor 'ids' (${dtype}) to fit int32, got ${place}`);
    expect(error.message).toContain('save it as F64');
  });
});

describe('reading files', () => {
  test('files that cannot be read are io errors', async () => {
    const missing = join(folder, 'missing.safetensors');
    await expect(readSafetensorsFile(missing)).rejects.toMatchObject({ code: 'io', message: /no such file.*ENOENT/ });
    await expect(readSafetensorsFile(folder)).rejects.toMatchObject({ code: 'io' });
    await expect(readSafetensorsFile('a\0b')).rejects.toMatchObject({ code: 'value' });
    const options = { sgnal: 1 } as unknown as { signal: AbortSignal };
    await expect(readSafetensorsFile(missing, options)).rejects.toMatchObject({ code: 'option' });
  });

  test('an abort before and during the reading', async () => {
    const path = join(folder, 'large.safetensors');
    const data = new Float32Array(4 * 1024 * 1024).fill(1);
    await writeSafetensorsFile(path, new Map([['x', { dtype: 'float32', shape: [data.length], data }]]));
    const reason = new Error('enough');
    const early = readSafetensorsFile(path, { signal: AbortSignal.abort(reason) });
    await expect(early).rejects.toMatchObject({ code: 'aborted', cause: reason });
    const controller = new AbortController();
    const late = readSafetensorsFile(path, { signal: controller.signal });
    setTimeout(() => controller.abort(), 1);
    await expect(late).rejects.toMatchObject({ name: 'TensorError', code: 'aborted' });
    expect(same((await readSafetensorsFile(path)).entries.get('x')!.data, data)).toBe(true);
  });
});

describe('writing', () => {
  const entry = (data: TypedArray, shape = [data.length]): SafetensorsEntry => {
    const dtype = data instanceof Float32Array ? 'float32' : data instanceof Float64Array ? 'float64' : undefined;
    return { dtype: dtype ?? (data instanceof Int32Array ? 'int32' : 'uint8'), shape, data };
  };
  const map = (entries: Record<string, SafetensorsEntry>) => new Map(Object.entries(entries));

  test('the bytes are those of the rules: length, header in order, spaces up to 8, data', () => {
    const bytes = encodeSafetensors(map({ 'fc.b': entry(Float32Array.of(1, -2), [1, 2]) }));
    const header = `{"fc.b":${one('F32', '[1,2]', 0, 8)}}`;
    expect(header.length).toBe(59);
    expect(bytes).toEqual(file(`${header}     `, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]));
    expect(encodeSafetensors(new Map())).toEqual(file('{}      '));
    expect(encodeSafetensors(new Map(), { metadata: { b: '"', a: 'é' } })).toEqual(
      file('{"__metadata__":{"a":"é","b":"\\""}}    '),
    );
  });

  test('tensors are ordered by dtype, widest first, then by the bytes of their names', () => {
    const entries = map({
      '\u{10000}': entry(Uint8Array.of(1)),
      '\uffff': entry(Uint8Array.of(2)),
      b: entry(Int32Array.of(3)),
      a: entry(Float32Array.of(0)),
      half: entry(Float32Array.of(1)),
      flag: { dtype: 'bool', shape: [1], data: Uint8Array.of(1) },
      wide: entry(Float64Array.of(0)),
      long: entry(Int32Array.of(-1)),
      '10': entry(Float32Array.of(2)),
    });
    const options = { dtypes: { long: 'I64', half: 'BF16' }, metadata: { z: '1', a: '2' } };
    const bytes = encodeSafetensors(entries, options);
    const order = ['long', 'wide', '10', 'a', 'b', 'half', '\uffff', '\u{10000}', 'flag'];
    expect([...parseSafetensors(bytes, 'x').entries.keys()]).toEqual(order);
    const reversed = new Map([...entries].reverse());
    expect(encodeSafetensors(reversed, { ...options, metadata: { a: '2', z: '1' } })).toEqual(bytes);
    expect(bytes.length % 8).toBe((8 + 8 + 3 * 4 + 2 + 3) % 8);
  });

  test('float32 as F16 and BF16, int32 as every integer, each rounded or refused', () => {
    const entries = map({ x: entry(Float32Array.of(1 / 3, 1e6)), n: entry(Int32Array.of(-5, 100)) });
    const stored = (name: string, dtype: string) => {
      const bytes = encodeSafetensors(entries, { dtypes: { [name]: dtype } });
      const back = parseSafetensors(bytes, 'x');
      expect(back.storedDTypes.get(name)).toBe(dtype);
      return [...back.entries.get(name)!.data];
    };
    expect(stored('x', 'F16')).toEqual([0x555 / 0x1000, Number.POSITIVE_INFINITY]);
    expect(stored('x', 'BF16')).toEqual([0xab / 0x200, 999424]);
    expect(stored('x', 'F32')).toEqual([Math.fround(1 / 3), 1e6]);
    for (const dtype of ['I64', 'I32', 'I16', 'I8']) expect(stored('n', dtype)).toEqual([-5, 100]);
    for (const dtype of ['U64', 'U32', 'U16']) {
      expect(() => stored('n', dtype)).toThrow(`values of tensor 'n' to fit ${dtype}, got -5 at index [0]`);
    }
    expect(() => stored('n', 'F32')).toThrow(/'n' \(int32\) to be stored as I32 or .*got 'F32'/);
    expect(() => stored('x', 'F8_E4M3')).toThrow(/'x' \(float32\) to be stored as F32 or BF16 or F16, got 'F8_E4M3'/);
    expect(() => stored('y', 'F16')).toThrow(/dtypes to name tensors that are written, got 'y'/);
  });

  test('entries that contradict themselves are refused by name', () => {
    const x = entry(Float32Array.of(1, 2));
    const cases: [Partial<Record<keyof SafetensorsEntry, unknown>>, string][] = [
      [{ shape: [3] }, 'shape'],
      [{ shape: [-2, -1] }, 'shape'],
      [{ shape: [0.5, 4] }, 'shape'],
      [{ shape: 2 }, 'shape'],
      [{ shape: [], data: new Float32Array(0) }, 'shape'],
      [{ shape: [0, 2 ** 52], data: new Float32Array(0) }, 'shape'],
      [{ dtype: 'float64' }, 'dtype'],
      [{ dtype: 'F32' }, 'dtype'],
      [{ data: [1, 2] }, 'dtype'],
      [{ dtype: 'bool', data: Uint8Array.of(1, 2) }, 'value'],
    ];
    for (const [change, code] of cases) {
      const entries = new Map([['x', { ...x, ...change } as SafetensorsEntry]]);
      expect(() => encodeSafetensors(entries)).toThrow(expect.objectContaining({ name: 'TensorError', code }));
    }
    for (const name of ['__proto__', '__metadata__', '\ud800']) {
      expect(() => encodeSafetensors(new Map([[name, x]]))).toThrow(/name of a tensor to be text/);
    }
    const odd = [{ metadata: { a: 1 } }, { metadata: { a: '\udfff' } }, { metadata: JSON.parse('{"__proto__":"a"}') }];
    for (const options of odd as object[]) expect(() => encodeSafetensors(new Map(), options)).toThrow(TensorError);
    expect(() => encodeSafetensors({} as never)).toThrow(/expected a Map of tensors/);
    expect(() => encodeSafetensors(new Map(), { meta: {} } as never)).toThrow(/expected only the options/);
  });

  test('a file holds the same bytes, in pieces, and replaces the old one only when whole', async () => {
    const path = join(folder, 'out.safetensors');
    // Longer than one piece, so that boundaries between pieces are crossed with and without conversion.
    const data = Float32Array.from({ length: 3_000_001 }, (_, i) => i % 2048);
    const ids = Int32Array.from({ length: 1_500_001 }, (_, i) => -i);
    const entries = map({ plain: entry(data), half: entry(data), ids: entry(ids) });
    const options = { dtypes: { half: 'F16', ids: 'I64' }, metadata: { step: '3' } };
    await writeSafetensorsFile(path, entries, options);
    expect(same(await fs.readFile(path), encodeSafetensors(entries, options))).toBe(true);
    const back = await readSafetensorsFile(path);
    for (const [name, { data }] of entries) expect(same(back.entries.get(name)!.data, data)).toBe(true);
    expect(back.metadata).toEqual({ step: '3' });
    const again = encodeSafetensors(back.entries, { ...options, dtypes: Object.fromEntries(back.storedDTypes) });
    expect(same(again, encodeSafetensors(entries, options))).toBe(true);
    ids[1_400_000] = 1;
    const unfit = writeSafetensorsFile(path, entries, { dtypes: { ids: 'U64' } });
    await expect(unfit).rejects.toMatchObject({
      code: 'value',
      op: 'writeSafetensorsFile',
      message: /-1 at index \[1\]/,
    });
    expect((await readSafetensorsFile(path)).metadata).toEqual({ step: '3' });
    expect((await fs.readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('views into larger arrays are written as what they show', () => {
    const whole = Float32Array.of(9, 1, 2, 9);
    const entries = map({ x: entry(whole.subarray(1, 3)) });
    for (const dtype of ['F32', 'F16']) {
      const bytes = encodeSafetensors(entries, { dtypes: { x: dtype } });
      expect(parseSafetensors(bytes, 'x').entries.get('x')?.data).toEqual(Float32Array.of(1, 2));
    }
  });
});
