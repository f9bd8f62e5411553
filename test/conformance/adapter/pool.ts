// Entries of the pooling in pool.json.
import type { Extremes, Tensor } from 'chainrule';
import * as cr from 'chainrule';
import type { NumberJson } from '../cases.js';
import { type Entries, type Entry, given, numberOf, op } from './entry.js';

type Size = number | number[];
// As many numbers as the function has dimensions; the cases say which.
type Any = never;

interface MaxArgs {
  kernel_size: Size;
  stride?: Size | null;
  padding?: Size;
  dilation?: Size;
  ceil_mode?: boolean;
  return_indices?: boolean;
}
interface AvgArgs {
  kernel_size: Size;
  stride?: Size | null;
  padding?: Size;
  ceil_mode?: boolean;
  count_include_pad?: boolean;
  divisor_override?: number | null;
}
interface AdaptiveArgs {
  output_size: number | (number | null)[];
  return_indices?: boolean;
}
// The second input, where there is one, is _random_samples.
interface FractionalArgs {
  kernel_size: Size;
  output_size?: Size | null;
  output_ratio?: Size | null;
  return_indices?: boolean;
}
interface LpArgs {
  norm_type: NumberJson;
  kernel_size: Size;
  stride?: Size | null;
  ceil_mode?: boolean;
}
interface UnpoolArgs {
  kernel_size: Size;
  stride?: Size | null;
  padding?: Size;
  output_size?: number[] | null;
}

// PyTorch takes a list of one number for all directions as well, and null for what is left out.
const sizes = (value: Size | (number | null)[] | null | undefined): Any =>
  (Array.isArray(value) && value.length === 1 ? value[0] : (value ?? undefined)) as Any;

const outputs = (y: Tensor | Extremes) => ('values' in y ? [y.values, y.indices] : y);

const max = (run: (x: Tensor, size: Any, options: Any) => Tensor | Extremes): Entry =>
  op<MaxArgs>(['kernel_size', 'stride', 'padding', 'dilation', 'ceil_mode', 'return_indices'], ([x], a) =>
    outputs(
      run(
        x,
        sizes(a.kernel_size),
        given({
          stride: sizes(a.stride),
          padding: sizes(a.padding),
          dilation: sizes(a.dilation),
          ceilMode: a.ceil_mode,
          returnIndices: a.return_indices,
        }) as Any,
      ),
    ),
  );

const average = (run: (x: Tensor, size: Any, options: Any) => Tensor, names: readonly (keyof AvgArgs)[]): Entry =>
  op<AvgArgs>(['kernel_size', 'stride', 'padding', 'ceil_mode', 'count_include_pad', ...names], ([x], a) =>
    run(
      x,
      sizes(a.kernel_size),
      given({
        stride: sizes(a.stride),
        padding: sizes(a.padding),
        ceilMode: a.ceil_mode,
        countIncludePad: a.count_include_pad,
        divisorOverride: a.divisor_override ?? undefined,
      }) as Any,
    ),
  );

const adaptiveAverage = (run: (x: Tensor, size: Any) => Tensor): Entry =>
  op<AdaptiveArgs>(['output_size'], ([x], a) => run(x, sizes(a.output_size)));

const adaptiveMax = (run: (x: Tensor, size: Any, options: Any) => Tensor | Extremes): Entry =>
  op<AdaptiveArgs>(['output_size', 'return_indices'], ([x], a) =>
    outputs(run(x, sizes(a.output_size), given({ returnIndices: a.return_indices }) as Any)),
  );

const fractional = (run: (x: Tensor, size: Any, options: Any) => Tensor | Extremes): Entry =>
  op<FractionalArgs>(['kernel_size', 'output_size', 'output_ratio', 'return_indices'], ([x, samples], a) =>
    outputs(
      run(
        x,
        sizes(a.kernel_size),
        given({
          outputSize: sizes(a.output_size),
          outputRatio: sizes(a.output_ratio),
          returnIndices: a.return_indices,
          randomSamples: samples,
        }) as Any,
      ),
    ),
  );

const lp = (run: (x: Tensor, p: number, size: Any, options: Any) => Tensor): Entry =>
  op<LpArgs>(['norm_type', 'kernel_size', 'stride', 'ceil_mode'], ([x], a) =>
    run(
      x,
      numberOf(a.norm_type) as number,
      sizes(a.kernel_size),
      given({ stride: sizes(a.stride), ceilMode: a.ceil_mode }) as Any,
    ),
  );

const unpool = (run: (x: Tensor, indices: Tensor, size: Any, options: Any) => Tensor): Entry =>
  op<UnpoolArgs>(['kernel_size', 'stride', 'padding', 'output_size'], ([x, indices], a) =>
    run(
      x,
      indices,
      sizes(a.kernel_size),
      given({ stride: sizes(a.stride), padding: sizes(a.padding), outputSize: a.output_size ?? undefined }) as Any,
    ),
  );

export const pool = {
  max_pool1d: max(cr.maxPool1d),
  max_pool2d: max(cr.maxPool2d),
  max_pool3d: max(cr.maxPool3d),
  avg_pool1d: average(cr.avgPool1d, []),
  avg_pool2d: average(cr.avgPool2d, ['divisor_override']),
  avg_pool3d: average(cr.avgPool3d, ['divisor_override']),
  adaptive_avg_pool1d: adaptiveAverage(cr.adaptiveAvgPool1d),
  adaptive_avg_pool2d: adaptiveAverage(cr.adaptiveAvgPool2d),
  adaptive_avg_pool3d: adaptiveAverage(cr.adaptiveAvgPool3d),
  adaptive_max_pool1d: adaptiveMax(cr.adaptiveMaxPool1d),
  adaptive_max_pool2d: adaptiveMax(cr.adaptiveMaxPool2d),
  adaptive_max_pool3d: adaptiveMax(cr.adaptiveMaxPool3d),
  fractional_max_pool2d: fractional(cr.nn.functional.fractionalMaxPool2d),
  fractional_max_pool3d: fractional(cr.nn.functional.fractionalMaxPool3d),
  lp_pool1d: lp(cr.lpPool1d),
  lp_pool2d: lp(cr.lpPool2d),
  max_unpool1d: unpool(cr.maxUnpool1d),
  max_unpool2d: unpool(cr.maxUnpool2d),
  max_unpool3d: unpool(cr.maxUnpool3d),
} satisfies Entries;
