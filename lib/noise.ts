// Activations that draw random numbers, beyond dropout of single elements: whole channels, alpha dropout, random slopes.
import { cast, checkTensor, filled } from './core/dispatch.js';
import { floatOf } from './core/dtype.js';
import { noGrad } from './core/mode.js';
import { composite } from './core/scope.js';
import { checkBoolean, checkNumber, formatShape, type Shape } from './core/shape.js';
import { rand } from './create-random.js';
import { checkOptions, TensorError } from './errors.js';
import { type DropoutOptions, dropout } from './ops/elementwise/dropout.js';
import { leakyRelu } from './ops/elementwise/rectifier.js';
import { alias } from './ops/shape/stride.js';
import type { Tensor } from './tensor.js';

interface Draw {
  readonly p: number;
  readonly training: boolean;
  readonly input: Tensor;
}

function checkDropout(op: string, x: Tensor, options: DropoutOptions | undefined): Draw {
  checkOptions(op, options, ['p', 'training', 'generator']);
  const p = checkNumber(op, 'p', options?.p ?? 0.5, 0, 1);
  const training = checkBoolean(op, 'training', options?.training ?? true);
  return { p, training, input: cast(op, checkTensor(op, x), floatOf(x.dtype)) };
}

/** Sizes with 1 behind the dimensions of batch and channels. */
function perChannel(shape: Shape, batched: boolean): number[] {
  return shape.map((n, i) => (i < (batched ? 2 : 1) ? n : 1));
}

function dropChannels(
  op: string,
  x: Tensor,
  ndims: readonly number[],
  layout: string,
  options?: DropoutOptions,
): Tensor {
  const { p, training, input } = checkDropout(op, x, options);
  if (!ndims.includes(x.ndim)) {
    throw new TensorError('shape', op, `expected the input of shape ${layout}, got ${formatShape(x.shape)}`);
  }
  if (!training || p === 0) return alias(input);
  return composite(() => {
    const ones = filled(op, perChannel(x.shape, x.ndim === ndims[0]), input.dtype, 1);
    const mask = noGrad(() => dropout(ones, { p, ...(options?.generator && { generator: options.generator }) }));
    return input.mul(mask);
  });
}

/**
 * Zeroes whole channels with probability p and scales the others by `1 / (1 - p)` (Tompson et al. 2015; PyTorch:
 * `F.dropout1d`).
 *
 * @param x [N, C, L] or [C, L]
 * @throws TensorError `shape` for other dimensions, `value` for p outside 0..1
 *
 * @example
 * ```ts
 * import { dropout1d, ones } from 'chainrule';
 * console.log(dropout1d(ones([1, 1, 3]), { training: false }).toArray()); // [[[1, 1, 1]]]
 * ```
 */
export function dropout1d(x: Tensor, options?: DropoutOptions): Tensor {
  return dropChannels('dropout1d', x, [3, 2], '[N, C, L] or [C, L]', options);
}

/**
 * Zeroes whole channels with probability p and scales the others by `1 / (1 - p)` (Tompson et al. 2015; PyTorch:
 * `F.dropout2d`, whose inputs of three dimensions are deprecated).
 *
 * @param x [N, C, H, W]
 * @throws TensorError `shape` for other dimensions, `value` for p outside 0..1
 *
 * @example
 * ```ts
 * import { dropout2d, ones } from 'chainrule';
 * console.log(dropout2d(ones([1, 1, 1, 2]), { training: false }).toArray()); // [[[[1, 1]]]]
 * ```
 */
export function dropout2d(x: Tensor, options?: DropoutOptions): Tensor {
  return dropChannels('dropout2d', x, [4], '[N, C, H, W]', options);
}

/**
 * Zeroes whole channels with probability p and scales the others by `1 / (1 - p)` (Tompson et al. 2015; PyTorch:
 * `F.dropout3d`).
 *
 * @param x [N, C, D, H, W] or [C, D, H, W]
 * @throws TensorError `shape` for other dimensions, `value` for p outside 0..1
 *
 * @example
 * ```ts
 * import { dropout3d, ones } from 'chainrule';
 * console.log(dropout3d(ones([1, 1, 1, 1, 2]), { training: false }).toArray()); // [[[[[1, 1]]]]]
 * ```
 */
export function dropout3d(x: Tensor, options?: DropoutOptions): Tensor {
  return dropChannels('dropout3d', x, [5, 4], '[N, C, D, H, W] or [C, D, H, W]', options);
}

// What selu tends to far below 0, -scale alpha of its definition.
const SATURATION = -1.0507009873554805 * 1.6732632423543772;

