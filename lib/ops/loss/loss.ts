// Losses: how far predictions are from targets.
import { cast, checkFloat, checkTensor, dense, dropCopy, hidden, make, offsetOf } from '../../core/dispatch.js';
import { codeOf } from '../../core/dtype.js';
import { fused } from '../../core/fused.js';
import { isGradEnabled } from '../../core/mode.js';
import { checkPlace } from '../../core/recording.js';
import { composite } from '../../core/scope.js';
import { checkInteger, checkNumber, formatShape, sameShape } from '../../core/shape.js';
import { record } from '../../core/tape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import { type Bytes, native } from '../../native.js';
import type { Tensor } from '../../tensor.js';
import { scatterAddInto } from '../index/index.js';
import { logSoftmax, logSoftmaxRaw } from '../reduce/softmax.js';

/** How the losses of single elements are put together. */
export type Reduction = 'mean' | 'sum' | 'none';
/** Options of every loss. */
export interface LossOptions {
  /** 'mean' unless given. */
  reduction?: Reduction;
}

const G = native.geometry;
const NO_BYTES: Bytes = new Uint8Array(0);

export function checkReduction(op: string, options: LossOptions | undefined): Reduction {
  const reduction = options?.reduction ?? 'mean';
  if (reduction === 'mean' || reduction === 'sum' || reduction === 'none') return reduction;
  throw new TensorError('value', op, `expected reduction 'mean', 'sum' or 'none', got ${describe(reduction)}`);
}

export function reduce(loss: Tensor, reduction: Reduction): Tensor {
  return reduction === 'none' ? loss : reduction === 'sum' ? loss.sum() : loss.mean();
}

export function checkPairOf(op: string, input: Tensor, target: Tensor): void {
  checkFloat(op, checkTensor(op, input, 'an input tensor'));
  checkTensor(op, target, 'a target tensor');
  if (!sameShape(input.shape, target.shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected a target of the input's shape ${formatShape(input.shape)}, got ${formatShape(target.shape)}; reshape or expand it`,
    );
  }
}

/**
 * Squared error: `mean((input - target)^2)` (PyTorch: `F.mse_loss`).
 *
 * @throws TensorError `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { mseLoss, tensor } from 'chainrule';
 * console.log(mseLoss(tensor([1, 2]), tensor([1, 4])).item()); // 2
 * ```
 */
export function mseLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  checkOptions('mseLoss', options, ['reduction']);
  checkPairOf('mseLoss', input, target);
  const reduction = checkReduction('mseLoss', options);
  return fused(
    'mseLoss',
    [input, target],
    [input, target],
    () => reduce(input.sub(target).square(), reduction),
    (g, [x, t], needs) => {
      const factor = reduction === 'mean' ? g.mul(2 / x.size) : g.mul(2);
      const dx = x.sub(t).mul(factor);
      return [dx, needs[1] && dx.neg()];
    },
  );
}

/**
 * Absolute error: `mean(|input - target|)` (PyTorch: `F.l1_loss`).
 *
 * @throws TensorError `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { l1Loss, tensor } from 'chainrule';
 * console.log(l1Loss(tensor([1, 2]), tensor([1, 4])).item()); // 1
 * ```
 */
export function l1Loss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  checkOptions('l1Loss', options, ['reduction']);
  checkPairOf('l1Loss', input, target);
  return composite(() => reduce(input.sub(target).abs(), checkReduction('l1Loss', options)));
}

/** Options of {@link binaryCrossEntropyWithLogits}. */
export interface BceWithLogitsOptions extends LossOptions {
  /** Factor of each element's loss; broadcasts. */
  weight?: Tensor;
  /** Factor of the positive part, for classes that are rare; broadcasts. */
  posWeight?: Tensor;
}

