// nn.utils: what is done with all parameters together, under the name PyTorch users look for.
export {
  clipGradNorm,
  clipGradValue,
  getTotalNorm,
  parametersToVector,
  type Tensors,
  type TotalNormOptions,
  vectorToParameters,
} from '../ops/gradients.js';
