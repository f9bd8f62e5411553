// Matrix products with a short side, of our own: OpenBLAS's kernels for small matrices leave most of each vector empty
// there.
#include "kernels/capability.h"
//
#include "core/args/gemm.h"
#include "core/parallel.h"
#include "kernels/patches.h"
#include "kernels/table.h"
#include "kernels/transpose.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Multiply-adds of a task: 10 to 20 us of a product of vectors, which is read at the speed of memory.
constexpr int64_t kTask = int64_t{1} << 18;
// Dots of fewer terms are better taken many at once, a lane for each.
constexpr int64_t kLong = 32;
// Short sides: rows of c, terms of a sum.
constexpr int64_t kFewRows = 12, kFewTerms = 4;
// Terms after which a sum starts anew: what rounding loses grows with the length of a chain.
constexpr int64_t kChain = 512;
// Multiply-adds from which on packing pays; of two sums of vectors, the steps from row to row.
constexpr double kLarge = 4e6;

// Both factors with their steps: a [m, k], b [k, n].
template <class T>
struct Product {
  int64_t m, n, k;
  const T* a;
  int64_t row, term;
  const T* b;
  int64_t ldb;
  const T* bias;  // [n] or null
  T* c;
  int64_t ldc;
  bool add;  // to what c holds
};

// ---- a lane for each column of c

// c [R, V vectors] = bias + a [R, k] b [k, V vectors], of the last vector the part that `last` says. S sums of each
// element take turns, so that the next one need not wait for the last.
template <class T, int R, int V, int S>
void tile(const Product<T>& p, const T* a, const T* b, int64_t ldb, const T* bias, Part<T> last, T* c) {
  constexpr int64_t w = kLanes<T>;
  const auto load_row = [&](const T* row, Vector<T>(&to)[V]) __attribute__((always_inline)) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) to[v] = v < V - 1 ? load(row + v * w) : last.load(row + v * w);
  };
  Vector<T> columns[V] = {}, sums[S][R][V];
  if (bias) load_row(bias, columns);
#pragma GCC unroll 4
  for (int s = 0; s < S; ++s)
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[s][i][v] = s == 0 ? columns[v] : Vector<T>{};
  const int64_t row = p.row, term = p.term;
  int64_t k = p.k;
  for (; k >= S; k -= S) {
#pragma GCC unroll 4
    for (int s = 0; s < S; ++s, a += term, b += ldb) {
      load_row(b, columns);
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) {
        const Vector<T> factor = broadcast(a[i * row]);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sums[s][i][v] = fma(factor, columns[v], sums[s][i][v]);
      }
    }
  }
  for (; k > 0; --k, a += term, b += ldb) {
    load_row(b, columns);
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i) {
      const Vector<T> factor = broadcast(a[i * row]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sums[0][i][v] = fma(factor, columns[v], sums[0][i][v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i) {
    T* to = c + i * p.ldc;
    if (p.add) load_row(to, columns);
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      Vector<T> sum = sums[0][i][v];
#pragma GCC unroll 4
      for (int s = 1; s < S; ++s) sum += sums[s][i][v];
      if (p.add) sum += columns[v];
      v < V - 1 ? store(to + v * w, sum) : last.store(to + v * w, sum);
    }
  }
}

template <class T>
using Tile = void (*)(const Product<T>&, const T* a, const T* b, int64_t ldb, const T* bias, Part<T> last, T* c);

// Rows of a tile whose sums, columns and factor fit into the registers.
constexpr int most_rows(int v) {
  return kRegisters == 32 ? (v <= 2 ? 12 : v == 4 ? 6 : 2) : v == 1 ? 8 : v == 2 ? 6 : 1;
}

template <class T, int R, int V>
Tile<T> find_tile(int64_t rows) {
  if constexpr (R > 1) {
    if (rows < R) return find_tile<T, R - 1, V>(rows);
  }
  return tile < T, R, V, R * V >= 8 ? 1 : R * V >= 4 ? 2 : 4 > ;
}

// Rows [begin, end) of c, columns [j, j + columns), V vectors or all but a part of the last; b is [k, columns] there.
template <class T, int V>
void strip(const Product<T>& p, int64_t begin, int64_t end, int64_t j, int64_t columns, const T* b, int64_t ldb) {
  const Part<T> last(columns - (V - 1) * kLanes<T>);
  const Blocks blocks(end - begin, most_rows(V));
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t i = begin + blocks.begin(block);
    const Tile<T> run = find_tile<T, most_rows(V), V>(blocks.size(block));
    Product<T> chain = p;
    for (int64_t k = 0; k == 0 || k < p.k; k += kChain) {
      chain.k = smaller(kChain, p.k - k);
      chain.add = p.add || k > 0;
      const T* bias = p.bias && k == 0 ? p.bias + j : nullptr;
      run(chain, p.a + i * p.row + k * p.term, b + k * ldb, ldb, bias, last, p.c + i * p.ldc + j);
    }
  }
}

