// nn.utils: what is done with all parameters together, and with sequences, under the names PyTorch users look for.
export {
  clipGradNorm,
  clipGradValue,
  getTotalNorm,
  parametersToVector,
  type Tensors,
  type TotalNormOptions,
  vectorToParameters,
} from '../ops/optimize/gradients.js';
export { type AnyConvolution, fuseConvBnEval, fuseLinearBnEval } from './fuse.js';
export * as rnn from './packed.js';
export * as parametrize from './parametrize.js';
export * as prune from './prune.js';
export {
  removeSpectralNorm,
  removeWeightNorm,
  type SpectralNormOptions,
  spectralNorm,
  type WeightNormOptions,
  weightNorm,
} from './reparametrize.js';
export { skipInit } from './skip-init.js';
