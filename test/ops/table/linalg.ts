// Rows of linear algebra. Matrices are moved away from singular ones, and made symmetric where that is asked for.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { bad, drawn, ints, type Row, vector } from './row.js';

const { linalg } = cr;
const one = cr.ones([2, 2]);
const float64 = cr.ones([2, 2], { dtype: 'float64' });
const [flat, whole, wide] = [vector, ints([1, 2]), cr.ones([2, 3])];
const square: Row['inputs'] = [[drawn([3, 3])], [drawn([2, 4, 4])], [drawn([1, 1], [1, 2])]];

/** Well conditioned: the diagonal outweighs the rest. */
const safe = (x: Tensor): Tensor => x.add(cr.eye(x.shape.at(-1) as number, { dtype: x.dtype }).mul(9));
const symmetric = (x: Tensor): Tensor => x.add(x.transpose(-2, -1));
const definite = (x: Tensor): Tensor => safe(x.matmul(x.transpose(-2, -1)));
/** Distinct singular values and eigenvalues. */
const apart = (x: Tensor): Tensor => {
  const n = x.shape.at(-1) as number;
  return x.add(
    cr
      .linspace(1, 4 * n, n, { dtype: x.dtype })
      .diag()
      .narrow(0, 0, Math.min(n, x.shape.at(-2) as number))
      .mul(1.5),
  );
};
const tall = (x: Tensor): Tensor => apart(x.transpose(-2, -1)).transpose(-2, -1);
/** The parts of a result that do not depend on signs, one after the other. */
const all = (...parts: Tensor[]): Tensor => cr.cat(parts.map((t) => t.reshape([t.size])));
const inScope =
  (call: (...xs: Tensor[]) => Tensor) =>
  (...xs: Tensor[]) =>
    cr.scope(() => call(...xs));

const squareErrors = (run: (x: Tensor) => unknown): Row['errors'] => [
  ['value', () => run(bad(3))],
  ['shape', () => run(flat)],
  ['shape', () => run(wide)],
  ['dtype', () => run(ints([1, 2, 3, 4]).reshape([2, 2]))],
];
const finite = (run: (x: Tensor) => unknown): NonNullable<Row['errors']> => [
  ['value', () => run(one.mul(Number.NaN))],
  ['value', () => run(one.mul(Infinity))],
  ['value', () => run(bad(3))],
  ['shape', () => run(flat)],
  ['dtype', () => run(ints([1, 2, 3, 4]).reshape([2, 2]))],
];
const row = (name: string, call: (...xs: Tensor[]) => Tensor, more: Partial<Row> = {}): Row => ({
  name,
  call: inScope(call),
  inputs: square,
  empty: [drawn([0, 3, 3])],
  ...more,
});
/** One more set, of matrices without elements. */
const nothing = (name: string, call: (x: Tensor) => Tensor, shape: number[] = [0, 0], derivatives: 1 | 2 = 2): Row =>
  row(`${name} of empty matrices`, call, { inputs: [[drawn(shape)]], empty: [drawn(shape)], nan: false, derivatives });

