// Matrix products of our own: faster than OpenBLAS where one side is short, and the same bits on any number of threads.
#include "kernels/capability.h"
//
#include "core/args/gemm.h"
#include "core/parallel.h"
#include "kernels/gemm_paths.h"
#include "kernels/patches.h"
#include "kernels/prefetch.h"
#include "kernels/table.h"
#include "kernels/tile.h"
#include "kernels/transpose.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Terms summed in registers before they go to memory: a panel of them stays in the first-level cache.
constexpr int64_t kDepth = 256;
// Of the smaller operand so many rows or columns are packed for all of the other: they stay in the second-level cache.
constexpr int64_t kKept = 512;
// The larger operand is packed as it is met, so many blocks of rows or panels of columns at a time.
constexpr int64_t kBlocks = 24, kPanels = 4;
constexpr int64_t kTogether = 16;
// Multiply-adds that one thread does as soon as two would, about 10 us.
constexpr int64_t kTask = int64_t{1} << 20;
// Groups come in multiples of so many: 2, 4 or 8 threads share them evenly.
constexpr int64_t kShares = 8;

template <class T>
struct Operands {
  const T *a, *b;
  T* c;
};

// Rows and terms of op(a), or terms and columns of op(b).
struct Span {
  int64_t begin, size;
};

// At most kOuterRows elements; a whole vector may be stored, so that the next row's come after.
template <class T>
CHAINRULE_INLINE void copy_spilling(T* to, const T* from, int64_t n) {
  if constexpr (kVectorBytes == 64 && kLanes<T> >= kOuterRows)
    load_part(from, n).store_unaligned(to);
  else
    copy_lanes(to, from, n);
}

// [4, 12] = 12 elements each of four rows `stride` apart, as three whole vectors: 12 elements stored by themselves
// would mostly lie across two lines of the cache.
#if defined(__AVX512F__)
CHAINRULE_INLINE void copy_four(float* to, const float* from, int64_t stride) {
  const auto join = [](uint32_t lanes, const float* first, const float* second) {
    return _mm512_mask_loadu_ps(_mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes), first),
                                static_cast<__mmask16>(~lanes), second);
  };
  const float *second = from + stride, *third = second + stride, *fourth = third + stride;
  _mm512_storeu_ps(to, join(0x0fff, from, second - 12));
  _mm512_storeu_ps(to + 16, join(0x00ff, second + 4, third - 8));
  _mm512_storeu_ps(to + 32, join(0x000f, third + 8, fourth - 4));
}
#endif

// Elements between packed blocks of rows: packing stores up to a vector too far.
template <class T>
int64_t block_area(int64_t depth) {
  return kOuterRows * depth + kLanes<T>;
}

// Blocks [begin, end) of the rows of op(a) from row `first` on, and some terms -> [terms, rows of the block] each.
template <class T>
void pack_rows(const Gemm& g, const T* a, int64_t first, const Blocks& blocks, int64_t begin, int64_t end, Span terms,
               T* packed) {
  const int64_t area = block_area<T>(terms.size);
  if (!g.trans_a) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t rows = blocks.size(block);
      pack_transposed_rows(a + (first + blocks.begin(block)) * g.lda + terms.begin, g.lda, rows, terms.size,
                           packed + (block - begin) * area, rows);
    }
  } else {
    // Some terms of all blocks at a time: neighbouring blocks share lines of the cache.
    for (int64_t l = 0; l < terms.size; l += kTogether) {
      const int64_t stop = smaller(l + kTogether, terms.size);
      for (int64_t block = begin; block < end; ++block) {
        const int64_t rows = blocks.size(block);
        const T* from = a + (terms.begin + l) * g.lda + first + blocks.begin(block);
        T* to = packed + (block - begin) * area + l * rows;
        int64_t k = l;
#if defined(__AVX512F__)
        if constexpr (sizeof(T) == sizeof(float)) {
          for (; rows == 12 && k + 4 <= stop; k += 4, from += 4 * g.lda, to += 48) copy_four(to, from, g.lda);
        }
#endif
        for (; k < stop; ++k, from += g.lda, to += rows) copy_spilling(to, from, rows);
      }
    }
  }
  if (const T alpha = static_cast<T>(g.alpha); alpha != T{1}) {
    for (int64_t k = 0; k < (end - begin) * area; ++k) packed[k] *= alpha;
  }
}

