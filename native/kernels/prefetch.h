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

// Walks through a matrix whose rows lie `stride` apart in so many steps, each of which brings its part into the
// second-level cache.
template <class T>
class Ahead {
 public:
  Ahead() = default;
  Ahead(const T* from, int64_t stride, int64_t rows, int64_t columns, int64_t steps)
      : row_(from), stride_(stride), lines_((columns + kLine - 1) / kLine), left_(rows * lines_) {
    each_ = (left_ + steps - 1) / steps;
  }

  CHAINRULE_INLINE void step() {
    const int64_t count = left_ < each_ ? left_ : each_;
    left_ -= count;
    for (int64_t i = 0; i < count; ++i) {
      __builtin_prefetch(row_ + line_ * kLine, 0, 2);
      if (++line_ == lines_) {
        line_ = 0;
        row_ += stride_;
      }
    }
  }

 private:
  static constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  const T* row_ = nullptr;
  int64_t stride_ = 0, lines_ = 0, left_ = 0, each_ = 0, line_ = 0;
};

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