const solving: readonly Row[] = [
  row('inverse', (x) => cr.inverse(safe(x)), {
    reference: ['linalg.inv'],
    errors: [
      ...(squareErrors(linalg.inv) ?? []),
      ['singular', () => linalg.inv(one)],
      ['singular', () => cr.inverse(one)],
    ],
  }),
  nothing('inverse', linalg.inv),
  row('solve', (a, b) => linalg.solve(safe(a), b), {
    inputs: [
      [drawn([3, 3]), drawn([3, 2])],
      [drawn([3, 3]), drawn([3])],
      [drawn([2, 3, 3]), drawn([2, 3])],
      [drawn([2, 3, 3]), drawn([3, 2])],
      [drawn([2, 1, 3, 3]), drawn([4, 3, 1])],
    ],
    reference: ['linalg.solve'],
    empty: [drawn([3, 3]), drawn([3, 0])],
    errors: [
      ...(squareErrors((x) => linalg.solve(x, one)) ?? []),
      ['singular', () => linalg.solve(one, one)],
      ['singular', () => linalg.solve(cr.stack([cr.eye(2), one]), one)],
      ['shape', () => linalg.solve(one, flat)],
      ['shape', () => linalg.solve(one, cr.ones([2]), { left: false })],
      ['dtype', () => linalg.solve(one, float64)],
      ['value', () => linalg.solve(one, one, { left: bad(1) })],
      ['option', () => linalg.solve(one, one, bad({ right: true }))],
    ],
  }),
  row('solve from the right', (a, b) => linalg.solve(safe(a), b, { left: false }), {
    inputs: [[drawn([2, 3, 3]), drawn([4, 3])]],
    empty: [drawn([3, 3]), drawn([0, 3])],
  }),
  ...[true, false].flatMap((left) =>
    [true, false].map((upper) =>
      row(
        `solveTriangular ${upper ? 'upper' : 'lower'} ${left ? 'left' : 'right'}`,
        (a, b) =>
          all(
            linalg.solveTriangular(safe(a), b, { upper, left }),
            linalg.solveTriangular(a, b, { upper, left, unitriangular: true }),
          ),
        {
          inputs: [[drawn([2, 3, 3]), drawn([3, 3])]],
          empty: [drawn([0, 3, 3]), drawn([3, 3])],
          errors: [
            ...(squareErrors((x) => linalg.solveTriangular(x, one, { upper: true })) ?? []),
            ['value', () => linalg.solveTriangular(one, one, bad(undefined))],
            ['shape', () => linalg.solveTriangular(one, cr.ones([3, 3]), { upper, left })],
            ['shape', () => linalg.solveTriangular(one, cr.ones([2]), { upper, left })],
            ['dtype', () => linalg.solveTriangular(one, float64, { upper, left })],
            ['option', () => linalg.solveTriangular(one, one, bad({ upper, unit: true }))],
          ],
        },
      ),
    ),
  ),
  row(
    'luFactor',
    (x) => {
      const { LU } = linalg.luFactor(safe(x));
      return LU;
    },
    {
      errors: [
        ['singular', () => linalg.luFactor(one)],
        ['shape', () => linalg.luFactor(flat)],
        ['dtype', () => linalg.luFactor(whole)],
        [
          'grad',
          () =>
            linalg
              .luFactor(cr.tensor(cr.eye(2, 3), { requiresGrad: true }))
              .LU.sum()
              .backward(),
        ],
      ],
    },
  ),
  row('lu', (x) => {
    const { P, L, U } = linalg.lu(x);
    return all(P.matmul(L).matmul(U), L, U);
  }),
  row(
    'lu of other shapes',
    (x) => {
      const [a, b] = [x, x.transpose(-2, -1)].map((t) => linalg.lu(t));
      return all(a.P.matmul(a.L).matmul(a.U).sub(x), b.P.matmul(b.L).matmul(b.U).transpose(-2, -1).sub(x)).add(x.sum());
    },
    { inputs: [[drawn([3, 5])]], derivatives: 0, empty: null },
  ),
  row(
    'luSolve',
    (x, b) => {
      const { LU, pivots } = linalg.luFactor(safe(x));
      return all(
        linalg.luSolve(LU, pivots, b),
        linalg.luSolve(LU, pivots, b, { adjoint: true }),
        linalg.luSolve(LU, pivots, b.transpose(-2, -1), { left: false }),
      );
    },
    {
      inputs: [
        [drawn([3, 3]), drawn([3, 2])],
        [drawn([2, 3, 3]), drawn([3, 1])],
      ],
      empty: [drawn([0, 3, 3]), drawn([3, 2])],
      errors: [
        ['index', () => linalg.luSolve(one, ints([1, 3]), one)],
        ['index', () => linalg.luSolve(one, ints([0, 1]), one)],
        ['dtype', () => linalg.luSolve(one, one.select(0, 0), one)],
        ['shape', () => linalg.luSolve(one, ints([1]), one)],
        ['shape', () => linalg.luSolve(one, ints([1, 2]), wide.t())],
        ['option', () => linalg.luSolve(one, ints([1, 2]), one, bad({ transposed: true }))],
      ],
    },
  ),
];

