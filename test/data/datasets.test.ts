// The datasets of images: what batches hold, normalisation, memory, and wrong options.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arange, data, memory, tensor, zeros } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOfAsync } from '../thrown.js';

describe('TensorDataset', () => {
  it('gives rows and batches of rows', () => {
    const x = arange(6).reshape([3, 2]);
    const dataset = new data.TensorDataset(x, tensor([7, 8, 9], { dtype: 'int32' }));
    expect(dataset.length).toBe(3);
    expect(dataset.get(-1).map((t) => t.toArray())).toEqual([[4, 5], 9]);
    expect(dataset.batch(Int32Array.of(2, 0)).map((t) => t.toArray())).toEqual([
      [
        [4, 5],
        [0, 1],
      ],
      [9, 7],
    ]);
  });
});

describe('digits', () => {
  const { images, labels } = data.digitsArrays({ split: 'train', count: 30, seed: 4 });
  const dataset = data.digits({ split: 'train', count: 30, seed: 4 });

  it('are the drawn bytes, scaled to 0..1', () => {
    expect(dataset.length).toBe(30);
    const [x, y] = dataset.batch(Int32Array.of(7, 0));
    expect([x.shape, x.dtype, y.shape, y.dtype]).toEqual([[2, 1, 28, 28], 'float32', [2], 'int32']);
    const want = [...images.subarray(7 * 784, 8 * 784), ...images.subarray(0, 784)].map((byte) =>
      Math.fround(byte / 255),
    );
    expect(Array.from(x.data)).toEqual(want);
    expect(y.toArray()).toEqual([labels[7], labels[0]]);
  });

  it('give single images', () => {
    const [x, y] = dataset.get(3);
    expect([x.shape, y.shape, y.item()]).toEqual([[1, 28, 28], [], labels[3]]);
  });

  it('are normalised where asked', () => {
    const [x] = data.digits({ split: 'train', count: 30, seed: 4, mean: 0.25, std: 0.5 }).batch(Int32Array.of(0));
    const [plain] = dataset.batch(Int32Array.of(0));
    const values = plain.data;
    x.data.forEach((v, i) => {
      expect(v).toBeCloseTo((values[i] - 0.25) / 0.5, 6);
    });
  });

  it('load by the batch', () => {
    const loader = new data.DataLoader(dataset, { batchSize: 20, shuffle: true, seed: 1 });
    expect([...loader].map(([x, y]) => [x.shape[0], y.shape[0]])).toEqual([
      [20, 20],
      [10, 10],
    ]);
  });

  it('leave nothing but the batch behind', () => {
    const before = memory().tensors;
    const batch = dataset.batch(Int32Array.of(1, 2, 3));
    // Both results, and the slice or two that arrays on foreign memory do not count.
    expect(memory().tensors - before).toBeLessThanOrEqual(2);
    for (const t of batch) t.dispose();
    expect(memory().tensors - before).toBeLessThanOrEqual(0);
  });

  it('refuse wrong options', async () => {
    expect(await codeOfAsync(() => data.digits({ split: 'all' as never }))).toBe('value');
    expect(await codeOfAsync(() => data.digits({ split: 'test', normalise: true } as never))).toBe('option');
    expect(await codeOfAsync(() => data.digits({ split: 'test', count: 10, std: 0 }))).toBe('value');
    expect(await codeOfAsync(() => data.digits(undefined as never))).not.toBe('none');
    expect(await codeOfAsync(() => dataset.get(30))).toBe('index');
    expect(await codeOfAsync(() => dataset.get(0.5))).toBe('index');
  });
});

describe('ImageDataset', () => {
  it('refuses what does not go together', async () => {
    const images = zeros([2, 1, 4, 4], { dtype: 'uint8' });
    const labels = zeros([2], { dtype: 'int32' });
    expect(new data.ImageDataset(images, labels).length).toBe(2);
    expect(await codeOfAsync(() => new data.ImageDataset(images, zeros([3], { dtype: 'int32' })))).toBe('shape');
    expect(await codeOfAsync(() => new data.ImageDataset(zeros([2, 1, 4, 4]), labels))).toBe('dtype');
    expect(await codeOfAsync(() => new data.ImageDataset(images, zeros([2])))).toBe('dtype');
    expect(await codeOfAsync(() => new data.ImageDataset([1] as never, labels))).toBe('value');
    expect(await codeOfAsync(() => new data.ImageDataset(images, labels, { mean: Number.NaN }))).toBe('value');
  });
});

describe('mnist', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chainrule-'));
    const header = (...numbers: number[]) => {
      const bytes = Buffer.alloc(4 * numbers.length);
      for (const [i, n] of numbers.entries()) bytes.writeUInt32BE(n, 4 * i);
      return bytes;
    };
    const pixels = Buffer.from(Uint8Array.from({ length: 3 * 784 }, (_, i) => i % 256));
    await writeFile(join(folder, 't10k-images-idx3-ubyte'), Buffer.concat([header(0x803, 3, 28, 28), pixels]));
    await writeFile(join(folder, 't10k-labels-idx1-ubyte'), Buffer.concat([header(0x801, 3), Buffer.from([7, 2, 1])]));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads the files of a folder', async () => {
    const test = await data.mnist({ split: 'test', root: folder, mean: 0.1307, std: 0.3081 });
    expect(test.length).toBe(3);
    const [x, y] = test.get(1);
    expect([x.shape, y.item()]).toEqual([[1, 28, 28], 2]);
    expect(x.data[0]).toBeCloseTo(((784 % 256) / 255 - 0.1307) / 0.3081, 5);
  });

  it('says what is missing', async () => {
    expect(await codeOfAsync(() => data.mnist({ split: 'train', root: folder }))).toBe('io');
    expect(await codeOfAsync(() => data.mnist({ split: 'test', root: folder, mea: 1 } as never))).toBe('option');
    expect(await codeOfAsync(() => data.mnist({ split: 'none' as never }))).toBe('value');
  });
});
