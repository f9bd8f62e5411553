// The images that the commands train on and classify, scaled as the models expect them.
import { data, slice, tensor } from '../index.js';
import type { DatasetName } from './names.js';

/** Mean and deviation of MNIST's training pixels, used for all images, so that a model can be shown any of them. */
const PIXELS: data.NormalizeOptions = { mean: 0.1307, std: 0.3081 };
const SIDE = 28;

/** What {@link loadDataset} may need to know. */
export interface DatasetOptions {
  /** The folder with the MNIST files; found or downloaded unless given. */
  root?: string | undefined;
  /** Only the first images; all unless given. */
  limit?: number | null;
  signal?: AbortSignal;
  onProgress?: (progress: data.DownloadProgress) => void;
}

/** Images and labels of a data set. The seed of a run does not change them, so that runs of several seeds can be compared. */
export async function loadDataset(
  name: DatasetName,
  split: 'train' | 'test',
  options: DatasetOptions = {},
): Promise<data.ImageDataset> {
  const { root, limit, signal, onProgress } = options;
  const all =
    name === 'digits'
      ? data.digits({ split, ...PIXELS })
      : await data.mnist({ split, root, signal, onProgress, ...PIXELS });
  if (limit === undefined || limit === null || limit >= all.length) return all;
  const first = slice(0, limit);
  return new data.ImageDataset(all.images.at(first), all.labels.at(first), PIXELS);
}

/** Bytes of 28 x 28 images as a data set; nobody knows what they show. */
export function datasetOf(images: readonly Uint8Array[]): data.ImageDataset {
  const bytes = new Uint8Array(images.length * SIDE * SIDE);
  for (const [i, pixels] of images.entries()) bytes.set(pixels, i * SIDE * SIDE);
  return new data.ImageDataset(
    tensor(bytes).reshape([images.length, 1, SIDE, SIDE]),
    tensor(new Int32Array(images.length)),
    PIXELS,
  );
}
