// The MNIST digits: found on disk, or downloaded once into the user's cache folder.
import { join } from 'node:path';
import { builtin } from '../builtin.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { cacheFolder, checkAborted, type DownloadProgress, downloadFile } from './download.js';
import { readIdx } from './idx.js';

/** Which MNIST images, and where to look for them. */
export interface MnistOptions {
  /** 60,000 images to train on or 10,000 to test on. */
  split: 'train' | 'test';
  /** The folder with the files; then no other place is looked at and nothing is downloaded. */
  root?: string;
  /** Whether files that are nowhere may be downloaded, true unless given. */
  download?: boolean;
  /** Called with every piece that arrives. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Cancels the download. */
  signal?: AbortSignal;
  /** Addresses of folders that hold the four gzipped files, tried in order. */
  mirrors?: readonly string[];
  /** Where downloaded files are kept, unless in the user's cache folder. */
  cacheDir?: string;
  /** Longest silence of a mirror in milliseconds before the next is tried, 30,000 unless given. */
  timeout?: number;
}

/** MNIST as it lies in its files. */
export interface MnistArrays {
  /** `[count, 28, 28]`, row by row: 0 is background, 255 is ink. */
  images: Uint8Array;
  /** `[count]`: the digits, 0 to 9. */
  labels: Uint8Array;
  count: number;
  rows: 28;
  columns: 28;
}

/** One of the four files. */
export interface MnistFile {
  /** Its name on the mirrors, without `.gz`. */
  name: string;
  /** Bytes of the unpacked content. */
  size: number;
  /** SHA-256 of the unpacked content; the packed bytes differ from mirror to mirror. */
  sha256: string;
}

/** The files of each split. */
export type MnistTable = Readonly<Record<'train' | 'test', { readonly images: MnistFile; readonly labels: MnistFile }>>;

const SIDE = 28;
const MIRRORS = [
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
];

/** The files of MNIST. */
export const MNIST_FILES: MnistTable = {
  train: {
    images: {
      name: 'train-images-idx3-ubyte',
      size: 47_040_016,
      sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    },
    labels: {
      name: 'train-labels-idx1-ubyte',
      size: 60_008,
      sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    },
  },
  test: {
    images: {
      name: 't10k-images-idx3-ubyte',
      size: 7_840_016,
      sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    },
    labels: {
      name: 't10k-labels-idx1-ubyte',
      size: 10_008,
      sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    },
  },
};

/**
 * Reads MNIST, downloading it the first time: 28 by 28 grey images of handwritten digits.
 *
 * Looks in `root`; without it in `$CHAINRULE_DATA/mnist`, then in the cache folder (`cacheDir`, or `chainrule/mnist` in the
 * user's own), then downloads there. Files may be gzipped or not, `train-images-idx3-ubyte` or `train-images.idx3-ubyte`.
 *
 * @returns images `[count, 28, 28]` and labels `[count]`.
 * @throws TensorError `io` if the files are nowhere to be had, `format` if they are not what they should be, `aborted` if the
 * signal fires, `value` or `option` for wrong options.
 * Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998.
 *
 * @example no-run
 * ```ts
 * const { images, labels, count } = await mnistArrays({ split: 'test' });
 * console.log(count, images.length, labels[0]); // 10000 7840000 7
 * ```
 */
export async function mnistArrays(options: MnistOptions): Promise<MnistArrays> {
  return loadMnist('mnistArrays', options, MNIST_FILES);
}

/** {@link mnistArrays} for any files of the same form; `op` is the public function that error messages name. */
export async function loadMnist(op: string, options: MnistOptions, table: MnistTable): Promise<MnistArrays> {
  checkMnistOptions(op, options);
  checkAborted(op, options.signal);
  const { images, labels } = table[options.split];
  const paths = await locate(op, options, [images, labels]);
  const result = await readPair(op, paths[0], paths[1]);
  checkAborted(op, options.signal);
  return result;
}

/** Paths of the files, after a download if need be. */
async function locate(op: string, options: MnistOptions, files: readonly MnistFile[]): Promise<string[]> {
  const cache = options.cacheDir ?? cacheFolder('mnist');
  const data = process.env.CHAINRULE_DATA;
  const folders = options.root !== undefined ? [options.root] : data ? [join(data, 'mnist'), cache] : [cache];
  for (const folder of folders) {
    const paths = await Promise.all(files.map((file) => find(op, folder, file)));
    if (paths.every((path) => path !== undefined)) return paths;
  }
  const names = files.map((file) => `${file.name}.gz`).join(' and ');
  const places = folders.map((folder) => `'${folder}'`).join(' or ');
  if (options.root !== undefined || options.download === false) {
    const remedy =
      options.root !== undefined
        ? 'Leave root out to have them downloaded.'
        : `Allow download, or fetch both from ${MIRRORS[0]} into one of these folders.`;
    throw new TensorError('io', op, `expected ${names}, packed or not, in ${places}, got no such files. ${remedy}`);
  }
  const mirrors = (options.mirrors ?? MIRRORS).map((mirror) => (mirror.endsWith('/') ? mirror : `${mirror}/`));
  const paths: string[] = [];
  for (const file of files)
    paths.push((await find(op, cache, file)) ?? (await fetchFile(op, options, file, cache, mirrors)));
  return paths;
}

