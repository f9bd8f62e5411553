// Singular values and vectors, eigenvalues and eigenvectors of symmetric matrices. What is not finite never reaches
// LAPACK, whose iterations may not come to an end then.
#include <algorithm>
#include <cstring>

#include "blas/lapack.h"
#include "blas/linalg.h"

namespace chainrule {
namespace {

template <class T>
struct Singular {
  static void run(const LinalgArgs& args) {
    const int64_t few64 = std::min(args.m, args.n), many = std::max(args.m, args.n);
    // What dgesdd.f asks for at most, besides blocks of some columns.
    const double need =
        5.0 * static_cast<double>(few64) * static_cast<double>(few64) + 128.0 * static_cast<double>(few64 + many);
    if (need > static_cast<double>(kMostInt)) return fail_all(args, 0, args.batch, kLinalgTooLarge);
    const int m = as_int(args.m), n = as_int(args.n), few = as_int(few64), query = -1;
    const int left = args.mode == 2 ? m : few, right = args.mode == 2 ? n : few;
    const char job = args.mode == 0 ? 'N' : args.mode == 1 ? 'S' : 'A';
    int info = 0;
    T answer = 0;
    Lapack<T>::gesdd(&job, &m, &n, nullptr, &m, nullptr, nullptr, &m, nullptr, &right, &answer, &query, nullptr, &info,
                     1);
    const int lwork = as_int(work_size(answer));
    const bool vectors = args.mode != 0;
    each_part(args, 10.0 * m * n * few, [&](int64_t begin, int64_t end) {
      Block<T> a(args.m * args.n), u(vectors ? args.m * left : 0), vt(vectors ? args.n * right : 0), work(lwork);
      Block<int> places(8 * few64);
      if (!a || !u || !vt || !work || !places) return fail_all(args, begin, end, kLinalgNoMemory);
      for (int64_t i = begin; i < end; ++i) {
        const T* from = static_cast<const T*>(args.a) + i * args.m * args.n;
        args.info[i] = all_finite(from, args.m * args.n) ? 0 : kLinalgNotFinite;
        if (args.info[i] != 0) continue;
        transpose<T>(a, from, args.m, args.n);
        Lapack<T>::gesdd(&job, &m, &n, a, &m, static_cast<T*>(args.y) + i * few, u, &m, vt, &right, work, &lwork,
                         places, args.info + i, 1);
        if (!vectors) continue;
        transpose<T>(static_cast<T*>(args.x) + i * args.m * left, u, left, args.m);
        transpose<T>(static_cast<T*>(args.z) + i * args.n * right, vt, args.n, right);
      }
    });
  }
};

template <class T>
struct Symmetric {
  static void run(const LinalgArgs& args) {
    const double need = 1 + (6 + 2 * static_cast<double>(args.n)) * static_cast<double>(args.n);
    if (need > static_cast<double>(kMostInt)) return fail_all(args, 0, args.batch, kLinalgTooLarge);
    const int n = as_int(args.n), query = -1;
    const char job = args.mode == 0 ? 'N' : 'V', uplo = args.upper ? 'U' : 'L';
    int info = 0, liwork = 1;
    T answer = 0;
    Lapack<T>::syevd(&job, &uplo, &n, nullptr, &n, nullptr, &answer, &query, &liwork, &query, &info, 1, 1);
    const int lwork =
        std::max(as_int(work_size(answer)), args.mode == 0 ? 2 * n + 1 : as_int(static_cast<int64_t>(need)));
    each_part(args, 4.0 * n * n * n, [&](int64_t begin, int64_t end) {
      Block<T> a(args.n * args.n), work(lwork);
      Block<int> places(liwork);
      if (!a || !work || !places) return fail_all(args, begin, end, kLinalgNoMemory);
      for (int64_t i = begin; i < end; ++i) {
        const T* from = static_cast<const T*>(args.a) + i * args.n * args.n;
        args.info[i] = all_finite(from, args.n * args.n) ? 0 : kLinalgNotFinite;
        if (args.info[i] != 0) continue;
        transpose<T>(a, from, args.n, args.n);
        Lapack<T>::syevd(&job, &uplo, &n, a, &n, static_cast<T*>(args.x) + i * n, work, &lwork, places, &liwork,
                         args.info + i, 1, 1);
        if (args.mode != 0) transpose<T>(static_cast<T*>(args.y) + i * args.n * args.n, a, args.n, args.n);
      }
    });
  }
};

}  // namespace

void linalg_svd(const LinalgArgs& args) { by_dtype<Singular>(args); }
void linalg_eigh(const LinalgArgs& args) { by_dtype<Symmetric>(args); }

}  // namespace chainrule
