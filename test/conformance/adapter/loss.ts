// Entries of loss.json.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { type Entries, given, op } from './entry.js';

type Loss = { reduction?: cr.Reduction };
const lossOf = (run: (x: Tensor, y: Tensor, options: Loss) => Tensor) =>
  op<Loss>(['reduction'], ([x, y], args) => run(x, y, { ...args }));

export const loss = {
  mse_loss: lossOf(cr.mseLoss),
  l1_loss: lossOf(cr.l1Loss),
  nll_loss: op<Loss & { ignore_index?: number }>(['reduction', 'ignore_index'], ([x, t, weight], a) =>
    cr.nllLoss(x, t, given({ reduction: a.reduction, weight, ignoreIndex: a.ignore_index })),
  ),
  cross_entropy: op<Loss & { ignore_index?: number; label_smoothing?: number }>(
    ['reduction', 'ignore_index', 'label_smoothing'],
    ([x, t, weight], a) =>
      cr.crossEntropy(
        x,
        t,
        given({ reduction: a.reduction, weight, ignoreIndex: a.ignore_index, labelSmoothing: a.label_smoothing }),
      ),
  ),
  binary_cross_entropy_with_logits: op<Loss>(['reduction'], ([x, t, weight, posWeight], a) =>
    cr.binaryCrossEntropyWithLogits(x, t, given({ reduction: a.reduction, weight: weight ?? undefined, posWeight })),
  ),
} satisfies Entries;
