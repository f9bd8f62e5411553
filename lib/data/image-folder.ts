// Images in folders, one for each class, decoded when they are asked for.
import type { Dirent, Stats } from 'node:fs';
import { join } from 'node:path';
import { builtin } from '../builtin.js';
import { fromTypedArray, tensor } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { checkPath, ioError } from '../io/atomic.js';
import type { Tensor } from '../tensor.js';
import { checkPlace, type Dataset } from './dataset.js';
import { ofLibrary } from './portable.js';
import type { Transform } from './transforms/image.js';

/** Pixels of one image, row by row, the channels of a pixel side by side. */
export interface DecodedImage {
  data: Uint8Array;
  width: number;
  height: number;
  channels: number;
}

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions {
  /** 3 for red, green and blue (unless given), 1 for grey. */
  channels?: 1 | 3;
  /** From the image [C, H, W], 0 to 1, to that of the sample: crops, sizes, ... */
  transform?: Transform;
  /** Endings of the files that are images. */
  extensions?: readonly string[];
  /** Reads an image file, instead of the package sharp. */
  decode?: (path: string, channels: 1 | 3) => Promise<DecodedImage>;
}

const EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff'];

/** As much of sharp as is used: its own types come with it, and it is optional. */
interface Sharp {
  toColourspace(name: string): Sharp;
  removeAlpha(): Sharp;
  raw(): Sharp;
  toBuffer(options: { resolveWithObject: true }): Promise<{ data: Uint8Array; info: Omit<DecodedImage, 'data'> }>;
}

async function loadSharp(op: string): Promise<(path: string) => Sharp> {
  // Not a literal: the compiler would look for a package that need not be there.
  const name: string = 'sharp';
  try {
    return (await import(name)).default;
  } catch (cause) {
    const remedy = "add it with 'npm install sharp', or give a function decode";
    throw new TensorError('value', op, `expected the package sharp, which decodes images; ${remedy}`, { cause });
  }
}

/**
 * Images with the place of their folder's name among `classes`; a sample is [C, H, W] from 0 to 1 and an int32 [],
 * a batch `[images, labels]` as `crossEntropy` wants it. Its samples are promises: read it with `for await`.
 */
export class ImageFolder implements Dataset<readonly [image: Tensor, label: Tensor], [images: Tensor, labels: Tensor]> {
  readonly length: number;

  /** See {@link imageFolder}. */
  constructor(
    /** Names of the folders, sorted. */
    readonly classes: readonly string[],
    /** Paths of the images and the classes they belong to. */
    readonly samples: readonly (readonly [path: string, label: number])[],
    private readonly decode: (path: string) => Promise<DecodedImage>,
    private readonly transform: Transform | undefined,
  ) {
    this.length = samples.length;
  }

  async get(i: number): Promise<readonly [image: Tensor, label: Tensor]> {
    const op = 'imageFolder';
    const [path, label] = this.samples[checkPlace(op, i, this.length)];
    let image: DecodedImage;
    try {
      image = await this.decode(path);
    } catch (cause) {
      if (cause instanceof TensorError) throw cause;
      const got = cause instanceof Error ? cause.message : describe(cause);
      throw new TensorError('format', op, `expected an image in '${path}', got ${got}`, { cause });
    }
    const { data, width, height, channels } = image ?? {};
    if (!(data instanceof Uint8Array) || data.length !== width * height * channels) {
      const wanted = `{ data: Uint8Array, width, height, channels } with a byte for each channel of each pixel`;
      const size = `${describe(data?.length)} bytes for ${describe(height)} by ${describe(width)} pixels`;
      const got = image ? `${size} of ${describe(channels)} channels` : describe(image);
      throw new TensorError('format', op, `expected ${wanted} of '${path}', got ${got}`);
    }
    // A copy: what a decoder returns may lie in memory that it uses again.
    const pixels = fromTypedArray(Uint8Array.from(data), [height, width, channels]);
    const x = pixels.permute([2, 0, 1]).to('float32').contiguous().div(255);
    return [this.transform ? this.transform(x) : x, tensor(label, { dtype: 'int32' })];
  }
}

