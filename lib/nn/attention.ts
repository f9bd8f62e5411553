// MultiheadAttention: attention with projections of its own.
import { checkOptions, TensorError } from '../errors.js';
import { type MultiheadOptions, multiHeadAttention } from '../ops/attention/multihead.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { xavierNormal, xavierUniform, zeros } from './init.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { type Parameter, parameter } from './parameter.js';

/** Options of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions extends ParameterOptions {
  /** Probability of an attention weight to be zeroed while training; 0 unless given. */
  dropout?: number;
  /** Whether a learnt key and value follow every sequence; false unless given. */
  addBiasKv?: boolean;
  /** Whether a key and a value of zeros follow every sequence; false unless given. */
  addZeroAttn?: boolean;
  /** Features of the keys; `embedDim` unless given. */
  kdim?: number;
  /** Features of the values; `embedDim` unless given. */
  vdim?: number;
  /** Whether inputs are [N, L, E] rather than [L, N, E]; false unless given. */
  batchFirst?: boolean;
}

/** What one call of {@link MultiheadAttention} may be given. */
export type AttentionCall = Pick<
  MultiheadOptions,
  'keyPaddingMask' | 'attnMask' | 'needWeights' | 'averageAttnWeights'
>;

const NAMES: Readonly<Record<string, string>> = {
  inProjWeight: 'in_proj_weight',
  qProjWeight: 'q_proj_weight',
  kProjWeight: 'k_proj_weight',
  vProjWeight: 'v_proj_weight',
  inProjBias: 'in_proj_bias',
  biasK: 'bias_k',
  biasV: 'bias_v',
  outProj: 'out_proj',
};

/**
 * Attention in several projections: `concat(softmax(Q_i K_i^T / sqrt(E / heads)) V_i) W_o^T + b_o` (Vaswani et al. 2017;
 * PyTorch: `nn.MultiheadAttention`).
 *
 * Inputs are [L, N, E], [N, L, E] with `batchFirst`, or [L, E]. `forward` returns the result, shaped as the query, and the
 * weights: [N, L, S] averaged over the heads, [N, heads, L, S] with `averageAttnWeights: false`, null with `needWeights: false`.
 *
 * @throws TensorError `value` for a number of heads that does not divide `embedDim`; in forward as `multiHeadAttention`
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
 * const x = ones([3, 5, 8]);
 * const [y, weights] = attention.forward(x, x, x);
 * console.log(y.shape, weights?.shape); // [3, 5, 8] [3, 5, 5]
 * ```
 */
export class MultiheadAttention extends Module<
  [query: Tensor, key: Tensor, value: Tensor, options?: AttentionCall],
  [output: Tensor, weights: Tensor | null]
> {
  /** [3E, E]; null where keys or values have other features than queries. */
  inProjWeight: Parameter | null = null;
  /** [E, E] where keys or values have other features than queries, else null. */
  qProjWeight: Parameter | null = null;
  /** [E, kdim], as {@link qProjWeight}. */
  kProjWeight: Parameter | null = null;
  /** [E, vdim], as {@link qProjWeight}. */
  vProjWeight: Parameter | null = null;
  /** [3E]: for queries, keys and values; null without a bias. */
  inProjBias: Parameter | null = null;
  /** [1, 1, E]: a key that is added to every sequence; null unless `addBiasKv`. */
  biasK: Parameter | null = null;
  /** [1, 1, E]: the value that goes with {@link biasK}. */
  biasV: Parameter | null = null;
  /** What the heads' results come through together. */
  outProj: Linear;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    private readonly options?: MultiheadAttentionOptions,
  ) {
    super();
    const op = 'MultiheadAttention';
    const own = ['dropout', 'addBiasKv', 'addZeroAttn', 'kdim', 'vdim', 'batchFirst'];
    checkOptions(op, options, ['bias', 'dtype', 'generator', ...own]);
    const { kdim = embedDim, vdim = embedDim, bias = true, dtype, generator } = options ?? {};
    checkSize(op, 'embedDim', embedDim);
    checkSize(op, 'kdim', kdim);
    checkSize(op, 'vdim', vdim);
    if (embedDim % checkSize(op, 'numHeads', numHeads) !== 0) {
      throw new TensorError('value', op, `expected numHeads that divides embedDim ${embedDim}, got ${numHeads}`);
    }
    checkNumber(op, 'dropout', options?.dropout ?? 0, 0, 1);
    checkBoolean(op, 'addZeroAttn', options?.addZeroAttn ?? false);
    checkBoolean(op, 'batchFirst', options?.batchFirst ?? false);
    if (kdim === embedDim && vdim === embedDim) {
      this.inProjWeight = xavierUniform(parameter([3 * embedDim, embedDim], dtype), { generator });
    } else {
      this.qProjWeight = xavierUniform(parameter([embedDim, embedDim], dtype), { generator });
      this.kProjWeight = xavierUniform(parameter([embedDim, kdim], dtype), { generator });
      this.vProjWeight = xavierUniform(parameter([embedDim, vdim], dtype), { generator });
    }
    if (checkBoolean(op, 'bias', bias)) this.inProjBias = parameter([3 * embedDim], dtype);
    this.outProj = new Linear(embedDim, embedDim, { bias, dtype, generator });
    if (this.outProj.bias !== null) zeros(this.outProj.bias);
    if (checkBoolean(op, 'addBiasKv', options?.addBiasKv ?? false)) {
      this.biasK = xavierNormal(parameter([1, 1, embedDim], dtype), { generator });
      this.biasV = xavierNormal(parameter([1, 1, embedDim], dtype), { generator });
    }
  }

  /** Whether inputs are [N, L, E]. */
  get batchFirst(): boolean {
    return this.options?.batchFirst ?? false;
  }

  protected override stateName(attribute: string): string {
    return NAMES[attribute] ?? attribute;
  }

  forward(query: Tensor, key: Tensor, value: Tensor, options?: AttentionCall): [Tensor, Tensor | null] {
    const { dropout = 0, addZeroAttn, batchFirst } = this.options ?? {};
    checkOptions('MultiheadAttention', options, ['keyPaddingMask', 'attnMask', 'needWeights', 'averageAttnWeights']);
    const parts = {
      inWeight:
        this.inProjWeight ?? ([this.qProjWeight, this.kProjWeight, this.vProjWeight] as [Tensor, Tensor, Tensor]),
      inBias: this.inProjBias,
      outWeight: this.outProj.weight,
      outBias: this.outProj.bias,
      extra: this.biasK && this.biasV && ([this.biasK, this.biasV] as const),
    };
    const dropoutP = this.training ? dropout : 0;
    return multiHeadAttention(query, key, value, this.numHeads, parts, {
      ...options,
      addZeroAttn,
      batchFirst,
      dropoutP,
      generator: this.options?.generator,
    });
  }

  protected override summary(): string {
    return [this.embedDim, this.numHeads, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }
}
