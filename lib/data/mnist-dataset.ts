// MNIST as a dataset.
import { checkOptions } from '../errors.js';
import { type ImageDataset, imagesOf, type NormalizeOptions } from './dataset.js';
import { loadMnist, MNIST_FILES, type MnistOptions } from './mnist.js';

const KNOWN = ['split', 'root', 'download', 'onProgress', 'signal', 'mirrors', 'cacheDir', 'timeout', 'mean', 'std'];

/**
 * The MNIST digits: 60,000 images [1, 28, 28] to train on, 10,000 to test on, labels 0 to 9; downloaded once unless found
 * in `root`, `$CHAINRULE_DATA/mnist` or the user's cache folder (LeCun et al. 1998; torchvision: `datasets.MNIST`).
 *
 * @param options `split`; `root`, `download`, `signal`, ...; `mean` and `std` (usual: 0.1307 and 0.3081)
 * @throws TensorError `io` if the files are nowhere to be had, `format` if they are damaged, `aborted` by the signal
 *
 * @example no-run
 * ```ts
 * import { data } from 'chainrule';
 * const train = await data.mnist({ split: 'train' });
 * for await (const [images, labels] of new data.DataLoader(train, { batchSize: 64, shuffle: true })) console.log(images.shape, labels.shape);
 * ```
 */
export async function mnist(options: MnistOptions & NormalizeOptions): Promise<ImageDataset> {
  checkOptions('mnist', options, KNOWN);
  const { mean, std, ...where } = options ?? {};
  const { images, labels, rows } = await loadMnist('mnist', where, MNIST_FILES);
  return imagesOf(images, labels, rows, { mean, std });
}
