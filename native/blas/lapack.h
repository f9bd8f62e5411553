// LAPACK's Fortran routines by element type, and what the functions over them share. Hidden lengths follow the
// arguments.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "core/args/linalg.h"
#include "core/parallel.h"

#define CHAINRULE_LAPACK(T, p)                                                                                        \
  void p##getrf_(const int* m, const int* n, T* a, const int* lda, int* ipiv, int* info);                             \
  void p##getri_(const int* n, T* a, const int* lda, const int* ipiv, T* work, const int* lwork, int* info);          \
  void p##getrs_(const char* trans, const int* n, const int* nrhs, const T* a, const int* lda, const int* ipiv, T* b, \
                 const int* ldb, int* info, size_t);                                                                  \
  void p##potrf_(const char* uplo, const int* n, T* a, const int* lda, int* info, size_t);                            \
  void p##geqrf_(const int* m, const int* n, T* a, const int* lda, T* tau, T* work, const int* lwork, int* info);     \
  void p##orgqr_(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau, T* work,               \
                 const int* lwork, int* info);                                                                        \
  void p##gesdd_(const char* jobz, const int* m, const int* n, T* a, const int* lda, T* s, T* u, const int* ldu,      \
                 T* vt, const int* ldvt, T* work, const int* lwork, int* iwork, int* info, size_t);                   \
  void p##syevd_(const char* jobz, const char* uplo, const int* n, T* a, const int* lda, T* w, T* work,               \
                 const int* lwork, int* iwork, const int* liwork, int* info, size_t, size_t);                         \
  void p##gels_(const char* trans, const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,           \
                const int* ldb, T* work, const int* lwork, int* info, size_t);                                        \
  void p##gelsy_(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b, const int* ldb, int* jpvt,  \
                 const T* rcond, int* rank, T* work, const int* lwork, int* info);                                    \
  void p##gelsd_(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b, const int* ldb, T* s,       \
                 const T* rcond, int* rank, T* work, const int* lwork, int* iwork, int* info);                        \
  void p##gelss_(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b, const int* ldb, T* s,       \
                 const T* rcond, int* rank, T* work, const int* lwork, int* info)

extern "C" {
CHAINRULE_LAPACK(float, s);
CHAINRULE_LAPACK(double, d);
}
#undef CHAINRULE_LAPACK

namespace chainrule {

template <class T>
struct Lapack;

#define CHAINRULE_LAPACK(T, p)               \
  template <>                                \
  struct Lapack<T> {                         \
    static constexpr auto getrf = p##getrf_; \
    static constexpr auto getri = p##getri_; \
    static constexpr auto getrs = p##getrs_; \
    static constexpr auto potrf = p##potrf_; \
    static constexpr auto geqrf = p##geqrf_; \
    static constexpr auto orgqr = p##orgqr_; \
    static constexpr auto gesdd = p##gesdd_; \
    static constexpr auto syevd = p##syevd_; \
    static constexpr auto gels = p##gels_;   \
    static constexpr auto gelsy = p##gelsy_; \
    static constexpr auto gelsd = p##gelsd_; \
    static constexpr auto gelss = p##gelss_; \
  }
CHAINRULE_LAPACK(float, s);
CHAINRULE_LAPACK(double, d);
#undef CHAINRULE_LAPACK

// Uninitialised memory that may not have come; empty blocks have some too, for LAPACK wants addresses.
template <class T>
class Block {
 public:
  explicit Block(int64_t n)
      : data_(
            static_cast<T*>(std::aligned_alloc(64, (static_cast<size_t>(n > 0 ? n : 1) * sizeof(T) + 63) / 64 * 64))) {}
  ~Block() { std::free(data_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  explicit operator bool() const { return data_ != nullptr; }
  T* get() const { return data_; }
  operator T*() const { return data_; }

 private:
  T* data_;
};

// Row-major [rows, columns] to column-major, in tiles that stay in the first cache.
template <class T>
void transpose(T* to, const T* from, int64_t rows, int64_t columns) {
  constexpr int64_t kTile = 16;
  for (int64_t i = 0; i < rows; i += kTile) {
    const int64_t bottom = i + kTile < rows ? i + kTile : rows;
    for (int64_t j = 0; j < columns; j += kTile) {
      const int64_t right = j + kTile < columns ? j + kTile : columns;
      for (int64_t r = i; r < bottom; ++r)
        for (int64_t c = j; c < right; ++c) to[c * rows + r] = from[r * columns + c];
    }
  }
}

template <class T>
bool all_finite(const T* x, int64_t n) {
  // The sum of what is left of finite numbers is 0; of others it is NaN.
  T sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] * T{0};
  return sum == T{0};
}

template <class T>
void fill_nan(T* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = std::numeric_limits<T>::quiet_NaN();
}

inline constexpr int64_t kMostInt = std::numeric_limits<int>::max();
inline int as_int(int64_t n) { return static_cast<int>(n); }

// What a workspace query answered: a floating number, which float32 may have rounded down.
template <class T>
int64_t work_size(T answer) {
  const double size = std::ceil(static_cast<double>(answer) * (sizeof(T) == 4 ? 1.000001 : 1.0));
  return size >= static_cast<double>(kMostInt) ? kMostInt : static_cast<int64_t>(size < 1 ? 1 : size);
}

inline void fail_all(const LinalgArgs& args, int64_t begin, int64_t end, int32_t code) {
  if (args.info != nullptr)
    for (int64_t i = begin; i < end; ++i) args.info[i] = code;
}

// Runs f over parts of the batch, each of about 0.1 ms; `work` is in multiply-adds a matrix.
template <class F>
void each_part(const LinalgArgs& args, double work, const F& f) {
  const double each = work < 1000 ? 1000 : work;
  const int64_t grain = each >= 400000 ? 1 : static_cast<int64_t>(400000 / each);
  parallel_for(args.batch, grain, f);
}

// By element type.
template <template <class> class F>
void by_dtype(const LinalgArgs& args) {
  if (args.dtype == DType::kFloat32) {
    F<float>::run(args);
  } else {
    F<double>::run(args);
  }
}

}  // namespace chainrule
