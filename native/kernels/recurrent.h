// What both directions of recurrent layers share: steps in order, packed weights, products of a few units of a step.
//
// Each step is cut into panels of units, each panel into blocks of rows. A sum is added up in one order whatever the
// number of rows or threads, so that a sequence gets the same bits alone and in a batch.
#pragma once
#include "kernels/capability.h"
//
#include <string.h>

#include "core/args/recurrent.h"
#include "core/parallel.h"
#include "kernels/lanes.h"
#include "kernels/math.h"
#include "kernels/patches.h"
#include "kernels/tile.h"
#include "kernels/transpose.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void recurrent_forward(const RecurrentArgs& args);
void recurrent_backward(const RecurrentArgs& args);

namespace {

// Terms of a product summed in registers: with as many, a panel of weights stays in the first-level cache while the
// blocks of a group go over it.
constexpr int64_t kTerms = 256;
constexpr int64_t kGroup = 4;
constexpr int64_t kGroupRows = kGroup * kOuterRows;
// Multiply-adds of a task, some 5 us.
constexpr int64_t kTaskWork = int64_t{1} << 19;

// Units of a panel.
template <class T>
constexpr int64_t kUnits = kOuterColumns<T>;

// Steps in the order in which forward takes them; whatever `sizes` says, rows stay inside what there is.
class Steps {
 public:
  explicit Steps(const RecurrentArgs& args) : count_(args.steps), numbers_(2 * args.steps) {
    int64_t first = 0;
    for (int64_t t = 0; t < count_; ++t) {
      int64_t size = args.sizes ? __atomic_load_n(args.sizes + t, __ATOMIC_RELAXED) : args.batch;
      size = larger(0, smaller(size, smaller(args.batch, args.rows - first)));
      const int64_t place = args.reverse ? count_ - 1 - t : t;
      numbers_[place] = first;
      numbers_[count_ + place] = size;
      first += size;
    }
  }
  int64_t count() const { return count_; }
  int64_t first(int64_t step) const { return numbers_[step]; }
  // 0 before the first step and behind the last.
  int64_t size(int64_t step) const { return step < 0 || step >= count_ ? 0 : numbers_[count_ + step]; }

 private:
  int64_t count_;
  Scratch<int64_t> numbers_;
};

// Row r of the step before: in `all`, or in `initial` (null: zeros) where no step came before for it.
template <class T>
CHAINRULE_INLINE const T* row_before(const Steps& steps, int64_t step, int64_t r, int64_t hidden, const void* all,
                                     const void* initial) {
  if (r < steps.size(step - 1)) return static_cast<const T*>(all) + (steps.first(step - 1) + r) * hidden;
  return initial ? static_cast<const T*>(initial) + r * hidden : nullptr;
}

// Consecutive units of a row, at most a vector.
template <class T>
struct Units {
  int64_t first, count;
  CHAINRULE_INLINE Batch<T> load(const T* row) const {
    if (row == nullptr) return Batch<T>(T(0));
    return count == kLanes<T> ? Batch<T>::load_unaligned(row + first) : load_part(row + first, count);
  }
  CHAINRULE_INLINE void store(T* row, Batch<T> v) const {
    if (count == kLanes<T>)
      v.store_unaligned(row + first);
    else
      store_part(row + first, v, count);
  }
};

// Calls f(units, lane of the panel) for the vectors of a panel.
template <class T, class F>
CHAINRULE_INLINE void over_units(int64_t panel, int64_t hidden, const F& f) {
  for (int64_t lane = 0; lane < kUnits<T>; lane += kLanes<T>) {
    const int64_t first = panel * kUnits<T> + lane;
    if (first >= hidden) return;
    f(Units<T>{first, smaller(kLanes<T>, hidden - first)}, lane);
  }
}

// sums [rows of the blocks, kUnits] = the blocks' rows, packed [depth, rows] one after the other, times a panel
// [depth, kUnits].
template <class T>
void multiply_group(const Blocks& blocks, int64_t from, int64_t to, int64_t depth, const T* rows, const T* panel,
                    T* sums) {
  constexpr int64_t n = kUnits<T>;
  for (int64_t l = 0; l < depth; l += kTerms) {
    for (int64_t block = from; block < to; ++block) {
      const int64_t begin = blocks.begin(block), size = blocks.size(block);
      outer_tile(T{}, size)(smaller(kTerms, depth - l), rows + begin * depth + l * size, panel + l * n, n, nullptr,
                            l == 0 ? Store::kSet : Store::kAdd, sums + (begin - blocks.begin(from)) * n, n);
    }
  }
}

// Blocks that hold at least one of the first `rows` rows.
inline int64_t blocks_with(const Blocks& blocks, int64_t rows) {
  int64_t count = 0;
  while (count < blocks.count && blocks.begin(count) < rows) ++count;
  return count;
}

// Calls f(panel) for all panels, on all threads where they have work enough for it.
template <class T, class F>
void over_panels(const RecurrentArgs& args, int64_t rows, const F& f) {
  const int64_t n = kUnits<T>, work = larger(1, rows * n * gates_of(args.cell) * args.hidden);
  parallel_for(blocks_of(args.hidden, n), larger(1, kTaskWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) f(panel);
  });
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
