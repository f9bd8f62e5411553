// Convolution as networks use it (cross-correlation) of sequences, images and volumes.
import { checkFloat, checkNdim, checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, checkSpatial, formatShape } from '../../core/shape.js';
import { checkOptions, describe, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { type ConvGeometry, checkOperands, correlate, LAYOUTS, MOST, TAPS } from './maps.js';

/** Options of convolutions; lists go from the outermost dimension inwards: [length], [height, width], [depth, height, width]. */
export interface ConvOptions<Sizes extends readonly number[]> {
  /** Step of the window; 1 unless given. */
  stride?: number | Sizes;
  /** Zeros added on each side, 'same' for as many as keep the size, or 'valid' for none; 0 unless given. */
  padding?: number | Sizes | 'same' | 'valid';
  /** Distance between the taps of the kernel; 1 unless given. */
  dilation?: number | Sizes;
  /** Channels are split into this many groups that do not mix; 1 unless given. */
  groups?: number;
}
/** Options of {@link conv1d}. */
export type Conv1dOptions = ConvOptions<readonly [number]>;
/** Options of {@link conv2d}; pairs are [height, width]. */
export type Conv2dOptions = ConvOptions<readonly [number, number]>;
/** Options of {@link conv3d}; triples are [depth, height, width]. */
export type Conv3dOptions = ConvOptions<readonly [number, number, number]>;

type AnyOptions = ConvOptions<readonly number[]>;

/** The geometry, and the zeros behind the last element, which are more than those before the first where 'same' needs it. */
function parse(
  op: string,
  ndim: number,
  w: Tensor,
  options: AnyOptions | undefined,
): [ConvGeometry, readonly number[]] {
  const stride = checkSpatial(op, 'stride', options?.stride ?? 1, ndim, 1, MOST);
  const dilation = checkSpatial(op, 'dilation', options?.dilation ?? 1, ndim, 1, MOST);
  const groups = checkInteger(op, 'groups', options?.groups ?? 1, 1);
  const padding = options?.padding ?? 0;
  if (padding === 'same') {
    if (stride.some((step) => step !== 1))
      throw new TensorError('value', op, `expected stride 1 with padding 'same', got ${formatShape(stride)}`);
    const total = dilation.map((step, i) => step * (w.shape[2 + i] - 1));
    if (total.some((n) => n > MOST))
      throw new TensorError('shape', op, `expected a kernel that spans at most 2^20, got ${formatShape(w.shape)}`);
    const before = total.map((n) => Math.floor(n / 2));
    return [{ stride, padding: before, dilation, groups }, total.map((n, i) => n - before[i])];
  }
  if (typeof padding === 'string' && padding !== 'valid') {
    throw new TensorError(
      'value',
      op,
      `expected padding to be a number, a list, 'same' or 'valid', got ${describe(padding)}`,
    );
  }
  const zeros = checkSpatial(op, 'padding', padding === 'valid' ? 0 : padding, ndim, 0, MOST);
  return [{ stride, padding: zeros, dilation, groups }, zeros];
}

function outputSizes(op: string, x: Tensor, w: Tensor, geo: ConvGeometry, after: readonly number[]): number[] {
  return after.map((behind, i) => {
    const padded = x.shape[2 + i] + geo.padding[i] + behind;
    const span = geo.dilation[i] * (w.shape[2 + i] - 1) + 1;
    if (span > padded) {
      throw new TensorError(
        'shape',
        op,
        `expected a kernel no larger than the padded input, got kernel ${formatShape(w.shape)} (spanning ${span}) for input ${formatShape(x.shape)} (padded to ${padded})`,
      );
    }
    return Math.floor((padded - span) / geo.stride[i]) + 1;
  });
}

function convolution(
  op: string,
  ndim: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: AnyOptions | undefined,
): Tensor {
  checkTensor(op, x);
  checkTensor(op, weight, 'a weight tensor');
  checkOptions(op, options, ['stride', 'padding', 'dilation', 'groups']);
  if (x.ndim === ndim + 1)
    return composite(() => convolution(op, ndim, x.unsqueeze(0), weight, bias, options).squeeze(0));
  checkFloat(op, checkNdim(op, x, ndim + 2, LAYOUTS[ndim]));
  checkNdim(op, weight, ndim + 2, `[O, C / groups, ${TAPS[ndim]}]`, 'a weight');
  const [geo, after] = parse(op, ndim, weight, options);
  const [outputs, perGroup] = weight.shape;
  if (x.shape[1] !== perGroup * geo.groups || outputs % geo.groups !== 0) {
    throw new TensorError(
      'shape',
      op,
      `expected a weight [out, in / groups, ${TAPS[ndim]}] for the input ${formatShape(x.shape)} and ${geo.groups} group(s), got ${formatShape(weight.shape)}`,
    );
  }
  checkOperands(op, x, weight, bias, outputs);
  return correlate(op, x, weight, bias, [x.shape[0], outputs, ...outputSizes(op, x, weight, geo, after)], geo);
}

/**
 * 1-d convolution as networks use it (cross-correlation): `x [N,C,L]` or `[C,L]`, `w [O,C/groups,k]`, `b [O]` to
 * `y [N,O,L']`, `L' = floor((L + 2 padding - dilation (k - 1) - 1) / stride) + 1` (PyTorch: `F.conv1d`).
 *
 * @throws TensorError `shape` where channels or sizes do not go together, `dtype` unless all are of one floating dtype,
 * `value` for padding 'same' with a stride
 *
 * @example
 * ```ts
 * import { conv1d, tensor } from 'chainrule';
 * console.log(conv1d(tensor([[1, 2, 4, 8]]), tensor([[[-1, 1]]])).toArray()); // [[1, 2, 4]]
 * ```
 */
export function conv1d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options?: Conv1dOptions): Tensor {
  return convolution('conv1d', 1, x, weight, bias, options);
}

