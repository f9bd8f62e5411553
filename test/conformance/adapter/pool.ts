// Entries of pool.json.
import * as cr from 'chainrule';
import { type Entries, given, op } from './entry.js';

type Pair = number | [number, number];

export const pool = {
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