/**
 * Images in folders, one for each class: `root/cat/1.jpg`, `root/dog/2.png` (torchvision: `datasets.ImageFolder`). A class may be a
 * link to a folder, and an image a link to a file. Needs the optional package sharp, unless `decode` is given.
 *
 * @param root the folder whose subfolders are the classes
 * @param options `channels`: 3 unless given; `transform`; `extensions`; `decode`
 * @throws TensorError `io` if the folder cannot be read or holds no images, `value` without sharp or for wrong options; when
 * samples are read, `format` for a file that is no image
 *
 * @example no-run
 * ```ts
 * import { data } from 'chainrule';
 * const { compose, centerCrop, resize } = data.transforms;
 * const set = await data.imageFolder('photos', { transform: compose([resize(256), centerCrop(224)]) });
 * for await (const [images, labels] of new data.DataLoader(set, { batchSize: 32 })) console.log(images.shape, labels.shape);
 * ```
 */
export async function imageFolder(root: string, options?: ImageFolderOptions): Promise<ImageFolder> {
  const op = 'imageFolder';
  checkOptions(op, options, ['channels', 'transform', 'extensions', 'decode']);
  checkPath(op, root);
  const { channels = 3, transform, extensions = EXTENSIONS, decode } = options ?? {};
  const wrong = (wanted: string, got: unknown) =>
    new TensorError('value', op, `expected ${wanted}, got ${describe(got)}`);
  if (channels !== 1 && channels !== 3) throw wrong('1 or 3 channels', channels);
  if (transform !== undefined && typeof transform !== 'function') throw wrong('transform to be a function', transform);
  if (decode !== undefined && typeof decode !== 'function') throw wrong('decode to be a function', decode);
  if (!Array.isArray(extensions) || extensions.some((one) => typeof one !== 'string')) {
    throw wrong("extensions to be endings such as '.png'", extensions);
  }
  const endings = extensions.map((one) => one.toLowerCase());
  const classes: string[] = [];
  const samples: [string, number][] = [];
  try {
    for (const folder of byName(await builtin.files.readdir(root, { withFileTypes: true }))) {
      if (!folder.isDirectory() && !(await leadsTo(root, folder))?.isDirectory()) continue;
      const label = classes.push(folder.name) - 1;
      for (const path of await imagesIn(join(root, folder.name), endings)) samples.push([path, label]);
    }
  } catch (error) {
    throw ioError(op, 'read', root, error);
  }
  if (samples.length === 0) {
    const got = classes.length === 0 ? 'no folders' : `none in ${classes.length} folders`;
    throw new TensorError('io', op, `expected images (${extensions.join(', ')}) in folders of '${root}', got ${got}`);
  }
  const made = (read: (path: string) => Promise<DecodedImage>) =>
    ofLibrary(new ImageFolder(classes, samples, read, transform), op, root, options);
  if (decode) return made((path) => decode(path, channels));
  const sharp = await loadSharp(op);
  const read = async (path: string): Promise<DecodedImage> => {
    const image = sharp(path)
      .removeAlpha()
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: info.channels };
  };
  return made(read);
}

/** In the order of their names' code units, whatever the machine's language. */
function byName(entries: Dirent[]): Dirent[] {
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a link leads to; nothing where it leads nowhere, or is no link. */
async function leadsTo(folder: string, entry: Dirent): Promise<Stats | undefined> {
  if (!entry.isSymbolicLink()) return undefined;
  return builtin.files.stat(join(folder, entry.name)).catch(() => undefined);
}

/** The images in a folder and those in it; links to folders are not followed, for they may lead in circles. */
async function imagesIn(folder: string, endings: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of byName(await builtin.files.readdir(folder, { withFileTypes: true }))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...(await imagesIn(path, endings)));
    else if (!endings.some((one) => entry.name.toLowerCase().endsWith(one))) continue;
    else if (entry.isFile() || (await leadsTo(folder, entry))?.isFile()) paths.push(path);
  }
  return paths;
}
