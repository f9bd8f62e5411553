// The loss of triplets under any distance.
import { checkTensor, isTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkBoolean, checkNumber, formatShape, sameShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { pairwiseDistance } from '../normalize/similarity.js';
import { checkReduction, reduce } from './loss.js';
import type { MarginOptions } from './margin.js';

/** Options of {@link tripletMarginWithDistanceLoss}. */
export interface TripletDistanceOptions extends MarginOptions {
  /** The distance of two tensors; {@link pairwiseDistance} unless given. */
  distanceFunction?: (a: Tensor, b: Tensor) => Tensor;
  /** Take the distance of positive and negative where it is the smaller one (Balntas et al. 2016); false unless given. */
  swap?: boolean;
}

/**
 * Asks that an anchor be nearer to the positive than to the negative, by any distance: `max(0, d(a, p) - d(a, n) + margin)`
 * (PyTorch: `F.triplet_margin_with_distance_loss`).
 *
 * @param options `margin`: 1 unless given
 * @throws TensorError `value` for a distance that is no function of tensors, `shape` where distances differ in shape
 *
 * @example
 * ```ts
 * import { type Tensor, tensor, tripletMarginWithDistanceLoss } from 'chainrule';
 * const distanceFunction = (a: Tensor, b: Tensor) => a.sub(b).abs().amax(-1);
 * const [a, p, n] = [tensor([[0, 0]]), tensor([[2, 1]]), tensor([[1, 1]])];
 * console.log(tripletMarginWithDistanceLoss(a, p, n, { distanceFunction }).item()); // 2
 * ```
 */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: TripletDistanceOptions,
): Tensor {
  const op = 'tripletMarginWithDistanceLoss';
  checkOptions(op, options, ['reduction', 'margin', 'distanceFunction', 'swap']);
  for (const x of [anchor, positive, negative]) checkTensor(op, x);
  const margin = checkNumber(op, 'margin', options?.margin ?? 1);
  const swap = checkBoolean(op, 'swap', options?.swap ?? false);
  const reduction = checkReduction(op, options);
  const given = options?.distanceFunction ?? ((a: Tensor, b: Tensor) => pairwiseDistance(a, b));
  if (typeof given !== 'function') {
    throw new TensorError('value', op, `expected distanceFunction to be a function, got ${describe(given)}`);
  }
  const distance = (a: Tensor, b: Tensor) => {
    const d = given(a, b);
    if (isTensor(d)) return d;
    throw new TensorError('value', op, `expected distanceFunction to return a tensor, got ${describe(d)}`);
  };
  return composite(() => {
    const near = distance(anchor, positive);
    const far = distance(anchor, negative);
    if (!sameShape(near.shape, far.shape)) {
      const got = `${formatShape(near.shape)} and ${formatShape(far.shape)}`;
      throw new TensorError('shape', op, `expected distances of one shape, got ${got}`);
    }
    const least = swap ? far.minimum(distance(positive, negative)) : far;
    return reduce(near.sub(least).add(margin).clamp(0), reduction);
  });
}