async function fetchFile(
  op: string,
  options: MnistOptions,
  { name, size, sha256 }: MnistFile,
  folder: string,
  mirrors: readonly string[],
): Promise<string> {
  const file = `${name}.gz`;
  const path = join(folder, file);
  const remedy = `Without network access, fetch ${file} on another machine and put it into '${folder}', or into a folder given as root.`;
  const urls = mirrors.map((mirror) => mirror + file);
  const { timeout, signal, onProgress } = options;
  await downloadFile({ op, file, urls, path, sha256, size, remedy, timeout, signal, onProgress });
  return path;
}

/** The file in one of its spellings. */
async function find(op: string, folder: string, { name }: MnistFile): Promise<string | undefined> {
  const dotted = name.replace(/-(idx\d-ubyte)$/, '.$1');
  for (const spelling of [name, `${name}.gz`, dotted, `${dotted}.gz`]) {
    const path = join(folder, spelling);
    try {
      if ((await builtin.files.stat(path)).isFile()) return path;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        throw new TensorError('io', op, `expected to look for '${path}', got ${message}`, { cause: error });
      }
    }
  }
  return undefined;
}

/** Reads both files and checks that they belong together. */
async function readPair(op: string, imagesPath: string, labelsPath: string): Promise<MnistArrays> {
  const images = await readIdx(imagesPath);
  const labels = await readIdx(labelsPath);
  const bad = (path: string, wanted: string, got: string) =>
    new TensorError('format', op, `expected ${wanted} in '${path}', got ${got}`);
  const [count, rows, columns] = images.shape;
  if (!(images.data instanceof Uint8Array) || images.shape.length !== 3 || rows !== SIDE || columns !== SIDE) {
    const got = `${images.data.constructor.name} ${describe(images.shape)}`;
    throw bad(imagesPath, `bytes of shape [count, ${SIDE}, ${SIDE}]`, got);
  }
  if (!(labels.data instanceof Uint8Array) || labels.shape.length !== 1 || labels.shape[0] !== count) {
    const got = `${labels.data.constructor.name} ${describe(labels.shape)}`;
    throw bad(labelsPath, `one byte for each of the ${count} images`, got);
  }
  const wrong = labels.data.findIndex((label) => label > 9);
  if (wrong >= 0) throw bad(labelsPath, 'labels from 0 to 9', `${labels.data[wrong]} for image ${wrong}`);
  return { images: images.data, labels: labels.data, count, rows: SIDE, columns: SIDE };
}

function checkMnistOptions(op: string, options: MnistOptions): void {
  const names = ['split', 'root', 'download', 'onProgress', 'signal', 'mirrors', 'cacheDir', 'timeout'];
  checkOptions(op, options, names);
  const { split, root, download, onProgress, signal, mirrors, cacheDir, timeout } = options ?? {};
  const check = (good: boolean, wanted: string, got: unknown) => {
    if (!good) throw new TensorError('value', op, `expected ${wanted}, got ${describe(got)}`);
  };
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  check(split === 'train' || split === 'test', "split to be 'train' or 'test'", split);
  check(root === undefined || isText(root), 'root to be a path', root);
  check(cacheDir === undefined || isText(cacheDir), 'cacheDir to be a path', cacheDir);
  check(download === undefined || typeof download === 'boolean', 'download to be true or false', download);
  check(onProgress === undefined || typeof onProgress === 'function', 'onProgress to be a function', onProgress);
  check(signal === undefined || signal instanceof AbortSignal, 'signal to be an AbortSignal', signal);
  // setTimeout takes a longer time for no time at all.
  const goodTimeout = timeout === undefined || (typeof timeout === 'number' && timeout > 0 && timeout < 2 ** 31);
  check(goodTimeout, 'timeout to be a positive number of milliseconds', timeout);
  const isMirror = (value: unknown) =>
    isText(value) && /^https?:/.test(value as string) && URL.canParse(value as string);
  const goodMirrors =
    mirrors === undefined || (Array.isArray(mirrors) && mirrors.length > 0 && mirrors.every(isMirror));
  check(goodMirrors, 'mirrors to be a list of http addresses', mirrors);
}
