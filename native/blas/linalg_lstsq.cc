// Least squares by LAPACK's four drivers.
#include <algorithm>
#include <cstring>

#include "blas/lapack.h"
#include "blas/linalg.h"

namespace chainrule {
namespace {

enum Driver { kGels, kGelsy, kGelsd, kGelss };

template <class T>
struct System {
  int m, n, k, rows;  // rows of b and x together
  T rcond;
  T *a, *b, *s, *work;
  int lwork;
  int* places;
};

template <class T>
void drive(Driver driver, const System<T>& y, int* rank, int* info) {
  switch (driver) {
    case kGels: {
      const char trans = 'N';
      return Lapack<T>::gels(&trans, &y.m, &y.n, &y.k, y.a, &y.m, y.b, &y.rows, y.work, &y.lwork, info, 1);
    }
    case kGelsy:
      // All columns may be exchanged.
      if (y.lwork != -1) std::fill_n(y.places, y.n, 0);
      return Lapack<T>::gelsy(&y.m, &y.n, &y.k, y.a, &y.m, y.b, &y.rows, y.places, &y.rcond, rank, y.work, &y.lwork,
                              info);
    case kGelsd:
      return Lapack<T>::gelsd(&y.m, &y.n, &y.k, y.a, &y.m, y.b, &y.rows, y.s, &y.rcond, rank, y.work, &y.lwork,
                              y.places, info);
    case kGelss:
      return Lapack<T>::gelss(&y.m, &y.n, &y.k, y.a, &y.m, y.b, &y.rows, y.s, &y.rcond, rank, y.work, &y.lwork, info);
  }
}

template <class T>
struct LeastSquares {
  static void run(const LinalgArgs& args) {
    const auto driver = static_cast<Driver>(args.mode);
    const int64_t few = std::min(args.m, args.n), rows = std::max(args.m, args.n);
    const double need = static_cast<double>(few) * (3.0 * static_cast<double>(few) + 400) +
                        static_cast<double>(rows) * 64 + static_cast<double>(few) * static_cast<double>(args.k);
    if (need > static_cast<double>(kMostInt)) return fail_all(args, 0, args.batch, kLinalgTooLarge);
    System<T> system{as_int(args.m), as_int(args.n), as_int(args.k), as_int(rows), static_cast<T>(args.rcond),
                     nullptr,        nullptr,        nullptr,        nullptr,      -1,
                     nullptr};
    T answer = 0;
    int room = 1, rank = 0, info = 0;
    system.work = &answer;
    system.places = &room;
    drive(driver, system, &rank, &info);
    system.lwork = as_int(work_size(answer));
    const int64_t places = std::max<int64_t>(room, args.n);
    const double work = 4.0 * static_cast<double>(few) * static_cast<double>(args.n) * static_cast<double>(args.m);
    each_part(args, work, [&](int64_t begin, int64_t end) {
      Block<T> a(args.m * args.n), b(rows * args.k), turned(args.n * args.k), s(few), own(system.lwork);
      Block<int> numbers(places);
      if (!a || !b || !turned || !s || !own || !numbers) return fail_all(args, begin, end, kLinalgNoMemory);
      System<T> mine = system;
      mine.a = a;
      mine.b = b;
      mine.s = s;
      mine.work = own;
      mine.places = numbers;
      for (int64_t i = begin; i < end; ++i) one(args, driver, mine, turned, i);
    });
  }

  static void one(const LinalgArgs& args, Driver driver, const System<T>& system, T* turned, int64_t i) {
    const int64_t m = args.m, n = args.n, k = args.k, few = std::min(m, n), rows = system.rows;
    const T *a = static_cast<const T*>(args.a) + i * m * n, *b = static_cast<const T*>(args.b) + i * m * k;
    T* x = static_cast<T*>(args.x) + i * n * k;
    T* residuals = static_cast<T*>(args.y) + i * k;
    int rank = 0, failed = 0;
    if (all_finite(a, m * n) && all_finite(b, m * k)) {
      transpose(system.a, a, m, n);
      std::fill_n(system.b, rows * k, T{0});
      for (int64_t row = 0; row < m; ++row)
        for (int64_t j = 0; j < k; ++j) system.b[j * rows + row] = b[row * k + j];
      drive(driver, system, &rank, &failed);
      for (int64_t j = 0; j < k; ++j) {
        std::memcpy(turned + j * n, system.b + j * rows, static_cast<size_t>(n) * sizeof(T));
        T sum = 0;
        for (int64_t row = n; row < m; ++row) sum += system.b[j * rows + row] * system.b[j * rows + row];
        residuals[j] = sum;
      }
      transpose(x, turned, k, n);
    } else {
      fill_nan(x, n * k);
      fill_nan(residuals, k);
      fill_nan(system.s, few);
    }
    if (driver == kGelsd || driver == kGelss)
      std::memcpy(static_cast<T*>(args.z) + i * few, system.s, static_cast<size_t>(few) * sizeof(T));
    args.pivots[i] = rank;
    args.info[i] = failed;
  }
};

}  // namespace

void linalg_lstsq(const LinalgArgs& args) { by_dtype<LeastSquares>(args); }

}  // namespace chainrule
