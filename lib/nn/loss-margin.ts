// Losses that ask for a margin between scores or distances, as modules.

import { describe, TensorError } from '../errors.js';
import { type TripletDistanceOptions, tripletMarginWithDistanceLoss } from '../ops/loss/distance.js';
import type { LossOptions } from '../ops/loss/loss.js';
import {
  contrastiveLoss,
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  type MarginOptions,
  type MultiMarginOptions,
  marginRankingLoss,
  multilabelMarginLoss,
  multiMarginLoss,
  type TripletOptions,
  tripletMarginLoss,
} from '../ops/loss/margin.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkNumber } from './check.js';
import { Loss } from './loss.js';
import { Module } from './module.js';

/**
 * For targets of 1 the input itself, for -1 `max(0, margin - input)` (PyTorch: `nn.HingeEmbeddingLoss`).
 *
 * @param options `margin`, 1 unless given; `reduction`
 * @throws TensorError `shape` in forward unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.HingeEmbeddingLoss().forward(tensor([2, 0.5]), tensor([1, -1])).item()); // 1.25
 * ```
 */
export class HingeEmbeddingLoss extends Loss {
  readonly margin: number;

  constructor(options?: MarginOptions) {
    const op = 'HingeEmbeddingLoss';
    super(op, options, ['margin']);
    this.margin = checkNumber(op, 'margin', options?.margin ?? 1);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return hingeEmbeddingLoss(input, target, { margin, reduction });
  }
}

/**
 * Asks that the first input be above the second where the target is 1, below where it is -1: `max(0, margin - t (x1 - x2))`
 * (PyTorch: `nn.MarginRankingLoss`).
 *
 * @param options `margin`, 0 unless given; `reduction`
 * @throws TensorError `shape` in forward where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.MarginRankingLoss().forward(tensor([1]), tensor([3]), tensor([1])).item()); // 2
 * ```
 */
export class MarginRankingLoss extends Loss<[input1: Tensor, input2: Tensor, target: Tensor]> {
  readonly margin: number;

  constructor(options?: MarginOptions) {
    const op = 'MarginRankingLoss';
    super(op, options, ['margin']);
    this.margin = checkNumber(op, 'margin', options?.margin ?? 0);
  }

  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return marginRankingLoss(input1, input2, target, { margin, reduction });
  }
}

/**
 * For targets of 1 `1 - cos(x1, x2)`, for -1 `max(0, cos(x1, x2) - margin)`; inputs [N, D] or [D], target [N] or [] (PyTorch:
 * `nn.CosineEmbeddingLoss`).
 *
 * @param options `margin`, 0 unless given; `reduction`
 * @throws TensorError `shape` in forward where shapes do not go together
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const loss = new nn.CosineEmbeddingLoss();
 * console.log(loss.forward(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])).item()); // 1
 * ```
 */
export class CosineEmbeddingLoss extends Loss<[input1: Tensor, input2: Tensor, target: Tensor]> {
  readonly margin: number;

  constructor(options?: MarginOptions) {
    const op = 'CosineEmbeddingLoss';
    super(op, options, ['margin']);
    this.margin = checkNumber(op, 'margin', options?.margin ?? 0);
  }

  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return cosineEmbeddingLoss(input1, input2, target, { margin, reduction });
  }
}

/**
 * Draws alike vectors together and pushes others apart up to a margin: `y d^2 + (1 - y) max(0, margin - d)^2`, d the Euclidean
 * distance along the last dimension, target y 1 for alike (Hadsell et al., "Dimensionality reduction by learning an invariant
 * mapping", 2006).
 *
 * @param options `margin`, 1 unless given; `reduction`
 * @throws TensorError `value` for a negative margin, `shape` in forward where shapes do not go together
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const loss = new nn.ContrastiveLoss({ margin: 2 });
 * console.log(loss.forward(tensor([[0, 0]]), tensor([[0, 0.5]]), tensor([0])).item()); // 2.25
 * ```
 */
export class ContrastiveLoss extends Loss<[input1: Tensor, input2: Tensor, target: Tensor]> {
  readonly margin: number;

  constructor(options?: MarginOptions) {
    const op = 'ContrastiveLoss';
    super(op, options, ['margin']);
    this.margin = checkNumber(op, 'margin', options?.margin ?? 1, 0);
  }

  forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    const { margin, reduction } = this;
    return contrastiveLoss(input1, input2, target, { margin, reduction });
  }
}

/**
 * Asks that an anchor be nearer to the positive than to the negative: `max(0, d(a, p) - d(a, n) + margin)`, d the distance along
 * the last dimension (PyTorch: `nn.TripletMarginLoss`).
 *
 * @param options `margin`, 1 unless given; `p`: exponent of the norm, 2 unless given; `eps`: added to differences, 1e-6 unless given;
 * `swap`, false unless given: takes the distance of positive and negative where it is smaller; `reduction`
 * @throws TensorError `value` for a negative p, `shape` in forward where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const loss = new nn.TripletMarginLoss();
 * console.log(loss.forward(tensor([[0]]), tensor([[2]]), tensor([[1]])).item().toFixed(4)); // 2.0000
 * ```
 */
