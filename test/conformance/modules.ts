// Modules from the nested constructor calls of training cases: PyTorch's signatures, and what ours take of them.
import { nn, type Tensor } from 'chainrule';
import { build } from './build.js';
import type { Precision, TensorJson } from './cases.js';
import { classOf, options } from './form.js';

/** `["Conv2d", 2, 4, 3, {"padding": 1}]`: a name, positional arguments, keyword arguments in a final object. */
export type Call = [name: string, ...args: unknown[]];

const WINDOW = 'kernel_size | stride padding dilation return_indices ceil_mode';
const MEAN_WINDOW = 'kernel_size | stride padding ceil_mode count_include_pad divisor_override';
const CONV = '! in_channels out_channels kernel_size | stride padding dilation groups bias padding_mode';
const TRANSPOSED =
  '! in_channels out_channels kernel_size | stride padding output_padding groups bias dilation padding_mode';
const RUNNING = '! num_features | eps momentum affine track_running_stats';
const RECURRENT = '! input_size hidden_size | num_layers bias batch_first dropout bidirectional';
const LAYER = '! d_model nhead | dim_feedforward dropout activation layer_norm_eps batch_first norm_first';
const WEIGHTED = '| weight size_average ignore_index reduce reduction label_smoothing';
const LOSS = '| size_average reduce reduction';

/**
 * PyTorch's parameter names in their order; those before the bar are positional here, the others options. An exclamation mark
 * stands before modules with parameters, which take a dtype; `a=b` is called b here.
 */
const SIGNATURES: Readonly<Record<string, string>> = {
  Linear: '! in_features out_features | bias',
  Conv1d: CONV,
  Conv2d: CONV,
  Conv3d: CONV,
  ConvTranspose1d: TRANSPOSED,
  ConvTranspose2d: TRANSPOSED,
  ConvTranspose3d: TRANSPOSED,
  MaxPool1d: WINDOW,
  MaxPool2d: WINDOW,
  MaxPool3d: WINDOW,
  AvgPool1d: 'kernel_size | stride padding ceil_mode count_include_pad',
  AvgPool2d: MEAN_WINDOW,
  AvgPool3d: MEAN_WINDOW,
  Upsample: '| size scale_factor mode align_corners recompute_scale_factor',
  UpsamplingNearest2d: '| size scale_factor',
  UpsamplingBilinear2d: '| size scale_factor',
  EmbeddingBag:
    '! num_embeddings embedding_dim | max_norm norm_type scale_grad_by_freq mode sparse include_last_offset padding_idx',
  LPPool1d: 'norm_type kernel_size | stride ceil_mode',
  LPPool2d: 'norm_type kernel_size | stride ceil_mode',
  AdaptiveAvgPool1d: 'output_size',
  AdaptiveAvgPool2d: 'output_size',
  AdaptiveAvgPool3d: 'output_size',
  AdaptiveMaxPool1d: 'output_size | return_indices',
  AdaptiveMaxPool2d: 'output_size | return_indices',
  AdaptiveMaxPool3d: 'output_size | return_indices',
  FractionalMaxPool2d: 'kernel_size | output_size output_ratio return_indices',
  FractionalMaxPool3d: 'kernel_size | output_size output_ratio return_indices',
  BatchNorm1d: RUNNING,
  BatchNorm2d: RUNNING,
  BatchNorm3d: RUNNING,
  InstanceNorm1d: RUNNING,
  InstanceNorm2d: RUNNING,
  InstanceNorm3d: RUNNING,
  LayerNorm: '! normalized_shape | eps elementwise_affine',
  RMSNorm: '! normalized_shape | eps elementwise_affine',
  GroupNorm: '! num_groups num_channels | eps affine',
  LocalResponseNorm: 'size | alpha beta k',
  Embedding: '! num_embeddings embedding_dim | padding_idx max_norm norm_type scale_grad_by_freq sparse',
  RNN: '! input_size hidden_size | num_layers nonlinearity bias batch_first dropout bidirectional',
  LSTM: `${RECURRENT} proj_size`,
  GRU: RECURRENT,
  TransformerEncoderLayer: LAYER,
  TransformerEncoder: 'encoder_layer num_layers norm',
  Flatten: '| start_dim=start end_dim=end',
  Unfold: 'kernel_size | dilation padding stride',
  Fold: 'output_size kernel_size | dilation padding stride',
  Unflatten: 'dim unflattened_size',
  ChannelShuffle: 'groups',
  PixelShuffle: 'upscale_factor',
  PixelUnshuffle: 'downscale_factor',
  Dropout: '| p inplace',
  Dropout1d: '| p inplace',
  Dropout2d: '| p inplace',
  Dropout3d: '| p inplace',
  AlphaDropout: '| p inplace',
  FeatureAlphaDropout: '| p inplace',
  RReLU: '| lower upper inplace',
  Softmax: 'dim',
  LogSoftmax: 'dim',
  Softmin: 'dim',
  LeakyReLU: '| negative_slope inplace',
  ELU: '| alpha inplace',
  CELU: '| alpha inplace',
  GELU: '| approximate',
  GLU: '| dim=axis',
  PReLU: '! | num_parameters init',
  Softplus: '| beta threshold',
  Softshrink: '| lambd',
  Hardshrink: '| lambd',
  Hardtanh: '| min_val max_val inplace',
  Threshold: 'threshold value | inplace',
  Softmax2d: '',
  CosineSimilarity: '| dim eps',
  PairwiseDistance: '| p eps keepdim',
  CrossEntropyLoss: WEIGHTED,
  NLLLoss: WEIGHTED,
  BCEWithLogitsLoss: '| weight size_average reduce reduction pos_weight',
  BCELoss: '| weight size_average reduce reduction',
  MSELoss: LOSS,
  L1Loss: LOSS,
  SmoothL1Loss: `${LOSS} beta`,
  HuberLoss: '| reduction delta',
  KLDivLoss: `${LOSS} log_target`,
  SoftMarginLoss: LOSS,
  MultiLabelMarginLoss: LOSS,
  MultiLabelSoftMarginLoss: '| weight size_average reduce reduction',
  MultiMarginLoss: '| p margin weight size_average reduce reduction',
  HingeEmbeddingLoss: '| margin size_average reduce reduction',
  MarginRankingLoss: '| margin size_average reduce reduction',
  CosineEmbeddingLoss: '| margin size_average reduce reduction',
  TripletMarginLoss: '| margin p eps swap size_average reduce reduction',
  PoissonNLLLoss: '| log_input full size_average eps reduce reduction',
  GaussianNLLLoss: '| full eps reduction',
  CTCLoss: '| blank reduction zero_infinity',
};
/** Modules that learn the size of their inputs by themselves take the same without it. */
for (const [name, signature] of Object.entries(SIGNATURES)) {
  if (!/^(Linear|(Conv|ConvTranspose|BatchNorm|InstanceNorm)[123]d)$/.test(name)) continue;
  const rest = signature.replace(/ (in_features|in_channels|num_features)\b/, '');
  Object.assign(SIGNATURES, { [`Lazy${name}`]: rest });
}
for (const d of [1, 2, 3]) {
  const named = {
    ConstantPad: 'padding value',
    ZeroPad: 'padding',
    ReflectionPad: 'padding',
    ReplicationPad: 'padding',
  };
  for (const [name, signature] of Object.entries(named)) Object.assign(SIGNATURES, { [`${name}${d}d`]: signature });
}
for (const name of [
  'ReLU',
  'ReLU6',
  'Sigmoid',
  'Tanh',
  'LogSigmoid',
  'SELU',
  'SiLU',
  'Mish',
  'Softsign',
  'Tanhshrink',
]) {
  Object.assign(SIGNATURES, { [name]: '| inplace' });
}
for (const name of ['Hardsigmoid', 'Hardswish', 'Identity']) Object.assign(SIGNATURES, { [name]: '| inplace' });