/**
 * Binary cross entropy of logits, without overflow: `-(z log s(x) + (1 - z) log(1 - s(x)))`, s the logistic function
 * (PyTorch: `F.binary_cross_entropy_with_logits`).
 *
 * @param target probabilities between 0 and 1, of the input's shape
 * @throws TensorError `shape` unless both have one shape
 *
 * @example
 * ```ts
 * import { binaryCrossEntropyWithLogits, tensor } from 'chainrule';
 * console.log(binaryCrossEntropyWithLogits(tensor([0]), tensor([1])).item().toFixed(4)); // 0.6931
 * ```
 */
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options?: BceWithLogitsOptions): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  checkOptions(op, options, ['reduction', 'weight', 'posWeight']);
  checkPairOf(op, input, target);
  const { weight, posWeight } = options ?? {};
  const reduction = checkReduction(op, options);
  return composite(() => {
    // With L = log s(x): -log(1 - s(x)) = x - L, so the loss is (1 - z) x - (1 + (p - 1) z) L.
    let positive = input.logSigmoid();
    if (posWeight !== undefined) positive = positive.mul(target.mul(posWeight.sub(1)).add(1));
    const loss = input.mul(target.neg().add(1)).sub(positive);
    return reduce(weight === undefined ? loss : loss.mul(weight), reduction);
  });
}

/** Options of {@link nllLoss}. */
export interface NllOptions extends LossOptions {
  /** Factor of each class, [C]; a mean divides by the sum of the factors met. */
  weight?: Tensor;
  /** Targets of this value add nothing; -100 unless given. */
  ignoreIndex?: number;
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllOptions {
  /** Share of the target spread evenly over all classes, 0..1 (Szegedy et al. 2016); 0 unless given. */
  labelSmoothing?: number;
}

/** Checked operands of the class losses. */
interface Classes {
  readonly target: Tensor;
  readonly weight: Tensor | null;
  readonly ignore: number;
  /** The class dimension: 1, or 0 for a single unbatched sample. */
  readonly axis: number;
}

function checkClasses(op: string, input: Tensor, target: Tensor, options: NllOptions | undefined): Classes {
  checkFloat(op, checkTensor(op, input, 'an input tensor'));
  checkTensor(op, target, 'a target tensor');
  const axis = input.ndim === 1 ? 0 : 1;
  const expected = input.shape.toSpliced(axis, 1);
  if (input.ndim === 0 || !sameShape(target.shape, expected)) {
    throw new TensorError(
      'shape',
      op,
      `expected class numbers of shape ${formatShape(expected)} for the input ${formatShape(input.shape)} ([N, C, ...]), got ${formatShape(target.shape)}`,
    );
  }
  if (target.dtype !== 'int32' && target.dtype !== 'uint8') {
    throw new TensorError(
      'dtype',
      op,
      `expected class numbers of dtype int32, got ${target.dtype}; convert them with target.to('int32')`,
    );
  }
  const weight = options?.weight ?? null;
  if (
    weight !== null &&
    (checkTensor(op, weight, 'a weight tensor').ndim !== 1 || weight.shape[0] !== input.shape[axis])
  ) {
    throw new TensorError(
      'shape',
      op,
      `expected a weight of shape [${input.shape[axis]}], one for each class, got ${formatShape(weight.shape)}`,
    );
  }
  const own = (made: Tensor, given: Tensor) => (made === given ? made : hidden(made));
  return {
    target: own(dense(op, target.to('int32')), target),
    weight: weight === null ? null : own(dense(op, cast(op, weight, input.dtype)), weight),
    ignore: checkInteger(op, 'ignoreIndex', options?.ignoreIndex ?? -100),
    axis,
  };
}

/** What the rules read beside their operands; saved too, so that no scope releases it before. */
function operands(c: Classes, total: Tensor | null): Tensor[] {
  return [c.target, c.weight, total].filter((x) => x !== null);
}

function geometry(input: Tensor, c: Classes, reduction: Reduction, total: Tensor | null): void {
  const { shape } = input;
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < c.axis; i++) outer *= shape[i];
  for (let i = c.axis + 1; i < shape.length; i++) inner *= shape[i];
  G[0] = codeOf(input.dtype);
  G[1] = outer;
  G[2] = shape[c.axis];
  G[3] = inner;
  G[4] = c.ignore;
  G[8] = offsetOf(c.target);
  G[9] = c.weight === null ? -1 : offsetOf(c.weight);
  G[10] = reduction === 'none' ? 0 : reduction === 'sum' ? 1 : 2;
  G[11] = total === null ? -1 : offsetOf(total);
}

