// NumPy files: those that NumPy wrote, our own read again, and damaged ones.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { arange, io, nn, ones, type Tensor, TensorError, tensor, zeros } from 'chainrule';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const unpack = (text: string): Uint8Array => new Uint8Array(inflateSync(Buffer.from(text, 'base64')));

/** What NumPy 2.4 wrote for a call, deflated by zlib: the call, dtype, shape and values here, the file. */
const WRITTEN: [call: string, dtype: string, shape: number[], values: unknown, file: string][] = [
  [
    "np.array([[1, 2, 3], [4, 5, 6]], '<f4')",
    'float32',
    [2, 3],
    [
      [1.0, 2.0, 3.0],
      [4.0, 5.0, 6.0],
    ],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGmjoKtQpkAy4GhgZ7BgYGByAC4gYgXgDEBxwAEekfiw==',
  ],
  [
    "np.array([[1, 2, 3], [4, 5, 6]], '>f4')",
    'float32',
    [2, 3],
    [
      [1.0, 2.0, 3.0],
      [4.0, 5.0, 6.0],
    ],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgrGmjoKtQpkAy77BgYGBwYgBhIOIPYCID7AwAAAGgwfjQ==',
  ],
  [
    "np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]], '<f8'))",
    'float64',
    [2, 3],
    [
      [1.0, 2.0, 3.0],
      [4.0, 5.0, 6.0],
    ],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CsaaOgq1CuQDLgYw+GAPoQUcIDQDlBaB0hxQWsIBALVeHfg=',
  ],
  [
    "np.asfortranarray(np.arange(12, dtype='>i4').reshape(2, 3, 2))",
    'int32',
    [2, 3, 2],
    [
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
      [
        [6, 7],
        [8, 9],
        [10, 11],
      ],
    ],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2mirqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CsY6CkaaOgq1CmQCLgYIYANiJiDmAGIWIAaJMwIxOxAzAzEnELMCMTcAe8Mbpg==',
  ],
  [
    "np.array([1, 65504, -0.5, 6e-8], '<f2')",
    'float32',
    [4],
    [1.0, 65504.0, -0.5, 2 ** -24],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2akrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RomOpo6CrUKFAAuBpv/1Qw7GBkAOU8dyA==',
  ],
  [
    "np.array([1, 65504, -0.5, 6e-8], '>f2')",
    'float32',
    [4],
    [1.0, 65504.0, -0.5, 2 ** -24],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2akrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RomOpo6CrUKFAAuG4bq/zsYGBgBOqQdyg==',
  ],
  [
    "np.array([0.1, -1e300], '>f8')",
    'float64',
    [2],
    [0.1, -1e300],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2ahrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAu+50zQWDWP/MnNh0MpXMAVsUj3A==',
  ],
  [
    "np.array([-128, 127], 'i1')",
    'int32',
    [2],
    [-128, 127],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBek2morqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFACuhnoApgkcmA==',
  ],
  [
    "np.array([-32768, 32767], '<i2')",
    'int32',
    [2],
    [-32768, 32767],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mkrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuhob/9QDEZh1Y',
  ],
  [
    "np.array([-32768, 32767], '>i2')",
    'int32',
    [2],
    [-32768, 32767],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2mkrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFACuBob6/wDFRB1a',
  ],
  [
    "np.array([-2**31, 2**31 - 1], '<i4')",
    'int32',
    [2],
    [-2147483648, 2147483647],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mirqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBgaGhv///9cDADq4H1g=',
  ],
  [
    "np.array([-2**31, 2**31 - 1], '<i8')",
    'int32',
    [2],
    [-2147483648, 2147483647],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBgaGhv8QUA9kMwAAU1EjWA==',
  ],
  [
    "np.array([-2**31, 2**31 - 1], '>i8')",
    'int32',
    [2],
    [-2147483648, 2147483647],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBul2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFACu/0DQwAAB9UA2AFRHI1o=',
  ],
  [
    "np.array([0, 255], 'u1')",
    'uint8',
    [2],
    [0, 255],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBeU2qorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuhv8AqpkcpA==',
  ],
  [
    "np.array([0, 65535], '>u2')",
    'int32',
    [2],
    [0, 65535],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuV2qkrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBob//wHJbB1m',
  ],
  [
    "np.array([0, 2**31 - 1], '<u4')",
    'int32',
    [2],
    [0, 2147483647],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuU2qirqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBiD4//9/PQA9kB7k',
  ],
  [
    "np.array([0, 2**31 - 1], '<u8')",
    'int32',
    [2],
    [0, 2147483647],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuU2qhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBij4//9/PYgGACizHug=',
  ],
  [
    'np.array([[True], [False]])',
    'bool',
    [2, 1],
    [[true], [false]],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBek2SorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOgqGmjoKtQpkAy5GBgClFhuk',
  ],
  [
    "np.array(7.5, '<f4')",
    'float32',
    [],
    7.5,
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqaOgq1ChQBLgaGDw4Aurccaw==',
  ],
  [
    "np.zeros((0, 3), '<f4')",
    'float32',
    [0, 3],
    [],
    'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RoGOgrGmjoKtQpkAy4AVesbag==',
  ],
  [
    "np.lib.format.write_array(file, np.arange(3, dtype='<f4'), version=(2, 0))",
    'float32',
    [3],
    [0, 1, 2],
    'eNqb7BfqGxDJxFDCwMBQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQpkAy4GMGiwBxIOAGqgHBg=',
  ],
  [
    "np.lib.format.write_array(file, np.arange(3, dtype='<f4'), version=(3, 0))",
    'float32',
    [3],
    [0, 1, 2],
    'eNqb7BfqGxDJzFDCwMBQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQpkAy4GMGiwBxIOAGsmHBk=',
  ],
];

