// Cholesky and QR factors, and triangular systems.
#include <cblas.h>

#include <algorithm>
#include <cstring>

#include "blas/lapack.h"
#include "blas/linalg.h"

namespace chainrule {
namespace {

template <class T>
struct Cholesky {
  // Row-major L is column-major L^T, so the other triangle's factor is asked for and nothing is turned.
  static void run(const LinalgArgs& args) {
    const int n = as_int(args.n);
    const int64_t size = args.n * args.n;
    const char uplo = args.upper ? 'L' : 'U';
    each_part(args, static_cast<double>(n) * n * n / 3, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        T* x = static_cast<T*>(args.x) + i * size;
        std::memmove(x, static_cast<const T*>(args.a) + i * size, static_cast<size_t>(size) * sizeof(T));
        int failed = 0;
        Lapack<T>::potrf(&uplo, &n, x, &n, &failed, 1);
        // A pivot that is NaN is not positive either, but not every version says so.
        for (int64_t j = 0; j < args.n && failed == 0; ++j)
          if (!(x[j * args.n + j] > T{0})) failed = as_int(j + 1);
        args.info[i] = failed;
        if (failed != 0) {
          fill_nan(x, size);
        } else {
          for (int64_t r = 0; r < args.n; ++r) {
            if (args.upper) {
              std::fill_n(x + r * args.n, r, T{0});
            } else {
              std::fill_n(x + r * args.n + r + 1, args.n - r - 1, T{0});
            }
          }
        }
      }
    });
  }
};

void trsm(const LinalgArgs& args, int rows, int columns, const float* a, float* x) {
  cblas_strsm(CblasRowMajor, args.mode == 0 ? CblasLeft : CblasRight, args.upper ? CblasUpper : CblasLower,
              args.transposed ? CblasTrans : CblasNoTrans, args.unit ? CblasUnit : CblasNonUnit, rows, columns, 1, a,
              as_int(args.n), x, columns);
}

void trsm(const LinalgArgs& args, int rows, int columns, const double* a, double* x) {
  cblas_dtrsm(CblasRowMajor, args.mode == 0 ? CblasLeft : CblasRight, args.upper ? CblasUpper : CblasLower,
              args.transposed ? CblasTrans : CblasNoTrans, args.unit ? CblasUnit : CblasNonUnit, rows, columns, 1, a,
              as_int(args.n), x, columns);
}

template <class T>
struct Triangular {
  static void run(const LinalgArgs& args) {
    const int64_t rows = args.mode == 0 ? args.n : args.k, columns = args.mode == 0 ? args.k : args.n;
    const double work = static_cast<double>(args.n) * static_cast<double>(args.n) * static_cast<double>(args.k) / 2;
    each_part(args, work, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        T* x = static_cast<T*>(args.x) + i * rows * columns;
        std::memmove(x, static_cast<const T*>(args.b) + i * rows * columns,
                     static_cast<size_t>(rows * columns) * sizeof(T));
        trsm(args, as_int(rows), as_int(columns), static_cast<const T*>(args.a) + i * args.n * args.n, x);
      }
    });
  }
};

template <class T>
struct Orthogonal {
  static void run(const LinalgArgs& args) {
    const int m = as_int(args.m), n = as_int(args.n), few = std::min(m, n), query = -1;
    const int columns = args.mode == 1 ? m : few;
    int info = 0;
    T answer = 0, second = 0;
    Lapack<T>::geqrf(&m, &n, nullptr, &m, nullptr, &answer, &query, &info);
    if (args.mode != 2) Lapack<T>::orgqr(&m, &columns, &few, nullptr, &m, nullptr, &second, &query, &info);
    const int lwork = as_int(std::max(work_size(answer), work_size(second)));
    each_part(args, 2.0 * m * n * few, [&](int64_t begin, int64_t end) {
      Block<T> turned(args.m * std::max(n, columns)), tau(few), work(lwork);
      if (!turned || !tau || !work) return fail_all(args, begin, end, kLinalgNoMemory);
      for (int64_t i = begin; i < end; ++i) {
        int failed = 0;
        transpose<T>(turned, static_cast<const T*>(args.a) + i * args.m * args.n, args.m, args.n);
        Lapack<T>::geqrf(&m, &n, turned, &m, tau, work, &lwork, &failed);
        T* r = static_cast<T*>(args.y) + i * columns * args.n;
        for (int64_t row = 0; row < columns; ++row)
          for (int64_t j = 0; j < args.n; ++j) r[row * args.n + j] = j < row ? T{0} : turned[j * args.m + row];
        if (args.mode != 2 && failed == 0) {
          Lapack<T>::orgqr(&m, &columns, &few, turned, &m, tau, work, &lwork, &failed);
          transpose<T>(static_cast<T*>(args.x) + i * args.m * columns, turned, columns, args.m);
        }
        args.info[i] = failed;
      }
    });
  }
};

}  // namespace

void linalg_cholesky(const LinalgArgs& args) { by_dtype<Cholesky>(args); }
void linalg_triangular(const LinalgArgs& args) { by_dtype<Triangular>(args); }
void linalg_qr(const LinalgArgs& args) { by_dtype<Orthogonal>(args); }

}  // namespace chainrule
