// How near vectors are to each other, or to learnt centres.
import { checkOptions } from '../errors.js';
import { cosineSimilarity, type PairwiseDistanceOptions, pairwiseDistance, rbf } from '../ops/normalize/similarity.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber, checkSize, formatOptions, type ParameterOptions } from './check.js';
import { normal } from './init.js';
import { Module } from './module.js';
import { type Parameter, parameter } from './parameter.js';

/**
 * Cosine of the angle between vectors: `sum x1 x2 / (max(|x1|, eps) max(|x2|, eps))` (PyTorch: `nn.CosineSimilarity`).
 *
 * @param options `dim`: the dimension of the vectors, 1 unless given; `eps`: least length, 1e-8 unless given
 * @throws TensorError `shape` in forward where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const cosine = new nn.CosineSimilarity({ dim: 0 });
 * console.log(cosine.forward(tensor([3, 4]), tensor([6, 8])).item().toFixed(4)); // 1.0000
 * ```
 */
export class CosineSimilarity extends Module<[x1: Tensor, x2: Tensor]> {
  readonly dim: number;
  readonly eps: number;

  constructor(private readonly options?: { dim?: number; eps?: number }) {
    super();
    const op = 'CosineSimilarity';
    checkOptions(op, options, ['dim', 'eps']);
    this.dim = checkSize(op, 'dim', options?.dim ?? 1, -8);
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-8, 0);
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, { dim: this.dim, eps: this.eps });
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/**
 * Distance of vectors along the last dimension: `(sum |x1 - x2 + eps|^p)^(1/p)` (PyTorch: `nn.PairwiseDistance`).
 *
 * @param options `p`, 2 unless given; `eps`, 1e-6 unless given; `keepdim`, false unless given
 * @throws TensorError `value` for a negative p, `shape` in forward where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.PairwiseDistance({ eps: 0 }).forward(tensor([[0, 3]]), tensor([[4, 0]])).toArray()); // [5]
 * ```
 */
export class PairwiseDistance extends Module<[x1: Tensor, x2: Tensor]> {
  readonly p: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(private readonly options?: PairwiseDistanceOptions) {
    super();
    const op = 'PairwiseDistance';
    checkOptions(op, options, ['p', 'eps', 'keepdim']);
    this.p = checkNumber(op, 'p', options?.p ?? 2, 0);
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-6);
    this.keepdim = checkBoolean(op, 'keepdim', options?.keepdim ?? false);
  }

  forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, { p: this.p, eps: this.eps, keepdim: this.keepdim });
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/** Options of {@link RBF}. */
export type RBFOptions = Omit<ParameterOptions, 'bias'>;

/**
 * Radial basis functions around learnt centres: `y_j = e^(-beta_j |x - c_j|^2)`, `beta_j = 1 / w_j^2`, the logarithms of the
 * widths w learnt as well, `x [..., in]`, `c [out, in]`, `w [out]` (Broomhead and Lowe, "Multivariable functional
 * interpolation and adaptive networks", 1988).
 *
 * Centres begin as normal numbers, widths as 1. In state dicts: `centres` and `log_widths`.
 *
 * @throws TensorError `value` for sizes that are no whole numbers from 1 up, `shape` in forward for other vectors
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const layer = new nn.RBF(2, 1);
 * layer.centres.assign(tensor([[1, 2]]));
 * console.log(layer.forward(tensor([[1, 2]])).toArray()); // [[1]]
 * ```
 */
export class RBF extends Module {
  /** [out, in] */
  centres: Parameter;
  /** [out] */
  logWidths: Parameter;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    private readonly options?: RBFOptions,
  ) {
    super();
    const op = 'RBF';
    checkOptions(op, options, ['dtype', 'generator']);
    checkSize(op, 'the number of inputs', inFeatures);
    checkSize(op, 'the number of outputs', outFeatures);
    this.centres = normal(parameter([outFeatures, inFeatures], options?.dtype), { generator: options?.generator });
    this.logWidths = parameter([outFeatures], options?.dtype);
  }

  protected override stateName(attribute: string): string {
    return attribute === 'logWidths' ? 'log_widths' : attribute;
  }

  forward(x: Tensor): Tensor {
    return rbf(x, this.centres, this.logWidths.mul(-2).exp());
  }

  protected override summary(): string {
    return [this.inFeatures, this.outFeatures, formatOptions(this.options)].filter((part) => part !== '').join(', ');
  }
}
