// Random safetensors files: what is written comes back, and what is damaged is refused without taking memory.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DTYPES, type DType } from '../../lib/core/dtype.js';
import { TensorError } from '../../lib/errors.js';
import { encodeSafetensors, parseSafetensors, type SafetensorsEntry } from '../../lib/io/safetensors-format.js';

const entry: fc.Arbitrary<SafetensorsEntry> = fc
  .record({
    dtype: fc.constantFrom<DType[]>('float32', 'float64', 'int32', 'uint8', 'bool'),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
  })
  .chain(({ dtype, shape }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = count * DTYPES[dtype].bytes;
    // Any bytes are elements, NaNs with payloads among them; only bool is choosy.
    const values = fc.uint8Array({ minLength: bytes, maxLength: bytes, max: dtype === 'bool' ? 1 : 255 });
    return values.map((raw) => ({ dtype, shape, data: new DTYPES[dtype].array(raw.slice().buffer, 0, count) }));
  });

const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const name = text.filter((key) => key !== '__proto__' && key !== '__metadata__');
const file = fc.record({
  entries: fc.array(fc.tuple(name, entry), { maxLength: 6 }).map((list) => new Map(list)),
  metadata: fc.array(fc.tuple(name, text), { maxLength: 3 }).map((list) => Object.fromEntries(list)),
});

const bytesOf = ({ data }: SafetensorsEntry) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

test('every file written reads back bit for bit, and writes again to the same bytes', () => {
  fc.assert(
    fc.property(file, ({ entries, metadata }) => {
      const bytes = encodeSafetensors(entries, { metadata });
      const back = parseSafetensors(bytes, 'random');
      expect([...back.entries.keys()].sort()).toEqual([...entries.keys()].sort());
      for (const [key, original] of entries) {
        const read = back.entries.get(key)!;
        expect([read.dtype, read.shape]).toEqual([original.dtype, original.shape]);
        expect(bytesOf(read).equals(bytesOf(original))).toBe(true);
      }
      expect(back.metadata).toEqual(metadata);
      const again = encodeSafetensors(back.entries, {
        metadata: back.metadata,
        dtypes: Object.fromEntries(back.storedDTypes),
      });
      expect(Buffer.compare(again, bytes)).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('JSON.parse agrees with every header written', () => {
  fc.assert(
    fc.property(file, ({ entries, metadata }) => {
      const bytes = Buffer.from(encodeSafetensors(entries, { metadata }));
      const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0))));
      expect(header.__metadata__ ?? {}).toEqual(metadata);
      let end = 0;
      for (const [key, value] of Object.entries<{ data_offsets: number[] }>(header)) {
        if (key === '__metadata__') continue;
        expect(value.data_offsets[1] - value.data_offsets[0]).toBe(entries.get(key)!.data.byteLength);
        end = Math.max(end, value.data_offsets[1]);
      }
      expect(end).toBe(bytes.length - 8 - Number(bytes.readBigUInt64LE(0)));
    }),
  );
});

/** Parses damaged bytes: only a TensorError may come of it, and only memory in proportion to the file. */
function survive(bytes: Uint8Array): void {
  const before = process.memoryUsage().arrayBuffers;
  try {
    parseSafetensors(bytes, 'damaged');
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    expect(['format', 'value']).toContain(error.code);
  }
  // float8 grows fourfold, and what is converted passes through a buffer of its own.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThanOrEqual(6 * bytes.length + 4096);
}

const damage = fc.record({
  at: fc.nat(),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 4 }),
    // Letters of the header's own language do more harm than random bytes.
    fc
      .constantFrom('0', '9', '-1', '99999999999', '1e9', '.', ',', '"', '{', '}', '[', ']', 'F64', 'U8', 'I64', 'null')
      .map((part) => Uint8Array.from(Buffer.from(part))),
  ),
  insert: fc.boolean(),
});

test('damaged, grown and shortened files only ever raise a TensorError', () => {
  fc.assert(
    fc.property(file, fc.array(damage, { maxLength: 4 }), fc.nat(), fc.boolean(), (content, changes, cut, keep) => {
      let bytes = Buffer.from(encodeSafetensors(content.entries, { metadata: content.metadata }));
      for (const { at, bytes: part, insert } of changes) {
        const start = at % (bytes.length + 1);
        bytes = Buffer.concat([bytes.subarray(0, start), part, bytes.subarray(start + (insert ? 0 : part.length))]);
      }
      // Kept true to the new length, the header is read past the damage done to its length.
      if (keep && bytes.length >= 8) bytes.writeBigUInt64LE(BigInt(cut % (bytes.length - 7)), 0);
      survive(keep ? bytes : bytes.subarray(0, changes.length > 0 ? bytes.length : cut % bytes.length));
    }),
    { numRuns: 3000 },
  );
});

test('every single byte of a file set to every value, and every length', () => {
  const x = { dtype: 'float32' as const, shape: [2], data: Float32Array.of(1, 2) };
  const n = { dtype: 'int32' as const, shape: [], data: Int32Array.of(-1) };
  const options = { dtypes: { n: 'I64', x: 'F16' }, metadata: { a: 'b' } };
  const whole = encodeSafetensors(new Map([...Object.entries({ x, n })] as [string, SafetensorsEntry][]), options);
  for (let at = 0; at < whole.length; at++) {
    for (let value = 0; value < 256; value++) {
      const bytes = whole.slice();
      bytes[at] = value;
      try {
        parseSafetensors(bytes, 'damaged');
      } catch (error) {
        if (!(error instanceof TensorError)) throw error;
      }
    }
    expect(() => parseSafetensors(whole.subarray(0, at), 'short')).toThrow(TensorError);
  }
});

test('headers that claim much and hold little take no memory', () => {
  const huge = [1e6, 1e9, 1e12, 2 ** 52];
  const claims = huge.flatMap((size) => [
    { dtype: 'F8_E4M3', shape: [size], data_offsets: [0, size] },
    { dtype: 'F32', shape: [size], data_offsets: [0, 0] },
    { dtype: 'F64', shape: [size, 0], data_offsets: [0, 0] },
  ]);
  for (const claim of claims) {
    const header = Buffer.from(JSON.stringify({ x: claim }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    survive(Buffer.concat([length, header]));
  }
});
