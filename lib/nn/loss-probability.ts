// Losses between distributions and their targets, as modules.

import { checkOptions } from '../errors.js';
import type { LossOptions, Reduction } from '../ops/loss/loss.js';
import {
  binaryCrossEntropy,
  type FocalOptions,
  type KlDivOptions,
  klDiv,
  multilabelSoftMarginLoss,
  sigmoidFocalLoss,
  softMarginLoss,
  type WeightedLossOptions,
} from '../ops/loss/probability.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkChoice, checkNumber, formatOptions } from './check.js';
import { Loss } from './loss.js';
import { Module } from './module.js';

/**
 * Binary cross entropy of probabilities: `-(z log x + (1 - z) log(1 - x))`, logarithms of at least -100 (PyTorch: `nn.BCELoss`).
 *
 * @param options `weight`, which broadcasts, and `reduction`
 * @throws TensorError `shape` in forward unless both have one shape, `value` for an input below 0 or above 1
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.BCELoss().forward(tensor([0.5]), tensor([1])).item().toFixed(4)); // 0.6931
 * ```
 */
export class BCELoss extends Loss {
  weight?: Tensor;

  constructor(options?: WeightedLossOptions) {
    super('BCELoss', options, ['weight']);
    this.weight = this.keepWeight('weight', options?.weight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return binaryCrossEntropy(input, target, { weight, reduction });
  }
}

/**
 * Kullback-Leibler divergence of log-probabilities x from targets t: `t (log t - x)`, or with `logTarget` `e^t (t - x)`
 * (PyTorch: `nn.KLDivLoss`).
 *
 * @param options `reduction`: 'mean' unless given, 'batchmean' is the divergence itself; `logTarget`, false unless given
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const loss = new nn.KLDivLoss({ reduction: 'batchmean' });
 * console.log(loss.forward(tensor([[0.5, 0.5]]).log(), tensor([[1, 0]])).item().toFixed(4)); // 0.6931
 * ```
 */
export class KLDivLoss extends Module<[input: Tensor, target: Tensor]> {
  readonly reduction: Reduction | 'batchmean';
  readonly logTarget: boolean;

  constructor(private readonly options?: KlDivOptions) {
    super();
    const op = 'KLDivLoss';
    checkOptions(op, options, ['reduction', 'logTarget']);
    const reductions = ['mean', 'batchmean', 'sum', 'none'] as const;
    this.reduction = checkChoice(op, 'reduction', options?.reduction ?? 'mean', reductions);
    this.logTarget = checkBoolean(op, 'logTarget', options?.logTarget ?? false);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, { reduction: this.reduction, logTarget: this.logTarget });
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/**
 * Binary cross entropy of logits [..., C] over several labels, mean over the last dimension (PyTorch:
 * `nn.MultiLabelSoftMarginLoss`).
 *
 * @param options `weight`, which broadcasts, and `reduction`
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.MultiLabelSoftMarginLoss().forward(tensor([[0, 0]]), tensor([[1, 0]])).item().toFixed(4)); // 0.6931
 * ```
 */
export class MultiLabelSoftMarginLoss extends Loss {
  weight?: Tensor;

  constructor(options?: WeightedLossOptions) {
    super('MultiLabelSoftMarginLoss', options, ['weight']);
    this.weight = this.keepWeight('weight', options?.weight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return multilabelSoftMarginLoss(input, target, { weight, reduction });
  }
}

/**
 * Logistic loss of scores x for targets of 1 and -1: `log(1 + e^(-t x))` (PyTorch: `nn.SoftMarginLoss`).
 *
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.SoftMarginLoss().forward(tensor([0]), tensor([-1])).item().toFixed(4)); // 0.6931
 * ```
 */
export class SoftMarginLoss extends Loss {
  constructor(options?: LossOptions) {
    super('SoftMarginLoss', options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss(input, target, { reduction: this.reduction });
  }
}

/**
 * Binary cross entropy of logits that counts what is already right less: `-a_t (1 - p_t)^gamma log p_t` (Lin et al., "Focal
 * loss for dense object detection", 2017; as a function: `sigmoidFocalLoss`).
 *
 * @param options `alpha`, 0.25 unless given, below 0 for no weights; `gamma`, 2 unless given; `reduction`, 'mean' unless given
 * @throws TensorError `value` for a negative gamma or an alpha above 1, `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.FocalLoss({ alpha: -1 }).forward(tensor([0]), tensor([1])).item().toFixed(4)); // 0.1733
 * ```
 */
export class FocalLoss extends Loss {
  readonly alpha: number;
  readonly gamma: number;

  constructor(options?: FocalOptions) {
    const op = 'FocalLoss';
    super(op, options, ['alpha', 'gamma']);
    this.alpha = checkNumber(op, 'alpha', options?.alpha ?? 0.25, -Infinity, 1);
    this.gamma = checkNumber(op, 'gamma', options?.gamma ?? 2, 0);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { alpha, gamma, reduction } = this;
    return sigmoidFocalLoss(input, target, { alpha, gamma, reduction });
  }
}
