// The drawn digits as a dataset.

import { checkOptions } from '../errors.js';
import { type ImageDataset, imagesOf, type NormalizeOptions } from './dataset.js';
import { DIGIT_SIZE, digitsArrays } from './digits.js';

/** Options of {@link digits}. */
export interface DigitsOptions extends NormalizeOptions {
  /** 12,000 images to train on or 2,000 to test on. */
  split: 'train' | 'test';
  /** Other seeds draw other images; 0 unless given. */
  seed?: number;
  /** Number of images, if not the standard one. */
  count?: number;
}

/**
 * Handwritten-like digits, drawn by our own code and so without any download: images [N, 1, 28, 28], labels 0 to 9.
 *
 * @throws TensorError `value` for an unknown split, a count or a seed out of range
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const train = data.digits({ split: 'train', count: 100, seed: 1 });
 * const loader = new data.DataLoader(train, { batchSize: 50, shuffle: true, seed: 1 });
 * for (const [images, labels] of loader) console.log(images.shape, labels.shape); // [50, 1, 28, 28] [50], [50, 1, 28, 28] [50]
 * ```
 */
export function digits(options: DigitsOptions): ImageDataset {
  checkOptions('digits', options, ['split', 'seed', 'count', 'mean', 'std']);
  const { mean, std, ...which } = options ?? {};
  const { images, labels } = digitsArrays(which);
  return imagesOf(images, labels, DIGIT_SIZE, { mean, std });
}