export class TripletMarginLoss extends Loss<[anchor: Tensor, positive: Tensor, negative: Tensor]> {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;

  constructor(options?: TripletOptions) {
    const op = 'TripletMarginLoss';
    super(op, options, ['margin', 'p', 'eps', 'swap']);
    this.margin = checkNumber(op, 'margin', options?.margin ?? 1);
    this.p = checkNumber(op, 'p', options?.p ?? 2, 0);
    this.eps = checkNumber(op, 'eps', options?.eps ?? 1e-6);
    this.swap = checkBoolean(op, 'swap', options?.swap ?? false);
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}

/**
 * {@link TripletMarginLoss} with any distance of two tensors (PyTorch: `nn.TripletMarginWithDistanceLoss`).
 *
 * @param options `distanceFunction`, `pairwiseDistance` unless given, a module too; `margin`, 1 unless given; `swap`, false unless
 * given; `reduction`
 * @throws TensorError `value` for a distance that is neither function nor module, `shape` in forward where distances differ in shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const loss = new nn.TripletMarginWithDistanceLoss({ distanceFunction: (a, b) => a.sub(b).abs().amax(-1) });
 * console.log(loss.forward(tensor([[0, 0]]), tensor([[2, 1]]), tensor([[1, 1]])).item()); // 2
 * ```
 */
export class TripletMarginWithDistanceLoss extends Loss<[anchor: Tensor, positive: Tensor, negative: Tensor]> {
  readonly distanceFunction: TripletDistanceOptions['distanceFunction'] | Distance;
  readonly margin: number;
  readonly swap: boolean;

  constructor(options?: Omit<TripletDistanceOptions, 'distanceFunction'> & Distances) {
    const op = 'TripletMarginWithDistanceLoss';
    super(op, options, ['distanceFunction', 'margin', 'swap']);
    this.distanceFunction = checkDistance(op, options?.distanceFunction);
    this.margin = checkNumber(op, 'margin', options?.margin ?? 1);
    this.swap = checkBoolean(op, 'swap', options?.swap ?? false);
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distanceFunction: distance, margin, swap, reduction } = this;
    const distanceFunction = distance instanceof Module ? (a: Tensor, b: Tensor) => distance.forward(a, b) : distance;
    return tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction, margin, swap, reduction });
  }
}

type Distance = Module<[x1: Tensor, x2: Tensor]>;
interface Distances {
  /** The distance of two tensors, as a function or a module. */
  distanceFunction?: TripletDistanceOptions['distanceFunction'] | Distance;
}

function checkDistance(op: string, given: Distances['distanceFunction']): Distances['distanceFunction'] {
  if (given === undefined || typeof given === 'function' || given instanceof Module) return given;
  throw new TensorError('value', op, `expected distanceFunction to be a function or a module, got ${describe(given)}`);
}

function checkPower(p: unknown): 1 | 2 {
  if (p === 1 || p === 2) return p;
  throw new TensorError('value', 'MultiMarginLoss', `expected p to be 1 or 2, got ${describe(p)}`);
}

/**
 * Asks that the score of the right class be above all others by a margin:
 * `sum_{i != t} w[t] max(0, margin - x[t] + x[i])^p / C` (PyTorch: `nn.MultiMarginLoss`).
 *
 * @param options `p`: 1 unless given, or 2; `margin`, 1 unless given; `weight` [C]; `reduction`
 * @throws TensorError `value` for another p, `index` in forward for a class number outside 0..C-1
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * console.log(new nn.MultiMarginLoss().forward(tensor([[1, 2]]), tensor([0], { dtype: 'int32' })).item()); // 1
 * ```
 */
export class MultiMarginLoss extends Loss {
  readonly p: 1 | 2;
  readonly margin: number;
  weight?: Tensor;

  constructor(options?: MultiMarginOptions) {
    const op = 'MultiMarginLoss';
    super(op, options, ['p', 'margin', 'weight']);
    this.p = checkPower(options?.p ?? 1);
    this.margin = checkNumber(op, 'margin', options?.margin ?? 1);
    this.weight = this.keepWeight('weight', options?.weight);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { p, margin, weight, reduction } = this;
    return multiMarginLoss(input, target, { p, margin, weight, reduction });
  }
}

/**
 * Asks that the scores of all right classes be above all others by 1; targets hold the right classes, behind the last one -1
 * (PyTorch: `nn.MultiLabelMarginLoss`).
 *
 * @throws TensorError `index` in forward for a class number outside -1..C-1, `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const labels = tensor([[1, -1, -1]], { dtype: 'int32' });
 * console.log(new nn.MultiLabelMarginLoss().forward(tensor([[0, 3, 3]]), labels).item().toFixed(4)); // 0.3333
 * ```
 */
export class MultiLabelMarginLoss extends Loss {
  constructor(options?: LossOptions) {
    super('MultiLabelMarginLoss', options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(input, target, { reduction: this.reduction });
  }
}
