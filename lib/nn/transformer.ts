// Stacks of transformer layers, and the encoder-decoder made of them.
import { full } from '../create.js';
import { checkOptions, describe, TensorError } from '../errors.js';
import { triu } from '../ops/index/mask.js';
import type { Tensor } from '../tensor.js';
import { checkSize } from './check.js';
import { ModuleList } from './container.js';
import { xavierUniform } from './init.js';
import { Module } from './module.js';
import { LayerNorm } from './normalization.js';
import {
  type DecoderMasks,
  type EncoderMasks,
  TRANSFORMER_LAYER,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from './transformer-layer.js';

/** A module that normalises the output of a stack. */
type Norm = Module<[x: Tensor], Tensor>;

/** The first layer and as many copies as make `count`. */
function stack<L extends { clone(): L }>(op: string, layer: L, count: number): L[] {
  checkSize(op, 'the number of layers', count);
  if (!(layer instanceof Module) || typeof layer.clone !== 'function') {
    throw new TensorError('value', op, `expected a layer with clone(), got ${describe(layer)}`);
  }
  return Array.from({ length: count }, () => layer.clone());
}

/** Masks of one call of {@link TransformerEncoder}. */
export interface StackMasks {
  /** [L, L] or [N nhead, L, L]. */
  mask?: Tensor | null;
  /** [N, L]. */
  srcKeyPaddingMask?: Tensor | null;
}

/**
 * Copies of an encoder layer, one after the other (PyTorch: `nn.TransformerEncoder`).
 *
 * @param layer is copied with its values, as in PyTorch; initialise the copies anew where they shall differ
 * @param norm normalises the output; none unless given
 * @throws TensorError `value` for a number of layers below 1
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * console.log(new nn.TransformerEncoder(layer, 3).forward(ones([2, 5, 8])).shape); // [2, 5, 8]
 * ```
 */
export class TransformerEncoder extends Module<[src: Tensor, masks?: StackMasks]> {
  /** The copies, first to last. */
  layers: ModuleList<TransformerEncoderLayer>;
  /** Normalises the output; null for none. */
  norm: Norm | null;

  constructor(
    layer: TransformerEncoderLayer,
    readonly numLayers: number,
    norm: Norm | null = null,
  ) {
    super();
    this.layers = new ModuleList(stack('TransformerEncoder', layer, numLayers));
    this.norm = norm;
  }

  forward(src: Tensor, masks?: StackMasks): Tensor {
    checkOptions('TransformerEncoder', masks, ['mask', 'srcKeyPaddingMask']);
    const call: EncoderMasks = { srcMask: masks?.mask, srcKeyPaddingMask: masks?.srcKeyPaddingMask };
    let x = src;
    for (const layer of this.layers) x = layer.forward(x, call);
    return this.norm === null ? x : this.norm.forward(x);
  }
}

/**
 * Copies of a decoder layer, one after the other, all looking at one encoder output (PyTorch: `nn.TransformerDecoder`).
 *
 * @param layer is copied with its values, as in PyTorch; initialise the copies anew where they shall differ
 * @param norm normalises the output; none unless given
 * @throws TensorError `value` for a number of layers below 1
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const layer = new nn.TransformerDecoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true });
 * console.log(new nn.TransformerDecoder(layer, 3).forward(ones([2, 5, 8]), ones([2, 7, 8])).shape); // [2, 5, 8]
 * ```
 */
export class TransformerDecoder extends Module<[tgt: Tensor, memory: Tensor, masks?: DecoderMasks]> {
  /** The copies, first to last. */
  layers: ModuleList<TransformerDecoderLayer>;
  /** Normalises the output; null for none. */
  norm: Norm | null;

  constructor(
    layer: TransformerDecoderLayer,
    readonly numLayers: number,
    norm: Norm | null = null,
  ) {
    super();
    this.layers = new ModuleList(stack('TransformerDecoder', layer, numLayers));
    this.norm = norm;
  }

  forward(tgt: Tensor, memory: Tensor, masks?: DecoderMasks): Tensor {
    let x = tgt;
    for (const layer of this.layers) x = layer.forward(x, memory, masks);
    return this.norm === null ? x : this.norm.forward(x);
  }
}

/** What can be the encoder of a {@link Transformer}. */
export type AnyEncoder = Module<[src: Tensor, masks?: StackMasks]>;
/** What can be the decoder of a {@link Transformer}. */
export type AnyDecoder = Module<[tgt: Tensor, memory: Tensor, masks?: DecoderMasks]>;

/** Options of {@link Transformer}. */
export interface TransformerOptions<
  E extends AnyEncoder = TransformerEncoder,
  D extends AnyDecoder = TransformerDecoder,
> extends TransformerLayerOptions {
  /** Takes the place of the encoder; its matrices begin anew, too. */
  customEncoder?: E;
  /** Takes the place of the decoder; its matrices begin anew, too. */
  customDecoder?: D;
  /** Features; 512 unless given. */
  dModel?: number;
  /** Heads of every attention; 8 unless given. */
  nhead?: number;
  /** 6 unless given. */
  numEncoderLayers?: number;
  /** 6 unless given. */
  numDecoderLayers?: number;
}

/** Masks of one call of {@link Transformer}. */
export interface TransformerMasks extends EncoderMasks, DecoderMasks {}

/**
 * An encoder and a decoder that looks at its output, each with a final normalisation; matrices begin as Xavier uniform
 * (Vaswani et al. 2017; PyTorch: `nn.Transformer`).
 *
 * @typeParam E the encoder, where one of one's own is given
 * @typeParam D the decoder
 * @throws TensorError `value` for a number of heads that does not divide `dModel`, or parts that are no modules
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const options = { dModel: 8, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 16, batchFirst: true };
 * const model = new nn.Transformer(options);
 * const tgtMask = nn.Transformer.generateSquareSubsequentMask(4);
 * console.log(model.forward(ones([2, 5, 8]), ones([2, 4, 8]), { tgtMask }).shape); // [2, 4, 8]
 * ```
 */
export class Transformer<
  E extends AnyEncoder = TransformerEncoder,
  D extends AnyDecoder = TransformerDecoder,
> extends Module<[src: Tensor, tgt: Tensor, masks?: TransformerMasks]> {
  /** Looks at the source. */
  encoder: E;
  /** Looks at the target, and at what the encoder made of the source. */
  decoder: D;

  constructor(options?: TransformerOptions<E, D>) {
    super();
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...others } = options ?? {};
    const { customEncoder, customDecoder, ...rest } = others;
    const { layerNormEps: eps, bias, dtype, generator } = rest;
    const norm = () => new LayerNorm(dModel, { eps, bias, dtype });
    checkOptions('Transformer', rest, TRANSFORMER_LAYER);
    const encoder =
      customEncoder ??
      new TransformerEncoder(new TransformerEncoderLayer(dModel, nhead, rest), numEncoderLayers, norm());
    const decoder =
      customDecoder ??
      new TransformerDecoder(new TransformerDecoderLayer(dModel, nhead, rest), numDecoderLayers, norm());
    for (const [name, part] of Object.entries({ customEncoder: encoder, customDecoder: decoder })) {
      if (part instanceof Module) continue;
      throw new TensorError('value', 'Transformer', `expected ${name} to be a module, got ${describe(part)}`);
    }
    this.encoder = encoder as E;
    this.decoder = decoder as D;
    for (const p of this.parameters()) if (p.ndim > 1) xavierUniform(p, { generator });
  }

  /** The mask [size, size] under which no position sees a later one: 0, and -Infinity above the diagonal. */
  static generateSquareSubsequentMask(size: number): Tensor {
    return triu(full([size, size], -Infinity), 1);
  }

  forward(src: Tensor, tgt: Tensor, masks?: TransformerMasks): Tensor {
    const { srcMask: mask, srcKeyPaddingMask, ...rest } = masks ?? {};
    return this.decoder.forward(tgt, this.encoder.forward(src, { mask, srcKeyPaddingMask }), rest);
  }
}
