// A small PNG reader: every colour type and depth, not interlaced, to grey values.
import { crc32, inflateSync } from 'node:zlib';
import { TensorError } from '../../errors.js';
import type { GreyImage } from './image.js';

export const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Samples a pixel by colour type: grey, RGB, palette, grey + alpha, RGB + alpha. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const MAX_PIXELS = 2 ** 26;

interface Header {
  width: number;
  height: number;
  depth: number;
  color: number;
}

/**
 * Reads a PNG file; what is transparent shows white.
 *
 * @throws TensorError `format` where the file breaks the format, `value` where it is interlaced or too large
 * Source: W3C, "Portable Network Graphics (PNG) Specification", third edition.
 */
export function readPng(bytes: Uint8Array, name: string): GreyImage {
  const bad = (text: string) =>
    new TensorError('format', 'classify', `expected '${name}' to be a whole PNG image, got ${text}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Header | null = null;
  let palette = new Uint8Array(0);
  let alpha = new Uint8Array(0);
  const data: Uint8Array[] = [];
  for (let at = PNG_SIGNATURE.length; ; ) {
    if (at + 12 > bytes.length) throw bad('its end before the last part');
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) throw bad(`a part of ${length} bytes at byte ${at} that ends behind the file`);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.slice(at + 8, at + 8 + length);
    // crc32 came with Node 20.15.
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length))
      throw bad(`a damaged part ${kind}`);
    if (kind === 'IHDR') header = readHeader(body, name, bad);
    else if (kind === 'PLTE') palette = body;
    else if (kind === 'tRNS') alpha = body;
    else if (kind === 'IDAT') data.push(body);
    else if (kind === 'IEND') break;
    at += 12 + length;
  }
  if (header === null) throw bad('no header');
  const { width, height, depth, color } = header;
  const stride = Math.ceil((width * CHANNELS[color] * depth) / 8);
  let raw: Uint8Array;
  try {
    raw = inflateSync(Buffer.concat(data), { maxOutputLength: (stride + 1) * height });
  } catch (error) {
    throw bad(`pixels that cannot be unpacked (${(error as Error).message})`);
  }
  if (raw.length !== (stride + 1) * height)
    throw bad(`${raw.length} bytes of pixels instead of ${(stride + 1) * height}`);
  const rows = unfilter(raw, stride, height, Math.max(1, (CHANNELS[color] * depth) >> 3), bad);
  return { name, width, height, pixels: toGrey(rows, stride, header, palette, alpha) };
}

function readHeader(body: Uint8Array, name: string, bad: (text: string) => TensorError): Header {
  if (body.length !== 13) throw bad(`a header of ${body.length} bytes`);
  const view = new DataView(body.buffer, body.byteOffset);
  const [width, height, depth, color] = [view.getUint32(0), view.getUint32(4), body[8], body[9]];
  const depths: Record<number, number[]> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
  if (width === 0 || height === 0 || !depths[color]?.includes(depth))
    throw bad(`a header with ${width} x ${height}, type ${color}, depth ${depth}`);
  if (body[12] !== 0 || width * height > MAX_PIXELS) {
    const got = body[12] !== 0 ? 'an interlaced one' : `${width} x ${height}`;
    throw new TensorError(
      'value',
      'classify',
      `expected '${name}' to be a plain PNG image of at most ${MAX_PIXELS} pixels, got ${got}; save it anew`,
    );
  }
  return { width, height, depth, color };
}

/** Undoes the prediction of each byte from its neighbours to the left (a), above (b) and above left (c). */
function unfilter(
  raw: Uint8Array,
  stride: number,
  height: number,
  step: number,
  bad: (text: string) => TensorError,
): Uint8Array {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    if (filter > 4) throw bad(`filter ${filter} in row ${y}`);
    for (let x = 0; x < stride; x++) {
      const i = y * stride + x;
      const a = x >= step ? out[i - step] : 0;
      const b = y > 0 ? out[i - stride] : 0;
      const c = x >= step && y > 0 ? out[i - stride - step] : 0;
      const guess = [0, a, b, (a + b) >> 1, 0][filter] + (filter === 4 ? paeth(a, b, c) : 0);
      out[i] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(a: number, b: number, c: number): number {
  const [da, db, dc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return da <= db && da <= dc ? a : db <= dc ? b : c;
}

function toGrey(rows: Uint8Array, stride: number, header: Header, palette: Uint8Array, alpha: Uint8Array): Uint8Array {
  const { width, height, depth, color } = header;
  const channels = CHANNELS[color];
  const grey = new Uint8Array(width * height);
  // The high byte of 16 bits says enough; fewer bits are spread over 0..255, but for numbers of the palette.
  const scale = depth < 8 && color !== 3 ? 255 / (2 ** depth - 1) : 1;
  for (let y = 0; y < height; y++) {
    const sample = (n: number) => {
      if (depth >= 8) return rows[y * stride + n * (depth >> 3)];
      const bit = n * depth;
      return ((rows[y * stride + (bit >> 3)] >> (8 - depth - (bit & 7))) & (2 ** depth - 1)) * scale;
    };
    for (let x = 0; x < width; x++) {
      const n = x * channels;
      let [r, g, b, a] = [sample(n), 0, 0, 255];
      if (color === 3) {
        a = r < alpha.length ? alpha[r] : 255;
        [r, g, b] = [palette[3 * r] ?? 0, palette[3 * r + 1] ?? 0, palette[3 * r + 2] ?? 0];
      } else {
        [g, b] = channels >= 3 ? [sample(n + 1), sample(n + 2)] : [r, r];
        if (color >= 4) a = sample(n + channels - 1);
      }
      // Luma of ITU-R BT.601, over white.
      grey[y * width + x] = Math.round(((0.299 * r + 0.587 * g + 0.114 * b) * a) / 255 + 255 - a);
    }
  }
  return grey;
}
