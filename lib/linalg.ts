// The namespace `linalg`: linear algebra on batches of matrices, as torch.linalg. Eigenvalues of matrices that are not
// symmetric (eig, eigvals) are absent: they are complex numbers, which tensors do not hold.
export { det, type SignedLog, slogdet } from './ops/linalg/det.js';
export {
  type CholeskyOptions,
  cholesky,
  choleskyInverse,
  choleskySolve,
  type QrFactors,
  type QrOptions,
  qr,
} from './ops/linalg/factor.js';
export {
  type LeastSquares,
  type LstsqOptions,
  lstsq,
  matrixRank,
  pinv,
  type ToleranceOptions,
} from './ops/linalg/lstsq.js';
export {
  type LuFactors,
  type LuMatrices,
  type LuSolveOptions,
  lu,
  luFactor,
  luSolve,
} from './ops/linalg/lu.js';
export { cond, type MatrixNormOrder, matrixNorm, type NormOptions, norm, vectorNorm } from './ops/linalg/norm.js';
export { matrixExp, matrixPower } from './ops/linalg/power.js';
export { cross, multiDot } from './ops/linalg/product.js';
export {
  inv,
  type SolveOptions,
  type SolveTriangularOptions,
  solve,
  solveTriangular,
} from './ops/linalg/solve.js';
export {
  type Eigh,
  type EighOptions,
  eigh,
  eigvalsh,
  type Svd,
  type SvdOptions,
  svd,
  svdvals,
} from './ops/linalg/spectral.js';
export { tensorinv, tensorsolve, vander, vecdot } from './ops/linalg/tensor.js';