// All columns of rows [begin, end) in strips of V vectors, what is left in thinner ones.
template <class T, int V>
void strips(const Product<T>& p, int64_t begin, int64_t end, int64_t j, int64_t columns) {
  constexpr int64_t w = V * kLanes<T>;
  for (; columns >= w; j += w, columns -= w) strip<T, V>(p, begin, end, j, w, p.b + j, p.ldb);
  if (columns == 0) return;
  if constexpr (V > 1) {
    strips<T, V / 2>(p, begin, end, j, columns);
  } else {
    strip<T, 1>(p, begin, end, j, columns, p.b + j, p.ldb);
  }
}

// Few rows: strips of columns fall to threads.
template <class T, int V>
void multiply_few_rows(const Product<T>& p) {
  constexpr int64_t w = V * kLanes<T>;
  parallel_for(p.n, rounded_up(kTask / (p.m * p.k) + 1, w),
               [&](int64_t begin, int64_t end) { strips<T, V>(p, 0, p.m, begin, end - begin); });
}

// Few terms: rows fall to threads, and each is written in one go.
template <class T>
void multiply_few_terms(const Product<T>& p) {
  constexpr int64_t rows = most_rows(4);
  parallel_for(p.m, rounded_up(kTask / (p.n * p.k) + 1, rows), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += rows) strips<T, 4>(p, i, smaller(i + rows, end), 0, p.n);
  });
}

// Few columns, V vectors or all but a part of the last.
template <class T, int V>
void multiply_few_columns(const Product<T>& p, bool transposed) {
  constexpr int64_t lanes = kLanes<T>, w = V * lanes;
  const int64_t grain = rounded_up(kTask / (w * p.k) + 1, most_rows(V));
  const Scratch<T> packed(transposed ? p.k * w + lanes : 0);
  for (int64_t j = 0; transposed && j < p.n; j += lanes) {
    pack_transposed(p.b + j * p.ldb, p.ldb, smaller(lanes, p.n - j), p.k, packed + j, w);
  }
  const T* b = transposed ? static_cast<const T*>(packed) : p.b;
  const int64_t ldb = transposed ? w : p.ldb;
  parallel_for(p.m, grain, [&](int64_t begin, int64_t end) { strip<T, V>(p, begin, end, 0, p.n, b, ldb); });
}

// ---- a lane for each term of a sum

// One or a few vectors and the rows of a matrix: c[i * vector_step + j * row_step] = vector i times row j.
template <class T>
struct Dots {
  int64_t vectors, rows, k;
  const T *vector, *matrix;
  int64_t ld_vector, ld_matrix;
  const T* bias;
  int64_t bias_step;  // from row to row
  T* c;
  int64_t vector_step, row_step;
  bool add;
};

