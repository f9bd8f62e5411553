// Entries of loss.json.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import type { NumberJson } from '../cases.js';
import { type Entries, given, numberOf, op } from './entry.js';

type Loss = { reduction?: cr.Reduction };
type Margin = Loss & { margin?: number };
/** PyTorch broadcasts input and target, mostly with a warning; ours asks for one shape. */
const paired = ([x, y]: Tensor[]): [Tensor, Tensor] => {
  const { shape } = cr.noGrad(() => x.add(y));
  return [x.expand(shape), y.expand(shape)];
};
const lossOf = (run: (x: Tensor, y: Tensor, options: Loss) => Tensor) =>
  op<Loss>(['reduction'], (inputs, args) => run(...paired(inputs), { ...args }));
const weighted = (run: (x: Tensor, y: Tensor, options: cr.WeightedLossOptions) => Tensor) =>
  op<Loss>(['reduction'], ([x, y, weight], { reduction }) => run(x, y, given({ reduction, weight })));

export const loss = {
  mse_loss: lossOf(cr.mseLoss),
  l1_loss: lossOf(cr.l1Loss),
  smooth_l1_loss: op<Loss & { beta?: number }>(['reduction', 'beta'], (xy, a) =>
    cr.smoothL1Loss(...paired(xy), given(a)),
  ),
  huber_loss: op<Loss & { delta?: number }>(['reduction', 'delta'], (xy, a) => cr.huberLoss(...paired(xy), given(a))),
  poisson_nll_loss: op<Loss & { log_input?: boolean; full?: boolean; eps?: number }>(
    ['reduction', 'log_input', 'full', 'eps'],
    (xy, { log_input: logInput, ...a }) => cr.poissonNllLoss(...paired(xy), given({ ...a, logInput })),
  ),
  gaussian_nll_loss: op<Loss & { full?: boolean; eps?: number }>(['reduction', 'full', 'eps'], ([x, y, v], a) =>
    cr.gaussianNllLoss(x, y, v, given(a)),
  ),
  binary_cross_entropy: weighted(cr.binaryCrossEntropy),
  multilabel_soft_margin_loss: weighted(cr.multilabelSoftMarginLoss),
  soft_margin_loss: lossOf(cr.softMarginLoss),
  kl_div: op<{ reduction?: cr.Reduction | 'batchmean'; log_target?: boolean }>(
    ['reduction', 'log_target'],
    (xy, { reduction, log_target: logTarget }) => cr.klDiv(...paired(xy), given({ reduction, logTarget })),
  ),
  hinge_embedding_loss: op<Margin>(['reduction', 'margin'], (xy, a) => cr.hingeEmbeddingLoss(...paired(xy), given(a))),
  margin_ranking_loss: op<Margin>(['reduction', 'margin'], ([x, y, t], a) => cr.marginRankingLoss(x, y, t, given(a))),
  cosine_embedding_loss: op<Margin>(['reduction', 'margin'], ([x, y, t], a) =>
    cr.cosineEmbeddingLoss(x, y, t, given(a)),
  ),
  triplet_margin_loss: op<Margin & { p?: NumberJson; eps?: number; swap?: boolean }>(
    ['reduction', 'margin', 'p', 'eps', 'swap'],
    ([x, positive, negative], { p, ...a }) =>
      cr.tripletMarginLoss(x, positive, negative, given({ ...a, p: numberOf(p) })),
  ),
  multi_margin_loss: op<Margin & { p?: 1 | 2 }>(['reduction', 'margin', 'p'], ([x, t, weight], a) =>
    cr.multiMarginLoss(x, t, given({ ...a, weight })),
  ),
  multilabel_margin_loss: op<Loss>(['reduction'], ([x, y], a) => cr.multilabelMarginLoss(x, y, given(a))),
  sigmoid_focal_loss: op<Loss & { alpha?: number; gamma?: number }>(['reduction', 'alpha', 'gamma'], ([x, y], a) =>
    cr.sigmoidFocalLoss(x, y, given(a)),
  ),
  ctc_loss: op<Loss & { log_softmax_dim?: number; blank?: number; zero_infinity?: boolean }>(
    ['reduction', 'log_softmax_dim', 'blank', 'zero_infinity'],
    ([x, targets, inputLengths, targetLengths], { log_softmax_dim: dim, zero_infinity: zeroInfinity, ...a }) =>
      cr.ctcLoss(
        dim === undefined ? x : x.logSoftmax(dim),
        targets,
        inputLengths,
        targetLengths,
        given({ ...a, zeroInfinity }),
      ),
  ),
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
