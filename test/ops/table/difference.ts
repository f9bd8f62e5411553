// Rows of differences, integrals, covariances, distances, histograms and tensors as maps.
import * as cr from 'chainrule';
import { type Tensor, tensor } from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const trapezoidErrors = (run: typeof cr.trapezoid): Row['errors'] => [
  ['shape', () => run(tensor(1))],
  ['shape', () => run(vector, { x: cr.zeros([2]) })],
  ['shape', () => run(vector, { x: cr.zeros([2, 3]) })],
  ['axis', () => run(vector, { dim: 1 })],
  ['value', () => run(vector, { x: vector, dx: 1 })],
  ['value', () => run(vector, { dx: bad('1') })],
  ['option', () => run(vector, bad({ axis: 0 }))],
];
const trapezoids = (name: 'trapezoid' | 'cumulativeTrapezoid'): Row => ({
  name,
  call: (y, x) => cr.scope(() => cr[name](y, { x, dim: 0 }).add(cr[name](y, { dx: 0.5, dim: 0 }))),
  inputs: [
    [drawn([4, 3]), drawn([4])],
    [drawn([4, 3]), drawn([4, 3])],
  ],
  empty: null,
  errors: trapezoidErrors(cr[name]),
});

const distances = (p: number) => (a: Tensor, b: Tensor) => cr.dist(a, b, p);

