// Entries of linalg.json.
import * as cr from 'chainrule';
import type { NumberJson } from '../cases.js';
import { type Entries, given, numberOf, op, unary } from './entry.js';

const { linalg } = cr;

type OrderJson = NumberJson | 'fro' | 'nuc' | null;
/** The strings of infinities stand for numbers, others are names. */
const orderOf = (ord: OrderJson | undefined): cr.linalg.MatrixNormOrder | undefined =>
  ord === undefined || ord === null || ord === 'fro' || ord === 'nuc' ? (ord ?? undefined) : numberOf(ord);
type Norm = { ord?: OrderJson; dim?: number | number[]; keepdim?: boolean };
const NORM = ['ord', 'dim', 'keepdim'] as const;

type Tolerance = { atol?: number; rtol?: number; hermitian?: boolean };
/** PyTorch also takes the tolerances as tensors, after the input. */
const tolerance = ([, atol, rtol]: cr.Tensor[], args: Tolerance) =>
  given({ atol: args.atol ?? atol, rtol: args.rtol ?? rtol, hermitian: args.hermitian });
const TOLERANCE = ['atol', 'rtol', 'hermitian'] as const;

type Upper = { upper?: boolean };
type Uplo = { UPLO?: 'L' | 'U' };

const inverse = unary(linalg.inv);
const determinant = unary(linalg.det);
const slogdet = op([], ([x]) => {
  const { sign, logabsdet } = linalg.slogdet(x);
  return [sign, logabsdet];
});
const power = op<{ n: number }>(['n'], ([x], { n }) => linalg.matrixPower(x, n));
const cholesky = op<Upper>(['upper'], ([x], { upper }) => linalg.cholesky(x, given({ upper })));
const svd = op<{ full_matrices?: boolean }>(['full_matrices'], ([x], { full_matrices }) => {
  const { U, S, Vh } = linalg.svd(x, given({ fullMatrices: full_matrices }));
  return [U, S, Vh];
});

export const linalgEntries = {
  'linalg.inv': inverse,
  inverse,
  'linalg.det': determinant,
  det: determinant,
  'linalg.slogdet': slogdet,
  slogdet,
  logdet: unary(cr.logdet),
  'linalg.matrix_power': power,
  matrix_power: power,
  'linalg.matrix_exp': unary(linalg.matrixExp),
  matrix_exp: unary(linalg.matrixExp),
  'linalg.cholesky': cholesky,
  cholesky,
  cholesky_solve: op<Upper>(['upper'], ([b, l], { upper }) => linalg.choleskySolve(b, l, given({ upper }))),
  cholesky_inverse: op<Upper>(['upper'], ([l], { upper }) => linalg.choleskyInverse(l, given({ upper }))),
  'linalg.solve': op<{ left?: boolean }>(['left'], ([a, b], { left }) => linalg.solve(a, b, given({ left }))),
  'linalg.solve_triangular': op<{ upper: boolean; left?: boolean; unitriangular?: boolean }>(
    ['upper', 'left', 'unitriangular'],
    ([a, b], { upper, left, unitriangular }) =>
      linalg.solveTriangular(a, b, { upper, ...given({ left, unitriangular }) }),
  ),
  'linalg.lu_factor': op<{ pivot?: true }>(['pivot'], ([x]) => {
    const { LU, pivots } = linalg.luFactor(x);
    return [LU, pivots];
  }),
  'linalg.lu': op<{ pivot?: true }>(['pivot'], ([x]) => {
    const { P, L, U } = linalg.lu(x);
    return [P, L, U];
  }),
  'linalg.lu_solve': op<{ left?: boolean; adjoint?: boolean }>(['left', 'adjoint'], ([lu, pivots, b], options) =>
    linalg.luSolve(lu, pivots, b, given(options)),
  ),
  // Signs are free: the cases hold Q R and |R|.
  'linalg.qr': op<{ mode?: 'reduced' | 'complete' | 'r' }>(['mode'], ([x], { mode }) => {
    const { Q, R } = linalg.qr(x, given({ mode }));
    return mode === 'r' ? [R.abs()] : [Q.matmul(R), R.abs()];
  }),
  'linalg.svd': svd,
  'linalg.svdvals': unary(linalg.svdvals),
  'linalg.eigh': op<Uplo>(['UPLO'], ([x], { UPLO }) => {
    const { eigenvalues, eigenvectors } = linalg.eigh(x, given({ UPLO }));
    return [eigenvalues, eigenvectors];
  }),
  'linalg.eigvalsh': op<Uplo>(['UPLO'], ([x], { UPLO }) => linalg.eigvalsh(x, given({ UPLO }))),
  'linalg.lstsq': op<{ rcond?: number | null; driver?: 'gels' | 'gelsy' | 'gelsd' | 'gelss' | null }>(
    ['rcond', 'driver'],
    ([a, b], { rcond, driver }) =>
      linalg.lstsq(a, b, given({ rcond: rcond ?? undefined, driver: driver ?? undefined })).solution,
  ),
  'linalg.pinv': op<Tolerance>(TOLERANCE, (inputs, args) => linalg.pinv(inputs[0], tolerance(inputs, args))),
  pinverse: op<{ rcond?: number }>(['rcond'], ([x], { rcond }) => cr.pinverse(x, rcond)),
  'linalg.matrix_rank': op<Tolerance & { tol?: number }>([...TOLERANCE, 'tol'], (inputs, { tol, ...args }) =>
    linalg.matrixRank(inputs[0], tol === undefined ? tolerance(inputs, args) : given({ atol: tol, rtol: 0 })),
  ),
  'linalg.cond': op<{ p?: OrderJson }>(['p'], ([x], { p }) => linalg.cond(x, orderOf(p))),
  'linalg.vector_norm': op<Norm>(NORM, ([x], { ord, dim, keepdim }) =>
    linalg.vectorNorm(x, orderOf(ord) as number | undefined, dim ?? undefined, given({ keepdim })),
  ),
  'linalg.matrix_norm': op<Norm>(NORM, ([x], { ord, dim, keepdim }) =>
    linalg.matrixNorm(x, orderOf(ord), (dim as [number, number] | undefined) ?? undefined, given({ keepdim })),
  ),
  'linalg.norm': op<Norm>(NORM, ([x], { ord, dim, keepdim }) =>
    linalg.norm(x, orderOf(ord), dim ?? undefined, given({ keepdim })),
  ),
  trace: unary(cr.trace),
} satisfies Entries;