const bytesOf = (x: Tensor | null): Bytes => x?.storage.bytes ?? NO_BYTES;

/** The losses, reduced or not, the weight of every target, and for a mean the sum of the weights; not recorded. */
interface Nll {
  readonly y: Tensor;
  readonly weights: Tensor;
  readonly total: Tensor | null;
}

function nllRaw(op: string, logp: Tensor, c: Classes, reduction: Reduction): Nll {
  const y = make(op, reduction === 'none' ? c.target.shape : [], logp.dtype);
  const weights = hidden(make(op, c.target.shape, logp.dtype));
  const total = reduction === 'mean' ? hidden(make(op, [], logp.dtype)) : null;
  if (y.size === 0) return { y, weights, total };
  geometry(logp, c, reduction, total);
  G[5] = offsetOf(y);
  G[6] = offsetOf(weights);
  G[7] = offsetOf(logp);
  const bad = native.nll(
    y.storage.bytes,
    weights.storage.bytes,
    logp.storage.bytes,
    c.target.storage.bytes,
    bytesOf(c.weight),
    bytesOf(total),
  );
  const n = logp.shape[c.axis];
  checkPlace(
    bad,
    c.target,
    (place) =>
      new TensorError(
        'index',
        op,
        `expected class numbers between 0 and ${n - 1} (or ignoreIndex ${c.ignore}), got ${c.target.read(place)} at place ${place} of the target`,
      ),
  );
  return { y, weights, total };
}

/** The gradient of every target's loss from that of the reduced one, in ops. */
function spread(g: Tensor, c: Classes, reduction: Reduction, total: Tensor | null): Tensor {
  if (reduction === 'none') return g;
  return (total === null ? g : g.div(total)).expand(c.target.shape);
}

/**
 * Negative log likelihood: `-w[t] x[n, t]` for log-probabilities x and class numbers t; a mean divides by the weights met
 * (PyTorch: `F.nll_loss`).
 *
 * @param input log-probabilities [N, C, ...] or [C]
 * @param target class numbers, int32, [N, ...]
 * @throws TensorError `index` for a class number outside 0..C-1
 *
 * @example
 * ```ts
 * import { nllLoss, tensor } from 'chainrule';
 * console.log(nllLoss(tensor([[-1, -2]]), tensor([1], { dtype: 'int32' })).item()); // 2
 * ```
 */
export function nllLoss(input: Tensor, target: Tensor, options?: NllOptions): Tensor {
  const op = 'nllLoss';
  checkOptions(op, options, ['reduction', 'weight', 'ignoreIndex']);
  const c = checkClasses(op, input, target, options);
  const reduction = checkReduction(op, options);
  const x = dense(op, input);
  const { y, weights, total } = nllRaw(op, x, c, reduction);
  dropCopy(x, input);
  const { shape } = input;
  return record(op, y, [input], [weights, ...operands(c, total)], (g, [w]) => {
    if (isGradEnabled()) return pick(spread(g, c, reduction, total).mul(w).neg(), shape, c);
    const dy = dense(op, g);
    const dx = make('nllLoss backward', shape, g.dtype);
    if (dx.size === 0) return dx;
    geometry(dx, c, reduction, total);
    G[5] = offsetOf(dx);
    G[6] = offsetOf(dy);
    native.nllBackward(dx.storage.bytes, dy.storage.bytes, c.target.storage.bytes, bytesOf(c.weight), bytesOf(total));
    return dx;
  });
}

/** Puts one value per target at its class, zeros elsewhere; ignored targets carry 0 to class 0. */
function pick(values: Tensor, shape: readonly number[], c: Classes): Tensor {
  const known = c.target.ne(c.ignore).to('int32').mul(c.target);
  return scatterAddInto(values.unsqueeze(c.axis), shape, c.axis, known.unsqueeze(c.axis));
}

/**
 * Cross entropy of logits: softmax and negative log likelihood in one, `-log softmax(x)[t]` (PyTorch: `F.cross_entropy`).
 *
 * @param input logits [N, C, ...] or [C]
 * @param target class numbers, int32, [N, ...]; or probabilities of the input's shape and dtype
 * @throws TensorError `index` for a class number outside 0..C-1, `shape` where shapes do not go together
 *
 * @example
 * ```ts
 * import { crossEntropy, tensor } from 'chainrule';
 * console.log(crossEntropy(tensor([[0, 0]]), tensor([1], { dtype: 'int32' })).item().toFixed(4)); // 0.6931
 * ```
 */
