// What both directions of attention share: the matrices of one head, masks, and packing for products whose sums stay in
// registers. The score matrix is never whole: it is made block by block, backward again from its rows' statistics (Dao
// et al. 2022, FlashAttention).
#pragma once
#include "kernels/capability.h"
//
#include "core/args/attention.h"
#include "core/parallel.h"
#include "kernels/lanes.h"
#include "kernels/math.h"
#include "kernels/patches.h"
#include "kernels/tile.h"
#include "kernels/transpose.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void attention_forward(const AttentionArgs& args);
void attention_backward(const AttentionArgs& args);

namespace {

// Queries of a block: packing keys and values costs little beside their products with as many.
constexpr int64_t kQueries = 128;

// Columns of a panel: queries forward, keys backward.
template <class T>
constexpr int64_t kPanel = kOuterColumns<T>;

// One head's matrix of an operand.
template <class T>
struct Matrix {
  T* data;
  int64_t stride;
  CHAINRULE_INLINE T* row(int64_t i) const { return data + i * stride; }
};

inline int64_t head_offset(const AttentionArgs& args, const HeadView& view, int64_t head) {
  int64_t offset = 0;
  for (int i = args.ndim - 1; i >= 0; --i) {
    offset += head % args.shape[i] * view.batch[i];
    head /= args.shape[i];
  }
  return offset;
}

template <class T>
Matrix<T> matrix_of(const AttentionArgs& args, const HeadView& view, int64_t head) {
  return {view.data ? reinterpret_cast<T*>(view.data) + head_offset(args, view, head) : nullptr, view.row};
}

// Asks for rows that are read soon: they lie too far apart for the hardware to see them coming.
template <class T>
CHAINRULE_INLINE void prefetch_rows(Matrix<const T> from, int64_t rows, int64_t columns) {
  constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(T));
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; j += line) __builtin_prefetch(from.row(i) + j, 0, 2);
}

// Heads of a task.
inline int64_t head_grain(int64_t heads) { return larger(1, smaller(4, heads / 16)); }

// What a mask adds to the scores of one head.
template <class T>
class Mask {
 public:
  Mask(const AttentionArgs& args, int64_t head)
      : kind_(args.mask_kind), causal_(args.causal), row_(args.mask.row), column_(args.mask_column) {
    if (kind_ != MaskKind::kNone) {
      const int64_t size = kind_ == MaskKind::kBool ? 1 : static_cast<int64_t>(sizeof(T));
      data_ = args.mask.data + head_offset(args, args.mask, head) * size;
    }
  }

  // Whether any of these pairs is affected.
  bool touches(int64_t query, int64_t key, int64_t keys) const {
    return kind_ != MaskKind::kNone || (causal_ && key + keys - 1 > query);
  }
  bool same_for_queries() const { return !causal_ && row_ == 0; }

  // For one query and n keys, at most a vector.
  CHAINRULE_INLINE Vector<T> added(int64_t query, int64_t key, int64_t n) const {
    alignas(64) T values[kLanes<T>] = {};
    if (kind_ == MaskKind::kAdded) {
      const T* from = reinterpret_cast<const T*>(data_) + query * row_ + key * column_;
      if (column_ == 1 && n == kLanes<T> && !causal_) return load(from);
      for (int64_t i = 0; i < n; ++i) values[i] = from[i * column_];
    } else if (kind_ == MaskKind::kBool) {
      const char* from = data_ + query * row_ + key * column_;
      for (int64_t i = 0; i < n; ++i) values[i] = from[i * column_] ? T(0) : kNever;
    }
    if (causal_) {
      for (int64_t i = larger(0, query + 1 - key); i < n; ++i) values[i] += kNever;
    }
    return load(values);
  }

 private:
  static constexpr T kNever = -__builtin_inf();
  MaskKind kind_;
  bool causal_;
  int64_t row_, column_;
  const char* data_ = nullptr;
};

// to [depth, kPanel] = rows [0, rows) of a matrix, transposed, zeros where there is no row.
template <class T>
void pack_panel(Matrix<const T> from, int64_t rows, int64_t depth, T* to) {
  constexpr int64_t n = kPanel<T>, w = kLanes<T>;
  if (rows == n) {
    for (int64_t half = 0; half < n; half += w) pack_transposed(from.row(half), from.stride, w, depth, to + half, n);
  } else {
    zero_lanes(to, depth * n);
    store_transposed(from.data, from.stride, rows, depth, to, n);
  }
}

// to [rows, columns] = rows of a matrix side by side, times a factor.
template <class T>
void copy_rows(Matrix<const T> from, int64_t rows, int64_t columns, T factor, T* to) {
  for (int64_t i = 0; i < rows; ++i, to += columns) {
    copy_lanes(to, from.row(i), columns);
    if (factor != T{1}) {
      for (int64_t j = 0; j < columns; ++j) to[j] *= factor;
    }
  }
}

template <class T>
void scale_elements(T* x, int64_t n, T factor) {
  for (int64_t i = 0; i < n; ++i) x[i] *= factor;
}

// Factors of a product, that of row i and term l at data[i * row + l * term].
template <class T>
struct Factors {
  const T* data;
  int64_t row, term;
};

template <class T>
Factors<T> rows_of(Matrix<const T> m) {
  return {m.data, m.stride, 1};
}
template <class T>
Factors<T> columns_of(Matrix<const T> m) {
  return {m.data, 1, m.stride};
}

// c [rows of the blocks, kPanel] = or += factors times a panel [depth, kPanel].
template <class T>
CHAINRULE_INLINE void multiply_blocks(const Blocks& blocks, int64_t depth, Factors<T> factors, const T* panel,
                                      Store how, T* c) {
  constexpr int64_t n = kPanel<T>;
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t begin = blocks.begin(block);
    free_tile(T{}, blocks.size(block))(depth, factors.data + begin * factors.row, factors.row, factors.term, panel, how,
                                       c + begin * n, n);
  }
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
