// The drawn digits: the same bytes for the same seed, balanced, legible to a trivial classifier, wrong calls refused.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DIGIT_SIZE,
  DIGITS_TEST_COUNT,
  DIGITS_TRAIN_COUNT,
  type DigitArrays,
  digitsArrays,
  drawDigits,
} from '../../lib/data/digits.js';
import { TensorError } from '../../lib/errors.js';

const PIXELS = DIGIT_SIZE * DIGIT_SIZE;

/** The share of `test` whose nearest class mean of `train` is the right one. */
function nearestMean(train: DigitArrays, test: DigitArrays): number {
  const means = Array.from({ length: 10 }, () => new Float64Array(PIXELS));
  const counts = new Array(10).fill(0);
  train.labels.forEach((label, n) => {
    counts[label]++;
    for (let i = 0; i < PIXELS; i++) means[label][i] += train.images[n * PIXELS + i];
  });
  means.forEach((mean, digit) => {
    for (let i = 0; i < PIXELS; i++) mean[i] /= counts[digit];
  });
  let right = 0;
  test.labels.forEach((label, n) => {
    const distances = means.map((mean) => mean.reduce((sum, m, i) => sum + (m - test.images[n * PIXELS + i]) ** 2, 0));
    if (distances.indexOf(Math.min(...distances)) === label) right++;
  });
  return right / test.labels.length;
}

function errorOf(run: () => unknown): TensorError {
  try {
    run();
  } catch (error) {
    if (error instanceof TensorError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('drawDigits', () => {
  it('gives the bytes it has always given', () => {
    // These digests change only with the drawing itself; a difference between machines is a bug.
    const { images, labels } = drawDigits({ count: 1000, seed: 7 });
    expect(createHash('sha256').update(images).digest('hex')).toBe(
      'c571de493969bde763c632cfde9794036f073d2881f37c8f8600ce1835f17bd5',
    );
    expect(createHash('sha256').update(labels).digest('hex')).toBe(
      '15a7e03b355e54d9e2f4c5c93c8680c7cbf912c313600a0d9ad1a4c3f1a3aeaf',
    );
  });

  it('draws the beginning of a longer run, holding every digit once in ten', () => {
    const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(seeds, fc.nat({ max: 60 }), (seed, count) => {
        const short = drawDigits({ count, seed });
        const long = drawDigits({ count: 60, seed });
        expect(short.images.length).toBe(count * PIXELS);
        expect(Buffer.compare(short.images, long.images.subarray(0, count * PIXELS))).toBe(0);
        expect(short.labels).toEqual(long.labels.subarray(0, count));
        for (let n = 0; n < 60; n += 10) {
          expect([...long.labels.subarray(n, n + 10)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('draws something else for every seed, also where only the high bits differ', () => {
    const texts = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER].map((seed) =>
      Buffer.from(drawDigits({ count: 3, seed }).images).toString('latin1'),
    );
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('inks a plausible part of every image and keeps the border clean', () => {
    const { images, labels } = drawDigits({ count: 2000, seed: 3 });
    for (let n = 0; n < labels.length; n++) {
      let inked = 0;
      let strong = 0;
      for (let i = 0; i < PIXELS; i++) {
        const grey = images[n * PIXELS + i];
        if (grey > 127) inked++;
        const row = Math.floor(i / DIGIT_SIZE);
        const column = i % DIGIT_SIZE;
        const border = Math.min(row, column, DIGIT_SIZE - 1 - row, DIGIT_SIZE - 1 - column) === 0;
        if (border && grey > 127) strong++;
      }
      expect(inked, `image ${n}, digit ${labels[n]}`).toBeGreaterThan(15);
      expect(inked, `image ${n}, digit ${labels[n]}`).toBeLessThan(260);
      expect(strong, `image ${n}, digit ${labels[n]}`).toBe(0);
    }
  });

  it('is empty for a count of 0', () => {
    expect(drawDigits({ count: 0, seed: 0 })).toEqual({ images: new Uint8Array(0), labels: new Uint8Array(0) });
  });

  it.each([
    [{ count: -1, seed: 0 }, 'value', /count/],
    [{ count: 1.5, seed: 0 }, 'value', /count/],
    [{ count: 2 ** 31, seed: 0 }, 'value', /count/],
    [{ count: 1, seed: -1 }, 'value', /seed/],
    [{ count: 1, seed: 2 ** 53 }, 'value', /seed/],
    [{ count: 1, seed: Number.NaN }, 'value', /seed/],
    [{ seed: 1 }, 'value', /count/],
    [{ count: 1, seed: 1, size: 32 }, 'option', /size/],
    [undefined, 'value', /count/],
    [null, 'option', /options object/],
  ])('refuses %j', (options, code, message) => {
    const error = errorOf(() => drawDigits(options as never));
    expect(error).toMatchObject({ code, op: 'drawDigits', message: expect.stringMatching(message) });
  });
});

describe('digitsArrays', () => {
  it('has the standard sizes and balanced labels', () => {
    for (const [split, count] of [
      ['train', DIGITS_TRAIN_COUNT],
      ['test', DIGITS_TEST_COUNT],
    ] as const) {
      const { images, labels } = digitsArrays({ split });
      expect(images.length).toBe(count * PIXELS);
      const counts = new Array(10).fill(0);
      for (const label of labels) counts[label]++;
      expect(counts).toEqual(new Array(10).fill(count / 10));
    }
  });

  it('never draws a training image from the stream of a test image', () => {
    const texts = [0, 1, 2, 3].flatMap((seed) =>
      (['train', 'test'] as const).map((split) =>
        Buffer.from(digitsArrays({ split, seed, count: 10 }).images).toString('latin1'),
      ),
    );
    expect(new Set(texts).size).toBe(8);
    expect(digitsArrays({ split: 'train', seed: 4, count: 10 })).toEqual(drawDigits({ count: 10, seed: 8 }));
    expect(digitsArrays({ split: 'test', seed: 4, count: 10 })).toEqual(drawDigits({ count: 10, seed: 9 }));
  });

  it('is neither noise nor trivial: the nearest class mean is right for most images, not for all', () => {
    const right = nearestMean(
      digitsArrays({ split: 'train', count: 3000 }),
      digitsArrays({ split: 'test', count: 600 }),
    );
    expect(right).toBeGreaterThan(0.6);
    expect(right).toBeLessThan(0.93);
  });

  it.each([
    [{}, 'value', /split/],
    [{ split: 'valid' }, 'value', /split/],
    [{ split: 'train', seed: 2 ** 52 }, 'value', /seed/],
    [{ split: 'train', count: -3 }, 'value', /count/],
    [{ split: 'train', shuffle: true }, 'option', /shuffle/],
  ])('refuses %j', (options, code, message) => {
    const error = errorOf(() => digitsArrays(options as never));
    expect(error).toMatchObject({ code, op: 'digitsArrays', message: expect.stringMatching(message) });
  });
});
