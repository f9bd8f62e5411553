// The loss of sequences as a module.
import { checkOptions } from '../errors.js';
import type { Reduction } from '../ops/loss.js';
import { type CtcOptions, ctcLoss, type Lengths } from '../ops/loss-sequence.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkChoice, checkSize, formatOptions } from './check.js';
import { Module } from './module.js';

/**
 * Connectionist temporal classification of log-probabilities [T, N, C] against labels without alignment: `-log p(labels)`
 * (PyTorch: `nn.CTCLoss`).
 *
 * @param options `blank`, 0 unless given; `zeroInfinity`, `reduction`
 * @throws TensorError `index` in forward for a label outside 0..C-1, `value` for lengths that lie
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const logProbs = tensor([[0.5, 0.5], [0.5, 0.5]]).log();
 * const labels = tensor([1], { dtype: 'int32' });
 * console.log(new nn.CTCLoss().forward(logProbs, labels, 2, 1).exp().item().toFixed(4)); // 1.3333
 * ```
 */
export class CTCLoss extends Module<
  [logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths]
> {
  readonly blank: number;
  readonly zeroInfinity: boolean;
  readonly reduction: Reduction;

  constructor(private readonly options?: CtcOptions) {
    super();
    const op = 'CTCLoss';
    checkOptions(op, options, ['blank', 'zeroInfinity', 'reduction']);
    this.blank = checkSize(op, 'blank', options?.blank ?? 0, 0);
    this.zeroInfinity = checkBoolean(op, 'zeroInfinity', options?.zeroInfinity ?? false);
    this.reduction = checkChoice(op, 'reduction', options?.reduction ?? 'mean', ['mean', 'sum', 'none']);
  }

  forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    const { blank, zeroInfinity, reduction } = this;
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, zeroInfinity, reduction });
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}
