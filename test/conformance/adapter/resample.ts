// Entries of the resampling in pool.json.
import * as cr from 'chainrule';
import { type Entries, given, op } from './entry.js';

type Sizes = number | number[] | null;
interface InterpolateArgs {
  size?: Sizes;
  scale_factor?: Sizes;
  mode?: cr.InterpolationMode;
  align_corners?: boolean | null;
  recompute_scale_factor?: boolean | null;
  antialias?: boolean;
}

const optionsOf = (a: InterpolateArgs): cr.InterpolateOptions =>
  given({
    size: a.size ?? undefined,
    scaleFactor: a.scale_factor ?? undefined,
    mode: a.mode,
    alignCorners: a.align_corners ?? undefined,
    recomputeScaleFactor: a.recompute_scale_factor ?? undefined,
    antialias: a.antialias,
  });

export const resample = {
  interpolate: op<InterpolateArgs>(
    ['size', 'scale_factor', 'mode', 'align_corners', 'recompute_scale_factor', 'antialias'],
    ([x], a) => cr.interpolate(x, optionsOf(a)),
  ),
  upsample: op<InterpolateArgs>(['size', 'scale_factor', 'mode', 'align_corners'], ([x], a) =>
    cr.interpolate(x, optionsOf(a)),
  ),
  upsample_nearest: op<InterpolateArgs>(['size', 'scale_factor'], ([x], a) => cr.interpolate(x, optionsOf(a))),
  upsample_bilinear: op<InterpolateArgs>(['size', 'scale_factor'], ([x], a) =>
    cr.interpolate(x, { ...optionsOf(a), mode: 'bilinear', alignCorners: true }),
  ),
  grid_sample: op<{
    mode?: 'bilinear' | 'nearest' | 'bicubic';
    padding_mode?: 'zeros' | 'border' | 'reflection';
    align_corners?: boolean | null;
  }>(['mode', 'padding_mode', 'align_corners'], ([x, grid], a) =>
    cr.gridSample(
      x,
      grid,
      given({ mode: a.mode, paddingMode: a.padding_mode, alignCorners: a.align_corners ?? undefined }),
    ),
  ),
  affine_grid: op<{ size: number[]; align_corners?: boolean | null }>(['size', 'align_corners'], ([theta], a) =>
    cr.affineGrid(theta, a.size, given({ alignCorners: a.align_corners ?? undefined })),
  ),
  pixel_shuffle: op<{ upscale_factor: number }>(['upscale_factor'], ([x], a) => cr.pixelShuffle(x, a.upscale_factor)),
  pixel_unshuffle: op<{ downscale_factor: number }>(['downscale_factor'], ([x], a) =>
    cr.pixelUnshuffle(x, a.downscale_factor),
  ),
  channel_shuffle: op<{ groups: number }>(['groups'], ([x], a) => cr.channelShuffle(x, a.groups)),
} satisfies Entries;
