// Matrix products on all threads. Results never depend on how many: our own kernels add each element up in one order,
// and OpenBLAS, which does not (its bits change with where rows and columns are cut), is cut by shape alone.
#include "blas/gemm.h"

#include <algorithm>

#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

// Below this many multiply-adds, some 10 us, OpenBLAS's kernels for small matrices are faster than packing.
constexpr double kSmall = 512 * 1024;
// Multiply-adds of a piece given to OpenBLAS, some 30 us: it packs its operands anew for each.
constexpr double kPiece = 2 * 1024 * 1024;
constexpr int64_t kPieces = 16;
// Sums longer than this are cut when there is nothing else to cut, with private results of at most this many elements.
constexpr int64_t kLongSum = 4096;
constexpr int64_t kShortResult = 16384;

double work(const Gemm& g) { return static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k); }

char* at(const void* p, int64_t elements, DType dtype) {
  return const_cast<char*>(static_cast<const char*>(p)) + elements * static_cast<int64_t>(size_of(dtype));
}

int64_t pieces_of(int64_t n, int64_t size) { return (n + size - 1) / size; }

Gemm part(const Gemm& g, int64_t i, int64_t m, int64_t j, int64_t n, int64_t l, int64_t k) {
  Gemm p = g;
  p.m = m;
  p.n = n;
  p.k = k;
  p.a = at(g.a, g.trans_a ? l * g.lda + i : i * g.lda + l, g.dtype);
  p.b = at(g.b, g.trans_b ? j * g.ldb + l : l * g.ldb + j, g.dtype);
  p.c = at(g.c, i * g.ldc + j, g.dtype);
  return p;
}

// Squarish pieces: what is packed for each grows with its circumference.
void split_result(const Gemm& g) {
  const double pieces = std::min(static_cast<double>(kPieces), work(g) / kPiece);
  int64_t rows = g.m, columns = g.n;
  while (static_cast<double>(pieces_of(g.m, rows) * pieces_of(g.n, columns)) < pieces && rows + columns > 64) {
    (rows >= columns ? rows : columns) = (std::max(rows, columns) / 2 + 31) / 32 * 32;
  }
  const int64_t across = pieces_of(g.n, columns);
  parallel_for(pieces_of(g.m, rows) * across, 1, [&](int64_t piece, int64_t) {
    const int64_t i = piece / across * rows, j = piece % across * columns;
    gemm_serial(part(g, i, std::min(rows, g.m - i), j, std::min(columns, g.n - j), 0, g.k));
  });
}

template <class T>
void add_parts(const Gemm& g, int64_t parts, const T* sums) {
  const T beta = static_cast<T>(g.beta);
  for (int64_t i = 0; i < g.m; ++i) {
    T* row = static_cast<T*>(g.c) + i * g.ldc;
    for (int64_t j = 0; j < g.n; ++j) {
      T sum = 0;
      for (int64_t p = 0; p < parts; ++p) sum += sums[(p * g.m + i) * g.n + j];
      row[j] = beta == T{0} ? sum : sum + beta * row[j];
    }
  }
}

// Long sums are added up in parts, each to a result of its own; the results are added in order.
void split_sum(const Gemm& g) {
  const int64_t step = std::max(kLongSum / 2, pieces_of(g.k, kPieces)), parts = pieces_of(g.k, step);
  void* sums = acquire_scratch(static_cast<size_t>(parts * g.m * g.n) * size_of(g.dtype));
  parallel_for(parts, 1, [&](int64_t p, int64_t) {
    Gemm piece = part(g, 0, g.m, 0, g.n, p * step, std::min(step, g.k - p * step));
    piece.c = at(sums, p * g.m * g.n, g.dtype);
    piece.ldc = g.n;
    piece.beta = 0;
    gemm_serial(piece);
  });
  if (g.dtype == DType::kFloat32) {
    add_parts(g, parts, static_cast<const float*>(sums));
  } else {
    add_parts(g, parts, static_cast<const double*>(sums));
  }
  release_scratch(sums);
}

bool is_float(const Gemm& g) { return g.dtype == DType::kFloat32 || g.dtype == DType::kFloat64; }

}  // namespace

void gemm(const Gemm& g) {
  if (g.m <= 0 || g.n <= 0) return;
  const bool long_sum = is_float(g) && g.k >= kLongSum && g.m * g.n <= kShortResult;
  if (is_float(g) && g.k > 0 && !long_sum && kernels().gemm_thin(g)) return;
  if (g.k <= 0 || work(g) < kSmall) return gemm_serial(g);
  if (long_sum) return split_sum(start_from_bias(g));
  if (is_float(g) && kernels().gemm != nullptr && g.m >= 4 && g.n >= 32) return kernels().gemm(g);
  split_result(start_from_bias(g));
}

}  // namespace chainrule
