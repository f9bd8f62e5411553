// Asking for parts of a matrix some time before they are read.
#pragma once
#include <cstdint>

#include "core/parallel.h"
#include "kernels/capability.h"
#include "kernels/vector.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// What the thread that does thing `at` of the range that ends at `end` probably does next: where ranges of `grain`
// things are dealt to all threads in turn.
inline int64_t next_of(int64_t at, int64_t end, int64_t grain) {
  return at + 1 < end ? at + 1 : at + 1 + (num_threads() - 1) * grain;
}

}  // namespace

// Part of a matrix, its rows `stride` apart.
template <class T>
struct Piece {
  const T* from = nullptr;
  int64_t stride = 0, rows = 0, columns = 0;
};

// Walks through one piece of a matrix and then another, and at each step brings a line of them into the second-level
// cache.
template <class T>
class Ahead {
 public:
  Ahead(const Piece<T>& first, const Piece<T>& second) : second_(second) { start(first); }

  CHAINRULE_INLINE void step() {
    if (left_ == 0) return;
    __builtin_prefetch(row_ + line_ * kLine, 0, 2);
    if (++line_ < lines_) return;
    line_ = 0;
    row_ += stride_;
    if (--left_ > 0) return;
    start(second_);
    second_ = {};
  }

 private:
  static constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));

  void start(const Piece<T>& piece) {
    row_ = piece.from;
    stride_ = piece.stride;
    left_ = piece.rows;
    lines_ = (piece.columns + kLine - 1) / kLine;
  }

  Piece<T> second_;
  const T* row_;
  int64_t stride_, lines_, left_, line_ = 0;
};

}  // namespace chainrule::CHAINRULE_CAPABILITY
