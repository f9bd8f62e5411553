// Rows of linear algebra by singular values and eigenvalues, of least squares, and of measures such as norms.

import * as cr from 'chainrule';
import {
  all,
  apart,
  finite,
  flat,
  float64,
  nothing,
  one,
  row,
  safe,
  squareErrors,
  symmetric,
  tall,
  whole,
  wide,
} from './matrices.js';
import { bad, drawn, ints, type Row } from './row.js';

const { linalg } = cr;

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

export const spectralRows: readonly Row[] = [...spectral, ...least, ...measures];
