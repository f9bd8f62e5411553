// nn.functional: the operations of networks under the name PyTorch users look for.

export {
  alphaDropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  rrelu,
} from '../noise.js';
export * from '../ops/activation.js';
export { scaledDotProductAttention } from '../ops/attention.js';
export { conv1d, conv2d, conv3d } from '../ops/conv.js';
export * from '../ops/conv-transpose.js';
export { dropout } from '../ops/dropout.js';
export { embedding } from '../ops/embedding.js';
export { embeddingBag } from '../ops/embedding-bag.js';
export { sigmoid } from '../ops/exponential.js';
export * from '../ops/fold.js';
export { affineGrid, gridSample } from '../ops/grid.js';
export { interpolate } from '../ops/interpolate.js';
export { binaryCrossEntropyWithLogits, crossEntropy, l1Loss, mseLoss, nllLoss } from '../ops/loss.js';
export { tripletMarginWithDistanceLoss } from '../ops/loss-distance.js';
export * from '../ops/loss-margin.js';
export * from '../ops/loss-probability.js';
export * from '../ops/loss-regression.js';
export { ctcLoss } from '../ops/loss-sequence.js';
export { oneHot } from '../ops/mask.js';
export { linear } from '../ops/matmul.js';
export { multiHeadAttention } from '../ops/multihead.js';
export * from '../ops/normalization.js';
export { type PadMode, type PadOptions, pad } from '../ops/pad.js';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from '../ops/pool-adaptive.js';
export { avgPool1d, avgPool2d, avgPool3d, lpPool1d, lpPool2d } from '../ops/pool-average.js';
export { maxPool1d, maxPool2d, maxPool3d } from '../ops/pool-max.js';
export { bilinear } from '../ops/product-many.js';
export * from '../ops/rectifier.js';
export { channelShuffle, pixelShuffle, pixelUnshuffle } from '../ops/shuffle.js';
export { cosineSimilarity, normalize, pairwiseDistance, pdist } from '../ops/similarity.js';
export { logSoftmax, softmax } from '../ops/softmax.js';
export { tanh } from '../ops/trigonometric.js';
export { maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../ops/unpool.js';
export { gumbelSoftmax } from '../sample.js';
