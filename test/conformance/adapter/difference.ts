// Entries of differences, integrals, covariances, distances, histograms and tensors as maps.
import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { type NumberJson, toNumber } from '../cases.js';
import { type Entries, given, numberOf, op } from './entry.js';

const places = (run: typeof cr.trapezoid) =>
  op<{ dx?: number; dim?: number }>(['dx', 'dim'], ([y, x], { dx, dim }) => run(y, given({ x, dx, dim })));

type Spacing = { spacing?: number | number[]; dim?: number | number[]; edge_order?: 1 | 2 };
type Histogram = { bins?: number | number[]; range?: number[]; density?: boolean };
type Triplet = { margin?: number; swap?: boolean; reduction?: cr.Reduction };

export const difference = {
  // What stands in front and behind are the second and third inputs; any may be absent.
  diff: op<{ n?: number; dim?: number }>(['n', 'dim'], ([x, prepend, append], { n, dim }) =>
    cr.diff(x, given({ n, dim, prepend: prepend ?? undefined, append: append ?? undefined })),
  ),
  trapezoid: places(cr.trapezoid),
  trapz: places(cr.trapezoid),
  cumulative_trapezoid: places(cr.cumulativeTrapezoid),
  // Vectors of places come as inputs.
  gradient: op<Spacing>(['spacing', 'dim', 'edge_order'], ([x, ...vectors], { spacing, dim, edge_order }) =>
    cr.gradient(x, given({ spacing: vectors.length > 0 ? vectors : spacing, dim, edgeOrder: edge_order })),
  ),
  // PyTorch's default dtype, in which integers meet here, was float64 when the cases were made; ours is float32.
  cov: op<{ correction?: number }>(['correction'], ([x, fweights, aweights], { correction }, precision) =>
    cr.cov(
      x.dtype === 'int32' ? x.to(precision) : x,
      given({ correction, fweights: fweights ?? undefined, aweights: aweights ?? undefined }),
    ),
  ),
  corrcoef: op([], ([x]) => cr.corrcoef(x)),
  vander: op<{ N?: number; increasing?: boolean }>(['N', 'increasing'], ([x], { N, increasing }) =>
    cr.vander(x, given({ n: N, increasing })),
  ),
  'linalg.vander': op<{ N?: number }>(['N'], ([x], { N }) => cr.linalg.vander(x, given({ n: N }))),
  std_mean: op<{ dim?: number | number[]; unbiased?: boolean; correction?: number; keepdim?: boolean }>(
    ['dim', 'unbiased', 'correction', 'keepdim'],
    ([x], { dim, unbiased, correction, keepdim = false }) => {
      const taken = correction ?? (unbiased === undefined ? undefined : Number(unbiased));
      const { std, mean } = cr.stdMean(x, dim, given({ keepdim, correction: taken }));
      return [std, mean];
    },
  ),
  aminmax: op<{ dim?: number; keepdim?: boolean }>(['dim', 'keepdim'], ([x], { dim, keepdim = false }) => {
    const { min, max } = cr.aminmax(x, dim, { keepdim });
    return [min, max];
  }),
  dist: op<{ p?: NumberJson }>(['p'], ([a, b], { p }) => cr.dist(a, b, numberOf(p))),
  pdist: op<{ p?: NumberJson }>(['p'], ([x], { p }) => cr.pdist(x, given({ p: numberOf(p) }))),
  renorm: op<{ p: NumberJson; dim: number; maxnorm: NumberJson }>(['p', 'dim', 'maxnorm'], ([x], { p, dim, maxnorm }) =>
    cr.renorm(x, toNumber(p), dim, toNumber(maxnorm)),
  ),
  histogram: op<Histogram>(['bins', 'range', 'density'], ([x, weight, edges], { bins, range, density }) => {
    const options = given({ range, density, weight: weight ?? undefined });
    const y = cr.histogram(x, edges ?? (bins as number), options);
    return [y.hist, y.edges];
  }),
  histogramdd: op<Histogram>(['bins', 'range', 'density'], ([x, weight, ...edges], { bins, range, density }) => {
    const options = given({ range, density, weight: weight ?? undefined });
    const by: number | readonly (number | Tensor)[] = edges.length > 0 ? edges : (bins as number | number[]);
    const y = cr.histogramdd(x, by, options);
    return [y.hist, ...y.edges];
  }),
  triplet_margin_with_distance_loss: op<Triplet>(['margin', 'swap', 'reduction'], ([a, p, n], args) =>
    cr.tripletMarginWithDistanceLoss(a, p, n, given(args)),
  ),
  'linalg.vecdot': op<{ dim?: number }>(['dim'], ([a, b], { dim }) => cr.linalg.vecdot(a, b, given({ dim }))),
  'linalg.tensorinv': op<{ ind?: number }>(['ind'], ([a], { ind }) => cr.linalg.tensorinv(a, ind)),
  'linalg.tensorsolve': op<{ dims?: number | number[] }>(['dims'], ([a, b], { dims }) =>
    cr.linalg.tensorsolve(a, b, given({ dims })),
  ),
} satisfies Entries;