export const difference: readonly Row[] = [
  {
    name: 'diff',
    call: (x, more) => cr.diff(x, { n: 2, dim: 0, prepend: more, append: more }),
    inputs: [[drawn([4, 3]), drawn([1, 3])]],
    errors: [
      ['shape', () => cr.diff(tensor(1))],
      ['shape', () => cr.diff(vector, { prepend: cr.zeros([1, 1]) })],
      ['axis', () => cr.diff(vector, { dim: 1 })],
      ['value', () => cr.diff(vector, { n: -1 })],
      ['option', () => cr.diff(vector, bad({ axis: 0 }))],
    ],
  },
  trapezoids('trapezoid'),
  trapezoids('cumulativeTrapezoid'),
  {
    name: 'gradient',
    call: (x, places) =>
      cr.scope(() => {
        const all = [
          ...cr.gradient(x),
          ...cr.gradient(x, { spacing: [2, places], edgeOrder: 2 }),
          ...cr.gradient(x, { spacing: [places], dim: 1 }),
          ...cr.gradient(x, { spacing: 0.5, edgeOrder: 2 }),
        ];
        return cr.stack(all);
      }),
    inputs: [[drawn([4, 3]), drawn([3])]],
    empty: null,
    errors: [
      ['dtype', () => cr.gradient(ints([1, 2, 3]))],
      ['shape', () => cr.gradient(cr.zeros([1]))],
      ['shape', () => cr.gradient(cr.zeros([2]), { edgeOrder: 2 })],
      ['axis', () => cr.gradient(vector, { dim: 1 })],
      ['value', () => cr.gradient(vector, { spacing: [1, 2] })],
      ['value', () => cr.gradient(vector, { spacing: [cr.zeros([2])] })],
      ['value', () => cr.gradient(vector, { edgeOrder: bad(3) })],
    ],
  },
  {
    name: 'cov',
    call: (x, w) =>
      cr.scope(() => {
        const fweights = ints([1, 2, 1, 3]);
        return cr
          .cov(x)
          .add(cr.cov(x, { correction: 0, aweights: w }))
          .add(cr.cov(x, { fweights, aweights: w }));
      }),
    inputs: [
      [drawn([3, 4]), drawn([4], [0.5, 2])],
      [drawn([4]), drawn([4], [0.5, 2])],
    ],
    empty: null,
    errors: [
      ['shape', () => cr.cov(cr.zeros([1, 1, 1]))],
      ['shape', () => cr.cov(vector, { aweights: cr.ones([2]) })],
      ['dtype', () => cr.cov(tensor([true]))],
      ['dtype', () => cr.cov(vector, { fweights: cr.ones([3]) })],
      ['dtype', () => cr.cov(vector, { aweights: ints([1, 1, 1]) })],
      ['value', () => cr.cov(vector, { aweights: tensor([1, 1, -1]) })],
      ['value', () => cr.cov(vector, { correction: 0.5 })],
    ],
  },
  {
    name: 'corrcoef',
    // The diagonal is 1 but for rounding, where clamping may hold the gradient back.
    call: (x) => cr.scope(() => cr.corrcoef(x).triu(1)),
    inputs: [[drawn([3, 4])]],
    empty: null,
    errors: [
      ['shape', () => cr.corrcoef(cr.zeros([1, 1, 1]))],
      ['dtype', () => cr.corrcoef(tensor([true]))],
    ],
  },
  {
    name: 'vander',
    call: (x) =>
      cr.scope(() =>
        cr
          .vander(x, { n: 4 })
          .add(cr.linalg.vander(x, { n: 4 }))
          .add(cr.vander(x, { n: 4, increasing: true })),
      ),
    inputs: [[drawn([3])]],
    errors: [
      ['shape', () => cr.vander(cr.zeros([1, 1]))],
      ['value', () => cr.vander(vector, { n: -1 })],
      ['shape', () => cr.linalg.vander(tensor(1))],
      ['value', () => cr.linalg.vander(vector, { n: 1 })],
    ],
  },
  {
    name: 'stdMean',
    call: (x) =>
      cr.scope(() => {
        const { std, mean } = x.stdMean(0, { correction: 0 });
        return std.add(mean.square());
      }),
    inputs: [[drawn([3, 4])]],
    empty: null,
    errors: [
      ['dtype', () => ints([1]).stdMean()],
      ['axis', () => vector.stdMean(1)],
    ],
  },
  {
    name: 'aminmax',
    call: (x) =>
      cr.scope(() => {
        const { min, max } = x.aminmax(1, { keepdim: true });
        return min.mul(max);
      }),
    inputs: [[drawn([3, 4])]],
    errors: [
      ['axis', () => vector.aminmax(1)],
      ['axis', () => vector.aminmax(bad([0]))],
      ['shape', () => cr.zeros([0]).aminmax()],
    ],
  },
  ...[0.5, 1, 2, 3, Infinity].map((p) => ({
    name: p === 2 ? 'dist' : `dist of order ${p}`,
    call: distances(p),
    inputs: [
      [drawn([3, 4]), drawn([3, 4])],
      [drawn([3, 1]), drawn([4])],
    ],
    ...(p === Infinity && { empty: null }),
    errors: [
      ['shape', () => cr.dist(vector, cr.zeros([2]))],
      ['dtype', () => cr.dist(ints([1]), vector)],
      ['value', () => cr.dist(vector, vector, Number.NaN)],
    ] satisfies Row['errors'],
  })),
  {
    name: 'pdist',
    call: (x) =>
      cr.scope(() =>
        cr
          .pdist(x)
          .add(cr.pdist(x, { p: 1 }))
          .add(cr.pdist(x, { p: 3 })),
      ),
    inputs: [[drawn([4, 3])], [drawn([1, 3])]],
    nan: true,
    errors: [
      ['shape', () => cr.pdist(vector)],
      ['value', () => cr.pdist(cr.zeros([2, 2]), { p: -1 })],
      ['dtype', () => cr.pdist(cr.zeros([2, 2], { dtype: 'int32' }))],
    ],
  },
  {
    name: 'renorm',
    call: (x) => x.renorm(2, 1, 1.5),
    inputs: [[drawn([3, 4])], [drawn([2, 3, 2])]],
    empty: null,
    errors: [
      ['shape', () => vector.renorm(2, 0, 1)],
      ['axis', () => cr.zeros([2, 2]).renorm(2, 2, 1)],
      ['value', () => cr.zeros([2, 2]).renorm(0, 0, 1)],
      ['value', () => cr.zeros([2, 2]).renorm(2, 0, -1)],
      ['dtype', () => cr.zeros([2, 2], { dtype: 'int32' }).renorm(2, 0, 1)],
    ],
  },
  {
    name: 'diagEmbed',
    call: (x) => x.diagEmbed(1, 0, -1),
    inputs: [[drawn([2, 3])]],
    errors: [
      ['shape', () => tensor(1).diagEmbed()],
      ['axis', () => vector.diagEmbed(0, 0, 0)],
      ['axis', () => vector.diagEmbed(0, 0, 2)],
      ['value', () => vector.diagEmbed(0.5)],
    ],
  },
  {
    name: 'diagflat',
    call: (x) => x.diagflat(-1),
    inputs: [[drawn([2, 2])]],
    errors: [['value', () => vector.diagflat(0.5)]],
  },
  {
    name: 'histogram',
    call: (x) =>
      cr.scope(() => {
        const { hist, edges } = cr.histogram(x, 5, { range: [-1, 1] });
        return cr.cat([hist, edges]);
      }),
    inputs: [[drawn([20])], [drawn([3, 4])]],
    derivatives: 0,
    nan: false,
    errors: [
      ['dtype', () => cr.histogram(ints([1]), 2)],
      ['shape', () => cr.histogram(vector, 2, { weight: cr.ones([2]) })],
      ['shape', () => cr.histogram(vector, cr.ones([2, 2]))],
      ['value', () => cr.histogram(vector, 0)],
      ['value', () => cr.histogram(vector, 2, { range: [0] })],
      ['value', () => cr.histogram(vector, 2, { range: [1, 0] })],
      ['value', () => cr.histogram(tensor([Number.NaN]), 2)],
      ['option', () => cr.histogram(vector, 2, bad({ bins: 2 }))],
    ],
  },
  {
    name: 'histogramdd',
    call: (x) =>
      cr.scope(() => cr.histogramdd(x, [2, cr.tensor([-2, 0, 1], { dtype: x.dtype })], { density: true }).hist),
    inputs: [[drawn([20, 2])]],
    derivatives: 0,
    nan: false,
    empty: null,
    errors: [
      ['shape', () => cr.histogramdd(vector, 2)],
      ['value', () => cr.histogramdd(cr.ones([2, 2]), [2])],
      ['value', () => cr.histogramdd(cr.ones([2, 2]), 2, { range: [0, 1] })],
      ['value', () => cr.histogramdd(cr.ones([2, 3]), 2 ** 12)],
    ],
  },
  {
    name: 'tripletMarginWithDistanceLoss',
    call: (a, p, n) => cr.tripletMarginWithDistanceLoss(a, p, n, { swap: true, margin: 3, reduction: 'sum' }),
    inputs: [[drawn([3, 4]), drawn([3, 4]), drawn([3, 4])]],
    errors: [
      ['value', () => cr.tripletMarginWithDistanceLoss(vector, vector, vector, { distanceFunction: bad(3) })],
      ['value', () => cr.tripletMarginWithDistanceLoss(vector, vector, vector, { distanceFunction: () => bad(3) })],
      ['shape', () => cr.tripletMarginWithDistanceLoss(vector, vector, cr.ones([2, 3]))],
    ],
  },
  {
    name: 'linalg.vecdot',
    call: (a, b) => cr.linalg.vecdot(a, b, { dim: 0 }),
    inputs: [
      [drawn([3, 4]), drawn([3, 4])],
      [drawn([3, 4]), drawn([3, 1])],
    ],
    errors: [
      ['shape', () => cr.linalg.vecdot(vector, cr.ones([2]))],
      ['shape', () => cr.linalg.vecdot(tensor(1), tensor(1))],
      ['axis', () => cr.linalg.vecdot(vector, vector, { dim: 1 })],
    ],
  },
  {
    name: 'linalg.tensorinv',
    call: (a) => cr.linalg.tensorinv(a, 1),
    inputs: [[drawn([4, 2, 2])]],
    empty: null,
    errors: [
      ['shape', () => cr.linalg.tensorinv(cr.zeros([2, 3]), 1)],
      ['value', () => cr.linalg.tensorinv(cr.eye(2), 0)],
      ['singular', () => cr.linalg.tensorinv(cr.zeros([2, 2]), 1)],
      ['dtype', () => cr.linalg.tensorinv(cr.eye(2, { dtype: 'int32' }), 1)],
    ],
  },
  {
    name: 'linalg.tensorsolve',
    call: (a, b) => cr.linalg.tensorsolve(a, b, { dims: 0 }),
    inputs: [[drawn([4, 2, 2]), drawn([2, 2])]],
    empty: null,
    errors: [
      ['shape', () => cr.linalg.tensorsolve(cr.eye(2), vector)],
      ['axis', () => cr.linalg.tensorsolve(cr.eye(2), cr.ones([2]), { dims: 2 })],
      ['singular', () => cr.linalg.tensorsolve(cr.zeros([2, 2]), cr.ones([2]))],
      ['dtype', () => cr.linalg.tensorsolve(cr.eye(2), ints([1, 2]))],
    ],
  },
];
