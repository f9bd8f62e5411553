// Normalisation to mean 0 and variance 1 over batches, layers, groups or instances.
import { checkFloat, checkTensor } from '../core/dispatch.js';
import { fused } from '../core/fused.js';
import { noGrad } from '../core/mode.js';
import { composite } from '../core/scope.js';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkShape,
  formatShape,
  type Shape,
  sameShape,
} from '../core/shape.js';
import { checkOptions, TensorError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { avgPool2d } from './pool-average.js';

/** Options of {@link layerNorm} and {@link groupNorm}. */
export interface NormOptions {
  /** Factor of the normalised values. */
  weight?: Tensor | null;
  /** Added after the factor. */
  bias?: Tensor | null;
  /** Added to the variance; 1e-5 unless given. */
  eps?: number;
}

function checkEps(op: string, eps: number | undefined): number {
  return checkNumber(op, 'eps', eps ?? 1e-5, 0);
}

/** A weight, bias or running statistic, or null. */
function checkPart(op: string, x: Tensor, part: Tensor | null | undefined, name: string, shape: Shape): Tensor | null {
  if (part === null || part === undefined) return null;
  checkTensor(op, part, `${name} as a tensor`);
  if (!sameShape(part.shape, shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected ${name} of shape ${formatShape(shape)}, got ${formatShape(part.shape)}`,
    );
  }
  if (part.dtype !== x.dtype) {
    throw new TensorError('dtype', op, `expected ${name} of the input's dtype ${x.dtype}, got ${part.dtype}`);
  }
  return part;
}

function affine(x: Tensor, weight: Tensor | null, bias: Tensor | null): Tensor {
  const y = weight === null ? x : x.mul(weight);
  return bias === null ? y : y.add(bias);
}

const KEEP = { keepdim: true };

function moments(x: Tensor, axes: number[], eps: number): { hat: Tensor; scale: Tensor } {
  const d = x.sub(x.mean(axes, KEEP));
  const scale = d.square().mean(axes, KEEP).add(eps).rsqrt();
  return { hat: d.mul(scale), scale };
}

/** `(x - mean) / sqrt(variance + eps)` over dimensions; `dx = (g - mean(g) - y mean(g y)) / sqrt(variance + eps)`. */
function standardize(op: string, x: Tensor, axes: number[], eps: number): Tensor {
  return fused(
    op,
    [x],
    [x],
    () => moments(x, axes, eps).hat,
    (g, [v]) => {
      const { hat, scale } = moments(v, axes, eps);
      const along = hat.mul(g.mul(hat).mean(axes, KEEP));
      return g.sub(g.mean(axes, KEEP)).sub(along).mul(scale);
    },
  );
}

/** The sizes that an input must end in. */
function checkLast(op: string, x: Tensor, normalizedShape: Shape): Shape {
  const shape = checkShape(op, normalizedShape);
  const lead = x.ndim - shape.length;
  if (shape.length === 0 || lead < 0 || !sameShape(x.shape.slice(lead), shape)) {
    throw new TensorError(
      'shape',
      op,
      `expected an input whose last sizes are ${formatShape(shape)}, got ${formatShape(x.shape)}`,
    );
  }
  return shape;
}

/**
 * Normalises over the last dimensions: `(x - mean) / sqrt(variance + eps) weight + bias` (Ba et al. 2016; PyTorch:
 * `F.layer_norm`).
 *
 * @param normalizedShape sizes of the last dimensions; weight and bias have this shape
 * @throws TensorError `shape` where the input does not end in them
 *
 * @example
 * ```ts
 * import { layerNorm, tensor } from 'chainrule';
 * console.log(layerNorm(tensor([[1, 3]]), [2], { eps: 0 }).toArray()); // [[-1, 1]]
 * ```
 */
export function layerNorm(x: Tensor, normalizedShape: Shape, options?: NormOptions): Tensor {
  const op = 'layerNorm';
  checkOptions(op, options, ['weight', 'bias', 'eps']);
  checkFloat(op, checkTensor(op, x));
  const shape = checkLast(op, x, normalizedShape);
  const weight = checkPart(op, x, options?.weight, 'a weight', shape);
  const bias = checkPart(op, x, options?.bias, 'a bias', shape);
  const eps = checkEps(op, options?.eps);
  const axes = shape.map((_, i) => x.ndim - shape.length + i);
  return composite(() => affine(standardize(op, x, axes, eps), weight, bias));
}

/** Options of {@link rmsNorm}. */
export interface RmsNormOptions {
  /** Factor of the result. */
  weight?: Tensor | null;
  /** Added to the mean square; the distance from 1 to the next number of the dtype unless given. */
  eps?: number;
}

/**
 * Divides by the root mean square over the last dimensions: `x / sqrt(mean(x^2) + eps) weight` (Zhang and Sennrich 2019;
 * PyTorch: `F.rms_norm`, from 2.4 on).
 *
 * @param normalizedShape sizes of the last dimensions; the weight has this shape
 * @throws TensorError `shape` where the input does not end in them
 *
 * @example
 * ```ts
 * import { rmsNorm, tensor } from 'chainrule';
 * console.log(rmsNorm(tensor([[1, 7]]), [2], { eps: 0 }).mul(5).toArray()); // [[1, 7]]
 * ```
 */
export function rmsNorm(x: Tensor, normalizedShape: Shape, options?: RmsNormOptions): Tensor {
  const op = 'rmsNorm';
  checkOptions(op, options, ['weight', 'eps']);
  checkFloat(op, checkTensor(op, x));
  const shape = checkLast(op, x, normalizedShape);
  const weight = checkPart(op, x, options?.weight, 'a weight', shape);
  const eps = checkEps(op, options?.eps ?? (x.dtype === 'float64' ? Number.EPSILON : 2 ** -23));
  const axes = shape.map((_, i) => x.ndim - shape.length + i);
  return composite(() => affine(x.mul(x.square().mean(axes, KEEP).add(eps).rsqrt()), weight, null));
}

function checkChannels(op: string, x: Tensor, ndim: number): void {
  checkFloat(op, checkTensor(op, x));
  if (x.ndim >= ndim) return;
  const layout = ndim === 2 ? '[N, C, ...]' : '[N, C, L, ...]';
  throw new TensorError('shape', op, `expected an input of shape ${layout}, got ${formatShape(x.shape)}`);
}

/** [C] so that it meets dimension 1 of `x`. */
function perChannel(part: Tensor | null, x: Tensor): Tensor | null {
  return part === null ? null : part.reshape([part.size, ...x.shape.slice(2).map(() => 1)]);
}

/**
 * Normalises over groups of channels and all positions: `(x - mean) / sqrt(variance + eps) weight + bias` (Wu and He 2018;
 * PyTorch: `F.group_norm`).
 *
 * @param x [N, C, ...]; weight and bias are [C]
 * @param numGroups divides C
 * @throws TensorError `shape` where it does not divide C
 *
 * @example
 * ```ts
 * import { groupNorm, tensor } from 'chainrule';
 * console.log(groupNorm(tensor([[1, 3, 5, 5]]), 2, { eps: 1 }).at(0).toArray()); // [-0.7071067690849304, 0.7071067690849304, 0, 0]
 * ```
 */
export function groupNorm(x: Tensor, numGroups: number, options?: NormOptions): Tensor {
  const op = 'groupNorm';
  checkOptions(op, options, ['weight', 'bias', 'eps']);
  checkChannels(op, x, 2);
  checkInteger(op, 'numGroups', numGroups, 1);
  const [n, channels] = x.shape;
  if (channels % numGroups !== 0) {
    throw new TensorError('shape', op, `expected channels that ${numGroups} groups divide, got ${channels}`);
  }
  const weight = checkPart(op, x, options?.weight, 'a weight', [channels]);
  const bias = checkPart(op, x, options?.bias, 'a bias', [channels]);
  const eps = checkEps(op, options?.eps);
  return composite(() => {
    const rest = x.shape.slice(2).reduce((size, k) => size * k, channels / numGroups);
    const y = standardize(op, x.reshape([n, numGroups, rest]), [2], eps).reshape(x.shape);
    return affine(y, perChannel(weight, x), perChannel(bias, x));
  });
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends NormOptions {
  /** Normalise by the batch and update the running statistics; false unless given. */
  training?: boolean;
  /** Share of the new statistics in an update; 0.1 unless given. */
  momentum?: number;
}

/** running = (1 - momentum) running + momentum (statistics over the axes, averaged over the batch), in place. */
function update(x: Tensor, axes: number[], mean: Tensor | null, variance: Tensor | null, momentum: number): void {
  const count = axes.reduce((size, axis) => size * x.shape[axis], 1);
  noGrad(() => {
    composite(() => {
      const average = (y: Tensor) => y.mean(0).reshape([x.shape[1]]);
      const center = x.mean(axes, KEEP);
      const spread = x
        .sub(center)
        .square()
        .sum(axes, KEEP)
        .div(count - 1);
      if (mean !== null) mean.assign(mean.mul(1 - momentum).add(average(center).mul(momentum)));
      if (variance !== null) variance.assign(variance.mul(1 - momentum).add(average(spread).mul(momentum)));
      return center;
    }).dispose();
  });
}

function checkCount(op: string, x: Tensor, axes: number[]): void {
  if (axes.reduce((size, axis) => size * x.shape[axis], 1) > 1) return;
  throw new TensorError(
    'shape',
    op,
    `expected more than one value per channel to normalise by, got an input of shape ${formatShape(x.shape)}`,
  );
}

/** By statistics given. */
function fixed(x: Tensor, mean: Tensor, variance: Tensor, eps: number): Tensor {
  const scale = perChannel(variance.detach().add(eps).rsqrt(), x) as Tensor;
  return x.sub(perChannel(mean.detach(), x) as Tensor).mul(scale);
}

/**
 * Normalises each channel: `(x - mean) / sqrt(variance + eps) weight + bias`, by the batch in training, which updates the
 * running statistics in place (with the unbiased variance), by these otherwise (Ioffe and Szegedy 2015; PyTorch:
 * `F.batch_norm`).
 *
 * @param x [N, C, ...]; all other tensors are [C]
 * @throws TensorError `shape` for a training batch of one value per channel, `value` without statistics outside of training
 *
 * @example
 * ```ts
 * import { batchNorm, tensor } from 'chainrule';
 * console.log(batchNorm(tensor([[1], [3]]), null, null, { training: true, eps: 0 }).toArray()); // [[-1], [1]]
 * ```
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options?: BatchNormOptions,
): Tensor {
  const op = 'batchNorm';
  checkOptions(op, options, ['weight', 'bias', 'training', 'momentum', 'eps']);
  checkChannels(op, x, 2);
  const channels = [x.shape[1]];
  const mean = checkPart(op, x, runningMean, 'a running mean', channels);
  const variance = checkPart(op, x, runningVar, 'a running variance', channels);
  const weight = checkPart(op, x, options?.weight, 'a weight', channels);
  const bias = checkPart(op, x, options?.bias, 'a bias', channels);
  const training = checkBoolean(op, 'training', options?.training ?? false);
  const momentum = checkNumber(op, 'momentum', options?.momentum ?? 0.1);
  const eps = checkEps(op, options?.eps);
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1);
  if (!training && (mean === null || variance === null)) {
    throw new TensorError('value', op, 'expected a running mean and variance outside of training, got null');
  }
  if (training) {
    checkCount(op, x, axes);
    update(x, axes, mean, variance, momentum);
  }
  return composite(() => {
    const y = training ? standardize(op, x, axes, eps) : fixed(x, mean as Tensor, variance as Tensor, eps);
    return affine(y, perChannel(weight, x), perChannel(bias, x));
  });
}

/** Options of {@link instanceNorm}. */
export interface InstanceNormOptions extends NormOptions {
  /** Mean [C], updated in place where the input's statistics are used. */
  runningMean?: Tensor | null;
  /** Variance [C], likewise. */
  runningVar?: Tensor | null;
  /** Normalise by the input instead of the running statistics; true unless given. */
  useInputStats?: boolean;
  /** Share of the new statistics in an update; 0.1 unless given. */
  momentum?: number;
}

/**
 * Normalises each channel of each sample over its positions: `(x - mean) / sqrt(variance + eps) weight + bias` (Ulyanov et
 * al. 2016; PyTorch: `F.instance_norm`).
 *
 * @param x [N, C, L, ...]; all other tensors are [C]
 * @throws TensorError `shape` for one position per channel, `value` without the statistics asked for
 *
 * @example
 * ```ts
 * import { instanceNorm, tensor } from 'chainrule';
 * console.log(instanceNorm(tensor([[[1, 3]]]), { eps: 0 }).toArray()); // [[[-1, 1]]]
 * ```
 */
export function instanceNorm(x: Tensor, options?: InstanceNormOptions): Tensor {
  const op = 'instanceNorm';
  checkOptions(op, options, ['runningMean', 'runningVar', 'weight', 'bias', 'useInputStats', 'momentum', 'eps']);
  checkChannels(op, x, 3);
  const channels = [x.shape[1]];
  const mean = checkPart(op, x, options?.runningMean, 'a running mean', channels);
  const variance = checkPart(op, x, options?.runningVar, 'a running variance', channels);
  const weight = checkPart(op, x, options?.weight, 'a weight', channels);
  const bias = checkPart(op, x, options?.bias, 'a bias', channels);
  const own = checkBoolean(op, 'useInputStats', options?.useInputStats ?? true);
  const momentum = checkNumber(op, 'momentum', options?.momentum ?? 0.1);
  const eps = checkEps(op, options?.eps);
  const axes = x.shape.map((_, i) => i).slice(2);
  if (!own && (mean === null || variance === null)) {
    throw new TensorError('value', op, 'expected a running mean and variance without useInputStats, got null');
  }
  if (own) {
    checkCount(op, x, axes);
    if (mean !== null || variance !== null) update(x, axes, mean, variance, momentum);
  }
  return composite(() => {
    const y = own ? standardize(op, x, axes, eps) : fixed(x, mean as Tensor, variance as Tensor, eps);
    return affine(y, perChannel(weight, x), perChannel(bias, x));
  });
}

/** Options of {@link localResponseNorm}. */
export interface LocalResponseNormOptions {
  /** Factor of the mean square; 1e-4 unless given. */
  alpha?: number;
  /** Exponent; 0.75 unless given. */
  beta?: number;
  /** Added to the scaled mean square; 1 unless given. */
  k?: number;
}

/**
 * Divides by the neighbouring channels: `x / (k + alpha m)^beta`, m the mean square over `size` channels around, zeros
 * beyond the ends (Krizhevsky et al. 2012; PyTorch: `F.local_response_norm`).
 *
 * @param x [N, C, L, ...]
 * @throws TensorError `shape` for fewer than three dimensions
 *
 * @example
 * ```ts
 * import { localResponseNorm, tensor } from 'chainrule';
 * console.log(localResponseNorm(tensor([[[3]]]), 1, { alpha: 1, k: 0, beta: 0.5 }).toArray()); // [[[1]]]
 * ```
 */
export function localResponseNorm(x: Tensor, size: number, options?: LocalResponseNormOptions): Tensor {
  const op = 'localResponseNorm';
  checkOptions(op, options, ['alpha', 'beta', 'k']);
  checkChannels(op, x, 3);
  checkInteger(op, 'size', size, 1);
  const alpha = checkNumber(op, 'alpha', options?.alpha ?? 1e-4);
  const beta = checkNumber(op, 'beta', options?.beta ?? 0.75);
  const k = checkNumber(op, 'k', options?.k ?? 1);
  const [n, channels] = x.shape;
  const rest = x.shape.slice(2).reduce((product, m) => product * m, 1);
  return composite(() => {
    const square = x.square().reshape([n, 1, channels, rest]);
    // An even window reaches one further back than forward: the last of the C + 1 means is one too many.
    const means = avgPool2d(square, [size, 1], { stride: 1, padding: [Math.floor(size / 2), 0] });
    const near = means.narrow(2, 0, channels).reshape(x.shape);
    return x.div(near.mul(alpha).add(k).pow(beta));
  });
}