/** `np.savez(file, x=np.arange(6, dtype='<f4').reshape(2, 3), y=np.array([1, -1], '<i8'))`, and `np.savez_compressed`. */
const ARCHIVES = {
  savez:
    'eNoL8GZm0WWAAEUG/5cMWv+hgJVBhKFCL6+gkpFBgGEGVAmMnuwX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKxpo6CrUKZAMuiCsa7IGEAxABcQMQL3AIQPEOy+/498jeqYR5ZwJUyQS83sm0INI7lHkG6B1GqDtgjg3wZmTSZUaNlxnQ4GdlQIAGsEZwLKFrAfl9AtSLqFrOA8lKiBZWNpAQExCmAelpYNMAqV5ttQ==',
  savez_compressed:
    'eNoL8GZm0WVgYOAAYkUG/5cMWv+hgJVBhKFCL6+gkpFBgGEGAwSEQunZb8RfSQucPBFwLGDtvElRc2KW5C1dkDc5bdG6xQvmTYsPCZoyQ3x+/JRJXELl3mc0/Vi7xNNVxJYw/ZRys+I6NsuKaytXCrMem0HGBnYhPgeWI7wOew4wMgSguIXld/x7ZLdUwtwyAeoGL/xuyVxI2C1gl4gw6LmxcfzgZwU6gJFJlxk1OEA+BvmelQEBGhhBJDhw0LWAXA1y2AQMLT1AshKihZUNJMQEhGlAmhdsGgAyM2l1',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-'));
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const errorOf = async (fn: () => unknown): Promise<TensorError> => {
  try {
    await fn();
  } catch (error) {
    if (error instanceof TensorError) return error;
    throw error;
  }
  throw new Error('expected a TensorError');
};

describe('what NumPy wrote', () => {
  it.each(WRITTEN)('%s', async (_call, dtype, shape, values, file) => {
    const bytes = unpack(file);
    await writeFile(at('written.npy'), bytes);
    for (const x of [io.parseNpy(bytes), await io.loadNpy(at('written.npy'))]) {
      expect([x.dtype, x.shape]).toEqual([dtype, shape]);
      const wanted = tensor(values as number[], { dtype: x.dtype }).reshape(shape);
      expect(x.toArray()).toEqual(wanted.toArray());
    }
  });

  it.each(Object.entries(ARCHIVES))('an archive of np.%s', async (name, file) => {
    await writeFile(at(`${name}.npz`), unpack(file));
    const { x, y, ...others } = await io.loadNpz(at(`${name}.npz`));
    expect(x.toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect([y.dtype, y.toArray(), Object.keys(others)]).toEqual(['int32', [1, -1], []]);
  });

  it.each([
    [
      "np.array([2**31], '<i8')",
      'value',
      'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqGOpo6CrUKFAAuBgaGBiBmAAAyuxvf',
    ],
    [
      'np.array([1+2j])',
      'dtype',
      'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuk2xopq6joJ6WX1RSlJgXn1+UkgqScEvMKU4FihdnJBakAvkahjqaOgq1CuQDLgYw+GAPoRkcABOlHNc=',
    ],
    [
      "np.array(['a'])",
      'dtype',
      'eNqb7BfqGxDJyFDGUK2eklqcXKRupaBuE2qorqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqGOpo6CrUKFACuRAYGBgC4oRul',
    ],
    [
      "np.zeros(1, [('a', '<f4')])",
      'dtype',
      'eNqb7BfqGxDJyFDGUK2eklqcXKRupRCtoZ6orqOgbpNmoq4ZC2Sk5ReVFCXmxecXpaSCFLgl5hSnAsWLMxILUoF8DUMdTR2FWgXSARcDEAAA1v4cPA==',
    ],
  ])('%s is refused', async (_call, code, file) => {
    expect((await errorOf(() => io.parseNpy(unpack(file)))).code).toBe(code);
  });
});

describe('our own', () => {
  const given: Record<string, Tensor> = {
    float32: tensor([
      [1.5, Number.NaN],
      [Number.NEGATIVE_INFINITY, -0],
    ]),
    float64: tensor([Math.PI], { dtype: 'float64' }),
    int32: tensor([-(2 ** 31), 2 ** 31 - 1], { dtype: 'int32' }),
    uint8: tensor([0, 255], { dtype: 'uint8' }),
    bool: tensor([true, false]),
    turned: arange(6).reshape([2, 3]).t(),
    single: tensor(3),
    empty: zeros([0, 4]),
  };

  it.each(Object.entries(given))('%s comes back', async (_name, x) => {
    await io.saveNpy(at('own.npy'), x);
    const y = await io.loadNpy(at('own.npy'));
    expect([y.dtype, y.shape, y.toArray()]).toEqual([x.dtype, x.shape, x.toArray()]);
    expect(await readFile(at('own.npy'))).toEqual(Buffer.from(io.encodeNpy(x)));
  });

  it.each([false, true])('archive, compress %s', async (compress) => {
    await io.saveNpz(at('own.npz'), given, { compress, dtypes: { turned: 'f2', int32: 'i8' } });
    const read = await io.loadNpz(at('own.npz'));
    expect(Object.keys(read)).toEqual(Object.keys(given));
    for (const [name, x] of Object.entries(given)) {
      expect([read[name].dtype, read[name].shape, read[name].toArray()]).toEqual([x.dtype, x.shape, x.toArray()]);
    }
    expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.tmp'));
  });

  it('is saved as it was at the call, though training goes on', async () => {
    const fc = new nn.Linear(100, 100);
    fc.weight.assign(ones([100, 100]));
    const saving = Promise.all([io.saveNpz(at('racing.npz'), fc.stateDict()), io.saveNpy(at('racing.npy'), fc.weight)]);
    fc.weight.assign(zeros([100, 100]));
    await saving;
    expect((await io.loadNpz(at('racing.npz'))).weight.amin().item()).toBe(1);
    expect((await io.loadNpy(at('racing.npy'))).amin().item()).toBe(1);
  });

  it('refuses what a type cannot hold', async () => {
    const x = tensor([1, -1], { dtype: 'int32' });
    const error = await errorOf(() => io.encodeNpy(x, { dtype: 'u2' }));
    expect([error.code, error.message]).toEqual([
      'value',
      '[encodeNpy] expected the values of the input to fit u2, got -1 at index [1]',
    ]);
    expect((await errorOf(() => io.encodeNpy(x, { dtype: 'f2' }))).code).toBe('dtype');
    expect((await errorOf(() => io.saveNpz(at('bad.npz'), { x }, { dtypes: { y: 'i8' } }))).code).toBe('value');
    expect((await errorOf(() => io.saveNpz(at('bad.npz'), { '': x }))).code).toBe('value');
    expect((await errorOf(() => io.saveNpz(at('bad.npz'), { x }, { level: 3 } as object))).code).toBe('option');
  });
});

describe('damage', () => {
  const head = (text: string, elements = 0) => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(text.length);
    return Buffer.concat([
      Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0]),
      length,
      Buffer.from(text),
      Buffer.alloc(elements),
    ]);
  };
  const dict = (shape: string, descr = "'<f4'", order = 'False') =>
    `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

  it.each([
    ['nothing', Buffer.alloc(0), 0],
    ['another magic', Buffer.from('\x93NUMPX\x01\x00\x00\x00', 'latin1'), 5],
    ['version 4', Buffer.from('\x93NUMPY\x04\x00\x00\x00\x00\x00', 'latin1'), 6],
    ['a header longer than the file', head(dict('(1,)')).subarray(0, 40), 8],
    ['no dictionary', head('[]'), 10],
    ['a missing key', head("{'descr': '<f4', 'shape': (1,)}", 4), 10],
    ['a repeated key', head("{'shape': (1,), 'shape': (1,)}", 4), 26],
    ['an unknown key', head("{'size': 3}"), 11],
    ['a number for a tuple', head(dict('(1)'), 4), 62],
    ['a negative size', head(dict('(-1,)')), 61],
    ['a size beyond 2^53', head(dict('(99999999999999999999,)')), 61],
    ['sizes whose product overflows', head(dict('(4294967296, 4294967296, 0)')), 10],
    ['more elements than the file', head(dict('(1000000000000,)'), 8), 79],
    ['fewer elements than the file', head(dict('(1,)'), 8), 67],
    ['an order that is neither', head(dict('(1,)', "'<f4'", 'Maybe'), 4), 44],
    ['text behind the dictionary', head(`${dict('(1,)')} x`, 4), 68],
    ['a bool of 2', Buffer.concat([head(dict('(2,)', "'|b1'")), Buffer.from([1, 2])]), 68],
  ])('%s is an error at its byte', async (_name, bytes, place) => {
    const error = await errorOf(() => io.parseNpy(bytes));
    expect(error.code).toBe('format');
    expect(error.message).toContain(`at byte ${place} `);
    await writeFile(at('damaged.npy'), bytes);
    expect((await errorOf(() => io.loadNpy(at('damaged.npy')))).message).toContain(`at byte ${place} `);
  });

  it('of any one byte gives tensors or a TensorError, never anything else', async () => {
    const files = WRITTEN.map(([, , , , file]) => unpack(file));
    fc.assert(
      fc.property(fc.nat(files.length - 1), fc.nat(200), fc.nat(255), (which, place, byte) => {
        const bytes = files[which].slice();
        bytes[place % bytes.length] = byte;
        try {
          io.parseNpy(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(TensorError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each(Object.entries(ARCHIVES))('of any one byte of %s is noticed or harmless', async (_name, file) => {
    const whole = unpack(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (place, change) => {
        const bytes = whole.slice();
        bytes[place] ^= change;
        await writeFile(at('damaged.npz'), bytes);
        try {
          const { x } = await io.loadNpz(at('damaged.npz'));
          // The checksum covers the elements: what is read is what was written.
          if (x !== undefined) expect(x.flatten().toArray()).toEqual([0, 1, 2, 3, 4, 5]);
        } catch (error) {
          expect(error).toBeInstanceOf(TensorError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('that promises more than can be deflated is refused before memory is asked for', async () => {
    const bytes = Buffer.from(unpack(ARCHIVES.savez_compressed));
    const entry = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    bytes.writeUInt32LE(0xfffffff0, entry + 24);
    await writeFile(at('bomb.npz'), bytes);
    const error = await errorOf(() => io.loadNpz(at('bomb.npz')));
    expect([error.code, error.message]).toEqual(['format', expect.stringContaining(`at byte ${entry} `)]);
  });

  it('of the file system is io, of the caller value, by a signal aborted', async () => {
    expect((await errorOf(() => io.loadNpy(at('nowhere.npy')))).code).toBe('io');
    expect((await errorOf(() => io.loadNpz(folder))).code).toBe('io');
    expect((await errorOf(() => io.parseNpy('x' as never))).code).toBe('value');
    const signal = AbortSignal.abort();
    expect((await errorOf(() => io.loadNpy(at('own.npy'), { signal }))).code).toBe('aborted');
    expect((await errorOf(() => io.loadNpz(at('own.npz'), { signal }))).code).toBe('aborted');
    await writeFile(at('other.zip'), Buffer.from('PK'));
    expect((await errorOf(() => io.loadNpz(at('other.zip')))).code).toBe('format');
  });
});
