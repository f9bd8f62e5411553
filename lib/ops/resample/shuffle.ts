// Channels and places traded for one another: shuffles of pixels and of channels.
import { checkTensor } from '../../core/dispatch.js';
import { composite } from '../../core/scope.js';
import { checkInteger, formatShape } from '../../core/shape.js';
import { TensorError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';

function checkImages(op: string, x: Tensor): Tensor {
  if (checkTensor(op, x).ndim >= 3) return x;
  throw new TensorError('shape', op, `expected an input [..., C, H, W], got ${formatShape(x.shape)}`);
}

/**
 * Channels become places, `r` by `r` of them: `[..., C r^2, H, W] -> [..., C, H r, W r]`, with
 * `y[c, h r + i, w r + j] = x[(c r + i) r + j, h, w]` (PyTorch: `F.pixel_shuffle`).
 *
 * @param r the factor, at least 1
 * @throws TensorError `shape` unless r^2 divides the channels
 *
 * @example
 * ```ts
 * import { pixelShuffle, tensor } from 'chainrule';
 * console.log(pixelShuffle(tensor([[[1]], [[2]], [[3]], [[4]]]), 2).toArray()); // [[[1, 2], [3, 4]]]
 * ```
 */
export function pixelShuffle(x: Tensor, r: number): Tensor {
  const op = 'pixelShuffle';
  checkImages(op, x);
  checkInteger(op, 'the factor', r, 1);
  const lead = x.shape.slice(0, -3);
  const [c, h, w] = x.shape.slice(-3);
  if (c % (r * r) !== 0) {
    throw new TensorError('shape', op, `expected channels that ${r * r} divides, got ${formatShape(x.shape)}`);
  }
  const channels = c / (r * r);
  return composite(() =>
    x
      .reshape([lead.reduce((n, k) => n * k, 1), channels, r, r, h, w])
      .permute([0, 1, 4, 2, 5, 3])
      .reshape([...lead, channels, h * r, w * r]),
  );
}

/**
 * The inverse of {@link pixelShuffle}: `[..., C, H r, W r] -> [..., C r^2, H, W]` (PyTorch: `F.pixel_unshuffle`).
 *
 * @param r the factor, at least 1
 * @throws TensorError `shape` unless r divides height and width
 *
 * @example
 * ```ts
 * import { pixelUnshuffle, tensor } from 'chainrule';
 * console.log(pixelUnshuffle(tensor([[[1, 2], [3, 4]]]), 2).toArray()); // [[[1]], [[2]], [[3]], [[4]]]
 * ```
 */
export function pixelUnshuffle(x: Tensor, r: number): Tensor {
  const op = 'pixelUnshuffle';
  checkImages(op, x);
  checkInteger(op, 'the factor', r, 1);
  const lead = x.shape.slice(0, -3);
  const [c, h, w] = x.shape.slice(-3);
  if (h % r !== 0 || w % r !== 0) {
    throw new TensorError('shape', op, `expected a height and width that ${r} divides, got ${formatShape(x.shape)}`);
  }
  return composite(() =>
    x
      .reshape([lead.reduce((n, k) => n * k, 1), c, h / r, r, w / r, r])
      .permute([0, 1, 3, 5, 2, 4])
      .reshape([...lead, c * r * r, h / r, w / r]),
  );
}

/**
 * Channels of `groups` groups in turn: channel `i g + j` of the result is channel `j C / g + i` (PyTorch: `F.channel_shuffle`).
 *
 * @param x [N, C, ...]
 * @param groups how many, at least 1
 * @throws TensorError `shape` unless the groups divide the channels
 *
 * @example
 * ```ts
 * import { channelShuffle, tensor } from 'chainrule';
 * console.log(channelShuffle(tensor([[[1], [2], [3], [4]]]), 2).toArray()); // [[[1], [3], [2], [4]]]
 * ```
 */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  const op = 'channelShuffle';
  const { shape, ndim } = checkTensor(op, x);
  checkInteger(op, 'the number of groups', groups, 1);
  if (ndim < 3 || shape[1] % groups !== 0) {
    throw new TensorError(
      'shape',
      op,
      `expected an input [N, C, ...] with channels that ${groups} divides, got ${formatShape(shape)}`,
    );
  }
  const [n, c, ...rest] = shape;
  return composite(() => {
    const inside = rest.reduce((product, k) => product * k, 1);
    return x
      .reshape([n, groups, c / groups, inside])
      .transpose(1, 2)
      .reshape(shape);
  });
}
