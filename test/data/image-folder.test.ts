// Images in folders: classes and order, decoding by a function given, and what is said where sharp is missing.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crossEntropy, data, TensorError, zeros } from 'chainrule';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-'));
  for (const name of ['dog/b.png', 'dog/a.JPG', 'cat/deep/c.png', 'cat/notes.txt', 'none/x.txt', 'stray.png']) {
    await mkdir(dirname(at('images', name)), { recursive: true });
    await writeFile(at('images', name), name);
  }
  await mkdir(at('empty'));
});
afterAll(() => rm(folder, { recursive: true }));
const errorOf = async (reading: Promise<unknown>): Promise<TensorError> => {
  const error = await reading.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(TensorError);
  return error as TensorError;
};

/** Two rows of three pixels; the first byte of each channel is 255. */
const decode = async (_path: string, channels: 1 | 3): Promise<data.DecodedImage> => {
  const bytes = Uint8Array.from({ length: 6 * channels }, (_, i) => (i < channels ? 255 : 51 * (i % channels)));
  return { data: bytes, width: 3, height: 2, channels };
};

describe('a folder of images', () => {
  it('has its classes and files in the order of their names', async () => {
    const set = await data.imageFolder(at('images'), { decode });
    expect(set.classes).toEqual(['cat', 'dog', 'none']);
    expect(set.samples).toEqual([
      [at('images', 'cat', 'deep', 'c.png'), 0],
      [at('images', 'dog', 'a.JPG'), 1],
      [at('images', 'dog', 'b.png'), 1],
    ]);
  });

  it('takes links to classes and to images, and none that lead in circles or nowhere', async () => {
    const root = at('links');
    await mkdir(join(root, 'own'), { recursive: true });
    await symlink(at('images', 'dog'), join(root, 'linked'));
    await symlink(at('images', 'stray.png'), join(root, 'own', 'stray.png'));
    await symlink(root, join(root, 'own', 'circle.png'));
    await symlink(at('nowhere'), join(root, 'own', 'nothing.png'));
    await symlink(at('nowhere'), join(root, 'nothing'));
    const set = await data.imageFolder(root, { decode, extensions: ['.PNG', '.jpg'] });
    expect(set.classes).toEqual(['linked', 'own']);
    expect(set.samples.map(([path]) => path)).toEqual([
      join(root, 'linked', 'a.JPG'),
      join(root, 'linked', 'b.png'),
      join(root, 'own', 'stray.png'),
    ]);
  });

  it('gives channels, rows and columns from 0 to 1, by the batch', async () => {
    const set = await data.imageFolder(at('images'), { decode });
    const [image, label] = await set.get(-1);
    expect([image.shape, image.dtype, label.item()]).toEqual([[3, 2, 3], 'float32', 1]);
    const wanted = [0, 0.2, 0.4].map((v) => [
      [1, v, v],
      [v, v, v],
    ]);
    for (const [c, rows] of wanted.entries()) {
      for (const [i, v] of rows.flat().entries()) expect(image.at(c).flatten().at(i).item()).toBeCloseTo(v, 6);
    }
    const transform = data.transforms.centerCrop(1);
    const grey = await data.imageFolder(at('images'), { decode, channels: 1, transform });
    for await (const [images, labels] of new data.DataLoader(grey, { batchSize: 3 })) {
      expect([images.shape, labels.toArray()]).toEqual([
        [3, 1, 1, 1],
        [0, 1, 1],
      ]);
      expect(crossEntropy(zeros([3, 2]), labels).item()).toBeCloseTo(Math.LN2, 6);
    }
  });

  it('names the file that is no image', async () => {
    const broken = await data.imageFolder(at('images'), { decode: () => Promise.reject(new Error('bad magic')) });
    const error = await errorOf(broken.get(1));
    expect([error.code, error.message]).toEqual([
      'format',
      `[imageFolder] expected an image in '${at('images', 'dog', 'a.JPG')}', got bad magic`,
    ]);
    const short = async () => ({ data: new Uint8Array(5), width: 3, height: 2, channels: 1 });
    expect((await errorOf((await data.imageFolder(at('images'), { decode: short })).get(0))).code).toBe('format');
    for (const nothing of [null, undefined, {}, { data: [1, 2] }]) {
      const set = await data.imageFolder(at('images'), { decode: async () => nothing as never });
      expect((await errorOf(set.get(0))).code).toBe('format');
    }
    expect((await errorOf(broken.get(3))).code).toBe('index');
  });

  it('refuses folders without images, and wrong options', async () => {
    expect((await errorOf(data.imageFolder(at('empty'), { decode }))).code).toBe('io');
    expect((await errorOf(data.imageFolder(at('nowhere'), { decode }))).code).toBe('io');
    expect((await errorOf(data.imageFolder(at('images'), { decode, extensions: ['.bmp'] }))).code).toBe('io');
    expect((await errorOf(data.imageFolder(at('images'), { decode, channels: 2 as never }))).code).toBe('value');
    expect((await errorOf(data.imageFolder(at('images'), { size: 3 } as object))).code).toBe('option');
  });

  it('without sharp says how to get it', async () => {
    const installed = await import('sharp' as string).then(
      () => true,
      () => false,
    );
    if (installed) expect((await data.imageFolder(at('images'))).length).toBe(3);
    else expect((await errorOf(data.imageFolder(at('images')))).message).toContain("'npm install sharp'");
  });
});
