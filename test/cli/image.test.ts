// Images of `chainrule classify`: formats read, broken files told, inputs made of any size.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asciiPreview, fitImage, isDarkOnLight } from '../../lib/cli/classify/fit.js';
import { readImages, readPgm } from '../../lib/cli/classify/image.js';
import { PNG_SIGNATURE, readPng } from '../../lib/cli/classify/png.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chainrule-image-'));
});
afterAll(() => rm(folder, { recursive: true }));

const file = async (name: string, content: Uint8Array | string) => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

function chunk(kind: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length);
  out.write(kind, 4, 'latin1');
  out.set(body, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}

/** A PNG of rows that begin with their filter byte. */
function png(
  width: number,
  height: number,
  depth: number,
  color: number,
  rows: number[],
  extra: Buffer[] = [],
  interlace = 0,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([depth, color, 0, 0, interlace], 8);
  const data = chunk('IDAT', deflateSync(Uint8Array.from(rows)));
  return Buffer.concat([PNG_SIGNATURE, chunk('IHDR', header), ...extra, data, chunk('IEND', new Uint8Array(0))]);
}

const pixels = (bytes: Uint8Array) => [...readPng(bytes, 'x.png').pixels];

describe('PGM', () => {
  it('reads plain and raw files with comments', () => {
    const plain = readPgm(Buffer.from('P2 # a comment\n3 1\n# another\n10\n0 5 10\n'), 'a.pgm');
    expect(plain).toMatchObject({ width: 3, height: 1 });
    expect([...plain.pixels]).toEqual([0, 128, 255]);
    expect([...readPgm(Buffer.from('P5 2 1 255\n\x07\x20', 'latin1'), 'a').pixels]).toEqual([7, 32]);
    expect([
      ...readPgm(Buffer.concat([Buffer.from('P5 1 2 65535\n'), Buffer.from([255, 255, 0, 0])]), 'a').pixels,
    ]).toEqual([255, 0]);
  });

  it.each([
    'P5',
    'P5 2 2 255\nabc',
    'P2 2 2 255\n1 2 3',
    'P2 0 2 255\n',
    'P2 2 2 0\n1 1 1 1',
    'P5 99999 99999 255\n',
    'P2 2 1 9\n1 x',
  ])('refuses %j', (text) => {
    expect(() => readPgm(Buffer.from(text), 'a.pgm')).toThrow(/expected 'a.pgm' to be a whole PGM image/);
  });
});

describe('PNG', () => {
  it('undoes every filter', () => {
    // Rows of three grey bytes: none, sub, up, average, paeth.
    const rows = [0, 10, 20, 30, 1, 1, 1, 1, 2, 5, 5, 5, 3, 1, 2, 3, 4, 1, 1, 1];
    expect(pixels(png(3, 5, 8, 0, rows))).toEqual([10, 20, 30, 1, 2, 3, 6, 7, 8, 4, 7, 10, 5, 8, 11]);
  });

  it('reads all colour types and depths', () => {
    expect(pixels(png(2, 1, 8, 2, [0, 255, 255, 255, 255, 0, 0]))).toEqual([255, 76]);
    expect(pixels(png(2, 1, 8, 4, [0, 0, 255, 0, 0]))).toEqual([0, 255]);
    expect(pixels(png(1, 1, 8, 6, [0, 0, 0, 0, 128]))).toEqual([127]);
    expect(pixels(png(1, 1, 16, 0, [0, 200, 7]))).toEqual([200]);
    expect(pixels(png(10, 1, 1, 0, [0, 0b10100000, 0b01000000]))).toEqual([255, 0, 255, 0, 0, 0, 0, 0, 0, 255]);
    expect(pixels(png(3, 1, 2, 0, [0, 0b00011000]))).toEqual([0, 85, 170]);
    const palette = [chunk('PLTE', Uint8Array.of(0, 0, 0, 90, 90, 90)), chunk('tRNS', Uint8Array.of(0))];
    expect(pixels(png(2, 1, 4, 3, [0, 0x01], palette))).toEqual([255, 90]);
  });

  it('refuses what is damaged, interlaced or too large', () => {
    const good = png(2, 1, 8, 0, [0, 1, 2]);
    expect(pixels(good)).toEqual([1, 2]);
    const flipped = Buffer.from(good);
    flipped[good.indexOf('IDAT') + 6] ^= 1;
    expect(() => pixels(flipped)).toThrow('a damaged part IDAT');
    for (let n = PNG_SIGNATURE.length; n < good.length; n++)
      expect(() => pixels(good.subarray(0, n)), `${n} bytes`).toThrow(/whole PNG image/);
    expect(() => pixels(png(2, 1, 8, 0, [0, 1, 2], [], 1))).toThrow('an interlaced one');
    expect(() => pixels(png(90_000, 90_000, 8, 0, [0]))).toThrow('90000 x 90000');
    expect(() => pixels(png(2, 1, 8, 0, [7, 1, 2]))).toThrow('filter 7');
    expect(() => pixels(png(2, 1, 8, 0, [0, 1]))).toThrow('2 bytes of pixels instead of 3');
    expect(() => pixels(png(2, 1, 8, 0, [0, 1, 2, 3, 4]))).toThrow('cannot be unpacked');
    expect(() => pixels(png(2, 1, 3, 0, [0, 1]))).toThrow('depth 3');
  });
});

