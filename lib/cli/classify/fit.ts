// From any image to what the models were trained on: 28 x 28, light ink on a dark ground, centred; and back to text.
import type { GreyImage } from './image.js';

/** Rows and columns of an input. */
export const SIDE = 28;
/** The box into which MNIST's makers scaled each digit. */
const BOX = 20;
/** Share of the darkest ink from which a pixel counts as part of the digit: paper is never evenly white. */
const INK = 0.3;
const SHADES = ' .:-=+*#%@';

/**
 * Whether an image shows dark ink on a light ground, told by its border.
 */
export function isDarkOnLight({ width, height, pixels }: GreyImage): boolean {
  let [sum, count] = [0, 0];
  for (let y = 0; y < height; y++) {
    const step = y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1);
    for (let x = 0; x < width; x += step, count++) sum += pixels[y * width + x];
  }
  return sum / count > 127;
}

/**
 * Makes an input of an image, as MNIST's makers did: ink as 255 on 0, scaled to fit 20 x 20, its centre of mass in the middle of
 * 28 x 28. An image of 28 x 28 is taken to be an input already.
 *
 * @param invert whether ink is dark; told by the border unless given
 * Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
 */
export function fitImage(image: GreyImage, invert = isDarkOnLight(image)): Uint8Array {
  const { width, height } = image;
  const ink = invert ? image.pixels.map((value) => 255 - value) : image.pixels;
  if (width === SIDE && height === SIDE) return Uint8Array.from(ink);
  const box = inkBox(ink, width, height);
  const scale = BOX / Math.max(box.right - box.left, box.bottom - box.top);
  const columns = Math.max(1, Math.round((box.right - box.left) * scale));
  const rows = Math.max(1, Math.round((box.bottom - box.top) * scale));
  const small = new Float64Array(rows * columns);
  let [mass, centreX, centreY] = [0, 0, 0];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [x0, x1] = [x, x + 1].map((n) => box.left + (n * (box.right - box.left)) / columns);
      const [y0, y1] = [y, y + 1].map((n) => box.top + (n * (box.bottom - box.top)) / rows);
      const value = areaMean(ink, width, x0, x1, y0, y1);
      small[y * columns + x] = value;
      mass += value;
      centreX += value * (x + 0.5);
      centreY += value * (y + 0.5);
    }
  }
  const out = new Uint8Array(SIDE * SIDE);
  if (mass === 0) return out;
  const left = Math.round(SIDE / 2 - centreX / mass);
  const top = Math.round(SIDE / 2 - centreY / mass);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [row, column] = [top + y, left + x];
      if (row >= 0 && row < SIDE && column >= 0 && column < SIDE)
        out[row * SIDE + column] = Math.round(small[y * columns + x]);
    }
  }
  return out;
}

/** The smallest box around the ink; the whole image where there is none. */
function inkBox(
  ink: Uint8Array,
  width: number,
  height: number,
): { left: number; right: number; top: number; bottom: number } {
  let most = 0;
  for (const value of ink) if (value > most) most = value;
  const box = { left: width, right: 0, top: height, bottom: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] < INK * most) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return most === 0 ? { left: 0, right: width, top: 0, bottom: height } : box;
}

/** Mean over a box whose edges may cut through pixels. */
function areaMean(values: Uint8Array, width: number, x0: number, x1: number, y0: number, y1: number): number {
  let sum = 0;
  for (let y = Math.floor(y0); y < y1; y++) {
    const high = Math.min(y + 1, y1) - Math.max(y, y0);
    for (let x = Math.floor(x0); x < x1; x++)
      sum += values[y * width + x] * high * (Math.min(x + 1, x1) - Math.max(x, x0));
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

/** An input as 14 lines of 28 characters: a character is twice as high as wide, so each stands for two rows. */
export function asciiPreview(input: ArrayLike<number>): string[] {
  const lines: string[] = [];
  for (let y = 0; y < SIDE; y += 2) {
    let line = '';
    for (let x = 0; x < SIDE; x++) {
      const value = (input[y * SIDE + x] + input[(y + 1) * SIDE + x]) / 2;
      line += SHADES[Math.min(SHADES.length - 1, Math.floor((value / 256) * SHADES.length))];
    }
    lines.push(line);
  }
  return lines;
}