// Some terms and columns of op(b) -> panels [terms, kOuterColumns], zeros where there is no column.
template <class T>
void pack_columns(const Gemm& g, const T* b, Span terms, Span columns, T* packed) {
  constexpr int64_t n = kOuterColumns<T>, w = kLanes<T>;
  const int64_t whole = columns.size / n * n, depth = terms.size;
  if (whole < columns.size) zero_lanes(packed + whole * depth, depth * n);
  if (g.trans_b) {
    for (int64_t j = 0; j < columns.size; j += w) {
      const T* from = b + (columns.begin + j) * g.ldb + terms.begin;
      T* to = packed + j / n * n * depth + j % n;
      const int64_t rows = smaller(w, columns.size - j);
      if (rows == w) {
        pack_transposed(from, g.ldb, w, depth, to, n);
      } else {
        for (int64_t k = 0; k < depth; ++k)
          for (int64_t i = 0; i < rows; ++i) to[k * n + i] = from[i * g.ldb + k];
      }
    }
    return;
  }
  for (int64_t k = 0; k < depth; ++k) {
    const T* from = b + (terms.begin + k) * g.ldb + columns.begin;
    T* to = packed + k * n;
    for (int64_t j = 0; j < whole; j += n) copy_exactly<T, n>(to + j * depth, from + j);
    copy_lanes(to + whole * depth, from + whole, columns.size - whole);
  }
}

// What a depth of terms is added to: nothing, a bias, or c itself.
template <class T>
struct Target {
  const T* start;  // row 0 of c, or the bias of every row; null: nothing
  int64_t lds;
  T* c;
  int64_t ldc;
};

// c [rows, columns] at (i, j) = its start + a packed block times a packed panel.
template <class T>
void multiply_tile(const Target<T>& target, int64_t depth, int64_t rows, const T* block, const T* panel, int64_t i,
                   int64_t j, int64_t columns, Ahead<T>* ahead) {
  constexpr int64_t n = kOuterColumns<T>;
  const SumTile<T> tile = sum_tile(T{}, rows);
  T* c = target.c + i * target.ldc + j;
  const T* start = target.start ? target.start + i * target.lds + j : nullptr;
  if (columns == n) {
    for (int64_t r = 0; r < rows; ++r) {
      __builtin_prefetch(c + r * target.ldc, 1);
      __builtin_prefetch(c + r * target.ldc + n - 1, 1);
    }
    return tile(depth, block, panel, start, target.lds, c, target.ldc, ahead);
  }
  alignas(64) T sums[kOuterRows * n];
  tile(depth, block, panel, nullptr, 0, sums, n, ahead);
  for (int64_t r = 0; r < rows; ++r) {
    if (start) add_lanes(sums + r * n, start + r * target.lds, columns);
    copy_lanes(c + r * target.ldc, sums + r * n, columns);
  }
}

// Some rows and terms of op(a), and some terms and columns of op(b), as they lie in memory.
template <class T>
Piece<T> rows_of(const Gemm& g, const T* a, Span rows, Span terms) {
  if (g.trans_a) return {a + terms.begin * g.lda + rows.begin, g.lda, terms.size, rows.size};
  return {a + rows.begin * g.lda + terms.begin, g.lda, rows.size, terms.size};
}
template <class T>
Piece<T> columns_of(const Gemm& g, const T* b, Span terms, Span columns) {
  if (g.trans_b) return {b + columns.begin * g.ldb + terms.begin, g.ldb, columns.size, terms.size};
  return {b + terms.begin * g.ldb + columns.begin, g.ldb, terms.size, columns.size};
}

// What one call of stream_columns or stream_rows goes through, and what the next one will.
struct Pass {
  Span kept, terms;
};

// Blocks or panels in groups of `most` at most, for a product of so many multiply-adds.
Blocks groups_of(int64_t things, int64_t most, int64_t work) {
  if (work <= kTask) return Blocks(things, most);
  return Blocks::of_count(things, smaller(things, kShares * blocks_of(things, kShares * most)));
}

// Groups of a task.
int64_t grain_of(const Blocks& groups, int64_t work) {
  return work <= kTask ? larger(1, groups.count) : larger(1, kTask / 2 * groups.count / work);
}