/** x where the noise is kept, selu's saturation elsewhere, scaled and moved so that mean 0 and variance 1 stay. */
function saturate(shape: Shape, { p, training, input }: Draw, options?: DropoutOptions): Tensor {
  if (!training || p === 0) return alias(input);
  if (p === 1) return input.mul(0);
  const scale = 1 / Math.sqrt((SATURATION ** 2 * p + 1) * (1 - p));
  return composite(() => {
    const generator = options?.generator && { generator: options.generator };
    const kept = noGrad(() =>
      rand(shape, { dtype: input.dtype, ...generator })
        .ge(p)
        .to(input.dtype),
    );
    const moved = kept
      .neg()
      .add(1)
      .mul(SATURATION * scale)
      .add(-SATURATION * scale * p);
    return input.mul(kept.mul(scale)).add(moved);
  });
}

/**
 * Dropout for networks of selu: elements become selu's lowest value with probability p, and all are scaled and moved so that
 * mean and variance stay (Klambauer et al. 2017; PyTorch: `F.alpha_dropout`, `torch.alpha_dropout`).
 *
 * @throws TensorError `value` for p outside 0..1
 *
 * @example
 * ```ts
 * import { alphaDropout, ones } from 'chainrule';
 * console.log(alphaDropout(ones([3]), { training: false }).toArray()); // [1, 1, 1]
 * ```
 */
export function alphaDropout(x: Tensor, options?: DropoutOptions): Tensor {
  const op = 'alphaDropout';
  return saturate(checkTensor(op, x).shape, checkDropout(op, x, options), options);
}

/**
 * {@link alphaDropout} of whole channels (PyTorch: `F.feature_alpha_dropout`, `torch.feature_alpha_dropout`).
 *
 * @param x [N, C, ...]
 * @throws TensorError `shape` for fewer than two dimensions, `value` for p outside 0..1
 *
 * @example
 * ```ts
 * import { featureAlphaDropout, ones } from 'chainrule';
 * console.log(featureAlphaDropout(ones([1, 1, 2]), { training: false }).toArray()); // [[[1, 1]]]
 * ```
 */
export function featureAlphaDropout(x: Tensor, options?: DropoutOptions): Tensor {
  const op = 'featureAlphaDropout';
  const draw = checkDropout(op, x, options);
  if (x.ndim < 2)
    throw new TensorError('shape', op, `expected the input of shape [N, C, ...], got ${formatShape(x.shape)}`);
  return saturate(perChannel(x.shape, true), draw, options);
}

/** Options of {@link rrelu}. */
export interface RreluOptions extends Pick<DropoutOptions, 'generator'> {
  /** The smallest slope; 1/8 unless given. */
  lower?: number;
  /** The largest slope; 1/3 unless given. */
  upper?: number;
  /** Whether slopes are drawn; the middle one is taken otherwise. False unless given. */
  training?: boolean;
}

/**
 * Rectifier with a slope below 0 that is drawn for each element between `lower` and `upper`: `y = x > 0 ? x : slope x` (Xu et
 * al. 2015; PyTorch: `F.rrelu`, `torch.rrelu`).
 *
 * @throws TensorError `value` for slopes that are not numbers, or lower above upper
 *
 * @example
 * ```ts
 * import { rrelu, tensor } from 'chainrule';
 * console.log(rrelu(tensor([-2, 2]), { lower: 0.25, upper: 0.75 }).toArray()); // [-1, 2]
 * ```
 */
export function rrelu(x: Tensor, options?: RreluOptions): Tensor {
  const op = 'rrelu';
  checkOptions(op, options, ['lower', 'upper', 'training', 'generator']);
  const lower = checkNumber(op, 'lower', options?.lower ?? 1 / 8);
  const upper = checkNumber(op, 'upper', options?.upper ?? 1 / 3);
  if (lower > upper) throw new TensorError('value', op, `expected lower at most upper, got ${lower} and ${upper}`);
  const training = checkBoolean(op, 'training', options?.training ?? false);
  const input = cast(op, checkTensor(op, x), floatOf(x.dtype));
  if (!training) return composite(() => leakyRelu(input, { negativeSlope: (lower + upper) / 2 }));
  return composite(() => {
    const generator = options?.generator && { generator: options.generator };
    const slopes = noGrad(() => {
      const drawn = rand(x.shape, { dtype: input.dtype, ...generator })
        .mul(upper - lower)
        .add(lower);
      return input.le(0).where(drawn, 1);
    });
    return input.mul(slopes);
  });
}
