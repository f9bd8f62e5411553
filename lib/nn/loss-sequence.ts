// The loss of sequences as a module.
import { type CtcOptions, ctcLoss, type Lengths } from '../ops/loss/sequence.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkSize } from './check.js';
import { Loss } from './loss.js';

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
export class CTCLoss extends Loss<[logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths]> {
  readonly blank: number;
  readonly zeroInfinity: boolean;

  constructor(options?: CtcOptions) {
    const op = 'CTCLoss';
    super(op, options, ['blank', 'zeroInfinity']);
    this.blank = checkSize(op, 'blank', options?.blank ?? 0, 0);
    this.zeroInfinity = checkBoolean(op, 'zeroInfinity', options?.zeroInfinity ?? false);
  }

  forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    const { blank, zeroInfinity, reduction } = this;
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, zeroInfinity, reduction });
  }
}
