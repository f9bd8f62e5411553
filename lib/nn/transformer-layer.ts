// The layers that transformers stack: attention and a small network, each with a residual connection and a normalisation.
import { checkOptions, describe, TensorError } from '../errors.js';
import { gelu } from '../ops/elementwise/activation.js';
import { relu } from '../ops/elementwise/rectifier.js';
import type { Tensor } from '../tensor.js';
import { type AttentionCall, MultiheadAttention } from './attention.js';
import { checkBoolean, checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { LayerNorm } from './normalization.js';

/** Options of {@link TransformerEncoderLayer} and {@link TransformerDecoderLayer}. */
export interface TransformerLayerOptions extends ParameterOptions {
  /** Features between the two linear maps; 2048 unless given. */
  dimFeedforward?: number;
  /** Probability of an element to be zeroed while training; 0.1 unless given. */
  dropout?: number;
  /** Between the two linear maps; 'relu' unless given. */
  activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** Added to the variance by the normalisations; 1e-5 unless given. */
  layerNormEps?: number;
  /** Whether inputs are [N, L, E] rather than [L, N, E]; false unless given. */
  batchFirst?: boolean;
  /** Whether each part normalises its input rather than its sum with the input; false unless given. */
  normFirst?: boolean;
}

/** Masks of one call of {@link TransformerEncoderLayer}; bool (true: left out) or floating (added to the scores). */
export interface EncoderMasks {
  /** [L, L] or [N nhead, L, L]. */
  srcMask?: Tensor | null;
  /** [N, L]. */
  srcKeyPaddingMask?: Tensor | null;
}

/** Masks of one call of {@link TransformerDecoderLayer}; bool (true: left out) or floating (added to the scores). */
export interface DecoderMasks {
  /** [L, L] or [N nhead, L, L]. */
  tgtMask?: Tensor | null;
  /** [L, S] or [N nhead, L, S]. */
  memoryMask?: Tensor | null;
  /** [N, L]. */
  tgtKeyPaddingMask?: Tensor | null;
  /** [N, S]. */
  memoryKeyPaddingMask?: Tensor | null;
}

const OWN = ['dimFeedforward', 'dropout', 'activation', 'layerNormEps', 'batchFirst', 'normFirst'];
/** The names of {@link TransformerLayerOptions}. */
export const TRANSFORMER_LAYER: readonly string[] = ['bias', 'dtype', 'generator', ...OWN];
const NAMES: Readonly<Record<string, string>> = { selfAttn: 'self_attn', multiheadAttn: 'multihead_attn' };
const ACTIVATIONS = { relu, gelu: (x: Tensor) => gelu(x) };

function activationOf(op: string, given: TransformerLayerOptions['activation'] = 'relu'): (x: Tensor) => Tensor {
  if (typeof given === 'function') return given;
  if (Object.hasOwn(ACTIVATIONS, given)) return ACTIVATIONS[given];
  throw new TensorError('value', op, `expected activation to be 'relu', 'gelu' or a function, got ${describe(given)}`);
}

/** What both layers have: self-attention, the two linear maps, and how a part is added to its input. */
abstract class TransformerLayer<Inputs extends unknown[]> extends Module<Inputs> {
  protected readonly normFirst: boolean;
  private readonly activation: (x: Tensor) => Tensor;

  constructor(
    readonly dModel: number,
    readonly nhead: number,
    protected readonly options: TransformerLayerOptions | undefined,
  ) {
    super();
    const op = new.target.name;
    checkOptions(op, options, TRANSFORMER_LAYER);
    checkSize(op, 'dModel', dModel);
    if (dModel % checkSize(op, 'nhead', nhead) !== 0) {
      throw new TensorError('value', op, `expected nhead that divides dModel ${dModel}, got ${nhead}`);
    }
    checkSize(op, 'dimFeedforward', options?.dimFeedforward ?? 2048);
    checkNumber(op, 'dropout', options?.dropout ?? 0.1, 0, 1);
    this.normFirst = checkBoolean(op, 'normFirst', options?.normFirst ?? false);
    this.activation = activationOf(op, options?.activation);
  }

  protected attention(): MultiheadAttention {
    const { bias, batchFirst, dtype, generator } = this.options ?? {};
    const dropout = this.options?.dropout ?? 0.1;
    return new MultiheadAttention(this.dModel, this.nhead, { bias, batchFirst, dropout, dtype, generator });
  }

  protected linear(inFeatures: number, outFeatures: number): Linear {
    const { bias, dtype, generator } = this.options ?? {};
    return new Linear(inFeatures, outFeatures, { bias, dtype, generator });
  }

  protected norm(): LayerNorm {
    const { bias, dtype, layerNormEps: eps } = this.options ?? {};
    return new LayerNorm(this.dModel, { bias, dtype, eps });
  }

  protected drop(): Dropout {
    return new Dropout({ p: this.options?.dropout ?? 0.1, generator: this.options?.generator });
  }

  /** `x + part(norm(x))`, or `norm(x + part(x))`. */
  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? x.add(part(norm.forward(x))) : norm.forward(x.add(part(x)));
  }

  protected activate(x: Tensor): Tensor {
    return this.activation(x);
  }

  protected override stateName(attribute: string): string {
    return NAMES[attribute] ?? attribute;
  }

  protected override summary(): string {
    return [this.dModel, this.nhead, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }
}

/** The result of attention without its weights. */
function attend(attention: MultiheadAttention, query: Tensor, memory: Tensor, masks: AttentionCall): Tensor {
  return attention.forward(query, memory, memory, { ...masks, needWeights: false })[0];
}

/**
 * Self-attention and two linear maps, each added to its input and normalised: `y = norm1(x + attention(x))`,
 * `norm2(y + W_2 f(W_1 y + b_1) + b_2)` (Vaswani et al. 2017; PyTorch: `nn.TransformerEncoderLayer`).
 *
 * Inputs and outputs are [L, N, E], [N, L, E] with `batchFirst`, or [L, E].
 *
 * @throws TensorError `value` for a number of heads that does not divide `dModel`; in forward as {@link MultiheadAttention}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * console.log(layer.forward(ones([3, 5, 8])).shape); // [3, 5, 8]
 * ```
 */
export class TransformerEncoderLayer extends TransformerLayer<[src: Tensor, masks?: EncoderMasks]> {
  selfAttn = this.attention();
  linear1 = this.linear(this.dModel, this.options?.dimFeedforward ?? 2048);
  dropout = this.drop();
  linear2 = this.linear(this.options?.dimFeedforward ?? 2048, this.dModel);
  norm1 = this.norm();
  norm2 = this.norm();
  dropout1 = this.drop();
  dropout2 = this.drop();

  constructor(dModel: number, nhead: number, options?: TransformerLayerOptions) {
    super(dModel, nhead, options);
  }

  forward(src: Tensor, masks?: EncoderMasks): Tensor {
    checkOptions('TransformerEncoderLayer', masks, ['srcMask', 'srcKeyPaddingMask']);
    const call = { attnMask: masks?.srcMask, keyPaddingMask: masks?.srcKeyPaddingMask };
    const x = this.residual(src, this.norm1, (h) => this.dropout1.forward(attend(this.selfAttn, h, h, call)));
    return this.residual(x, this.norm2, (h) => {
      const inner = this.dropout.forward(this.activate(this.linear1.forward(h)));
      return this.dropout2.forward(this.linear2.forward(inner));
    });
  }
}

/**
 * Self-attention, attention to an encoder's output, and two linear maps, each added to its input and normalised (Vaswani et
 * al. 2017; PyTorch: `nn.TransformerDecoderLayer`).
 *
 * Inputs and outputs are [L, N, E], [N, L, E] with `batchFirst`, or [L, E].
 *
 * @throws TensorError `value` for a number of heads that does not divide `dModel`; in forward as {@link MultiheadAttention}
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * console.log(layer.forward(ones([3, 5, 8]), ones([3, 7, 8])).shape); // [3, 5, 8]
 * ```
 */
export class TransformerDecoderLayer extends TransformerLayer<[tgt: Tensor, memory: Tensor, masks?: DecoderMasks]> {
  selfAttn = this.attention();
  multiheadAttn = this.attention();
  linear1 = this.linear(this.dModel, this.options?.dimFeedforward ?? 2048);
  dropout = this.drop();
  linear2 = this.linear(this.options?.dimFeedforward ?? 2048, this.dModel);
  norm1 = this.norm();
  norm2 = this.norm();
  norm3 = this.norm();
  dropout1 = this.drop();
  dropout2 = this.drop();
  dropout3 = this.drop();

  constructor(dModel: number, nhead: number, options?: TransformerLayerOptions) {
    super(dModel, nhead, options);
  }

  forward(tgt: Tensor, memory: Tensor, masks?: DecoderMasks): Tensor {
    const known = ['tgtMask', 'memoryMask', 'tgtKeyPaddingMask', 'memoryKeyPaddingMask'];
    checkOptions('TransformerDecoderLayer', masks, known);
    const own = { attnMask: masks?.tgtMask, keyPaddingMask: masks?.tgtKeyPaddingMask };
    const other = { attnMask: masks?.memoryMask, keyPaddingMask: masks?.memoryKeyPaddingMask };
    const x = this.residual(tgt, this.norm1, (h) => this.dropout1.forward(attend(this.selfAttn, h, h, own)));
    const y = this.residual(x, this.norm2, (h) => this.dropout2.forward(attend(this.multiheadAttn, h, memory, other)));
    return this.residual(y, this.norm3, (h) => {
      const inner = this.dropout.forward(this.activate(this.linear1.forward(h)));
      return this.dropout3.forward(this.linear2.forward(inner));
    });
  }
}