const factors: readonly Row[] = [
  row('cholesky', (x) => all(cr.cholesky(definite(x)), linalg.cholesky(definite(x), { upper: true })), {
    reference: ['linalg.cholesky'],
    nan: false,
    errors: [
      ...(squareErrors(linalg.cholesky) ?? []),
      ['singular', () => linalg.cholesky(one.neg())],
      ['singular', () => linalg.cholesky(one.mul(Number.NaN))],
      ['option', () => linalg.cholesky(one, bad({ lower: true }))],
    ],
  }),
  row(
    'choleskySolve',
    (b, l) => all(cr.choleskySolve(b, safe(l).tril()), cr.choleskySolve(b, safe(l).triu(), { upper: true })),
    {
      inputs: [
        [drawn([3, 2]), drawn([3, 3])],
        [drawn([2, 3, 1]), drawn([3, 3])],
      ],
      empty: [drawn([3, 0]), drawn([3, 3])],
      errors: [
        ['shape', () => cr.choleskySolve(flat, one)],
        ['shape', () => cr.choleskySolve(wide.t(), one)],
        ['dtype', () => cr.choleskySolve(float64, one)],
      ],
    },
  ),
  row(
    'choleskyInverse',
    (l) => all(cr.choleskyInverse(safe(l).tril()), cr.choleskyInverse(safe(l).triu(), { upper: true })),
    {
      errors: squareErrors(cr.choleskyInverse),
    },
  ),
  row('qr', (x) => all(...Object.values(linalg.qr(x) as unknown as Record<string, Tensor>)), {
    inputs: [[drawn([3, 3])], [drawn([5, 3])], [drawn([2, 3, 5])]],
    reference: ['linalg.qr'],
    errors: [
      ['value', () => linalg.qr(one, { mode: bad('full') })],
      ['shape', () => linalg.qr(flat)],
      ['dtype', () => linalg.qr(ints([1, 2]).reshape([1, 2]))],
      [
        'grad',
        () =>
          linalg
            .qr(cr.tensor(one, { requiresGrad: true }), { mode: 'r' })
            .R.sum()
            .backward(),
      ],
      [
        'grad',
        () =>
          linalg
            .qr(cr.tensor(wide.t(), { requiresGrad: true }), { mode: 'complete' })
            .R.sum()
            .backward(),
      ],
    ],
  }),
  row(
    'qr complete',
    (x) => {
      const [{ Q, R }, { R: alone }] = [linalg.qr(x, { mode: 'complete' }), linalg.qr(x, { mode: 'r' })];
      return all(Q, R, alone);
    },
    { inputs: [[drawn([5, 3])]], derivatives: 0, empty: null },
  ),
  nothing('qr', (x) => all(linalg.qr(x).Q, linalg.qr(x, { mode: 'complete' }).Q), [3, 0]),
];

const spectral: readonly Row[] = [
  row(
    'svd',
    (x) => {
      const { U, S, Vh } = linalg.svd(x.shape.at(-1) === 3 ? tall(x) : apart(x));
      // Signs cancel in products; the last vectors of full matrices are free.
      const n = S.shape.at(-1) as number;
      const [u, vh] = [U.narrow(-1, 0, n), Vh.narrow(-2, 0, n)];
      return all(u.matmul(vh), u.square(), vh.square(), S);
    },
    {
      inputs: [[drawn([3, 3])], [drawn([4, 3])], [drawn([2, 3, 4])]],
      nan: false,
      errors: [...finite(linalg.svd), ['option', () => linalg.svd(one, bad({ computeUv: true }))]],
    },
  ),
  row(
    'svd reduced',
    (x) => {
      const { U, S, Vh } = linalg.svd(apart(x), { fullMatrices: false });
      return all(U.mul(S.unsqueeze(-2)).matmul(Vh), U.matmul(Vh));
    },
    { inputs: [[drawn([2, 3, 3])], [drawn([3, 4])]], nan: false },
  ),
  row('svdvals', (x) => linalg.svdvals(apart(x)), {
    inputs: [[drawn([3, 3])], [drawn([3, 4])], [drawn([2, 3, 3])]],
    reference: ['linalg.svdvals'],
    nan: false,
    errors: finite(linalg.svdvals),
  }),
  nothing('svd', (x) => all(linalg.svd(x).U, linalg.svdvals(x)), [3, 0]),
  row(
    'eigh',
    (x) => {
      const { eigenvalues, eigenvectors: v } = linalg.eigh(apart(symmetric(x)));
      return all(eigenvalues, v.square(), v.mul(3).matmul(v.transpose(-2, -1).mul(eigenvalues.unsqueeze(-1).sin())));
    },
    {
      inputs: [[drawn([3, 3], [-0.5, 0.5])], [drawn([2, 4, 4], [-0.1, 0.1])]],
      nan: false,
      errors: [
        ...finite(linalg.eigh),
        ['shape', () => linalg.eigh(wide)],
        ['value', () => linalg.eigh(one, { UPLO: bad('l') })],
        ['option', () => linalg.eigh(one, bad({ uplo: 'L' }))],
      ],
    },
  ),
  row(
    'eigvalsh',
    (x) => all(linalg.eigvalsh(apart(symmetric(x))), linalg.eigvalsh(apart(symmetric(x)), { UPLO: 'U' })),
    {
      reference: ['linalg.eigvalsh'],
      nan: false,
      errors: [...finite(linalg.eigvalsh), ['shape', () => linalg.eigvalsh(wide)]],
    },
  ),
  nothing('eigh', (x) => linalg.eigh(x).eigenvectors),
];

