// The public exports of data, and nothing else.
export { type Dataset, ImageDataset, type NormalizeOptions, TensorDataset } from './dataset.js';
export { type DigitArrays, digitsArrays } from './digits.js';
export { type DigitsOptions, digits } from './digits-dataset.js';
export type { DownloadProgress } from './download.js';
export { type IdxArray, type IdxData, readIdx } from './idx.js';
export { type Collated, DataLoader, type LoaderOptions } from './loader.js';
export { type MnistArrays, type MnistOptions, mnistArrays } from './mnist.js';
export { mnist } from './mnist-dataset.js';
