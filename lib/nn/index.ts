// The public exports of nn, and nothing else.

export {
  GELU,
  Hardsigmoid,
  Hardswish,
  LogSigmoid,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softsign,
  Tanh,
  Tanhshrink,
} from './activation.js';
export {
  AdaptiveLogSoftmaxWithLoss,
  type AdaptiveSoftmaxOptions,
  type AdaptiveSoftmaxResult,
} from './adaptive-softmax.js';
export { type AttentionCall, MultiheadAttention, type MultiheadAttentionOptions } from './attention.js';
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  type RunningNormOptions,
} from './batch-norm.js';
export type { Pair, ParameterOptions, Single, Triple } from './check.js';
export { ModuleList, ParameterList, Sequential } from './container.js';
export { ModuleDict, ParameterDict } from './container-dict.js';
export { Conv1d, Conv2d, Conv3d, type ConvModuleOptions } from './conv.js';
export {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeModuleOptions,
} from './conv-transpose.js';
export { CosineSimilarity, PairwiseDistance, RBF, type RBFOptions } from './distance.js';
export {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  type DropoutModuleOptions,
  FeatureAlphaDropout,
} from './dropout.js';
export {
  Embedding,
  EmbeddingBag,
  type EmbeddingBagOptions,
  type EmbeddingOptions,
  type Pretrained,
} from './embedding.js';
export { Fold, Unfold } from './fold.js';
export * as functional from './functional.js';
export type { BackwardHook, ForwardHook, ForwardPreHook, HookGrads, HookHandle } from './hooks.js';
export * as init from './init.js';
export {
  LazyBatchNorm1d,
  LazyBatchNorm2d,
  LazyBatchNorm3d,
  LazyInstanceNorm1d,
  LazyInstanceNorm2d,
  LazyInstanceNorm3d,
} from './lazy-norm.js';
export {
  LazyConv1d,
  LazyConv2d,
  LazyConv3d,
  LazyConvTranspose1d,
  LazyConvTranspose2d,
  LazyConvTranspose3d,
  LazyLinear,
} from './lazy-product.js';
export { Bilinear, Linear } from './linear.js';
export { BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss, NLLLoss } from './loss.js';
export {
  ContrastiveLoss,
  CosineEmbeddingLoss,
  HingeEmbeddingLoss,
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiMarginLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from './loss-margin.js';
export { BCELoss, FocalLoss, KLDivLoss, MultiLabelSoftMarginLoss, SoftMarginLoss } from './loss-probability.js';
export { GaussianNLLLoss, HuberLoss, PoissonNLLLoss, SmoothL1Loss } from './loss-regression.js';
export { CTCLoss } from './loss-sequence.js';
export { type AnyModule, Module } from './module.js';
export {
  GroupNorm,
  type GroupNormOptions,
  LayerNorm,
  type LayerNormOptions,
  LocalResponseNorm,
  RMSNorm,
  type RMSNormOptions,
} from './normalization.js';
export {
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  type Sides1d,
  type Sides2d,
  type Sides3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from './pad.js';
export { Parameter } from './parameter.js';
export {
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  LPPool1d,
  LPPool2d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  MaxUnpool1d,
  MaxUnpool2d,
  MaxUnpool3d,
  type Pooled,
} from './pool.js';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from './pool-adaptive.js';
export { FractionalMaxPool2d, FractionalMaxPool3d, type FractionalPoolOptions } from './pool-fractional.js';
export {
  CELU,
  ELU,
  Hardshrink,
  Hardtanh,
  LeakyReLU,
  PReLU,
  type PReLUOptions,
  RReLU,
  type RReLUOptions,
  Softplus,
  Softshrink,
  Threshold,
} from './rectifier.js';
export { GRU, LSTM, type LSTMOptions, type LSTMState, RNN, type RNNOptions, type Sequences } from './recurrent.js';
export type { RecurrentCall, RecurrentOptions } from './recurrent-base.js';
export { GRUCell, LSTMCell, RNNCell, type RNNCellOptions } from './recurrent-cell.js';
export {
  ChannelShuffle,
  PixelShuffle,
  PixelUnshuffle,
  Upsample,
  type UpsampleOptions,
  UpsamplingBilinear2d,
  UpsamplingNearest2d,
} from './resample.js';
export { Flatten, Identity, Unflatten } from './reshape.js';
export type { SharedState } from './share.js';
export { GLU, LogSoftmax, Maxout, Softmax, Softmax2d, Softmin } from './softmax.js';
export type { StateDict } from './state.js';
export { type Summary, type SummaryLayer, summary } from './summary.js';
export {
  type AnyDecoder,
  type AnyEncoder,
  Transformer,
  TransformerDecoder,
  TransformerEncoder,
  type TransformerMasks,
  type TransformerOptions,
} from './transformer.js';
export {
  type DecoderMasks,
  type EncoderMasks,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from './transformer-layer.js';
export { UninitializedBuffer, UninitializedParameter } from './uninitialized.js';
export * as utils from './utils.js';
