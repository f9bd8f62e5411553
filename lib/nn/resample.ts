// Other sizes of images: upsampling, and channels traded for pixels.
import { checkOptions, TensorError } from '../errors.js';
import { type InterpolateOptions, interpolate } from '../ops/resample/interpolate.js';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from '../ops/resample/shuffle.js';
import type { Tensor } from '../tensor.js';
import { checkBoolean, checkChoice, checkSize, formatOptions } from './check.js';
import { Module } from './module.js';

/** Options of {@link Upsample}; `size` or `scaleFactor` must be given. */
export type UpsampleOptions = Omit<InterpolateOptions, 'antialias'>;

const MODES = ['nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear', 'area'] as const;

function checkUpsample(op: string, options: UpsampleOptions): void {
  if ((options.size === undefined) === (options.scaleFactor === undefined)) {
    throw new TensorError('value', op, 'expected either size or scaleFactor, got both or neither');
  }
  checkChoice(op, 'mode', options.mode ?? 'nearest', MODES);
  checkBoolean(op, 'alignCorners', options.alignCorners ?? false);
  checkBoolean(op, 'recomputeScaleFactor', options.recomputeScaleFactor ?? false);
}

/**
 * The last dimensions in another size: `[N,C,L]`, `[N,C,H,W]` or `[N,C,D,H,W]` (PyTorch: `nn.Upsample`).
 *
 * @param options `size` or `scaleFactor`; `mode` 'nearest', `alignCorners` false, `recomputeScaleFactor` false unless given
 * @throws TensorError `value` for both or neither of size and factor, or a mode that is not known
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * const up = new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' });
 * console.log(up.forward(ones([1, 3, 4, 4])).shape); // [1, 3, 8, 8]
 * ```
 */
export class Upsample extends Module {
  constructor(readonly options: UpsampleOptions) {
    super();
    checkOptions('Upsample', options, ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor']);
    checkUpsample('Upsample', options ?? {});
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/**
 * Images in another size, each pixel that of the nearest one: `[N,C,H,W] -> [N,C,H',W']` (PyTorch:
 * `nn.UpsamplingNearest2d`).
 *
 * @param options `size` or `scaleFactor`
 * @throws TensorError `value` for both or neither
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.UpsamplingNearest2d({ size: 6 }).forward(ones([1, 3, 4, 4])).shape); // [1, 3, 6, 6]
 * ```
 */
export class UpsamplingNearest2d extends Module {
  constructor(readonly options: Pick<UpsampleOptions, 'size' | 'scaleFactor'>) {
    super();
    checkOptions('UpsamplingNearest2d', options, ['size', 'scaleFactor']);
    checkUpsample('UpsamplingNearest2d', options ?? {});
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/**
 * Images in another size, linear between pixels with the corners kept: `[N,C,H,W] -> [N,C,H',W']` (PyTorch:
 * `nn.UpsamplingBilinear2d`).
 *
 * @param options `size` or `scaleFactor`
 * @throws TensorError `value` for both or neither
 *
 * @example
 * ```ts
 * import { nn, tensor } from 'chainrule';
 * const up = new nn.UpsamplingBilinear2d({ size: [1, 3] });
 * console.log(up.forward(tensor([[[[1, 2]]]])).flatten().toArray()); // [1, 1.5, 2]
 * ```
 */
export class UpsamplingBilinear2d extends Module {
  constructor(readonly options: Pick<UpsampleOptions, 'size' | 'scaleFactor'>) {
    super();
    checkOptions('UpsamplingBilinear2d', options, ['size', 'scaleFactor']);
    checkUpsample('UpsamplingBilinear2d', options ?? {});
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, { ...this.options, mode: 'bilinear', alignCorners: true });
  }

  protected override summary(): string {
    return formatOptions(this.options);
  }
}

/**
 * Channels become places: `[..., C r^2, H, W] -> [..., C, H r, W r]` (PyTorch: `nn.PixelShuffle`).
 *
 * @throws TensorError `value` for a factor that is no whole number from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.PixelShuffle(2).forward(ones([1, 8, 3, 3])).shape); // [1, 2, 6, 6]
 * ```
 */
export class PixelShuffle extends Module {
  constructor(readonly upscaleFactor: number) {
    super();
    checkSize('PixelShuffle', 'the factor', upscaleFactor);
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }

  protected override summary(): string {
    return `${this.upscaleFactor}`;
  }
}

/**
 * Places become channels: `[..., C, H r, W r] -> [..., C r^2, H, W]` (PyTorch: `nn.PixelUnshuffle`).
 *
 * @throws TensorError `value` for a factor that is no whole number from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.PixelUnshuffle(2).forward(ones([1, 2, 6, 6])).shape); // [1, 8, 3, 3]
 * ```
 */
export class PixelUnshuffle extends Module {
  constructor(readonly downscaleFactor: number) {
    super();
    checkSize('PixelUnshuffle', 'the factor', downscaleFactor);
  }

  forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }

  protected override summary(): string {
    return `${this.downscaleFactor}`;
  }
}

/**
 * Channels of groups in turn: channel `i g + j` of the result is channel `j C / g + i` (PyTorch: `nn.ChannelShuffle`).
 *
 * @throws TensorError `value` for a number of groups that is no whole number from 1 up
 *
 * @example
 * ```ts
 * import { nn, ones } from 'chainrule';
 * console.log(new nn.ChannelShuffle(2).forward(ones([1, 4, 3, 3])).shape); // [1, 4, 3, 3]
 * ```
 */
export class ChannelShuffle extends Module {
  constructor(readonly groups: number) {
    super();
    checkSize('ChannelShuffle', 'the number of groups', groups);
  }

  forward(x: Tensor): Tensor {
    return channelShuffle(x, this.groups);
  }

  protected override summary(): string {
    return `${this.groups}`;
  }
}
