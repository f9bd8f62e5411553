// Matrix products of our own: faster than OpenBLAS where one side is short, and the same bits on any number of threads.
#include "kernels/capability.h"
//
#include "core/args/gemm.h"
#include "core/parallel.h"
#include "kernels/patches.h"
#include "kernels/table.h"
#include "kernels/tile.h"
#include "kernels/transpose.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Terms summed in registers before they go to memory: a panel of them stays in the second-level cache.
constexpr int64_t kDepth = 512;
// Rows of a packed once for all columns: 1.5 MB at full depth.
constexpr int64_t kRows = 768;
// Multiply-adds of a task, about 10 us.
constexpr int64_t kTask = int64_t{1} << 20;

template <class T>
struct Operands {
  const T *a, *b;
  T* c;
};

// At most kOuterRows elements; a whole vector may be stored, so that the next row's come after.
template <class T>
CHAINRULE_INLINE void copy_spilling(T* to, const T* from, int64_t n) {
  if constexpr (kVectorBytes == 64 && kLanes<T> >= kOuterRows)
    load_part(from, n).store_unaligned(to);
  else
    copy_lanes(to, from, n);
}

// Rows [i, i + rows) and terms [l, l + depth) of op(a) -> [depth, rows].
template <class T>
void pack_rows_of_a(const Gemm& g, const T* a, int64_t i, int64_t rows, int64_t l, int64_t depth, T* packed) {
  if (!g.trans_a) {
    pack_transposed_rows(a + i * g.lda + l, g.lda, rows, depth, packed, rows);
  } else {
    for (int64_t k = 0; k < depth; ++k) copy_spilling(packed + k * rows, a + (l + k) * g.lda + i, rows);
  }
  if (const T alpha = static_cast<T>(g.alpha); alpha != T{1}) {
    for (int64_t k = 0; k < depth * rows; ++k) packed[k] *= alpha;
  }
}

// Terms [l, l + depth) and columns [j, j + columns) of op(b) -> [depth, kOuterColumns], zeros where there is no column.
template <class T>
void pack_columns_of_b(const Gemm& g, const T* b, int64_t l, int64_t depth, int64_t j, int64_t columns, T* packed) {
  constexpr int64_t n = kOuterColumns<T>, w = kLanes<T>;
  if (columns < n) zero_lanes(packed, depth * n);
  if (g.trans_b) {
    for (int64_t half = 0; half < columns; half += w) {
      const int64_t rows = smaller(w, columns - half);
      if (rows < w) {
        for (int64_t k = 0; k < depth; ++k)
          for (int64_t i = 0; i < rows; ++i) packed[k * n + half + i] = b[(j + half + i) * g.ldb + l + k];
      } else {
        pack_transposed(b + (j + half) * g.ldb + l, g.ldb, w, depth, packed + half, n);
      }
    }
  } else if (columns == n) {
    for (int64_t k = 0; k < depth; ++k) copy_exactly<T, n>(packed + k * n, b + (l + k) * g.ldb + j);
  } else {
    for (int64_t k = 0; k < depth; ++k) copy_lanes(packed + k * n, b + (l + k) * g.ldb + j, columns);
  }
}

// Elements between packed blocks of rows: packing stores up to a vector too far.
template <class T>
int64_t block_area(int64_t depth) {
  return kOuterRows * depth + kLanes<T>;
}

// Asks for part `part` of `parts` of what the packing of a panel will read: where b is large and m small, waiting for
// memory would cost as much as the products.
template <class T>
void prefetch_columns_of_b(const Gemm& g, const T* b, int64_t l, int64_t depth, int64_t j, int64_t part,
                           int64_t parts) {
  constexpr int64_t n = kOuterColumns<T>, line = 64 / static_cast<int64_t>(sizeof(T));
  if (j >= g.n) return;
  if (g.trans_b) {
    const int64_t columns = smaller(n, g.n - j);
    for (int64_t i = columns * part / parts; i < columns * (part + 1) / parts; ++i)
      for (int64_t k = 0; k < depth; k += line) __builtin_prefetch(b + (j + i) * g.ldb + l + k, 0, 2);
  } else {
    for (int64_t k = depth * part / parts; k < depth * (part + 1) / parts; ++k)
      for (int64_t i = 0; i < n; i += line) __builtin_prefetch(b + (l + k) * g.ldb + j + i, 0, 2);
  }
}

