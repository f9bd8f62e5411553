// The public exports of chainrule, and nothing else.
export { type BackwardOptions, backward, type GradOptions, grad } from './autograd/backward.js';
export { customFunction, type FunctionContext, type FunctionDefinition } from './autograd/function.js';
export { type DerivativeOptions, hessian, hvp, jacobian, jvp, valueAndGrad, vjp } from './autograd/functional.js';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './autograd/gradcheck.js';
export { type CapturedStep, type CaptureMemory, type CaptureOptions, capture } from './capture/capture.js';
export type { ExplainedKernel, Explanation } from './capture/explain.js';
export type { RunOptions } from './capture/lane.js';
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
export { type AttentionOptions, scaledDotProductAttention } from './ops/attention/attention.js';
export { type AttentionParts, type MultiheadOptions, multiHeadAttention } from './ops/attention/multihead.js';
export {
  type Conv1dOptions,
  type Conv2dOptions,
  type Conv3dOptions,
  type ConvOptions,
  conv1d,
  conv2d,
  conv3d,
} from './ops/conv/conv.js';
export * from './ops/conv/transpose.js';
export * from './ops/elementwise/activation.js';
export * from './ops/elementwise/arithmetic.js';
export * from './ops/elementwise/binary.js';
export * from './ops/elementwise/bitwise.js';
export * from './ops/elementwise/closeness.js';
export * from './ops/elementwise/compare.js';
export * from './ops/elementwise/division.js';
export { type DropoutOptions, dropout } from './ops/elementwise/dropout.js';
export * from './ops/elementwise/exponential.js';
export * from './ops/elementwise/float-parts.js';
export * from './ops/elementwise/promotion.js';
export * from './ops/elementwise/rectifier.js';
export * from './ops/elementwise/rounding.js';
export * from './ops/elementwise/special.js';
export * from './ops/elementwise/trigonometric.js';
export * from './ops/elementwise/unary.js';
export { nonzero, type Slice, type Subscript, slice } from './ops/index/at.js';
export { type EmbeddingOptions, embedding } from './ops/index/embedding.js';
export * from './ops/index/embedding-bag.js';
export { gather, indexSelect } from './ops/index/index.js';
export { indexAdd, indexCopy, indexFill, indexReduce, put, take } from './ops/index/index-write.js';
export * from './ops/index/mask.js';
export * from './ops/index/place.js';
export { type ScatterReduction, scatter, scatterAdd, scatterReduce } from './ops/index/scatter.js';
export * from './ops/index/set-at.js';
export { det, logdet, type SignedLog, slogdet, trace } from './ops/linalg/det.js';
export { cholesky, choleskyInverse, choleskySolve } from './ops/linalg/factor.js';
export { pinverse } from './ops/linalg/lstsq.js';
export { luSolve } from './ops/linalg/lu.js';
export { matrixExp, matrixPower } from './ops/linalg/power.js';
export { inverse } from './ops/linalg/solve.js';
export * from './ops/loss/distance.js';
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
} from './ops/loss/loss.js';
export * from './ops/loss/margin.js';
export * from './ops/loss/probability.js';
export * from './ops/loss/regression.js';
export { type CtcOptions, ctcLoss, type Lengths } from './ops/loss/sequence.js';
export * from './ops/normalize/normalization.js';
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
} from './ops/normalize/similarity.js';
export * from './ops/order/histogram.js';
export type { Placed } from './ops/order/lines.js';
export {
  type Interpolation,
  median,
  mode,
  nanmedian,
  nanquantile,
  type QuantileOptions,
  quantile,
} from './ops/order/quantile.js';
export * from './ops/order/search.js';
export {
  argsort,
  kthvalue,
  msort,
  type SortOptions,
  sort,
  type TopkOptions,
  topk,
} from './ops/order/sort.js';
export * from './ops/order/unique.js';
export * from './ops/pool/adaptive.js';
export * from './ops/pool/average.js';
export {
  type MaxPool1dOptions,
  type MaxPool2dOptions,
  type MaxPool3dOptions,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type WithIndices,
} from './ops/pool/max.js';
export * from './ops/pool/unpool.js';
export * from './ops/product/add.js';
export { einsum, tensordot } from './ops/product/einsum.js';
export * from './ops/product/many.js';
export { linear, matmul } from './ops/product/matmul.js';
export * from './ops/product/product.js';
export * from './ops/product/tuples.js';
export { gruCell, lstmCell, rnnReluCell, rnnTanhCell } from './ops/recurrent/cell.js';
export {
  type CovOptions,
  corrcoef,
  cov,
  type VanderOptions,
  vander,
} from './ops/reduce/covariance.js';
export * from './ops/reduce/difference.js';
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
} from './ops/reduce/reduce.js';
export type { Axes, ReduceOptions } from './ops/reduce/reduction.js';
export * from './ops/reduce/scan.js';
export { logSoftmax, softmax } from './ops/reduce/softmax.js';
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
} from './ops/reduce/statistics.js';
export * from './ops/resample/grid.js';
export * from './ops/resample/interpolate.js';
export * from './ops/resample/shuffle.js';
export { broadcastShapes, broadcastTensors, broadcastTo } from './ops/shape/broadcast.js';
export * from './ops/shape/diagonal.js';
export { cat, stack, where } from './ops/shape/join.js';
export * from './ops/shape/movement.js';
export * from './ops/shape/pad.js';
export { chunk, dsplit, hsplit, meshgrid, split, tensorSplit, unbind, vsplit } from './ops/shape/split.js';
export * from './ops/shape/stacking.js';
export * from './ops/shape/view.js';
export * as optim from './optim/index.js';
export { capability, numThreads, openblasCore, setNumThreads } from './runtime.js';
export * from './sample.js';
export type { BatcherStats as ServiceStats } from './serve/batcher.js';
export {
  type RawAnswer,
  type RequestOptions,
  type Servable,
  type ServeOptions,
  type Service,
  serve,
} from './serve/serve.js';
export { type NestedArray, Tensor } from './tensor.js';
export * as train from './train/index.js';
export * as viz from './viz/index.js';
