// The public exports of chainrule, and nothing else.
export { type BackwardOptions, backward, type GradOptions, grad } from './autograd/backward.js';
export { customFunction, type FunctionContext, type FunctionDefinition } from './autograd/function.js';
export { type DerivativeOptions, hessian, hvp, jacobian, jvp, valueAndGrad, vjp } from './autograd/functional.js';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './autograd/gradcheck.js';
export { detectAnomaly, setDetectAnomaly } from './core/anomaly.js';
export type { DType, TypedArray } from './core/dtype.js';
export { enableGrad, inferenceMode, isGradEnabled, noGrad } from './core/mode.js';
export { Generator, manualSeed } from './core/random.js';
export { keep, scope } from './core/scope.js';
export type { Shape } from './core/shape.js';
export { emptyCache, type MemoryUsage, memory, setMemoryBudget } from './core/storage.js';
export type { GradHook } from './core/tape.js';
export * from './create.js';
export * as data from './data/index.js';
export * as distributions from './distributions/index.js';
export { type ErrorCode, TensorError } from './errors.js';
export * as io from './io/index.js';
export * as linalg from './linalg.js';
export * as nn from './nn/index.js';
export { Parameter } from './nn/parameter.js';
export * from './noise.js';
export * from './ops/activation.js';
export * from './ops/arithmetic.js';
export { nonzero, type Slice, type Subscript, slice } from './ops/at.js';
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention.js';
export * from './ops/binary.js';
export * from './ops/bitwise.js';
export { broadcastShapes, broadcastTensors, broadcastTo } from './ops/broadcast.js';
export * from './ops/closeness.js';
export * from './ops/compare.js';
export {
  type Conv1dOptions,
  type Conv2dOptions,
  type Conv3dOptions,
  type ConvOptions,
  conv1d,
  conv2d,
  conv3d,
} from './ops/conv.js';
export * from './ops/conv-transpose.js';
export {
  type CovOptions,
  corrcoef,
  cov,
  type VanderOptions,
  vander,
} from './ops/covariance.js';
export * from './ops/diagonal.js';
export * from './ops/difference.js';
export * from './ops/division.js';
export { type DropoutOptions, dropout } from './ops/dropout.js';
export { einsum, tensordot } from './ops/einsum.js';
export { type EmbeddingOptions, embedding } from './ops/embedding.js';
export * from './ops/embedding-bag.js';
export * from './ops/exponential.js';
export * from './ops/float-parts.js';
export * from './ops/grid.js';
export * from './ops/histogram.js';
export { gather, indexSelect } from './ops/index.js';
export { indexAdd, indexCopy, indexFill, indexReduce, put, take } from './ops/index-write.js';
export * from './ops/interpolate.js';
export { cat, stack, where } from './ops/join.js';
export { det, logdet, type SignedLog, slogdet, trace } from './ops/linalg-det.js';
export { cholesky, choleskyInverse, choleskySolve } from './ops/linalg-factor.js';
export { pinverse } from './ops/linalg-lstsq.js';
export { luSolve } from './ops/linalg-lu.js';
export { matrixExp, matrixPower } from './ops/linalg-power.js';
export { inverse } from './ops/linalg-solve.js';
export type { Placed } from './ops/lines.js';
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
export * from './ops/loss-distance.js';
export * from './ops/loss-margin.js';
export * from './ops/loss-probability.js';
export * from './ops/loss-regression.js';
export { type CtcOptions, ctcLoss, type Lengths } from './ops/loss-sequence.js';
export * from './ops/mask.js';
export { linear, matmul } from './ops/matmul.js';
export * from './ops/movement.js';
export { type AttentionParts, type MultiheadOptions, multiHeadAttention } from './ops/multihead.js';
export * from './ops/normalization.js';
export * from './ops/pad.js';
export * from './ops/place.js';
export * from './ops/pool-adaptive.js';
export * from './ops/pool-average.js';
export {
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  type MaxPool3dOptions,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type WithIndices,
} from './ops/pool-max.js';
export * from './ops/product.js';
export * from './ops/product-add.js';
export * from './ops/product-many.js';
export * from './ops/promotion.js';
export {
  type Interpolation,
  median,
  mode,
  nanmedian,
  nanquantile,
  type QuantileOptions,
  quantile,
} from './ops/quantile.js';
export * from './ops/rectifier.js';
export { gruCell, lstmCell, rnnReluCell, rnnTanhCell } from './ops/recurrent-cell.js';
export {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  type Extremes,
  max,
  mean,
  min,
  sum,
} from './ops/reduce.js';
export type { Axes, ReduceOptions } from './ops/reduction.js';
export * from './ops/rounding.js';
export * from './ops/scan.js';
export { type ScatterReduction, scatter, scatterAdd, scatterReduce } from './ops/scatter.js';
export * from './ops/search.js';
export * from './ops/set-at.js';
export * from './ops/shuffle.js';
export {
  cdist,
  cosineSimilarity,
  dist,
  type NormalizeOptions,
  normalize,
  type PairwiseDistanceOptions,
  pairwiseDistance,
  pdist,
  rbf,
  renorm,
} from './ops/similarity.js';
export { logSoftmax, softmax } from './ops/softmax.js';
export {
  argsort,
  kthvalue,
  msort,
  type SortOptions,
  sort,
  type TopkOptions,
  topk,
} from './ops/sort.js';
export * from './ops/special.js';
export { chunk, dsplit, hsplit, meshgrid, split, tensorSplit, unbind, vsplit } from './ops/split.js';
export * from './ops/stacking.js';
export {
  aminmax,
  countNonzero,
  type LeastAndMost,
  logsumexp,
  nanmean,
  nansum,
  norm,
  prod,
  type StdMean,
  std,
  stdMean,
  type VarianceOptions,
  type VarMean,
  var as variance,
  varMean,
} from './ops/statistics.js';
export * from './ops/trigonometric.js';
export * from './ops/tuples.js';
export * from './ops/unary.js';
export * from './ops/unique.js';
export * from './ops/unpool.js';
export * from './ops/view.js';
export * as optim from './optim/index.js';
export { capability, numThreads, openblasCore, setNumThreads } from './runtime.js';
export * from './sample.js';
export { type NestedArray, Tensor } from './tensor.js';
export * as train from './train/index.js';
export * as viz from './viz/plot.js';
