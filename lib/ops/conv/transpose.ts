// Transposed convolution of sequences, images and volumes: convolution's gradient with regard to its input, as an operation.
import { checkFloat, checkNdim, checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, checkSpatial, formatShape } from '../../core/shape.js';
import { checkOptions, TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { checkOperands, LAYOUTS, MOST, spread, TAPS } from './maps.js';

/** Options of transposed convolutions; lists go from the outermost dimension inwards, as [depth, height, width]. */
export interface ConvTransposeOptions<Sizes extends readonly number[]> {
  /** Step between the windows that neighbouring inputs are spread over; 1 unless given. */
  stride?: number | Sizes;
  /** What is cut off on each side of the result; 0 unless given. */
  padding?: number | Sizes;
  /** Added to the size of the result at its end, less than the stride or the dilation; 0 unless given. */
  outputPadding?: number | Sizes;
  /** Channels are split into this many groups that do not mix; 1 unless given. */
  groups?: number;
  /** Distance between the taps of the kernel; 1 unless given. */
  dilation?: number | Sizes;
}
/** Options of {@link convTranspose1d}. */
export type ConvTranspose1dOptions = ConvTransposeOptions<readonly [number]>;
/** Options of {@link convTranspose2d}; pairs are [height, width]. */
export type ConvTranspose2dOptions = ConvTransposeOptions<readonly [number, number]>;
/** Options of {@link convTranspose3d}; triples are [depth, height, width]. */
export type ConvTranspose3dOptions = ConvTransposeOptions<readonly [number, number, number]>;

type AnyOptions = ConvTransposeOptions<readonly number[]>;

function transposed(
  op: string,
  ndim: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: AnyOptions | undefined,
): Tensor {
  checkTensor(op, x);
  checkTensor(op, weight, 'a weight tensor');
  checkOptions(op, options, ['stride', 'padding', 'outputPadding', 'groups', 'dilation']);
  if (x.ndim === ndim + 1)
    return composite(() => transposed(op, ndim, x.unsqueeze(0), weight, bias, options).squeeze(0));
  checkFloat(op, checkNdim(op, x, ndim + 2, LAYOUTS[ndim]));
  checkNdim(op, weight, ndim + 2, `[C, O / groups, ${TAPS[ndim]}]`, 'a weight');
  const stride = checkSpatial(op, 'stride', options?.stride ?? 1, ndim, 1, MOST);
  const padding = checkSpatial(op, 'padding', options?.padding ?? 0, ndim, 0, MOST);
  const dilation = checkSpatial(op, 'dilation', options?.dilation ?? 1, ndim, 1, MOST);
  const extra = checkSpatial(op, 'outputPadding', options?.outputPadding ?? 0, ndim, 0, MOST);
  const groups = checkInteger(op, 'groups', options?.groups ?? 1, 1);
  if (extra.some((n, i) => n >= stride[i] && n >= dilation[i])) {
    throw new TensorError(
      'value',
      op,
      `expected outputPadding less than stride ${formatShape(stride)} or dilation ${formatShape(dilation)}, got ${formatShape(extra)}`,
    );
  }
  const channels = weight.shape[1] * groups;
  if (x.shape[1] !== weight.shape[0] || x.shape[1] % groups !== 0 || channels === 0) {
    throw new TensorError(
      'shape',
      op,
      `expected a weight [in, out / groups, ${TAPS[ndim]}] for the input ${formatShape(x.shape)} and ${groups} group(s), got ${formatShape(weight.shape)}`,
    );
  }
  checkOperands(op, x, weight, bias, channels);
  const sizes = stride.map(
    (step, i) => (x.shape[2 + i] - 1) * step - 2 * padding[i] + dilation[i] * (weight.shape[2 + i] - 1) + extra[i] + 1,
  );
  if (sizes.some((n) => n < 1)) {
    throw new TensorError(
      'shape',
      op,
      `expected a result with sizes from 1 up, got ${formatShape(sizes)} from input ${formatShape(x.shape)} with padding ${formatShape(padding)}`,
    );
  }
  return spread(op, x, weight, bias, [x.shape[0], channels, ...sizes], { stride, padding, dilation, groups });
}

/**
 * 1-d transposed convolution: `x [N,C,L]` or `[C,L]`, `w [C,O/groups,k]`, `b [O]` to `y [N,O,L']`,
 * `L' = (L - 1) stride - 2 padding + dilation (k - 1) + outputPadding + 1` (PyTorch: `F.conv_transpose1d`).
 *
 * @throws TensorError `shape` where channels or sizes do not go together, `dtype` unless all are of one floating dtype,
 * `value` for outputPadding that is neither less than the stride nor than the dilation
 *
 * @example
 * ```ts
 * import { convTranspose1d, tensor } from 'chainrule';
 * console.log(convTranspose1d(tensor([[1, 2]]), tensor([[[1, 1, 1]]]), null, { stride: 2 }).toArray()); // [[1, 1, 3, 2, 2]]
 * ```
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options?: ConvTranspose1dOptions,
): Tensor {
  return transposed('convTranspose1d', 1, x, weight, bias, options);
}

/**
 * 2-d transposed convolution: `x [N,C,H,W]` or `[C,H,W]`, `w [C,O/groups,kh,kw]`, `b [O]` to `y [N,O,H',W']`,
 * `H' = (H - 1) stride - 2 padding + dilation (kh - 1) + outputPadding + 1` (PyTorch: `F.conv_transpose2d`).
 *
 * @throws TensorError `shape` where channels or sizes do not go together, `dtype` unless all are of one floating dtype,
 * `value` for outputPadding that is neither less than the stride nor than the dilation
 *
 * @example
 * ```ts
 * import { convTranspose2d, ones } from 'chainrule';
 * console.log(convTranspose2d(ones([1, 1, 1, 2]), ones([1, 1, 1, 2])).toArray()); // [[[[1, 2, 1]]]]
 * ```
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options?: ConvTranspose2dOptions,
): Tensor {
  return transposed('convTranspose2d', 2, x, weight, bias, options);
}

/**
 * 3-d transposed convolution: `x [N,C,D,H,W]` or `[C,D,H,W]`, `w [C,O/groups,kd,kh,kw]`, `b [O]` to `y [N,O,D',H',W']`,
 * `D' = (D - 1) stride - 2 padding + dilation (kd - 1) + outputPadding + 1` (PyTorch: `F.conv_transpose3d`).
 *
 * @throws TensorError `shape` where channels or sizes do not go together, `dtype` unless all are of one floating dtype,
 * `value` for outputPadding that is neither less than the stride nor than the dilation
 *
 * @example
 * ```ts
 * import { convTranspose3d, ones } from 'chainrule';
 * console.log(convTranspose3d(ones([1, 1, 2, 2, 2]), ones([1, 4, 2, 2, 2]), null, { stride: 2 }).shape); // [1, 4, 4, 4, 4]
 * ```
 */
export function convTranspose3d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options?: ConvTranspose3dOptions,
): Tensor {
  return transposed('convTranspose3d', 3, x, weight, bias, options);
}
