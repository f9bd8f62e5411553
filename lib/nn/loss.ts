// Losses as modules: what they share, and the plain ones. forward(input, target) gives the loss.
import { checkOptions, describe, TensorError } from '../errors.js';
import {
  type BceWithLogitsOptions,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type LossOptions,
  l1Loss,
  mseLoss,
  type NllOptions,
  nllLoss,
  type Reduction,
} from '../ops/loss/loss.js';
import { Tensor } from '../tensor.js';
import { checkChoice, checkNumber, checkSize, formatOptions } from './check.js';
import { Module } from './module.js';

/** What losses share: a reduction, numbers of their own, and weights kept as buffers. */
export abstract class Loss<Inputs extends unknown[] = [input: Tensor, target: Tensor]> extends Module<Inputs> {
  readonly reduction: Reduction;
  private readonly options: LossOptions | undefined;

  constructor(op: string, options: LossOptions | undefined, known: readonly string[] = []) {
    super();
    checkOptions(op, options, ['reduction', ...known]);
    this.reduction = checkChoice(op, 'reduction', options?.reduction ?? 'mean', ['mean', 'sum', 'none']);
    this.options = options;
  }

  /** Keeps a weight of classes or elements in the state, as PyTorch does. */
  protected keepWeight(name: string, weight: Tensor | undefined): Tensor | undefined {
    if (weight === undefined) return undefined;
    if (weight instanceof Tensor) return this.registerBuffer(name, weight);
    throw new TensorError('value', this.constructor.name, `expected ${name} to be a tensor, got ${describe(weight)}`);
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/**
 * Squared error: `mean((input - target)^2)` (PyTorch: `nn.MSELoss`).
 *
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.MSELoss().forward(tensor([1, 2]), tensor([1, 4])).item()); // 2
 * ```
 */
export class MSELoss extends Loss {
  constructor(options?: LossOptions) {
    super('MSELoss', options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, { reduction: this.reduction });
  }
}

/**
 * Absolute error: `mean(|input - target|)` (PyTorch: `nn.L1Loss`).
 *
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.L1Loss().forward(tensor([1, 2]), tensor([1, 4])).item()); // 1
 * ```
 */
export class L1Loss extends Loss {
  constructor(options?: LossOptions) {
    super('L1Loss', options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, { reduction: this.reduction });
  }
}

/**
 * Cross entropy of logits `[N, C, ...]` against class numbers `[N, ...]` or probabilities: `-log softmax(x)[t]`
 * (PyTorch: `nn.CrossEntropyLoss`).
 *
 * @param options `weight` [C], `ignoreIndex`, `labelSmoothing` 0..1, `reduction`
 * @throws TensorError `index` in forward for a class number outside 0..C-1
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const loss = new nn.CrossEntropyLoss({ labelSmoothing: 0.1 });
 * console.log(loss.forward(tensor([[0, 0]]), tensor([1], { dtype: 'int32' })).item().toFixed(4)); // 0.6931
 * ```
 */
export class CrossEntropyLoss extends Loss {
  weight?: Tensor;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;

  constructor(options?: CrossEntropyOptions) {
    const op = 'CrossEntropyLoss';
    super(op, options, ['weight', 'ignoreIndex', 'labelSmoothing']);
    this.weight = this.keepWeight('weight', options?.weight);
    this.ignoreIndex = checkSize(op, 'ignoreIndex', options?.ignoreIndex ?? -100, -(2 ** 31));
    this.labelSmoothing = checkNumber(op, 'labelSmoothing', options?.labelSmoothing ?? 0, 0, 1);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, labelSmoothing, reduction } = this;
    return crossEntropy(input, target, { weight, ignoreIndex, labelSmoothing, reduction });
  }
}

/**
 * Negative log likelihood of log-probabilities `[N, C, ...]`: `-w[t] x[n, t]` (PyTorch: `nn.NLLLoss`).
 *
 * @param options `weight` [C], `ignoreIndex`, `reduction`
 * @throws TensorError `index` in forward for a class number outside 0..C-1
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.NLLLoss().forward(tensor([[-1, -2]]), tensor([1], { dtype: 'int32' })).item()); // 2
 * ```
 */
export class NLLLoss extends Loss {
  weight?: Tensor;
  readonly ignoreIndex: number;

  constructor(options?: NllOptions) {
    super('NLLLoss', options, ['weight', 'ignoreIndex']);
    this.weight = this.keepWeight('weight', options?.weight);
    this.ignoreIndex = checkSize('NLLLoss', 'ignoreIndex', options?.ignoreIndex ?? -100, -(2 ** 31));
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return nllLoss(input, target, { weight, ignoreIndex, reduction });
  }
}

/**
 * Binary cross entropy of logits, without overflow: `-(z log s(x) + (1 - z) log(1 - s(x)))` (PyTorch: `nn.BCEWithLogitsLoss`).
 *
 * @param options `weight` and `posWeight`, which broadcast, and `reduction`
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.BCEWithLogitsLoss().forward(tensor([0]), tensor([1])).item().toFixed(4)); // 0.6931
 * ```
 */
export class BCEWithLogitsLoss extends Loss {
  weight?: Tensor;
  posWeight?: Tensor;

  constructor(options?: BceWithLogitsOptions) {
    super('BCEWithLogitsLoss', options, ['weight', 'posWeight']);
    this.weight = this.keepWeight('weight', options?.weight);
    this.posWeight = this.keepWeight('posWeight', options?.posWeight);
  }

  protected override stateName(attribute: string): string {
    return attribute === 'posWeight' ? 'pos_weight' : attribute;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, posWeight, reduction } = this;
    return binaryCrossEntropyWithLogits(input, target, { weight, posWeight, reduction });
  }
}