export function crossEntropy(input: Tensor, target: Tensor, options?: CrossEntropyOptions): Tensor {
  const op = 'crossEntropy';
  checkOptions(op, options, ['reduction', 'weight', 'ignoreIndex', 'labelSmoothing']);
  const smoothing = checkNumber(op, 'labelSmoothing', options?.labelSmoothing ?? 0, 0, 1);
  const reduction = checkReduction(op, options);
  checkTensor(op, target, 'a target tensor');
  if (
    checkTensor(op, input, 'an input tensor').ndim > 0 &&
    sameShape(input.shape, target.shape) &&
    target.dtype === input.dtype
  ) {
    return composite(() => softTargets(input, target, options?.weight ?? null, smoothing, reduction));
  }
  const c = checkClasses(op, input, target, options);
  if (smoothing > 0) return composite(() => smoothed(input, target, c, options, smoothing, reduction));
  const x = dense(op, input);
  const logp = hidden(logSoftmaxRaw(x, c.axis));
  dropCopy(x, input);
  const { y, weights, total } = nllRaw(op, logp, c, reduction);
  return record(op, y, [input], [input, logp, weights, ...operands(c, total)], (g, [logits, lp, w]) => {
    if (isGradEnabled()) {
      const factor = spread(g, c, reduction, total).mul(w);
      return logits
        .softmax(c.axis)
        .mul(factor.unsqueeze(c.axis))
        .sub(pick(factor, logits.shape, c));
    }
    const dy = dense(op, g);
    const dx = make('crossEntropy backward', lp.shape, lp.dtype);
    if (dx.size === 0) return dx;
    geometry(lp, c, reduction, total);
    G[5] = offsetOf(dx);
    G[6] = offsetOf(dy);
    G[7] = offsetOf(lp);
    native.crossEntropyBackward(
      dx.storage.bytes,
      dy.storage.bytes,
      lp.storage.bytes,
      c.target.storage.bytes,
      bytesOf(c.weight),
      bytesOf(total),
    );
    return dx;
  });
}

/** Targets given as probabilities: `-sum_c w_c p_c log softmax(x)_c`; a mean divides by the number of targets. */
function softTargets(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  smoothing: number,
  reduction: Reduction,
): Tensor {
  const op = 'crossEntropy';
  checkFloat(op, input);
  const axis = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[axis];
  const p = smoothing > 0 ? target.mul(1 - smoothing).add(smoothing / classes) : target;
  let losses = logSoftmax(input, axis).mul(p);
  if (weight !== null)
    losses = losses.mul(weight.reshape([classes, ...new Array<number>(input.ndim - axis - 1).fill(1)]));
  const each = losses.sum(axis).neg();
  return reduce(each, reduction);
}

/** Class numbers with label smoothing: `(1 - e) nll + e / C sum_c w_c (-log p_c)`. */
function smoothed(
  input: Tensor,
  target: Tensor,
  c: Classes,
  options: NllOptions | undefined,
  smoothing: number,
  reduction: Reduction,
): Tensor {
  const classes = input.shape[c.axis];
  const logp = logSoftmax(input, c.axis);
  const base = { weight: options?.weight, ignoreIndex: options?.ignoreIndex };
  const nll = nllLoss(logp, target, { ...base, reduction });
  const shape = [classes, ...new Array<number>(input.ndim - c.axis - 1).fill(1)];
  const weighted = c.weight === null ? logp : logp.mul(c.weight.reshape(shape));
  const known = c.target.ne(c.ignore).to(input.dtype);
  const even = weighted.sum(c.axis).neg().mul(known);
  let spread: Tensor;
  if (reduction === 'none') spread = even;
  else if (reduction === 'sum') spread = even.sum();
  else spread = even.sum().div(nllRaw('crossEntropy', dense('crossEntropy', logp), c, 'none').weights.sum());
  return nll.mul(1 - smoothing).add(spread.mul(smoothing / classes));
}
