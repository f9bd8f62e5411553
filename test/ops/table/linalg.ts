// Rows of linear algebra: systems of equations and factorisations.

import type { Tensor } from 'chainrule';
import * as cr from 'chainrule';
import { all, definite, flat, float64, nothing, one, row, safe, squareErrors, whole, wide } from './matrices.js';
import { bad, drawn, ints, type Row } from './row.js';

const { linalg } = cr;

const solving: readonly Row[] = [
  row('inverse', (x) => cr.inverse(safe(x)), {
    reference: ['linalg.inv'],
    errors: [...squareErrors(linalg.inv), ['singular', () => linalg.inv(one)], ['singular', () => cr.inverse(one)]],
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
      ...squareErrors((x) => linalg.solve(x, one)),
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
            ...squareErrors((x) => linalg.solveTriangular(x, one, { upper: true })),
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
      ...squareErrors(linalg.cholesky),
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

export const linalgRows: readonly Row[] = [...solving, ...factors];