// The dots of a row with N vectors. One row after the other, in long strides and asked for early: 784 x 128 floats in
// the second-level cache take 2.1 us this way, several rows at once 3.3.
template <class T, int N>
void dots_of_row(int64_t k, const T* row, const T* vectors, int64_t ld, T* sums) {
  constexpr int64_t w = kLanes<T>, ahead = 2048 / sizeof(T);
  constexpr int U = 8 / N;
  Vector<T> parts[U][N] = {};
  int64_t l = 0;
  for (; l + U * w <= k; l += U * w) {
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) {
      const int64_t at = l + u * w;
      __builtin_prefetch(row + at + ahead);
      const Vector<T> terms = load(row + at);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) parts[u][i] = fma(terms, load(vectors + i * ld + at), parts[u][i]);
    }
  }
  for (; l < k; l += w) {
    const Part<T> part(smaller(w, k - l));
    const Vector<T> terms = part.load(row + l);
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) parts[0][i] = fma(terms, part.load(vectors + i * ld + l), parts[0][i]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
#pragma GCC unroll 8
    for (int u = 1; u < U; ++u) parts[0][i] += parts[u][i];
    sums[i] = sum_of_lanes(parts[0][i]);
  }
}

// So many vectors at most.
constexpr int64_t kVectors = 3;

template <class T>
void multiply_dots(const Dots<T>& d) {
  const auto dots = d.vectors == 1 ? dots_of_row<T, 1> : d.vectors == 2 ? dots_of_row<T, 2> : dots_of_row<T, 3>;
  parallel_for(d.rows, kTask / (d.k * d.vectors) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; ++j) {
      T sums[kVectors];
      dots(d.k, d.matrix + j * d.ld_matrix, d.vector, d.ld_vector, sums);
      for (int64_t i = 0; i < d.vectors; ++i) {
        T* to = d.c + i * d.vector_step + j * d.row_step;
        *to = sums[i] + (d.add ? *to : d.bias ? d.bias[j * d.bias_step] : T{0});
      }
    }
  });
}

template <class T>
bool multiply(const Gemm& g) {
  const T *a = static_cast<const T*>(g.a), *b = static_cast<const T*>(g.b), *bias = static_cast<const T*>(g.bias);
  T* c = static_cast<T*>(g.c);
  const bool add = g.beta == 1;
  const int64_t row = g.trans_a ? 1 : g.lda, term = g.trans_a ? g.lda : 1;
  if (g.k >= kLong && g.m <= kVectors && g.trans_b && (term == 1 || g.k == 1)) {
    multiply_dots<T>({g.m, g.n, g.k, a, b, row, g.ldb, bias, 1, c, g.ldc, 1, add});
    return true;
  }
  if (g.k >= kLong && g.n == 1 && !g.trans_a && (g.trans_b || g.ldb == 1)) {
    multiply_dots<T>({1, g.m, g.k, b, a, g.k, g.lda, bias, 0, c, 1, g.ldc, add});
    return true;
  }
  // One column of a that lies transposed: the same as one row.
  if (g.n == 1 && g.trans_a && g.ldc == 1 && bias == nullptr && (g.trans_b || g.ldb == 1)) {
    Gemm row_times = g;
    row_times.m = 1;
    row_times.n = g.m;
    row_times.a = g.b;
    row_times.trans_a = row_times.trans_b = false;
    row_times.lda = g.k;
    row_times.b = g.a;
    row_times.ldb = g.lda;
    row_times.ldc = g.m;
    return multiply<T>(row_times);
  }
  const double work = static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  if (work > kLarge) return false;
  const Product<T> p{g.m, g.n, g.k, a, row, term, b, g.ldb, bias, c, g.ldc, add};
  if (g.n <= kLanes<T>) {
    multiply_few_columns<T, 1>(p, g.trans_b);
  } else if (g.n <= 2 * kLanes<T>) {
    multiply_few_columns<T, 2>(p, g.trans_b);
  } else if (g.trans_b) {
    return false;
  } else if (g.k <= kFewTerms) {
    multiply_few_terms<T>(p);
  } else if (g.m <= 2) {
    multiply_few_rows<T, 8>(p);
  } else if (g.m <= kFewRows) {
    multiply_few_rows<T, 2>(p);
  } else {
    return false;
  }
  return true;
}

bool gemm_thin(const Gemm& g) {
  if (g.alpha != 1 || (g.beta != 0 && g.beta != 1)) return false;
  return g.dtype == DType::kFloat64 ? multiply<double>(g) : multiply<float>(g);
}

}  // namespace

void fill_gemm_thin(Table& table) { table.gemm_thin = gemm_thin; }

}  // namespace chainrule::CHAINRULE_CAPABILITY
