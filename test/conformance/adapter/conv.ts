// Entries of conv.json and pool.json.
import * as cr from 'chainrule';
import { type Entries, given, op } from './entry.js';

type Pair = number | [number, number];
const pairOf = (value: Pair | number[] | undefined) => value as Pair | undefined;

export const conv = {
  conv2d: op<{ stride?: Pair; padding?: Pair | 'same' | 'valid'; dilation?: Pair; groups?: number }>(
    ['stride', 'padding', 'dilation', 'groups'],
    ([x, w, b], a) =>
      cr.conv2d(
        x,
        w,
        b ?? null,
        given({ stride: pairOf(a.stride), padding: a.padding, dilation: pairOf(a.dilation), groups: a.groups }),
      ),
  ),
  avg_pool2d: op<{
    kernel_size: Pair;
    stride?: Pair;
    padding?: Pair;
    ceil_mode?: boolean;
    count_include_pad?: boolean;
    divisor_override?: number;
  }>(['kernel_size', 'stride', 'padding', 'ceil_mode', 'count_include_pad', 'divisor_override'], ([x], a) =>
    cr.avgPool2d(
      x,
      a.kernel_size,
      given({
        stride: a.stride,
        padding: a.padding,
        ceilMode: a.ceil_mode,
        countIncludePad: a.count_include_pad,
        divisorOverride: a.divisor_override,
      }),
    ),
  ),
} satisfies Entries;
