// The public exports of chainrule, and nothing else.
export { backward, type BackwardOptions, grad, type GradOptions } from './autograd/backward.js';
export { gradcheck, type GradcheckOptions, gradgradcheck } from './autograd/gradcheck.js';
export type { DType, TypedArray } from './core/dtype.js';
export { enableGrad, inferenceMode, isGradEnabled, noGrad } from './core/mode.js';
export { Generator, manualSeed } from './core/random.js';
export { keep, scope } from './core/scope.js';
export type { Shape } from './core/shape.js';
export { emptyCache, type MemoryUsage, memory, setMemoryBudget } from './core/storage.js';
export * from './create.js';
export { type ErrorCode, TensorError } from './errors.js';
export { nonzero, type Slice, type Subscript, slice } from './ops/at.js';
export * from './ops/binary.js';
export * from './ops/compare.js';
export { type Conv2dOptions, conv2d } from './ops/conv.js';
export { type DropoutOptions, dropout } from './ops/dropout.js';
export { gather, indexSelect } from './ops/index.js';
export { cat, stack, where } from './ops/join.js';
export {
  type BceWithLogitsOptions,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  l1Loss,
  mseLoss,
  type NllOptions,
  nllLoss,
  type Reduction,
} from './ops/loss.js';
export { linear, matmul } from './ops/matmul.js';
export { type AvgPool2dOptions, avgPool2d, type MaxPool2dOptions, maxPool2d } from './ops/pool.js';
export { all, amax, amin, any, argmax, argmin, type Axes, type Extremes, max, mean, min, type ReduceOptions, sum } from './ops/reduce.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export * from './ops/unary.js';
export * from './ops/view.js';
export { type NestedArray, Tensor } from './tensor.js';
