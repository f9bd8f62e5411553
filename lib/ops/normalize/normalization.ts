// Normalisation to mean 0 and variance 1 over batches, layers, groups or instances.
import { checkFloat, checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  checkShape,
  formatShape,
  type Shape,
  sameShape,
  sizeOf,
} from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { avgPool2d } from '../pool/average.js';
import { normalize, type Sites } from './normalize.js';

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

function overLast(x: Tensor, shape: Shape, centered: boolean, eps: number): Sites {
  const rows = sizeOf(x.shape.slice(0, x.ndim - shape.length));
  return { shape: [rows, 1, sizeOf(shape), 1], batch: false, centered, eps };
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
  return normalize(op, x, weight, bias, overLast(x, shape, true, eps));
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
  return normalize(op, x, weight, null, overLast(x, shape, false, eps));
}

function checkChannels(op: string, x: Tensor, ndim: number): void {
  checkFloat(op, checkTensor(op, x));
  if (x.ndim >= ndim) return;
  const layout = ndim === 2 ? '[N, C, ...]' : '[N, C, L, ...]';
  throw new TensorError('shape', op, `expected an input of shape ${layout}, got ${formatShape(x.shape)}`);
}

/** Over [N, C, ...]: statistics of each channel, of the batch or of each sample. */
function overChannels(x: Tensor, batch: boolean, eps: number): Sites {
  const [n, channels] = x.shape;
  return { shape: [n, channels, 1, sizeOf(x.shape.slice(2))], batch, centered: true, eps };
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
  const shape: Sites['shape'] = [n, numGroups, channels / numGroups, sizeOf(x.shape.slice(2))];
  return normalize(op, x, weight, bias, { shape, batch: false, centered: true, eps });
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends NormOptions {
  /** Normalise by the batch and update the running statistics; false unless given. */
  training?: boolean;
  /** Share of the new statistics in an update; 0.1 unless given. */
  momentum?: number;
}

function checkCount(op: string, x: Tensor, axes: number[]): void {
  if (axes.reduce((size, axis) => size * x.shape[axis], 1) > 1) return;
  throw new TensorError(
    'shape',
    op,
    `expected more than one value per channel to normalise by, got an input of shape ${formatShape(x.shape)}`,
  );
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
  const sites = overChannels(x, true, eps);
  if (!training) return normalize(op, x, weight, bias, sites, { mean, variance });
  checkCount(op, x, axes);
  return normalize(op, x, weight, bias, sites, null, { mean, variance, momentum });
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
  if (!own) return normalize(op, x, weight, bias, overChannels(x, true, eps), { mean, variance });
  checkCount(op, x, axes);
  return normalize(op, x, weight, bias, overChannels(x, false, eps), null, { mean, variance, momentum });
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
