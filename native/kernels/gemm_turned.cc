// c = a b^T for few rows of a, as layers have them: computed turned, c^T = b a^T, with the rows of a in the lanes. The
// rows of b, the weights, are read where they lie; packing them would cost a fourth of such a product.
#include "kernels/capability.h"
//
#include "core/parallel.h"
#include "kernels/gemm_paths.h"
#include "kernels/patches.h"
#include "kernels/tile.h"
#include "kernels/transpose.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Terms summed in registers before they go to memory.
constexpr int64_t kDepth = 512;
// Rows of a that are few, and elements of a that stay in the second-level cache.
constexpr int64_t kFewRows = 128, kKept = 256 * 1024;
// Multiply-adds of a task, about 10 us.
constexpr int64_t kTask = int64_t{1} << 20;

template <class T>
class Turned {
 public:
  explicit Turned(const Gemm& g)
      : g_(g),
        a_(static_cast<const T*>(g.a)),
        b_(static_cast<const T*>(g.b)),
        bias_(static_cast<const T*>(g.bias)),
        c_(static_cast<T*>(g.c)),
        width_(rounded_up(g.m, n)),
        depths_(g.k, kDepth) {}

  void run() const {
    const Scratch<T> packed(width_ * g_.k + w);
    parallel_for(width_ / w, larger(1, 32768 / (w * g_.k)), [&](int64_t begin, int64_t end) {
      for (int64_t strip = begin; strip < end; ++strip) pack(strip * w, packed);
    });
    const Blocks blocks(g_.n, kOuterRows);
    parallel_for(blocks.count, larger(1, kTask / (kOuterRows * g_.k * width_)), [&](int64_t begin, int64_t end) {
      const Scratch<T> sums(kOuterRows * width_);
      for (int64_t block = begin; block < end; ++block) {
        const int64_t j = blocks.begin(block), rows = blocks.size(block);
        multiply(j, rows, packed, sums);
        for (int64_t i = 0; i < g_.m; i += w)
          for (int64_t r = 0; r < rows; r += w) write(sums + r * width_ + i, i, j + r, smaller(w, rows - r));
      }
    });
  }

 private:
  static constexpr int64_t n = kOuterColumns<T>, w = kLanes<T>;

  // Rows [i, i + w) of a -> lanes of their panel, zeros where there is no row.
  void pack(int64_t i, T* packed) const {
    T* to = packed + i / n * n * g_.k + i % n;
    const int64_t rows = smaller(w, g_.m - i);
    if (rows == w) return pack_lanes(i, to);
    for (int64_t k = 0; k < g_.k; ++k) {
      zero_lanes(to + k * n, w);
      for (int64_t r = 0; r < rows; ++r) to[k * n + r] = a_[(i + r) * g_.lda + k];
    }
  }
  void pack_lanes(int64_t i, T* to) const { pack_transposed(a_ + i * g_.lda, g_.lda, w, g_.k, to, n); }

  // Of rows [j, j + rows) of b.
  void multiply(int64_t j, int64_t rows, const T* packed, T* sums) const {
    const FreeTile<T> tile = free_tile(T{}, rows);
    const int64_t panels = width_ / n;
    const T* from = b_ + j * g_.ldb;
    for (int64_t l = 0; l < depths_.count; ++l) {
      const int64_t begin = depths_.begin(l), depth = depths_.size(l);
      for (int64_t p = 0; p < panels; ++p) {
        tile(depth, from + begin, g_.ldb, 1, packed + (p * g_.k + begin) * n, l == 0 ? Store::kSet : Store::kAdd,
             sums + p * n, width_);
      }
    }
  }

  // c [i.., j.. + columns) from a square of sums, turned.
  void write(const T* sums, int64_t i, int64_t j, int64_t columns) const {
    Vector<T> rows[w];
    transpose_square(sums, width_, columns, rows);
    const Part<T> part(columns);
    const Vector<T> bias = bias_ ? part.load(bias_ + j) : Vector<T>{}, alpha = broadcast(static_cast<T>(g_.alpha));
    T* c = c_ + i * g_.ldc + j;
#pragma GCC unroll 16
    for (int64_t r = 0; r < w; ++r) {
      if (i + r >= g_.m) break;
      Vector<T> value = rows[r];
      if (g_.alpha != 1) value *= alpha;
      value += g_.beta == 0 ? bias : part.load(c + r * g_.ldc);
      part.store(c + r * g_.ldc, value);
    }
  }

  const Gemm& g_;
  const T *a_, *b_, *bias_;
  T* c_;
  const int64_t width_;
  const Blocks depths_;
};

template <class T>
bool multiply(const Gemm& g) {
  const int64_t width = rounded_up(g.m, kOuterColumns<T>);
  if (g.m > kFewRows || 4 * g.m < 3 * width || width * g.k > kKept) return false;
  Turned<T>(g).run();
  return true;
}

}  // namespace

bool gemm_turned(const Gemm& g) {
  if (g.trans_a || !g.trans_b || (g.beta != 0 && g.beta != 1)) return false;
  return g.dtype == DType::kFloat64 ? multiply<double>(g) : multiply<float>(g);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
