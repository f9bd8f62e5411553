// Factors P A = L U and what follows from them: solutions, inverses.
#include <cblas.h>

#include <algorithm>
#include <cstring>

#include "blas/lapack.h"
#include "blas/linalg.h"

namespace chainrule {
namespace {

double cube(int64_t n) { return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n); }

// NaN anywhere in a matrix leaves nothing of its inverse; LAPACK's skipped zeros would.
template <class T>
bool holds_nan(const T* x, int64_t n) {
  bool found = false;
  for (int64_t i = 0; i < n; ++i) found |= x[i] != x[i];
  return found;
}

template <class T>
struct Inverse {
  // The memory of a is A^T to LAPACK, and the inverse of A^T is the transposed inverse: nothing is turned.
  static void run(const LinalgArgs& args) {
    const int n = as_int(args.n), query = -1;
    int info = 0;
    T answer = 0;
    Lapack<T>::getri(&n, nullptr, &n, nullptr, &answer, &query, &info);
    const int lwork = std::max(n, as_int(work_size(answer)));
    each_part(args, cube(n), [&](int64_t begin, int64_t end) {
      Block<T> work(lwork);
      Block<int> pivots(n);
      if (!work || !pivots) return fail_all(args, begin, end, kLinalgNoMemory);
      const int64_t size = args.n * args.n;
      for (int64_t i = begin; i < end; ++i) {
        T* x = static_cast<T*>(args.x) + i * size;
        const T* a = static_cast<const T*>(args.a) + i * size;
        int failed = 0;
        if (holds_nan(a, size)) {
          args.info[i] = 0;
          fill_nan(x, size);
          continue;
        }
        std::memmove(x, a, static_cast<size_t>(size) * sizeof(T));
        Lapack<T>::getrf(&n, &n, x, &n, pivots, &failed);
        if (failed == 0) Lapack<T>::getri(&n, x, &n, pivots, work, &lwork, &failed);
        args.info[i] = failed;
        if (failed != 0) fill_nan(x, size);
      }
    });
  }
};

// x [n,k] row-major from LAPACK's columns; a vector is both.
template <class T>
void solve_columns(T* x, const T* b, T* columns, int64_t n, int64_t k, const T* lu, const int* pivots, char trans) {
  const int rows = as_int(n), count = as_int(k);
  T* to = k == 1 ? x : columns;
  if (k == 1) {
    std::memmove(x, b, static_cast<size_t>(n) * sizeof(T));
  } else {
    transpose(columns, b, n, k);
  }
  int info = 0;
  Lapack<T>::getrs(&trans, &rows, &count, lu, &rows, pivots, to, &rows, &info, 1);
  if (k != 1) transpose(x, columns, k, n);
}

void solve_rows(int n, int k, const float* lu, float* x) {
  cblas_strsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n, k, 1, lu, n, x, k);
  cblas_strsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasUnit, n, k, 1, lu, n, x, k);
}

void solve_rows(int n, int k, const double* lu, double* x) {
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n, k, 1, lu, n, x, k);
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasUnit, n, k, 1, lu, n, x, k);
}