/**
 * 2-d convolution as networks use it (cross-correlation): `x [N,C,H,W]` or `[C,H,W]`, `w [O,C/groups,kh,kw]`, `b [O]` to
 * `y [N,O,H',W']`, `H' = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1` (PyTorch: `F.conv2d`).
 *
 * @throws TensorError `shape` where channels or sizes do not go together, `dtype` unless all are of one floating dtype,
 * `value` for padding 'same' with a stride
 *
 * @example
 * ```ts
 * import { conv2d, ones } from 'chainrule';
 * console.log(conv2d(ones([1, 1, 3, 3]), ones([1, 1, 2, 2])).toArray()); // [[[[4, 4], [4, 4]]]]
 * ```
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options?: Conv2dOptions): Tensor {
  return convolution('conv2d', 2, x, weight, bias, options);
}

/**
 * 3-d convolution as networks use it (cross-correlation): `x [N,C,D,H,W]` or `[C,D,H,W]`, `w [O,C/groups,kd,kh,kw]`, `b [O]`
 * to `y [N,O,D',H',W']`, `D' = floor((D + 2 padding - dilation (kd - 1) - 1) / stride) + 1` (PyTorch: `F.conv3d`).
 *
 * @throws TensorError `shape` where channels or sizes do not go together, `dtype` unless all are of one floating dtype,
 * `value` for padding 'same' with a stride
 *
 * @example
 * ```ts
 * import { conv3d, ones } from 'chainrule';
 * console.log(conv3d(ones([1, 1, 2, 2, 2]), ones([1, 1, 2, 2, 2])).toArray()); // [[[[[8]]]]]
 * ```
 */
export function conv3d(x: Tensor, weight: Tensor, bias: Tensor | null = null, options?: Conv3dOptions): Tensor {
  return convolution('conv3d', 3, x, weight, bias, options);
}
