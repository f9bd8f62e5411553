// Linear algebra over LAPACK: each matrix of a batch on one thread, many matrices at once.
#pragma once
#include "core/args/linalg.h"

namespace chainrule {

// x [n,n] = inverse of a [n,n]; NaN where info says that there is none.
void linalg_inverse(const LinalgArgs& args);
// x [n,k] = solution of a [n,n] x = b [n,k]; NaN where a is singular.
void linalg_solve(const LinalgArgs& args);
// x [m,n] = L and U of a [m,n] in one, pivots [min(m,n)] from 1 on, y [1] = sign of the permutation.
void linalg_lu(const LinalgArgs& args);
// x [n,k] = solution of A x = b [n,k], or of A^T x = b if transposed, for the factors a [n,n] of A and their pivots.
void linalg_lu_solve(const LinalgArgs& args);
// x [n,n] = L with a = L L^T from the lower triangle, or U with a = U^T U from the upper one; NaN where not definite.
void linalg_cholesky(const LinalgArgs& args);
// x = solution of op(a [n,n]) x = b [n,k] (mode 0) or of x op(a) = b [k,n] (mode 1); reads one triangle of a.
void linalg_triangular(const LinalgArgs& args);
// x [m,c] = Q, y [c,n] = R of a [m,n]; c is min(m,n) (mode 0) or m (mode 1); mode 2 leaves Q out, with c = min(m,n).
void linalg_qr(const LinalgArgs& args);
// x [m,c] = U, y [min(m,n)] = singular values, z [d,n] = V^T of a [m,n]; mode 0 the values alone, 1 c = d = min(m,n),
// 2 c = m, d = n.
void linalg_svd(const LinalgArgs& args);
// x [n] = eigenvalues, y [n,n] = eigenvectors as columns (mode 1) of symmetric a, of which one triangle is read.
void linalg_eigh(const LinalgArgs& args);
// x [n,k] = least squares solution of a [m,n] x = b [m,k], y [k] = sums of squared residuals where m > n,
// z [min(m,n)] = singular values (modes 2, 3), pivots [1] = rank (modes 1 to 3); modes gels, gelsy, gelsd, gelss.
void linalg_lstsq(const LinalgArgs& args);

}  // namespace chainrule
