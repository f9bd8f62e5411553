// Entries of norm.json.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import type { NumberJson } from '../cases.js';
import { dtypeOf, type Entries, given, numberOf, op } from './entry.js';

/** The result, and the running statistics where they were updated. */
function withRunning(
  updates: boolean,
  mean: Tensor | null,
  variance: Tensor | null,
  run: (mean: Tensor | null, variance: Tensor | null) => Tensor,
): Tensor | Tensor[] {
  if (!updates || mean === null || variance === null) return run(mean, variance);
  // Strided inputs are results of ops, which assign() may not touch before they are detached.
  const [m, v] = [mean.detach(), variance.detach()];
  return [run(m, v), m, v];
}

type Softmax = { dim?: number; dtype?: string; _stacklevel?: number };
/** Without a dimension PyTorch takes the first of tensors with 0, 1 or 3 dimensions, the second of others, and warns. */
const normalizer = (run: (x: Tensor, axis: number) => Tensor) =>
  op<Softmax>(['dim', 'dtype', '_stacklevel'], ([x], { dim, dtype }, precision) =>
    run(x.to(dtypeOf(dtype, precision) ?? x.dtype), dim ?? ([0, 1, 3].includes(x.ndim) ? 0 : 1)),
  );

export const norm = {
  layer_norm: op<{ normalized_shape: number[]; eps?: number }>(['normalized_shape', 'eps'], ([x, weight, bias], a) =>
    cr.layerNorm(x, a.normalized_shape, given({ weight, bias, eps: a.eps })),
  ),
  group_norm: op<{ num_groups: number; eps?: number }>(['num_groups', 'eps'], ([x, weight, bias], a) =>
    cr.groupNorm(x, a.num_groups, given({ weight, bias, eps: a.eps })),
  ),
  batch_norm: op<{ training?: boolean; momentum?: number; eps?: number }>(
    ['training', 'momentum', 'eps'],
    ([x, mean, variance, weight, bias], a) =>
      withRunning(a.training ?? false, mean, variance, (m, v) => cr.batchNorm(x, m, v, given({ ...a, weight, bias }))),
  ),
  instance_norm: op<{ use_input_stats?: boolean; momentum?: number; eps?: number }>(
    ['use_input_stats', 'momentum', 'eps'],
    ([x, mean, variance, weight, bias], { use_input_stats: useInputStats, ...a }) =>
      withRunning(useInputStats ?? true, mean, variance, (runningMean, runningVar) =>
        cr.instanceNorm(x, given({ ...a, useInputStats, runningMean, runningVar, weight, bias })),
      ),
  ),
  local_response_norm: op<{ size: number; alpha?: number; beta?: number; k?: number }>(
    ['size', 'alpha', 'beta', 'k'],
    ([x], { size, ...a }) => cr.localResponseNorm(x, size, given(a)),
  ),
  normalize: op<{ p?: NumberJson; dim?: number; eps?: number }>(['p', 'dim', 'eps'], ([x], a) =>
    cr.normalize(x, given({ p: numberOf(a.p), dim: a.dim, eps: a.eps })),
  ),
  cosine_similarity: op<{ dim?: number; eps?: number }>(['dim', 'eps'], ([x, y], a) =>
    cr.cosineSimilarity(x, y, given(a)),
  ),
  pairwise_distance: op<{ p?: NumberJson; eps?: number; keepdim?: boolean }>(['p', 'eps', 'keepdim'], ([x, y], a) =>
    cr.pairwiseDistance(x, y, given({ p: numberOf(a.p), eps: a.eps, keepdim: a.keepdim })),
  ),
  // The ways to compute differ in rounding only.
  cdist: op<{ p?: NumberJson; compute_mode?: string }>(['p', 'compute_mode'], ([x, y], a) =>
    cr.cdist(x, y, given({ p: numberOf(a.p) })),
  ),
  softmax: normalizer(cr.softmax),
  log_softmax: normalizer(cr.logSoftmax),
  softmin: normalizer(cr.softmin),
} satisfies Entries;
