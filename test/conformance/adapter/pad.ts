// Entries of shape.json about borders and windows.
import { type PadMode, pad as padded } from 'chainrule';
import type { NumberJson } from '../cases.js';
import { type Entries, given, numberOf, op } from './entry.js';

export const pad = {
  pad: op<{ pad: number[]; mode?: PadMode; value?: NumberJson | null }>(['pad', 'mode', 'value'], ([x], a) =>
    padded(x, a.pad, given({ mode: a.mode, value: numberOf(a.value ?? undefined) })),
  ),
  'Tensor.unfold': op<{ dimension: number; size: number; step: number }>(
    ['dimension', 'size', 'step'],
    ([x], { dimension, size, step }) => x.unfold(dimension, size, step),
  ),
} satisfies Entries;