/** Of no meaning here. */
const IGNORED = ['inplace', 'device'];
/** Whose result is the first of what they give. */
const FIRST = ['RNN', 'LSTM', 'GRU'];

class Select extends nn.Module {
  constructor(
    private readonly axis: number,
    private readonly index: number,
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return x.select(this.axis, this.index);
  }
}

class Mean extends nn.Module {
  constructor(private readonly axis: number) {
    super();
  }

  forward(x: Tensor): Tensor {
    return x.mean(this.axis);
  }
}

const OWN: Readonly<Record<string, new (...args: never[]) => nn.AnyModule>> = {
  Select,
  Mean,
  Sequential: nn.Sequential,
};

const isCall = (value: unknown): value is Call => Array.isArray(value) && typeof value[0] === 'string';
const isTensor = (value: unknown): value is TensorJson =>
  value !== null && typeof value === 'object' && 'dtype' in value && 'data' in value;

/** A module from a call; tensors and calls among the arguments become what they stand for. */
export function moduleOf([name, ...given]: Call, precision: Precision): nn.AnyModule {
  const args = given.map((value) => (isCall(value) ? moduleOf(value, precision) : value));
  const Own = OWN[name];
  if (Own !== undefined) return new Own(...(args as never[]));
  const signature = SIGNATURES[name];
  if (signature === undefined) throw new Error(`the runner does not know the module '${name}'`);
  const last = args.at(-1);
  const keywords =
    last !== null && typeof last === 'object' && last.constructor === Object ? (args.pop() as object) : {};
  const [before, after = ''] = signature.replace('!', '').split('|');
  const [first, rest] = [before, after].map((part) => part.split(' ').filter((word) => word !== ''));
  const named = new Map([...first, ...rest].map((word, i) => [word.split('=')[0], args[i]]));
  if (args.length > named.size)
    throw new Error(`the runner knows ${named.size} arguments of ${name}, not ${args.length}`);
  for (const [key, value] of Object.entries(keywords)) named.set(key, value);
  for (const key of IGNORED) named.delete(key);
  const positional = first.map((key) => named.get(key));
  const renamed = new Map(rest.map((word) => word.split('=') as [string, string | undefined]));
  const left = [...named].filter(([key, value]) => !first.includes(key) && value !== undefined);
  const shown = left.map(([key, value]) => [
    renamed.get(key) ?? key,
    isTensor(value) ? build(value, precision) : isCall(value) && key === 'norm' ? moduleOf(value, precision) : value,
  ]);
  const made: Record<string, unknown> = options(Object.fromEntries(shown));
  // A momentum of None is no default: it asks for the mean over all batches.
  if (named.get('momentum') === null) made.momentum = null;
  if (signature.startsWith('!')) made.dtype = precision;
  const Class = classOf<new (...args: unknown[]) => nn.AnyModule>(nn, name, 'a module');
  const module = new Class(...positional, ...(Object.keys(made).length > 0 ? [made] : []));
  return FIRST.includes(name) ? firstOf(module) : module;
}

/** The same module, names and all, that gives the first of its results only. */
function firstOf(module: nn.AnyModule): nn.AnyModule {
  const all = module.forward.bind(module);
  return Object.assign(module, { forward: (x: Tensor) => (all(x) as unknown[])[0] });
}
