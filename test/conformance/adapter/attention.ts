// Entries of attention.json.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import type { Precision } from '../cases.js';
import { type Entries, given, op } from './entry.js';

/** Puts tensors in the place of a module's parameters, in the order of its state dict, so that gradients reach them. */
export function withParameters<M extends cr.nn.Module<never, unknown>>(module: M, tensors: readonly Tensor[]): M {
  const rest = [...tensors];
  for (const owner of module.modules()) {
    for (const [attribute, value] of Object.entries(owner)) {
      if (!(value instanceof cr.Parameter)) continue;
      const tensor = rest.shift();
      if (tensor === undefined) throw new Error(`no tensor for ${attribute}`);
      Object.assign(owner, { [attribute]: tensor });
    }
  }
  if (rest.length > 0) throw new Error(`${rest.length} tensors too many`);
  return module;
}

/**
 * A key padding mask as PyTorch 1.13 applies it. Beside a floating attention mask it reads a floating padding mask's bytes as
 * bools (`masked_fill` of a float mask), of which 0 and -Infinity are false, and so leaves nothing out; later versions add the two, and
 * so do we (test/nn/attention.test.ts).
 */
function padding(mask: Tensor | null, pairs: Tensor | null): Tensor | null {
  const misread = mask !== null && pairs !== null && mask.dtype !== 'bool' && pairs.dtype !== 'bool';
  return misread && mask.eq(0).logicalOr(mask.isInf()).all().item() ? null : mask;
}

interface Multihead {
  embed_dim: number;
  num_heads: number;
  dropout?: number;
  bias?: boolean;
  add_bias_kv?: boolean;
  add_zero_attn?: boolean;
  kdim?: number | null;
  vdim?: number | null;
  batch_first?: boolean;
  need_weights?: boolean;
  average_attn_weights?: boolean;
}

interface Layer {
  d_model: number;
  nhead: number;
  dim_feedforward?: number;
  dropout?: number;
  activation?: 'relu' | 'gelu';
  layer_norm_eps?: number;
  batch_first?: boolean;
  norm_first?: boolean;
  bias?: boolean;
}

const LAYER = [
  'd_model',
  'nhead',
  'dim_feedforward',
  'dropout',
  'activation',
  'layer_norm_eps',
  'batch_first',
  'norm_first',
  'bias',
] as const;

const layerOptions = (a: Layer, dtype: Precision) =>
  given({
    dimFeedforward: a.dim_feedforward,
    dropout: a.dropout,
    activation: a.activation,
    layerNormEps: a.layer_norm_eps,
    batchFirst: a.batch_first,
    normFirst: a.norm_first,
    bias: a.bias,
    dtype,
  });

export const attention = {
  scaled_dot_product_attention: op<{ dropout_p?: number; is_causal?: boolean; scale?: number | null }>(
    ['dropout_p', 'is_causal', 'scale'],
    ([q, k, v, attnMask], a) =>
      cr.scaledDotProductAttention(
        q,
        k,
        v,
        given({ attnMask, dropoutP: a.dropout_p, isCausal: a.is_causal, scale: a.scale ?? undefined }),
      ),
  ),
  MultiheadAttention: op<Multihead>(
    [
      'embed_dim',
      'num_heads',
      'dropout',
      'bias',
      'add_bias_kv',
      'add_zero_attn',
      'kdim',
      'vdim',
      'batch_first',
      'need_weights',
      'average_attn_weights',
    ],
    ([q, k, v, keyPadding, attnMask, ...parameters], a, dtype) => {
      const options = {
        dropout: a.dropout,
        bias: a.bias,
        addBiasKv: a.add_bias_kv,
        addZeroAttn: a.add_zero_attn,
        kdim: a.kdim ?? undefined,
        vdim: a.vdim ?? undefined,
        batchFirst: a.batch_first,
        dtype,
      };
      const module = new cr.nn.MultiheadAttention(a.embed_dim, a.num_heads, given(options));
      const call = { needWeights: a.need_weights, averageAttnWeights: a.average_attn_weights };
      const [y, weights] = withParameters(module, parameters).forward(
        q,
        k,
        v,
        given({ ...call, keyPaddingMask: padding(keyPadding, attnMask), attnMask }),
      );
      return weights === null ? y : [y, weights];
    },
  ),
  TransformerEncoderLayer: op<Layer>(LAYER, ([src, srcMask, keyPadding, ...parameters], a, dtype) =>
    withParameters(new cr.nn.TransformerEncoderLayer(a.d_model, a.nhead, layerOptions(a, dtype)), parameters).forward(
      src,
      { srcMask, srcKeyPaddingMask: padding(keyPadding, srcMask) },
    ),
  ),
  TransformerDecoderLayer: op<Layer>(LAYER, ([tgt, memory, ...rest], a, dtype) => {
    const [tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, ...parameters] = rest;
    const layer = new cr.nn.TransformerDecoderLayer(a.d_model, a.nhead, layerOptions(a, dtype));
    return withParameters(layer, parameters).forward(tgt, memory, {
      tgtMask,
      memoryMask,
      tgtKeyPaddingMask: padding(tgtKeyPaddingMask, tgtMask),
      memoryKeyPaddingMask: padding(memoryKeyPaddingMask, memoryMask),
    });
  }),
} satisfies Entries;
