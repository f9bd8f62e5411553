// Datasets: numbered samples, and the two kinds that need no code of one's own.
import { scope } from '../core/scope.js';
import { fromTypedArray } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { indexSelect } from '../ops/index/index.js';
import { Tensor } from '../tensor.js';
import type { Collated } from './collate.js';
import { ofLibrary } from './portable.js';

/**
 * Numbered samples: `length` and `get(i)`; whoever can make a whole batch faster offers `batch` (PyTorch: `Dataset`).
 *
 * Both may return promises; such a dataset is read with `for await`.
 *
 * @typeParam S a sample
 * @typeParam B a batch; what the loader makes of samples unless given
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const squares: data.Dataset<[number, number]> = { length: 10, get: (i) => [i, i * i] };
 * for (const [x, y] of new data.DataLoader(squares, { batchSize: 5 })) console.log(x.shape, y.shape); // [5] [5], [5] [5]
 * ```
 */
export interface Dataset<S = unknown, B = Collated<S>> {
  /** Number of samples. */
  readonly length: number;
  /** The sample with a number from 0 to length - 1. */
  get(i: number): S | Promise<S>;
  /** The samples with these numbers as one batch. */
  batch?(indices: Int32Array): B | Promise<B>;
}

/** The rows with these numbers. */
function rows(x: Tensor, indices: Int32Array): Tensor {
  return indexSelect(x, 0, fromTypedArray(indices));
}

/** Checks the number of a sample, negative ones count from the end. */
export function checkPlace(op: string, i: number, length: number): number {
  if (!Number.isInteger(i) || i < -length || i >= length) {
    throw new TensorError(
      'index',
      op,
      `expected a sample number between ${-length} and ${length - 1}, got ${describe(i)}`,
    );
  }
  return i < 0 ? i + length : i;
}

/** A list of sample numbers as an array, each as `check` gives it. */
export function checkPlaces(op: string, list: ArrayLike<number>, check: (i: number) => number): Int32Array {
  // Whatever else there is to iterate would give no numbers, and nobody would hear of it.
  const isList = Array.isArray(list) || (ArrayBuffer.isView(list) && !(list instanceof DataView));
  if (isList) return Int32Array.from(list, check);
  throw new TensorError('value', op, `expected a list of sample numbers, got ${describe(list)}`);
}

/**
 * Tensors side by side, a sample is row i of each (PyTorch: `TensorDataset`).
 *
 * @throws TensorError `shape` unless all have the same first size
 *
 * @example
 * ```ts
 * import { arange, data } from 'chainrule';
 * const x = arange(6).reshape([3, 2]);
 * const dataset = new data.TensorDataset(x, x.sum(1));
 * console.log(dataset.get(2).map((t) => t.toArray())); // [[4, 5], 9]
 * ```
 */
export class TensorDataset<T extends readonly Tensor[] = readonly Tensor[]> implements Dataset<T, T> {
  readonly tensors: T;
  readonly length: number;

  constructor(...tensors: T) {
    const op = 'TensorDataset';
    if (tensors.length === 0) throw new TensorError('value', op, 'expected at least one tensor, got none');
    for (const x of tensors) {
      if (!(x instanceof Tensor)) throw new TensorError('value', op, `expected tensors, got ${describe(x)}`);
      if (x.ndim === 0 || x.shape[0] !== tensors[0].shape[0]) {
        const shapes = tensors.map((t) => describe(t)).join(', ');
        throw new TensorError('shape', op, `expected tensors of one first size, got ${shapes}`);
      }
    }
    this.tensors = tensors;
    this.length = tensors[0].shape[0];
    if (new.target === TensorDataset) ofLibrary(this, 'TensorDataset', ...tensors);
  }

  get(i: number): T {
    const place = checkPlace('TensorDataset', i, this.length);
    return this.tensors.map((x) => x.at(place)) as readonly Tensor[] as T;
  }

  batch(indices: Int32Array): T {
    return this.tensors.map((x) => rows(x, indices)) as readonly Tensor[] as T;
  }
}

/** How pixels become numbers. */
export interface NormalizeOptions {
  /** Subtracted from pixels that were scaled to 0..1; 0 unless given. */
  mean?: number;
  /** What they are divided by after that; 1 unless given. */
  std?: number;
}

/**
 * Grey images with class labels, kept as bytes and converted by the batch: 60,000 images of 28 by 28 take 47 MB, not 188.
 *
 * A batch is `[images, labels]`: float32 [N, 1, H, W], `(byte / 255 - mean) / std`, and int32 [N].
 *
 * @param images uint8 [N, 1, H, W]
 * @param labels int32 [N]
 *
 * @example
 * ```ts
 * import { data } from 'chainrule';
 * const [images, labels] = data.digits({ split: 'test', count: 20 }).batch(Int32Array.of(0, 1));
 * console.log(images.shape, labels.dtype); // [2, 1, 28, 28] int32
 * ```
 */
export class ImageDataset
  implements Dataset<readonly [image: Tensor, label: Tensor], readonly [images: Tensor, labels: Tensor]>
{
  readonly length: number;
  private readonly mean: number;
  private readonly std: number;

  constructor(
    readonly images: Tensor,
    readonly labels: Tensor,
    options?: NormalizeOptions,
  ) {
    const op = 'ImageDataset';
    checkOptions(op, options, ['mean', 'std']);
    for (const x of [images, labels]) {
      if (!(x instanceof Tensor)) throw new TensorError('value', op, `expected tensors, got ${describe(x)}`);
    }
    if (images.ndim !== 4 || labels.ndim !== 1 || images.shape[0] !== labels.shape[0]) {
      throw new TensorError(
        'shape',
        op,
        `expected images [N, 1, H, W] and labels [N], got ${describe(images)} and ${describe(labels)}`,
      );
    }
    if (images.dtype !== 'uint8' || labels.dtype !== 'int32') {
      throw new TensorError(
        'dtype',
        op,
        `expected uint8 images and int32 labels, got ${images.dtype} and ${labels.dtype}`,
      );
    }
    const { mean = 0, std = 1 } = options ?? {};
    if (!Number.isFinite(mean) || !Number.isFinite(std) || std <= 0) {
      throw new TensorError(
        'value',
        op,
        `expected a mean and a std above 0, got ${describe(mean)} and ${describe(std)}`,
      );
    }
    this.length = images.shape[0];
    this.mean = mean;
    this.std = std;
    if (new.target === ImageDataset) ofLibrary(this, 'ImageDataset', images, labels, options);
  }

  get(i: number): readonly [image: Tensor, label: Tensor] {
    const [images, labels] = this.batch(Int32Array.of(checkPlace('ImageDataset', i, this.length)));
    return [images.squeeze(0), labels.squeeze(0)];
  }

  batch(indices: Int32Array): readonly [images: Tensor, labels: Tensor] {
    return scope(() => {
      let x = rows(this.images, indices).to('float32').div(255);
      if (this.mean !== 0) x = x.sub(this.mean);
      if (this.std !== 1) x = x.div(this.std);
      return [x, rows(this.labels, indices)] as const;
    });
  }
}

/** Bytes as an {@link ImageDataset}, without a copy of the pixels. */
export function imagesOf(
  images: Uint8Array,
  labels: Uint8Array,
  side: number,
  options: NormalizeOptions,
): ImageDataset {
  const count = labels.length;
  const pixels = fromTypedArray(images, [count, 1, side, side]);
  return new ImageDataset(pixels, fromTypedArray(Int32Array.from(labels)), options);
}