template <class T>
struct Solve {
  // LAPACK takes the memory of a for A^T = P L U, so that A x = U^T L^T P^T x = b: two triangular systems on the rows
  // of x as they lie, then the exchanges, the last one first. Turning a, b and x instead took 0.4 of 1.2 ms for n = k =
  // 256.
  static void run(const LinalgArgs& args) {
    const int n = as_int(args.n), k = as_int(args.k);
    const int64_t size = args.n * args.n;
    each_part(args, cube(n) + static_cast<double>(size) * static_cast<double>(k), [&](int64_t begin, int64_t end) {
      Block<T> lu(size);
      Block<int> pivots(n);
      if (!lu || !pivots) return fail_all(args, begin, end, kLinalgNoMemory);
      for (int64_t i = begin; i < end; ++i) {
        const T* a = static_cast<const T*>(args.a) + i * size;
        T* x = static_cast<T*>(args.x) + i * args.n * k;
        args.info[i] = 0;
        const bool sound = !holds_nan(a, size);
        if (sound) {
          std::memmove(lu, a, static_cast<size_t>(size) * sizeof(T));
          Lapack<T>::getrf(&n, &n, lu, &n, pivots, args.info + i);
        }
        if (!sound || args.info[i] != 0) {
          fill_nan(x, args.n * k);
          continue;
        }
        std::memmove(x, static_cast<const T*>(args.b) + i * args.n * k, static_cast<size_t>(args.n * k) * sizeof(T));
        solve_rows(n, k, lu, x);
        for (int64_t row = args.n - 1; row >= 0; --row) {
          const int64_t other = pivots[row] - 1;
          if (other > row && other < args.n) std::swap_ranges(x + row * k, x + row * k + k, x + other * k);
        }
      }
    });
  }
};

template <class T>
struct Factors {
  static void run(const LinalgArgs& args) {
    const int m = as_int(args.m), n = as_int(args.n);
    const int64_t few = std::min(args.m, args.n);
    each_part(args, static_cast<double>(m) * n * static_cast<double>(few), [&](int64_t begin, int64_t end) {
      Block<T> lu(args.m * args.n);
      Block<int> pivots(few);
      if (!lu || !pivots) return fail_all(args, begin, end, kLinalgNoMemory);
      for (int64_t i = begin; i < end; ++i) {
        transpose<T>(lu, static_cast<const T*>(args.a) + i * args.m * args.n, args.m, args.n);
        int failed = 0;
        Lapack<T>::getrf(&m, &n, lu, &m, pivots, &failed);
        args.info[i] = failed;
        transpose<T>(static_cast<T*>(args.x) + i * args.m * args.n, lu, args.n, args.m);
        int64_t swaps = 0;
        for (int64_t j = 0; j < few; ++j) {
          swaps += pivots[j] != j + 1;
          args.pivots[i * few + j] = pivots[j];
        }
        static_cast<T*>(args.y)[i] = swaps % 2 == 0 ? T{1} : T{-1};
      }
    });
  }
};

template <class T>
struct FactorsSolve {
  static void run(const LinalgArgs& args) {
    const double work = static_cast<double>(args.n) * static_cast<double>(args.n) * static_cast<double>(args.k);
    each_part(args, work, [&](int64_t begin, int64_t end) {
      Block<T> lu(args.n * args.n), columns(args.n * args.k);
      Block<int> pivots(args.n);
      if (!lu || !columns || !pivots) return fail_all(args, begin, end, kLinalgNoMemory);
      for (int64_t i = begin; i < end; ++i) {
        // A copy: what was checked must stay so, whatever else the caller keeps in that memory.
        std::memmove(pivots, args.pivots + i * args.n, static_cast<size_t>(args.n) * sizeof(int));
        const bool sound = std::all_of(pivots.get(), pivots + args.n, [&](int p) { return p >= 1 && p <= args.n; });
        args.info[i] = sound ? 0 : kLinalgBadPivot;
        if (!sound) continue;
        transpose<T>(lu, static_cast<const T*>(args.a) + i * args.n * args.n, args.n, args.n);
        const int64_t at = i * args.n * args.k;
        solve_columns<T>(static_cast<T*>(args.x) + at, static_cast<const T*>(args.b) + at, columns, args.n, args.k, lu,
                         pivots, args.transposed ? 'T' : 'N');
      }
    });
  }
};

}  // namespace

void linalg_inverse(const LinalgArgs& args) { by_dtype<Inverse>(args); }
void linalg_solve(const LinalgArgs& args) { by_dtype<Solve>(args); }
void linalg_lu(const LinalgArgs& args) { by_dtype<Factors>(args); }
void linalg_lu_solve(const LinalgArgs& args) { by_dtype<FactorsSolve>(args); }

}  // namespace chainrule
