// The public exports of data, and nothing else.
export { type Collated, collate, type PadCollateOptions, type PaddedBatch, padCollate } from './collate.js';
export type { WorkerOptions } from './crew.js';
export { type CsvOptions, readCsv, readJsonLines } from './csv.js';
export { type Dataset, ImageDataset, type NormalizeOptions, TensorDataset } from './dataset.js';
export { type DigitArrays, digitsArrays } from './digits.js';
export { type DigitsOptions, digits } from './digits-dataset.js';
export type { DownloadProgress } from './download.js';
export { type IdxArray, type IdxData, readIdx } from './idx.js';
export { type DecodedImage, ImageFolder, type ImageFolderOptions, imageFolder } from './image-folder.js';
export { DataLoader, type LoaderOptions } from './loader.js';
export { type MnistArrays, type MnistOptions, mnistArrays } from './mnist.js';
export { mnist } from './mnist-dataset.js';
export { fromModule, portable } from './portable.js';
export type { ChanceOptions } from './random.js';
export {
  BatchSampler,
  DistributedSampler,
  type DistributedSamplerOptions,
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type WeightedSamplerOptions,
} from './sampler.js';
export type { Source } from './source.js';
export { ConcatDataset, randomSplit, Subset, type TrainTestOptions, trainTestSplit } from './split.js';
export { Stream, type StreamOptions, stream } from './stream.js';
export type { ColumnSpec, Columns, MissingPolicy, TableOptions } from './table.js';
export {
  ByteTokenizer,
  CharTokenizer,
  type CharTokenizerOptions,
  SequenceDataset,
  type SequenceOptions,
  type Tokenizer,
} from './text.js';
export { type Curve, type CurveOptions, linearSet, quadraticSet } from './toy/curves.js';
export { circle, moons, type Points, spiral, type ToyOptions, twoGaussians, xor } from './toy/points.js';
export * as transforms from './transforms/index.js';
