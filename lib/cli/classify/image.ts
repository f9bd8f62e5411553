// Images from files for `chainrule classify`: PGM, PNG and IDX by our own few lines, others through sharp if it is there.
import { readFile } from 'node:fs/promises';
import { isGzip, readIdx } from '../../data/idx.js';
import { TensorError } from '../../errors.js';
import { PNG_SIGNATURE, readPng } from './png.js';

/** An image of grey values, 0 black and 255 white. */
export interface GreyImage {
  /** What messages call it. */
  name: string;
  width: number;
  height: number;
  /** Row by row. */
  pixels: Uint8Array;
}

/**
 * Reads the images of a file; which format it has is seen from its content.
 *
 * @param indices for IDX files: which of its images; all unless given
 * @throws TensorError `io` if the file cannot be read, `format` if it breaks its format, `index` for an image that is not there,
 * `value` for a format that needs sharp where that is not installed
 */
export async function readImages(path: string, indices?: readonly number[]): Promise<GreyImage[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const got = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder' : (cause as Error).message;
    throw new TensorError('io', 'classify', `expected to read an image from '${path}', got ${got}`, { cause });
  }
  if (isGzip(bytes) || (bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 8))
    return readIdxImages(path, indices);
  if (indices !== undefined)
    throw new TensorError('value', 'classify', `expected --index only with IDX files and --dataset, got '${path}'`);
  if (PNG_SIGNATURE.every((byte, i) => bytes[i] === byte)) return [readPng(bytes, path)];
  if (bytes[0] === 0x50 && (bytes[1] === 0x32 || bytes[1] === 0x35)) return [readPgm(bytes, path)];
  return [await readWithSharp(bytes, path)];
}

async function readIdxImages(path: string, indices: readonly number[] | undefined): Promise<GreyImage[]> {
  const { shape, data } = await readIdx(path);
  if (!(data instanceof Uint8Array) || shape.length !== 3) {
    throw new TensorError(
      'format',
      'classify',
      `expected images of bytes [count, rows, columns] in '${path}', got ${data.constructor.name} [${shape.join(', ')}]`,
    );
  }
  const [count, height, width] = shape;
  return (indices ?? Array.from({ length: count }, (_, i) => i)).map((i) => {
    if (i >= count)
      throw new TensorError('index', 'classify', `expected --index from 0 to ${count - 1} for '${path}', got ${i}`);
    return {
      name: `${path}[${i}]`,
      width,
      height,
      pixels: data.subarray(i * width * height, (i + 1) * width * height),
    };
  });
}

/**
 * Reads a PGM image, plain (P2) or raw (P5).
 *
 * @throws TensorError `format` where the file breaks the format
 * Source: J. Poskanzer, the manual page pgm(5) of Netpbm.
 */
export function readPgm(bytes: Uint8Array, name: string): GreyImage {
  const bad = (text: string) =>
    new TensorError('format', 'classify', `expected '${name}' to be a whole PGM image, got ${text}`);
  let at = 2;
  const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
  /** The next number, behind spaces and comments. */
  const number = (what: string): number => {
    while (isSpace(bytes[at]) || bytes[at] === 35) {
      if (bytes[at] === 35) while (at < bytes.length && bytes[at] !== 10 && bytes[at] !== 13) at++;
      else at++;
    }
    const start = at;
    let value = 0;
    while (bytes[at] >= 48 && bytes[at] <= 57 && at - start < 9) value = value * 10 + bytes[at++] - 48;
    if (at === start) throw bad(`no ${what} at byte ${start}`);
    return value;
  };
  const [width, height, max] = [number('width'), number('height'), number('largest grey value')];
  if (width === 0 || height === 0 || max === 0 || max > 65_535)
    throw bad(`a header with ${width} x ${height} and largest value ${max}`);
  const count = width * height;
  const step = max > 255 ? 2 : 1;
  // Every element takes a byte at least, so this is known before memory is taken.
  if (count > bytes.length) throw bad(`${bytes.length} bytes for ${count} pixels`);
  const pixels = new Uint8Array(count);
  if (bytes[1] === 0x32) {
    for (let i = 0; i < count; i++) pixels[i] = Math.round((255 * Math.min(max, number('grey value'))) / max);
  } else {
    at++; // One space ends the header.
    if (at + count * step > bytes.length) throw bad(`${bytes.length - at} bytes for ${count} pixels`);
    for (let i = 0; i < count; i++, at += step) {
      const value = step === 1 ? bytes[at] : bytes[at] * 256 + bytes[at + 1];
      pixels[i] = Math.round((255 * Math.min(max, value)) / max);
    }
  }
  return { name, width, height, pixels };
}

/** What we use of sharp. */
interface SharpImage {
  rotate(): SharpImage;
  flatten(options: { background: string }): SharpImage;
  greyscale(): SharpImage;
  raw(): SharpImage;
  toBuffer(options: {
    resolveWithObject: true;
  }): Promise<{ data: Buffer; info: { width: number; height: number; channels: number } }>;
}

async function readWithSharp(bytes: Uint8Array, path: string): Promise<GreyImage> {
  // Not a literal: sharp is nothing we depend on, only what a user may have.
  const name: string = 'sharp';
  let sharp: (bytes: Uint8Array) => SharpImage;
  try {
    sharp = ((await import(name)) as { default: typeof sharp }).default;
  } catch (cause) {
    const text = `expected '${path}' to be a PGM, PNG or IDX file, got another format; for JPEG, WebP and others add 'npm install sharp'`;
    throw new TensorError('value', 'classify', text, { cause });
  }
  try {
    // rotate() without an angle follows the camera's orientation.
    const image = sharp(bytes).rotate().flatten({ background: '#ffffff' }).greyscale().raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(info.width * info.height);
    for (let i = 0; i < pixels.length; i++) pixels[i] = data[i * info.channels];
    return { name: path, width: info.width, height: info.height, pixels };
  } catch (cause) {
    throw new TensorError('format', 'classify', `expected '${path}' to be an image, got: ${(cause as Error).message}`, {
      cause,
    });
  }
}