// c [m, n] columns [j, j + columns) = or += rows of a, packed block by block, times one packed panel of b.
// With a bias, [columns], rows of c start as copies of it: tile by tile, while they are in the cache.
template <class T, class Meanwhile>
void multiply_panel(const Blocks& blocks, int64_t depth, const T* a, const T* panel, Store how, const T* bias,
                    int64_t columns, T* c, int64_t ldc, const Meanwhile& meanwhile) {
  constexpr int64_t n = kOuterColumns<T>;
  alignas(64) T sums[kOuterRows * n];
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t first = blocks.begin(block), rows = blocks.size(block);
    const OuterTile<T> tile = outer_tile(T{}, rows);
    meanwhile(block);
    const T* packed = a + block * block_area<T>(depth);
    T* to = c + first * ldc;
    if (bias) {
      for (int64_t i = 0; i < rows; ++i) copy_lanes(to + i * ldc, bias, columns);
    }
    if (columns == n) {
      tile(depth, packed, panel, n, nullptr, how, to, ldc);
      continue;
    }
    tile(depth, packed, panel, n, nullptr, Store::kSet, sums, n);
    for (int64_t i = 0; i < rows; ++i) {
      how == Store::kAdd ? add_lanes(to + i * ldc, sums + i * n, columns)
                         : copy_lanes(to + i * ldc, sums + i * n, columns);
    }
  }
}

// Rows [i, i + rows) of c, terms [l, l + depth): a packed once, then every panel of columns on its own.
template <class T>
void multiply_rows(const Gemm& g, const Operands<T>& at, int64_t i, int64_t rows, int64_t l, int64_t depth) {
  constexpr int64_t n = kOuterColumns<T>;
  const T* bias = l == 0 ? static_cast<const T*>(g.bias) : nullptr;
  const Store how = l == 0 && g.beta == 0 && bias == nullptr ? Store::kSet : Store::kAdd;
  const Blocks blocks(rows, kOuterRows);
  const Scratch<T> packed(blocks.count * block_area<T>(depth));
  parallel_for(blocks.count, larger(1, 65536 / (depth * kOuterRows)), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      pack_rows_of_a(g, at.a, i + blocks.begin(block), blocks.size(block), l, depth,
                     packed + block * block_area<T>(depth));
    }
  });
  const int64_t panels = blocks_of(g.n, n);
  parallel_for(panels, larger(1, kTask / (rows * depth * n)), [&](int64_t begin, int64_t end) {
    const Scratch<T> panel(depth * n + kLanes<T>);
    for (int64_t j = begin * n; j < smaller(end * n, g.n); j += n) {
      const int64_t columns = smaller(n, g.n - j);
      pack_columns_of_b(g, at.b, l, depth, j, columns, static_cast<T*>(panel));
      multiply_panel<T>(blocks, depth, packed, panel, how, bias ? bias + j : nullptr, columns, at.c + i * g.ldc + j,
                        g.ldc, [&](int64_t block) {
                          if (j + n < end * n) prefetch_columns_of_b(g, at.b, l, depth, j + n, block, blocks.count);
                        });
    }
  });
}

template <class T>
void multiply(const Gemm& g) {
  const Operands<T> at{static_cast<const T*>(g.a), static_cast<const T*>(g.b), static_cast<T*>(g.c)};
  if (g.beta != 0 && g.beta != 1) {
    for (int64_t i = 0; i < g.m; ++i)
      for (int64_t j = 0; j < g.n; ++j) at.c[i * g.ldc + j] *= static_cast<T>(g.beta);
  }
  const Blocks chunks(g.m, kRows);
  for (int64_t chunk = 0; chunk < chunks.count; ++chunk) {
    for (int64_t l = 0; l < g.k; l += kDepth) {
      multiply_rows(g, at, chunks.begin(chunk), chunks.size(chunk), l, smaller(kDepth, g.k - l));
    }
  }
}

void gemm(const Gemm& g) { g.dtype == DType::kFloat64 ? multiply<double>(g) : multiply<float>(g); }

}  // namespace

void fill_gemm(Table& table) {
#if defined(__AVX2__)
  table.gemm = gemm;
#else
  table.gemm = nullptr;  // OpenBLAS has assembly for these
  (void)gemm;
#endif
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