const least: readonly Row[] = [
  row('lstsq', (a, b) => linalg.lstsq(a, b).solution, {
    inputs: [
      [drawn([4, 3]), drawn([4, 2])],
      [drawn([3, 5]), drawn([3, 2])],
      [drawn([2, 4, 3]), drawn([2, 4])],
      [drawn([4, 2]), drawn([4])],
    ],
    reference: ['linalg.lstsq'],
    empty: [drawn([4, 3]), drawn([4, 0])],
    errors: [
      ['shape', () => linalg.lstsq(flat, flat)],
      ['shape', () => linalg.lstsq(one, wide.t())],
      ['dtype', () => linalg.lstsq(one, float64)],
      ['value', () => linalg.lstsq(one, one, { driver: bad('gelsx') })],
      ['value', () => linalg.lstsq(one, one, { rcond: bad('1') })],
      [
        'singular',
        () =>
          linalg.lstsq(
            cr.tensor([
              [1, 0],
              [0, 0],
            ]),
            one,
            { driver: 'gels' },
          ),
      ],
      ['option', () => linalg.lstsq(one, one, bad({ rtol: 1 }))],
    ],
  }),
  row(
    'lstsq by every driver',
    (a, b) =>
      all(
        ...(['gels', 'gelsy', 'gelsd', 'gelss'] as const).flatMap((driver) => {
          const { solution, residuals, rank, singularValues } = linalg.lstsq(a, b, { driver });
          return [solution, residuals, rank.to(a.dtype), singularValues];
        }),
      ),
    { inputs: [[drawn([4, 3]), drawn([4, 2])]], derivatives: 0, empty: [drawn([4, 3]), drawn([4, 0])] },
  ),
  row('pinverse', (x) => cr.pinverse(x), {
    inputs: [[drawn([3, 3])], [drawn([4, 2])], [drawn([2, 2, 4])]],
    reference: ['linalg.pinv'],
    nan: false,
    errors: [...finite(cr.pinverse), ...finite(linalg.pinv), ['value', () => cr.pinverse(one, bad('1'))]],
  }),
  row('pinv hermitian', (x) => linalg.pinv(apart(symmetric(x)), { hermitian: true, rtol: 1e-9, atol: 1e-9 }), {
    inputs: [[drawn([3, 3])]],
    nan: false,
    errors: [
      ['shape', () => linalg.pinv(wide, { hermitian: true })],
      ['option', () => linalg.pinv(one, bad({ rcond: 1 }))],
      ['value', () => linalg.pinv(one, { rtol: bad('1') })],
    ],
  }),
  nothing('pinv', linalg.pinv, [3, 0]),
  row('matrixRank', (x) => all(linalg.matrixRank(x), linalg.matrixRank(symmetric(x), { hermitian: true })), {
    derivatives: 0,
    nan: false,
    errors: [...finite(linalg.matrixRank), ['shape', () => linalg.matrixRank(wide, { hermitian: true })]],
  }),
];