// Few rows: a packed once, b as it is met.
template <class T>
void stream_columns(const Gemm& g, const Operands<T>& at, const Target<T>& target, Pass pass, Pass after) {
  constexpr int64_t n = kOuterColumns<T>;
  const Span rows = pass.kept, terms = pass.terms;
  const int64_t depth = terms.size, area = block_area<T>(depth);
  const Blocks blocks(rows.size, kOuterRows);
  const Scratch<T> packed(blocks.count * area);
  parallel_for(blocks.count, larger(kBlocks, 65536 / (depth * kOuterRows)), [&](int64_t begin, int64_t end) {
    pack_rows<T>(g, at.a, rows.begin, blocks, begin, end, terms, packed + begin * area);
  });
  const int64_t work = rows.size * g.n * depth;
  const Blocks groups = groups_of(blocks_of(g.n, n), kPanels, work);
  const auto group_columns = [&](int64_t group) {
    const int64_t begin = groups.begin(group) * n;
    return Span{begin, smaller(g.n, groups.begin(group + 1) * n) - begin};
  };
  const int64_t grain = grain_of(groups, work);
  parallel_for(groups.count, grain, [&](int64_t begin, int64_t end) {
    const Scratch<T> panels(kPanels * depth * n + kLanes<T>);
    for (int64_t group = begin; group < end; ++group) {
      const Span columns = group_columns(group);
      pack_columns<T>(g, at.b, terms, columns, panels);
      const int64_t count = blocks_of(columns.size, n);
      const int64_t next = next_of(group, end, grain);
      Ahead<T> ahead = next < groups.count ? Ahead<T>(columns_of(g, at.b, terms, group_columns(next)), {})
                                           : Ahead<T>(rows_of(g, at.a, after.kept, after.terms),
                                                      columns_of(g, at.b, after.terms, group_columns(0)));
      for (int64_t p = 0; p < count; ++p) {
        const int64_t j = columns.begin + p * n, width = smaller(n, g.n - j);
        for (int64_t block = 0; block < blocks.count; ++block) {
          multiply_tile<T>(target, depth, blocks.size(block), packed + block * area, panels + p * n * depth,
                           rows.begin + blocks.begin(block), j, width, &ahead);
        }
      }
    }
  });
}

// Few columns: b packed once, a as it is met.
template <class T>
void stream_rows(const Gemm& g, const Operands<T>& at, const Target<T>& target, Pass pass, Pass after) {
  constexpr int64_t n = kOuterColumns<T>;
  const Span columns = pass.kept, terms = pass.terms;
  const int64_t depth = terms.size, area = block_area<T>(depth), count = blocks_of(columns.size, n);
  const Scratch<T> panels(count * depth * n + kLanes<T>);
  parallel_for(count, larger(kPanels, 65536 / (depth * n)), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * n;
    pack_columns<T>(g, at.b, terms, {columns.begin + first, smaller(columns.size, end * n) - first},
                    panels + first * depth);
  });
  const int64_t work = g.m * columns.size * depth;
  const Blocks blocks(g.m, kOuterRows), groups = groups_of(blocks.count, kBlocks, work);
  const auto group_rows = [&](int64_t group) {
    const int64_t begin = blocks.begin(groups.begin(group));
    return Span{begin, blocks.begin(groups.begin(group + 1)) - begin};
  };
  const int64_t grain = grain_of(groups, work);
  parallel_for(groups.count, grain, [&](int64_t begin, int64_t end) {
    const Scratch<T> packed(kBlocks * area);
    for (int64_t group = begin; group < end; ++group) {
      const int64_t first = groups.begin(group), last = groups.begin(group + 1);
      pack_rows<T>(g, at.a, 0, blocks, first, last, terms, packed);
      const int64_t next = next_of(group, end, grain);
      Ahead<T> ahead = next < groups.count ? Ahead<T>(rows_of(g, at.a, group_rows(next), terms), {})
                                           : Ahead<T>(columns_of(g, at.b, after.terms, after.kept),
                                                      rows_of(g, at.a, group_rows(0), after.terms));
      for (int64_t p = 0; p < count; ++p) {
        const int64_t j = columns.begin + p * n, width = smaller(n, columns.begin + columns.size - j);
        for (int64_t block = first; block < last; ++block) {
          multiply_tile<T>(target, depth, blocks.size(block), packed + (block - first) * area, panels + p * n * depth,
                           blocks.begin(block), j, width, &ahead);
        }
      }
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
  const bool by_columns = g.m < g.n;
  const Blocks depths(g.k, kDepth),
      kept(by_columns ? g.m : blocks_of(g.n, kOuterColumns<T>), by_columns ? kKept : kKept / kOuterColumns<T>);
  const auto pass_of = [&](int64_t i) -> Pass {
    if (i == depths.count * kept.count) return {};
    const int64_t l = i / kept.count, begin = kept.begin(i % kept.count), size = kept.size(i % kept.count);
    const Span terms{depths.begin(l), depths.size(l)};
    if (by_columns) return {{begin, size}, terms};
    const int64_t first = begin * kOuterColumns<T>;
    return {{first, smaller(g.n - first, size * kOuterColumns<T>)}, terms};
  };
  for (int64_t i = 0; i < depths.count * kept.count; ++i) {
    const bool first = i < kept.count && g.beta == 0;
    const Target<T> target{first ? static_cast<const T*>(g.bias) : at.c, first ? 0 : g.ldc, at.c, g.ldc};
    (by_columns ? stream_columns<T> : stream_rows<T>)(g, at, target, pass_of(i), pass_of(i + 1));
  }
}

void gemm(const Gemm& g) {
  if (gemm_turned(g)) return;
  g.dtype == DType::kFloat64 ? multiply<double>(g) : multiply<float>(g);
}

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
