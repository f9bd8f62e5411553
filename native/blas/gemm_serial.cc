// One matrix product on the calling thread: OpenBLAS for floats, loops for integers, and what OpenBLAS cannot count.
#include <cblas.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "blas/gemm.h"

namespace chainrule {
namespace {

const char* at(const void* p, int64_t elements, DType dtype) {
  return static_cast<const char*>(p) + elements * static_cast<int64_t>(size_of(dtype));
}

template <class T>
void scale_rows(T* c, int64_t m, int64_t n, int64_t ldc, T beta) {
  for (int64_t i = 0; i < m; ++i) {
    if (beta == T{0}) {
      std::fill_n(c + i * ldc, n, T{0});
    } else if (beta != T{1}) {
      for (int64_t j = 0; j < n; ++j) c[i * ldc + j] *= beta;
    }
  }
}

// Unsigned, so that overflow wraps around as PyTorch's does.
void gemm_int32(const Gemm& g) {
  const auto *a = static_cast<const uint32_t*>(g.a), *b = static_cast<const uint32_t*>(g.b);
  auto* c = static_cast<uint32_t*>(g.c);
  const auto alpha = static_cast<uint32_t>(static_cast<int32_t>(g.alpha));
  scale_rows(c, g.m, g.n, g.ldc, static_cast<uint32_t>(static_cast<int32_t>(g.beta)));
  for (int64_t i = 0; i < g.m; ++i) {
    uint32_t* row = c + i * g.ldc;
    if (g.trans_b) {
      for (int64_t j = 0; j < g.n; ++j) {
        uint32_t sum = 0;
        for (int64_t k = 0; k < g.k; ++k) sum += (g.trans_a ? a[k * g.lda + i] : a[i * g.lda + k]) * b[j * g.ldb + k];
        row[j] += alpha * sum;
      }
      continue;
    }
    for (int64_t k = 0; k < g.k; ++k) {
      const uint32_t factor = alpha * (g.trans_a ? a[k * g.lda + i] : a[i * g.lda + k]);
      for (int64_t j = 0; j < g.n; ++j) row[j] += factor * b[k * g.ldb + j];
    }
  }
}

// Leading dimensions of one-row operands are never used, but OpenBLAS checks them.
blasint leading(int64_t ld, int64_t width) { return static_cast<blasint>(std::max<int64_t>(1, std::max(ld, width))); }

void call_blas(const Gemm& g) {
  const auto ta = g.trans_a ? CblasTrans : CblasNoTrans, tb = g.trans_b ? CblasTrans : CblasNoTrans;
  const auto m = static_cast<blasint>(g.m), n = static_cast<blasint>(g.n), k = static_cast<blasint>(g.k);
  const blasint lda = leading(g.lda, g.trans_a ? g.m : g.k), ldb = leading(g.ldb, g.trans_b ? g.k : g.n);
  const blasint ldc = leading(g.ldc, g.n);
  if (g.dtype == DType::kFloat32) {
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, static_cast<float>(g.alpha), static_cast<const float*>(g.a), lda,
                static_cast<const float*>(g.b), ldb, static_cast<float>(g.beta), static_cast<float*>(g.c), ldc);
  } else {
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, g.alpha, static_cast<const double*>(g.a), lda,
                static_cast<const double*>(g.b), ldb, g.beta, static_cast<double*>(g.c), ldc);
  }
}

// Row i of c as the matrix b times row i of a; for few rows this reads b at the speed of memory, where OpenBLAS's
// products would pack it first (one row times 1024x1024: 340 us against 50).
template <class T, class Gemv>
void multiply_rows(const Gemm& g, const Gemv& gemv) {
  const auto *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  const auto rows = static_cast<blasint>(g.trans_b ? g.n : g.k), columns = static_cast<blasint>(g.trans_b ? g.k : g.n);
  const auto transpose = g.trans_b ? CblasNoTrans : CblasTrans;
  for (int64_t i = 0; i < g.m; ++i) {
    const T* x = g.trans_a ? a + i : a + i * g.lda;
    T* y = static_cast<T*>(g.c) + i * g.ldc;
    if (g.beta == 0) std::fill_n(y, g.n, T{0});
    gemv(CblasRowMajor, transpose, rows, columns, static_cast<T>(g.alpha), b, leading(g.ldb, columns), x,
         static_cast<blasint>(g.trans_a ? g.lda : 1), static_cast<T>(g.beta == 0 ? 1 : g.beta), y, 1);
  }
}

