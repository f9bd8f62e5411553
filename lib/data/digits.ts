// Images of the ten digits drawn by our own code: a data set that needs no download.
import { checkOptions, describe, TensorError } from '../errors.js';
import { DigitRandom } from './digits/random.js';
import { createCanvas, DIGIT_SIZE, drawGlyph } from './digits/render.js';
import { GLYPHS } from './digits/strokes.js';

export { DIGIT_SIZE } from './digits/render.js';

/** Images in the standard training split. */
export const DIGITS_TRAIN_COUNT = 12_000;
/** Images in the standard test split. */
export const DIGITS_TEST_COUNT = 2_000;

// 2^31 - 1 bytes of images; more would be a slip, not a wish.
const MAX_COUNT = Math.floor((2 ** 31 - 1) / (DIGIT_SIZE * DIGIT_SIZE));

/** Grey images and what they show. */
export interface DigitArrays {
  /** `[count, 28, 28]`, row by row: 0 is background, 255 is ink. */
  images: Uint8Array;
  /** `[count]`: the digits, 0 to 9. */
  labels: Uint8Array;
}

/**
 * Draws handwritten-like digits: strokes in several hands, bent, slanted, turned and inked by chance.
 *
 * The same seed gives the same bytes on every machine. Every run of ten images, from the first on, holds each digit once in a
 * random order; so the labels are balanced, and fewer images of a seed are the beginning of more images of it.
 *
 * @param options.count Number of images.
 * @param options.seed An integer from 0 to 2^53 - 1.
 * @returns images `[count, 28, 28]` and labels `[count]`.
 * @throws TensorError `value` for a count or seed out of range, `option` for an unknown option.
 *
 * @example
 * ```ts
 * const { images, labels } = drawDigits({ count: 100, seed: 7 });
 * console.log(images.length, labels.length); // 78400 100
 * ```
 */
export function drawDigits(options: { count: number; seed: number }): DigitArrays {
  const op = 'drawDigits';
  checkOptions(op, options, ['count', 'seed']);
  const count = checkInteger(op, 'count', options?.count, MAX_COUNT);
  return draw(count, checkInteger(op, 'seed', options?.seed, Number.MAX_SAFE_INTEGER));
}

/**
 * The standard split of the drawn digits: 12,000 images to train on and 2,000 to test on.
 *
 * Training images are drawn from the seed `2 * seed` and test images from `2 * seed + 1`, so no training set shares its random
 * numbers with a test set, not even one of another seed.
 *
 * @param options.split `'train'` or `'test'`.
 * @param options.seed An integer from 0 to 2^52 - 1; 0 unless given.
 * @param options.count Number of images, if not the standard 12,000 or 2,000.
 * @returns images `[count, 28, 28]` and labels `[count]`.
 * @throws TensorError `value` for an unknown split, a count or a seed out of range, `option` for an unknown option.
 *
 * @example
 * ```ts
 * const test = digitsArrays({ split: 'test' });
 * console.log(test.labels.length); // 2000
 * ```
 */
export function digitsArrays(options: { split: 'train' | 'test'; seed?: number; count?: number }): DigitArrays {
  const op = 'digitsArrays';
  checkOptions(op, options, ['split', 'seed', 'count']);
  const split = options?.split;
  if (split !== 'train' && split !== 'test') {
    throw new TensorError('value', op, `expected split to be 'train' or 'test', got ${describe(split)}`);
  }
  const train = split === 'train';
  const seed = checkInteger(op, 'seed', options.seed ?? 0, 2 ** 52 - 1);
  const count = checkInteger(op, 'count', options.count ?? (train ? DIGITS_TRAIN_COUNT : DIGITS_TEST_COUNT), MAX_COUNT);
  return draw(count, 2 * seed + (train ? 0 : 1));
}

function draw(count: number, seed: number): DigitArrays {
  const random = new DigitRandom(seed);
  const canvas = createCanvas();
  const images = new Uint8Array(count * DIGIT_SIZE * DIGIT_SIZE);
  const labels = new Uint8Array(count);
  const block = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  for (let n = 0; n < count; n++) {
    if (n % 10 === 0) shuffle(block, random);
    const digit = block[n % 10];
    labels[n] = digit;
    const hands = GLYPHS[digit];
    drawGlyph(hands[random.integer(hands.length)], random, canvas, images, n * DIGIT_SIZE * DIGIT_SIZE);
  }
  return { images, labels };
}

/** Fisher-Yates, in place. */
function shuffle(values: number[], random: DigitRandom): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
}

function checkInteger(op: string, name: string, value: unknown, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new TensorError('value', op, `expected ${name} to be an integer from 0 to ${max}, got ${describe(value)}`);
}