const measures: readonly Row[] = [
  row('det', (x) => cr.det(x), { reference: ['linalg.det'], errors: squareErrors(cr.det) }),
  nothing('det', cr.det, [0, 0], 1),
  row(
    'slogdet',
    (x) => {
      const { sign, logabsdet } = cr.slogdet(safe(x));
      return sign.add(logabsdet);
    },
    { reference: ['linalg.slogdet'], errors: squareErrors(cr.slogdet) },
  ),
  row('logdet', (x) => cr.logdet(safe(x)), { errors: squareErrors(cr.logdet) }),
  row('trace', (x) => cr.trace(x), {
    inputs: [[drawn([3, 3])], [drawn([2, 4])]],
    reference: ['trace'],
    empty: [drawn([0, 3])],
    errors: [
      ['shape', () => cr.trace(flat)],
      ['dtype', () => cr.trace(one.gt(0))],
    ],
  }),
  row('matrixPower', (x) => all(...[-2, 0, 1, 3, 4].map((n) => cr.matrixPower(safe(x), n))), {
    reference: ['linalg.matrix_power'],
    errors: [
      ['shape', () => cr.matrixPower(wide, 2)],
      ['value', () => cr.matrixPower(one, 0.5)],
      ['singular', () => cr.matrixPower(one, -1)],
      ['dtype', () => cr.matrixPower(ints([1]).reshape([1, 1]), -1)],
    ],
  }),
  row('matrixExp', (x) => cr.matrixExp(x), {
    inputs: [[drawn([3, 3])], [drawn([2, 2, 2], [-9, 9])], [drawn([1, 1])]],
    errors: squareErrors(cr.matrixExp),
  }),
  row(
    'vectorNorm',
    (x) => all(...[0, 1, 2, 3.5, Infinity, -Infinity, -1].map((ord) => linalg.vectorNorm(x, ord, -1))),
    {
      inputs: [[drawn([3, 4])], [drawn([5])]],
      reference: ['linalg.vector_norm'],
      empty: [drawn([0, 4])],
      errors: [
        ['dtype', () => linalg.vectorNorm(whole)],
        ['dtype', () => linalg.vectorNorm(flat, 2, 0, { dtype: 'int32' })],
        ['axis', () => linalg.vectorNorm(flat, 2, 1)],
        ['value', () => linalg.vectorNorm(flat, bad('fro'))],
        ['shape', () => linalg.vectorNorm(cr.zeros([0]), -1)],
        ['option', () => linalg.vectorNorm(flat, 2, 0, bad({ dim: 1 }))],
      ],
    },
  ),
  row(
    'matrixNorm',
    (x) => all(...(['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity] as const).map((ord) => linalg.matrixNorm(x, ord))),
    {
      inputs: [[drawn([3, 4])], [drawn([2, 3, 3])]],
      reference: ['linalg.matrix_norm'],
      nan: false,
      errors: [
        ['axis', () => linalg.matrixNorm(flat)],
        ['axis', () => linalg.matrixNorm(one, 'fro', [0, 0])],
        ['axis', () => linalg.matrixNorm(one, 'fro', bad(0))],
        ['value', () => linalg.matrixNorm(one, 3)],
        ['shape', () => linalg.matrixNorm(cr.zeros([3, 0]), 2)],
        ['shape', () => linalg.matrixNorm(cr.zeros([3, 0]), 1)],
        ['dtype', () => linalg.matrixNorm(whole)],
      ],
    },
  ),
  row(
    'linalg.norm',
    (x) =>
      all(linalg.norm(x), linalg.norm(x, 3, 0), linalg.norm(x, 1, [0, 1], { keepdim: true }), linalg.norm(x, 'nuc')),
    {
      inputs: [[drawn([3, 4])]],
      reference: ['linalg.norm'],
      nan: false,
      empty: null,
      errors: [
        ['axis', () => linalg.norm(one, 2, [])],
        ['axis', () => linalg.norm(flat, 'fro')],
        ['shape', () => linalg.norm(cr.ones([2, 2, 2]), 2)],
        ['dtype', () => linalg.norm(whole)],
      ],
    },
  ),
  row(
    'cond',
    (x) => all(...([null, 2, -2, 'fro', 'nuc', 1, -1, Infinity] as const).map((p) => linalg.cond(apart(x), p))),
    {
      inputs: [[drawn([3, 3])], [drawn([2, 3, 3])]],
      nan: false,
      errors: [
        ['shape', () => linalg.cond(wide, 'fro')],
        ['value', () => linalg.cond(one, 3)],
        ['value', () => linalg.cond(one.mul(Number.NaN))],
        ['dtype', () => linalg.cond(whole)],
      ],
    },
  ),
];

export const linalgRows: readonly Row[] = [...solving, ...factors, ...spectral, ...least, ...measures];
