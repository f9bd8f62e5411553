// Entries of conv.json.
import * as cr from 'chainrule';
import { type Entries, given, op } from './entry.js';

type Sizes = number | number[];
interface ConvArgs {
  stride?: Sizes;
  padding?: Sizes | 'same' | 'valid';
  dilation?: Sizes;
  groups?: number;
}
interface TransposeArgs extends ConvArgs {
  output_padding?: Sizes;
}
interface FoldArgs {
  kernel_size: Sizes;
  dilation?: Sizes;
  padding?: Sizes;
  stride?: Sizes;
}

type Call = (x: cr.Tensor, w: cr.Tensor, b: cr.Tensor | null, options: never) => cr.Tensor;

// PyTorch takes a list of one number for all directions as well.
const sizes = <V>(value: V | number[] | undefined) =>
  Array.isArray(value) && value.length === 1 ? (value[0] as number) : value;

const convolution = (call: Call) =>
  op<ConvArgs>(['stride', 'padding', 'dilation', 'groups'], ([x, w, b], a) => {
    const options = {
      stride: sizes(a.stride),
      padding: sizes(a.padding),
      dilation: sizes(a.dilation),
      groups: a.groups,
    };
    return call(x, w, b ?? null, given(options) as never);
  });

const transposed = (call: Call) =>
  op<TransposeArgs>(['stride', 'padding', 'output_padding', 'groups', 'dilation'], ([x, w, b], a) => {
    const options = {
      stride: sizes(a.stride),
      padding: sizes(a.padding),
      outputPadding: sizes(a.output_padding),
      groups: a.groups,
      dilation: sizes(a.dilation),
    };
    return call(x, w, b ?? null, given(options) as never);
  });

const pair = (value: Sizes | undefined) => sizes(value) as number | [number, number];
const foldOptions = (a: FoldArgs) =>
  given({ dilation: pair(a.dilation), padding: pair(a.padding), stride: pair(a.stride) });

export const conv = {
  conv1d: convolution(cr.conv1d),
  conv2d: convolution(cr.conv2d),
  conv3d: convolution(cr.conv3d),
  conv_transpose1d: transposed(cr.convTranspose1d),
  conv_transpose2d: transposed(cr.convTranspose2d),
  conv_transpose3d: transposed(cr.convTranspose3d),
  unfold: op<FoldArgs>(['kernel_size', 'dilation', 'padding', 'stride'], ([x], a) =>
    cr.nn.functional.unfold(x, pair(a.kernel_size), foldOptions(a)),
  ),
  fold: op<FoldArgs & { output_size: Sizes }>(
    ['output_size', 'kernel_size', 'dilation', 'padding', 'stride'],
    ([x], a) => cr.nn.functional.fold(x, pair(a.output_size), pair(a.kernel_size), foldOptions(a)),
  ),
} satisfies Entries;
