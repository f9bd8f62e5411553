// Losses between distributions and their targets.
import { fused } from '../../core/fused.js';
import { checkValues } from '../../core/range.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import {
  binaryCrossEntropyWithLogits,
  checkPairOf,
  checkReduction,
  type LossOptions,
  type Reduction,
  reduce,
} from './loss.js';

/** Options of {@link binaryCrossEntropy} and {@link multilabelSoftMarginLoss}. */
export interface WeightedLossOptions extends LossOptions {
  /** Factor of each element's loss; broadcasts. */
  weight?: Tensor;
}

/**
 * Binary cross entropy of probabilities: `-(z log x + (1 - z) log(1 - x))`, logarithms of at least -100 and
 * `dx = g (x - z) / max(x (1 - x), 1e-12)` (PyTorch: `F.binary_cross_entropy`). For logits
 * `binaryCrossEntropyWithLogits` keeps more digits.
 *
 * @param input probabilities between 0 and 1
 * @param target probabilities between 0 and 1, of the input's shape
 * @throws TensorError `shape` unless both have one shape, `value` for an input below 0 or above 1
 *
 * @example
 * ```ts
 * import { binaryCrossEntropy, tensor } from 'chainrule';
 * console.log(binaryCrossEntropy(tensor([0.5]), tensor([1])).item().toFixed(4)); // 0.6931
 * ```
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options?: WeightedLossOptions): Tensor {
  const op = 'binaryCrossEntropy';
  checkOptions(op, options, ['reduction', 'weight']);
  checkPairOf(op, input, target);
  const weight = options?.weight;
  const reduction = checkReduction(op, options);
  return composite(() => {
    checkValues(op, input, 0, 1, (read, place) => {
      const text = `expected probabilities between 0 and 1, got ${read.read(place)}`;
      return new TensorError('value', op, `${text}; apply sigmoid() or use binaryCrossEntropyWithLogits`);
    });
    const z = target.to(input.dtype);
    const loss = fused(
      op,
      [input, z],
      [input, z],
      () =>
        logOf(input)
          .mul(z)
          .add(logOfRest(input).mul(z.neg().add(1)))
          .neg(),
      (g, [x, t], needs) => [
        needs[0] && g.mul(x.sub(t)).div(x.mul(x.neg().add(1)).clamp(1e-12)),
        needs[1] && g.mul(logOfRest(x).sub(logOf(x))),
      ],
    );
    return reduce(weight === undefined ? loss : loss.mul(weight), reduction);
  });
}

const logOf = (x: Tensor): Tensor => x.log().clamp(-100);
const logOfRest = (x: Tensor): Tensor => x.neg().log1p().clamp(-100);

/** Options of {@link sigmoidFocalLoss}. */
export interface FocalOptions {
  /** Weight of targets of 1, between 0 and 1; those of 0 get the rest; 0.25 unless given. Below 0: no weights. */
  alpha?: number;
  /** Exponent of the factor that fades what is easy, at least 0; 2 unless given. */
  gamma?: number;
  /** 'none' unless given, as torchvision has it. */
  reduction?: Reduction;
}

/**
 * Binary cross entropy of logits that counts what is already right less: `-a_t (1 - p_t)^gamma log p_t`, p_t the probability of
 * the target and a_t its weight (Lin et al., "Focal loss for dense object detection", 2017; torchvision:
 * `ops.sigmoid_focal_loss`).
 *
 * @param target 0 or 1, or probabilities between, of the input's shape
 * @throws TensorError `shape` unless both have one shape, `value` for a negative gamma or an alpha above 1
 *
 * @example
 * ```ts
 * import { sigmoidFocalLoss, tensor } from 'chainrule';
 * const loss = sigmoidFocalLoss(tensor([0, 4]), tensor([1, 1]), { alpha: -1 });
 * console.log(loss.at(0).item().toFixed(4), loss.at(1).item().toFixed(8)); // 0.1733 0.00000587
 * ```
 */
