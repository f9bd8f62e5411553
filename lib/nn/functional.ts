// nn.functional: the operations of networks under the name PyTorch users look for.
export * from '../ops/activation.js';
export { scaledDotProductAttention } from '../ops/attention.js';
export { conv1d, conv2d, conv3d } from '../ops/conv.js';
export * from '../ops/conv-transpose.js';
export { dropout } from '../ops/dropout.js';
export { sigmoid } from '../ops/exponential.js';
export * from '../ops/fold.js';
export { binaryCrossEntropyWithLogits, crossEntropy, l1Loss, mseLoss, nllLoss } from '../ops/loss.js';
export { linear } from '../ops/matmul.js';
export { avgPool2d, maxPool2d } from '../ops/pool.js';
export { bilinear } from '../ops/product-many.js';
export * from '../ops/rectifier.js';
export { logSoftmax, softmax } from '../ops/softmax.js';
export { tanh } from '../ops/trigonometric.js';
