// nn.functional: the operations of networks under the name PyTorch users look for.

export {
  alphaDropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  rrelu,
} from '../noise.js';
export { scaledDotProductAttention } from '../ops/attention/attention.js';
export { multiHeadAttention } from '../ops/attention/multihead.js';
export { conv1d, conv2d, conv3d } from '../ops/conv/conv.js';
export * from '../ops/conv/fold.js';
export * from '../ops/conv/transpose.js';
export * from '../ops/elementwise/activation.js';
export { dropout } from '../ops/elementwise/dropout.js';
export { sigmoid } from '../ops/elementwise/exponential.js';
export * from '../ops/elementwise/rectifier.js';
export { tanh } from '../ops/elementwise/trigonometric.js';
export { embedding } from '../ops/index/embedding.js';
export { embeddingBag } from '../ops/index/embedding-bag.js';
export { oneHot } from '../ops/index/mask.js';
export { tripletMarginWithDistanceLoss } from '../ops/loss/distance.js';
export { binaryCrossEntropyWithLogits, crossEntropy, l1Loss, mseLoss, nllLoss } from '../ops/loss/loss.js';
export * from '../ops/loss/margin.js';
export * from '../ops/loss/probability.js';
export * from '../ops/loss/regression.js';
export { ctcLoss } from '../ops/loss/sequence.js';
export * from '../ops/normalize/normalization.js';
export { cosineSimilarity, normalize, pairwiseDistance, pdist } from '../ops/normalize/similarity.js';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from '../ops/pool/adaptive.js';
export { avgPool1d, avgPool2d, avgPool3d, lpPool1d, lpPool2d } from '../ops/pool/average.js';
export { maxPool1d, maxPool2d, maxPool3d } from '../ops/pool/max.js';
export { maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../ops/pool/unpool.js';
export { bilinear } from '../ops/product/many.js';
export { linear } from '../ops/product/matmul.js';
export { logSoftmax, softmax } from '../ops/reduce/softmax.js';
export { affineGrid, gridSample } from '../ops/resample/grid.js';
export { interpolate } from '../ops/resample/interpolate.js';
export { channelShuffle, pixelShuffle, pixelUnshuffle } from '../ops/resample/shuffle.js';
export { type PadMode, type PadOptions, pad } from '../ops/shape/pad.js';
export { gumbelSoftmax } from '../sample.js';
export { fractionalMaxPool2d, fractionalMaxPool3d } from './pool-fractional.js';