export function sigmoidFocalLoss(input: Tensor, target: Tensor, options?: FocalOptions): Tensor {
  const op = 'sigmoidFocalLoss';
  checkOptions(op, options, ['alpha', 'gamma', 'reduction']);
  checkPairOf(op, input, target);
  const alpha = checkNumber(op, 'alpha', options?.alpha ?? 0.25, -Infinity, 1);
  const gamma = checkNumber(op, 'gamma', options?.gamma ?? 2, 0);
  const reduction = checkReduction(op, { reduction: options?.reduction ?? 'none' });
  return composite(() => {
    const z = target.to(input.dtype);
    const rest = z.neg().add(1);
    let loss = binaryCrossEntropyWithLogits(input, z, { reduction: 'none' });
    // 1 - p_t from both sides of the logistic function, so that nothing cancels.
    if (gamma > 0) loss = loss.mul(z.mul(input.neg().sigmoid()).add(rest.mul(input.sigmoid())).pow(gamma));
    if (alpha >= 0) loss = loss.mul(z.mul(alpha).add(rest.mul(1 - alpha)));
    return reduce(loss, reduction);
  });
}

/** Options of {@link klDiv}. */
export interface KlDivOptions {
  /** 'mean' unless given; 'batchmean' divides the sum by the first size, as the definition of the divergence does. */
  reduction?: Reduction | 'batchmean';
  /** Whether the target holds log-probabilities too; false unless given. */
  logTarget?: boolean;
}

/**
 * Kullback-Leibler divergence of log-probabilities x from targets t: `t (log t - x)`, or with `logTarget`
 * `e^t (t - x)`; `0 log 0` counts as 0 (PyTorch: `F.kl_div`).
 *
 * @throws TensorError `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { klDiv, tensor } from 'chainrule';
 * const y = klDiv(tensor([[0.5, 0.5]]).log(), tensor([[1, 0]]), { reduction: 'batchmean' });
 * console.log(y.item().toFixed(4)); // 0.6931
 * ```
 */
export function klDiv(input: Tensor, target: Tensor, options?: KlDivOptions): Tensor {
  const op = 'klDiv';
  checkOptions(op, options, ['reduction', 'logTarget']);
  checkPairOf(op, input, target);
  const logTarget = checkBoolean(op, 'logTarget', options?.logTarget ?? false);
  const batch = options?.reduction === 'batchmean';
  const reduction = options?.reduction === 'batchmean' ? 'sum' : checkReduction(op, { reduction: options?.reduction });
  if (batch && input.ndim === 0) {
    throw new TensorError('shape', op, "expected an input with at least one dimension for 'batchmean', got []");
  }
  return composite(() => {
    const loss = logTarget ? target.exp().mul(target.sub(input)) : target.xlogy(target).sub(target.mul(input));
    const y = reduce(loss, reduction);
    return batch ? y.div(input.shape[0]) : y;
  });
}

/**
 * Binary cross entropy of logits over several labels, mean over the last dimension:
 * `-mean_c(z_c log s(x_c) + (1 - z_c) log s(-x_c))`, s the logistic function (PyTorch: `F.multilabel_soft_margin_loss`).
 *
 * @param input logits [..., C]
 * @param target 0 or 1, of the input's shape
 * @throws TensorError `shape` unless both have one shape of at least one dimension
 *
 * @example
 * ```ts
 * import { multilabelSoftMarginLoss, tensor } from 'chainrule';
 * console.log(multilabelSoftMarginLoss(tensor([[0, 0]]), tensor([[1, 0]])).item().toFixed(4)); // 0.6931
 * ```
 */
export function multilabelSoftMarginLoss(input: Tensor, target: Tensor, options?: WeightedLossOptions): Tensor {
  const op = 'multilabelSoftMarginLoss';
  checkOptions(op, options, ['reduction', 'weight']);
  checkPairOf(op, input, target);
  if (input.ndim === 0) {
    throw new TensorError('shape', op, 'expected logits of shape [..., C], got []');
  }
  const weight = options?.weight;
  const reduction = checkReduction(op, options);
  return composite(() => {
    const loss = target.mul(input.logSigmoid()).add(target.neg().add(1).mul(input.neg().logSigmoid())).neg();
    return reduce((weight === undefined ? loss : loss.mul(weight)).mean(-1), reduction);
  });
}

/**
 * Logistic loss of scores x for targets of 1 and -1: `log(1 + e^(-t x))`, without overflow (PyTorch:
 * `F.soft_margin_loss`).
 *
 * @throws TensorError `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { softMarginLoss, tensor } from 'chainrule';
 * console.log(softMarginLoss(tensor([0]), tensor([-1])).item().toFixed(4)); // 0.6931
 * ```
 */
export function softMarginLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const op = 'softMarginLoss';
  checkOptions(op, options, ['reduction']);
  checkPairOf(op, input, target);
  const reduction = checkReduction(op, options);
  return composite(() => reduce(input.mul(target).logSigmoid().neg(), reduction));
}