// The same for columns of c; those of b and c are not contiguous.
template <class T, class Gemv>
void multiply_columns(const Gemm& g, const Gemv& gemv) {
  const auto *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b);
  const auto rows = static_cast<blasint>(g.trans_a ? g.k : g.m), columns = static_cast<blasint>(g.trans_a ? g.m : g.k);
  const auto transpose = g.trans_a ? CblasTrans : CblasNoTrans;
  for (int64_t j = 0; j < g.n; ++j) {
    const T* x = g.trans_b ? b + j * g.ldb : b + j;
    T* y = static_cast<T*>(g.c) + j;
    if (g.beta == 0) {
      for (int64_t i = 0; i < g.m; ++i) y[i * g.ldc] = T{0};
    }
    gemv(CblasRowMajor, transpose, rows, columns, static_cast<T>(g.alpha), a, leading(g.lda, columns), x,
         static_cast<blasint>(g.trans_b ? 1 : g.ldb), static_cast<T>(g.beta == 0 ? 1 : g.beta), y,
         static_cast<blasint>(g.ldc));
  }
}

template <class T, class Gemv>
void multiply_vectors(const Gemm& g, const Gemv& gemv) {
  g.m <= g.n ? multiply_rows<T>(g, gemv) : multiply_columns<T>(g, gemv);
}

// Up to a million multiply-adds OpenBLAS has kernels that pack nothing.
bool is_vectors(const Gemm& g) {
  const double work = static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  return std::min(g.m, g.n) <= 3 && work > 1e6;
}

void scale(const Gemm& g) {
  if (g.dtype == DType::kFloat32) {
    scale_rows(static_cast<float*>(g.c), g.m, g.n, g.ldc, static_cast<float>(g.beta));
  } else {
    scale_rows(static_cast<double*>(g.c), g.m, g.n, g.ldc, g.beta);
  }
}

bool countable(const Gemm& g, int64_t most) {
  return g.m <= most && g.n <= most && g.k <= most && g.lda <= most && g.ldb <= most && g.ldc <= most;
}

}  // namespace

// A dimension with too long a stride is walked one by one, so that the stride is never used; the others in long pieces.
void gemm_in_pieces(const Gemm& g, int64_t most) {
  const bool far_a = g.lda > most, far_b = g.ldb > most, far_c = g.ldc > most;
  const int64_t step_m = far_c || (far_a && !g.trans_a) ? 1 : most;
  const int64_t step_n = far_b && g.trans_b ? 1 : most;
  const int64_t step_k = (far_a && g.trans_a) || (far_b && !g.trans_b) ? 1 : most;
  for (int64_t i = 0; i < g.m; i += step_m) {
    for (int64_t j = 0; j < g.n; j += step_n) {
      for (int64_t l = 0; l < g.k; l += step_k) {
        Gemm piece = g;
        piece.m = std::min(step_m, g.m - i);
        piece.n = std::min(step_n, g.n - j);
        piece.k = std::min(step_k, g.k - l);
        piece.a = at(g.a, g.trans_a ? l * g.lda + i : i * g.lda + l, g.dtype);
        piece.b = at(g.b, g.trans_b ? j * g.ldb + l : l * g.ldb + j, g.dtype);
        piece.c = const_cast<char*>(at(g.c, i * g.ldc + j, g.dtype));
        if (far_a) piece.lda = 1;
        if (far_b) piece.ldb = 1;
        if (far_c) piece.ldc = 1;
        if (l > 0) piece.beta = 1;
        call_blas(piece);
      }
    }
  }
}

Gemm start_from_bias(Gemm g) {
  if (g.bias == nullptr) return g;
  const size_t bytes = static_cast<size_t>(g.n) * size_of(g.dtype);
  for (int64_t i = 0; i < g.m; ++i) std::memcpy(const_cast<char*>(at(g.c, i * g.ldc, g.dtype)), g.bias, bytes);
  g.bias = nullptr;
  g.beta = 1;
  return g;
}

void gemm_serial(const Gemm& g) {
  if (g.m <= 0 || g.n <= 0) return;
  if (g.bias != nullptr) return gemm_serial(start_from_bias(g));
  if (g.dtype == DType::kInt32) return gemm_int32(g);
  if (g.k <= 0) return scale(g);
  const int64_t most = std::numeric_limits<blasint>::max();
  if (countable(g, most) && is_vectors(g)) {
    return g.dtype == DType::kFloat32 ? multiply_vectors<float>(g, cblas_sgemv)
                                      : multiply_vectors<double>(g, cblas_dgemv);
  }
  if (countable(g, most)) return call_blas(g);
  gemm_in_pieces(g, most);
}

}  // namespace chainrule