describe('readImages', () => {
  it('knows formats by content', async () => {
    const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4);
    expect((await readImages(await file('a', 'P2 1 1 1 1'))).map((i) => [...i.pixels])).toEqual([[255]]);
    expect((await readImages(await file('b', png(1, 1, 8, 0, [0, 9])))).map((i) => [...i.pixels])).toEqual([[9]]);
    expect((await readImages(await file('c', idx))).map((i) => [...i.pixels])).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const [image] = await readImages(await file('d.gz', gzipSync(idx)), [1]);
    expect(image).toMatchObject({ name: `${join(folder, 'd.gz')}[1]`, width: 2, height: 1 });
  });

  it('says what is wrong', async () => {
    await expect(readImages(join(folder, 'none'))).rejects.toThrow('got no such file');
    await expect(readImages(folder)).rejects.toThrow('got a folder');
    await expect(readImages(await file('e.pgm', 'P2 1 1 1 1'), [0])).rejects.toThrow('--index only with IDX');
    await expect(readImages(join(folder, 'c'), [2])).rejects.toThrow('--index from 0 to 1');
    await expect(readImages(await file('f.jpg', Uint8Array.of(0xff, 0xd8, 0xff)))).rejects.toThrow(
      /npm install sharp|to be an image/,
    );
  });
});

describe('fitImage', () => {
  const image = (width: number, height: number, ink: (x: number, y: number) => boolean, dark: boolean) => {
    const values = Uint8Array.from({ length: width * height }, (_, i) =>
      ink(i % width, Math.floor(i / width)) === dark ? 10 : 250,
    );
    return { name: 'x', width, height, pixels: values };
  };

  it('takes 28 x 28 as it is, and turns dark ink into light', () => {
    const light = image(28, 28, (x) => x === 14, false);
    expect(isDarkOnLight(light)).toBe(false);
    expect([...fitImage(light)]).toEqual([...light.pixels]);
    const dark = image(28, 28, (x) => x === 14, true);
    expect(isDarkOnLight(dark)).toBe(true);
    expect(fitImage(dark)[14]).toBe(245);
    expect(fitImage(dark, false)[14]).toBe(10);
  });

  it('scales the ink to 20 x 20 and centres it, wherever it was', () => {
    const fitted = fitImage(image(200, 120, (x, y) => x >= 150 && x < 170 && y >= 10 && y < 90, true));
    const inked = [...fitted].flatMap((value, i) => (value > 127 ? [[i % 28, Math.floor(i / 28)]] : []));
    const [xs, ys] = [inked.map(([x]) => x), inked.map(([, y]) => y)];
    expect([Math.min(...ys), Math.max(...ys)]).toEqual([4, 23]);
    expect(Math.max(...xs) - Math.min(...xs) + 1).toBe(5);
    expect(Math.abs((Math.min(...xs) + Math.max(...xs)) / 2 - 13.5)).toBeLessThanOrEqual(0.5);
  });

  it('survives blank images and single pixels', () => {
    expect(fitImage(image(50, 40, () => false, true)).every((value) => value < 30)).toBe(true);
    expect(
      fitImage({ name: 'x', width: 1, height: 1, pixels: Uint8Array.of(255) }, false).some((value) => value > 0),
    ).toBe(true);
    expect(fitImage({ name: 'x', width: 5, height: 9, pixels: new Uint8Array(45) }).every((value) => value === 0)).toBe(
      true,
    );
  });

  it('previews two rows a line', () => {
    const lines = asciiPreview(image(28, 28, (x) => x === 3, false).pixels);
    expect(lines).toHaveLength(14);
    for (const line of lines) expect(line).toMatch(/^.{3}@.{24}$/);
  });
});
