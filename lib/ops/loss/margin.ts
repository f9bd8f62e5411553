// Losses that ask for a margin between scores or distances.
import { checkFloat, checkTensor, dense, dropCopy, filled, make } from '../../core/dispatch.js';
import { checkValues } from '../../core/range.js';
import { composite } from '../../core/scope.js';
import { broadcastShapes, checkBoolean, checkNumber, formatShape, type Shape, sameShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { scatterAddInto } from '../index/index.js';
import { checkVectors, normOver, pairwiseDistance } from '../normalize/similarity.js';
import { checkPairOf, checkReduction, type LossOptions, reduce } from './loss.js';

/** Options of the margin losses. */
export interface MarginOptions extends LossOptions {
  /** The margin; the default is the function's. */
  margin?: number;
}

/**
 * For targets of 1 the input itself, for -1 `max(0, margin - input)` (PyTorch: `F.hinge_embedding_loss`).
 *
 * @param options `margin`: 1 unless given
 * @throws TensorError `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { hingeEmbeddingLoss, tensor } from 'chainrule';
 * console.log(hingeEmbeddingLoss(tensor([2, 0.5]), tensor([1, -1])).item()); // 1.25
 * ```
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options?: MarginOptions): Tensor {
  const op = 'hingeEmbeddingLoss';
  checkOptions(op, options, ['reduction', 'margin']);
  checkPairOf(op, input, target);
  const margin = checkNumber(op, 'margin', options?.margin ?? 1);
  const reduction = checkReduction(op, options);
  return composite(() => {
    // A target that is neither 1 nor -1 adds both, as in PyTorch.
    const apart = target.ne(1).where(input.neg().add(margin).clamp(0), 0);
    return reduce(apart.add(target.ne(-1).where(input, 0)), reduction);
  });
}

/**
 * Asks that `input1` be above `input2` where the target is 1, below where it is -1: `max(0, margin - t (x1 - x2))`; shapes
 * broadcast (PyTorch: `F.margin_ranking_loss`).
 *
 * @param options `margin`: 0 unless given
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { marginRankingLoss, tensor } from 'chainrule';
 * console.log(marginRankingLoss(tensor([1]), tensor([3]), tensor([1])).item()); // 2
 * ```
 */
export function marginRankingLoss(input1: Tensor, input2: Tensor, target: Tensor, options?: MarginOptions): Tensor {
  const op = 'marginRankingLoss';
  checkOptions(op, options, ['reduction', 'margin']);
  checkVectors(op, input1, input2);
  broadcastShapes(
    op,
    broadcastShapes(op, input1.shape, input2.shape),
    checkTensor(op, target, 'a target tensor').shape,
  );
  const margin = checkNumber(op, 'margin', options?.margin ?? 0);
  const reduction = checkReduction(op, options);
  return composite(() => reduce(target.neg().mul(input1.sub(input2)).add(margin).clamp(0), reduction));
}

/** Added to squared lengths, so that a cosine with the zero vector is 0; PyTorch's number. */
const LEAST_SQUARE = 1e-12;

/**
 * For targets of 1 `1 - cos(x1, x2)`, for -1 `max(0, cos(x1, x2) - margin)` (PyTorch: `F.cosine_embedding_loss`).
 *
 * @param input1 [N, D], or [D] for a single pair
 * @param input2 of the same shape
 * @param target 1 or -1, [N] or []
 * @param options `margin`: 0 unless given
 * @throws TensorError `shape` where shapes do not go together
 *
 * @example
 * ```ts
 * import { cosineEmbeddingLoss, tensor } from 'chainrule';
 * console.log(cosineEmbeddingLoss(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])).item()); // 1
 * ```
 */
export function cosineEmbeddingLoss(input1: Tensor, input2: Tensor, target: Tensor, options?: MarginOptions): Tensor {
  const op = 'cosineEmbeddingLoss';
  checkOptions(op, options, ['reduction', 'margin']);
  checkVectors(op, input1, input2);
  checkTensor(op, target, 'a target tensor');
  const { ndim, shape } = input1;
  if (ndim < 1 || ndim > 2 || !sameShape(shape, input2.shape) || !sameShape(target.shape, shape.slice(0, -1))) {
    throw new TensorError(
      'shape',
      op,
      `expected inputs [N, D] with a target [N], or [D] with [], got ${formatShape(shape)}, ${formatShape(input2.shape)} and ${formatShape(target.shape)}`,
    );
  }
  const margin = checkNumber(op, 'margin', options?.margin ?? 0);
  const reduction = checkReduction(op, options);
  return composite(() => {
    const square = (x: Tensor) => x.square().sum(-1).add(LEAST_SQUARE);
    const cos = input1
      .mul(input2)
      .sum(-1)
      .div(square(input1).mul(square(input2)).sqrt());
    const near = target.eq(1).where(cos.neg().add(1), 0);
    return reduce(near.add(target.eq(-1).where(cos.sub(margin).clamp(0), 0)), reduction);
  });
}

/** Options of {@link tripletMarginLoss}. */
export interface TripletOptions extends MarginOptions {
  /** Exponent of the norm; 2 unless given. */
  p?: number;
  /** Added to every difference; 1e-6 unless given. */
  eps?: number;
  /** Take the distance of positive and negative where it is the smaller one (Balntas et al. 2016); false unless given. */
  swap?: boolean;
}

/**
 * Asks that an anchor be nearer to the positive than to the negative: `max(0, d(a, p) - d(a, n) + margin)`, d the
 * distance along the last dimension (PyTorch: `F.triplet_margin_loss`).
 *
 * @param options `margin`: 1 unless given
 * @throws TensorError `shape` where the shapes do not broadcast
 *
 * @example
 * ```ts
 * import { tensor, tripletMarginLoss } from 'chainrule';
 * console.log(tripletMarginLoss(tensor([[0]]), tensor([[2]]), tensor([[1]])).item().toFixed(4)); // 2.0000
 * ```
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: TripletOptions,
): Tensor {
  const op = 'tripletMarginLoss';
  checkOptions(op, options, ['reduction', 'margin', 'p', 'eps', 'swap']);
  checkVectors(op, anchor, positive);
  checkFloat(op, checkTensor(op, negative, 'a negative tensor'), 'the negative');
  const shape = broadcastShapes(op, broadcastShapes(op, anchor.shape, positive.shape), negative.shape);
  if (shape.length === 0) throw new TensorError('shape', op, 'expected vectors in the last dimension, got []');
  const margin = checkNumber(op, 'margin', options?.margin ?? 1);
  const swap = checkBoolean(op, 'swap', options?.swap ?? false);
  const norm = {
    p: checkNumber(op, 'p', options?.p ?? 2, 0),
    eps: checkNumber(op, 'eps', options?.eps ?? 1e-6),
  };
  const reduction = checkReduction(op, options);
  return composite(() => {
    const near = pairwiseDistance(anchor, positive, norm);
    const far = pairwiseDistance(anchor, negative, norm);
    const least = swap ? far.minimum(pairwiseDistance(positive, negative, norm)) : far;
    return reduce(near.sub(least).add(margin).clamp(0), reduction);
  });
}

/**
 * Draws alike vectors together and pushes others apart up to a margin: `y d^2 + (1 - y) max(0, margin - d)^2`, d the
 * Euclidean distance along the last dimension (Hadsell et al., "Dimensionality reduction by learning an invariant mapping",
 * 2006; Caffe's ContrastiveLoss is half of it). The gradient of d at 0 is 0.
 *
 * @param input1 [..., D]
 * @param input2 [..., D]; shapes broadcast
 * @param target 1 for alike, 0 for others, [...]
 * @param options `margin`: 1 unless given
 * @throws TensorError `shape` where shapes do not go together, `value` for a negative margin
 *
 * @example
 * ```ts
 * import { contrastiveLoss, tensor } from 'chainrule';
 * const [a, b] = [tensor([[0, 0], [0, 0]]), tensor([[0, 0.5], [0, 0.5]])];
 * console.log(contrastiveLoss(a, b, tensor([1, 0]), { margin: 2, reduction: 'none' }).toArray()); // [0.25, 2.25]
 * ```
 */
export function contrastiveLoss(input1: Tensor, input2: Tensor, target: Tensor, options?: MarginOptions): Tensor {
  const op = 'contrastiveLoss';
  checkOptions(op, options, ['reduction', 'margin']);
  checkVectors(op, input1, input2);
  const shape = broadcastShapes(op, input1.shape, input2.shape);
  const expected = shape.slice(0, -1);
  if (!sameShape(checkTensor(op, target, 'a target tensor').shape, expected) || shape.length === 0) {
    throw new TensorError(
      'shape',
      op,
      `expected vectors [..., D] and a target of shape ${formatShape(expected)}, got ${formatShape(shape)} and ${formatShape(target.shape)}`,
    );
  }
  const margin = checkNumber(op, 'margin', options?.margin ?? 1, 0);
  const reduction = checkReduction(op, options);
  return composite(() => {
    const difference = input1.sub(input2);
    const near = difference.square().sum(-1);
    const far = normOver(op, difference, 2, -1).squeeze(-1).neg().add(margin).relu().square();
    return reduce(target.mul(near).add(target.neg().add(1).mul(far)), reduction);
  });
}

/** Options of {@link multiMarginLoss}. */
export interface MultiMarginOptions extends MarginOptions {
  /** Exponent of the hinge, 1 or 2; 1 unless given. */
  p?: 1 | 2;
  /** Factor of each class, [C]. */
  weight?: Tensor;
}

/** Scores as [N, C] and labels of the shape that goes with them. */
function checkLabels(op: string, input: Tensor, target: Tensor, shape: Shape, low: number): void {
  if (input.ndim < 1 || input.ndim > 2 || input.shape[input.ndim - 1] === 0 || !sameShape(target.shape, shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected scores [N, C] or [C] and labels of shape ${formatShape(shape)}, got ${formatShape(input.shape)} and ${formatShape(target.shape)}`,
    );
  }
  if (target.dtype !== 'int32') {
    throw new TensorError(
      'dtype',
      op,
      `expected labels of dtype int32, got ${target.dtype}; convert them with target.to('int32')`,
    );
  }
  const classes = input.shape[input.ndim - 1];
  checkValues(op, target, low, classes - 1, (read, place) => {
    const text = `expected labels between ${low} and ${classes - 1}, got ${read.read(place)}`;
    return new TensorError('index', op, text);
  });
}

/**
 * Asks that the score of the right class be above all others by a margin:
 * `sum_{i != t} w[t] max(0, margin - x[t] + x[i])^p / C` (PyTorch: `F.multi_margin_loss`).
 *
 * @param input scores [N, C] or [C]
 * @param target class numbers, int32, [N] or []
 * @param options `margin`: 1 unless given
 * @throws TensorError `index` for a class number outside 0..C-1, `shape` where shapes do not go together
 *
 * @example
 * ```ts
 * import { multiMarginLoss, tensor } from 'chainrule';
 * console.log(multiMarginLoss(tensor([[1, 2]]), tensor([0], { dtype: 'int32' })).item()); // 1
 * ```
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options?: MultiMarginOptions): Tensor {
  const op = 'multiMarginLoss';
  checkOptions(op, options, ['reduction', 'margin', 'p', 'weight']);
  checkFloat(op, checkTensor(op, input, 'an input tensor'));
  checkTensor(op, target, 'a target tensor');
  checkLabels(op, input, target, input.shape.slice(0, -1), 0);
  const margin = checkNumber(op, 'margin', options?.margin ?? 1);
  const { p = 1, weight } = options ?? {};
  if (p !== 1 && p !== 2) throw new TensorError('value', op, `expected p to be 1 or 2, got ${describe(p)}`);
  const classes = input.shape[input.ndim - 1];
  if (weight !== undefined && !sameShape(checkTensor(op, weight, 'a weight tensor').shape, [classes])) {
    throw new TensorError('shape', op, `expected a weight of shape [${classes}], got ${formatShape(weight.shape)}`);
  }
  const reduction = checkReduction(op, options);
  return composite(() => {
    const x = input.reshape([target.size, classes]);
    const t = target.reshape([target.size, 1]);
    const own = scatterAddInto(filled(op, t.shape, x.dtype, 1), x.shape, 1, t);
    const hinge = x.sub(x.gather(1, t)).add(margin).relu();
    const powered = p === 2 ? hinge.square() : hinge;
    const each = own.eq(0).where(powered, 0).sum(1).div(classes);
    const loss = weight === undefined ? each : each.mul(weight.indexSelect(0, t.reshape([target.size])));
    return reduce(loss.reshape(target.shape), reduction);
  });
}

/**
 * Asks that the scores of all right classes be above all others by 1: `sum_j sum_i max(0, 1 - x[t[j]] + x[i]) / C` for the
 * labels `t[j]` before the first -1 and the classes i that are not among them (PyTorch: `F.multilabel_margin_loss`).
 *
 * @param input scores [N, C] or [C]
 * @param target class numbers, int32, of the input's shape, behind the last one -1
 * @throws TensorError `index` for a class number outside -1..C-1, `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { multilabelMarginLoss, tensor } from 'chainrule';
 * const labels = tensor([[1, -1, -1]], { dtype: 'int32' });
 * console.log(multilabelMarginLoss(tensor([[0, 3, 3]]), labels).item().toFixed(4)); // 0.3333
 * ```
 */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const op = 'multilabelMarginLoss';
  checkOptions(op, options, ['reduction']);
  checkFloat(op, checkTensor(op, input, 'an input tensor'));
  checkTensor(op, target, 'a target tensor');
  checkLabels(op, input, target, input.shape, -1);
  const reduction = checkReduction(op, options);
  const classes = input.shape[input.ndim - 1];
  const n = input.size / classes;
  return composite(() => {
    const x = input.reshape([n, classes]);
    const { places, used, others } = labelsOf(op, target, n, classes);
    const right = x.gather(1, places).unsqueeze(2);
    const hinge = x.unsqueeze(1).sub(right).add(1).relu();
    const each = used.unsqueeze(2).logicalAnd(others.unsqueeze(1)).where(hinge, 0).sum([1, 2]).div(classes);
    return reduce(each.reshape(input.shape.slice(0, -1)), reduction);
  });
}

/** The labels with 0 behind the last one, which of them count, and which classes are not among them. */
function labelsOf(op: string, target: Tensor, n: number, classes: number) {
  const places = make(op, [n, classes], 'int32');
  const used = filled(op, [n, classes], 'bool', 0);
  const others = filled(op, [n, classes], 'bool', 1);
  const source = dense(op, target);
  const labels = source.typed();
  const [at, counts, free] = [places.typed().fill(0), used.typed(), others.typed()];
  for (let row = 0; row < n * classes; row += classes) {
    for (let j = row; j < row + classes && labels[j] >= 0; j++) {
      at[j] = labels[j];
      counts[j] = 1;
      free[row + labels[j]] = 0;
    }
  }
  dropCopy(source, target);
  return { places, used, others };
}
