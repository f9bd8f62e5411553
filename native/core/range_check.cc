// Checking values: whether all of a run of numbers lie in a range.
#include "core/range_check.h"

#include <atomic>

#include "core/index_check.h"
#include "core/parallel.h"

namespace chainrule {
namespace {

// The first element outside of a run, or `count`. Blocks without a branch inside vectorise.
template <class T>
int64_t first_outside(const T* x, int64_t count, double low, double high) {
  constexpr int64_t kBlock = 256;
  const auto outside = [&](int64_t j) {
    const double value = static_cast<double>(x[j]);
    return static_cast<unsigned>(value < low) | static_cast<unsigned>(value > high);
  };
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = count - begin < kBlock ? count : begin + kBlock;
    unsigned any = 0;
    for (int64_t j = begin; j < end; ++j) any |= outside(j);
    if (!any) continue;
    for (int64_t j = begin; j < end; ++j)
      if (outside(j)) return j;
  }
  return count;
}

template <class T>
void check(const RangeArgs& args) {
  constexpr int64_t kGrain = 32 * 1024;
  const T* x = static_cast<const T*>(args.x);
  std::atomic<int64_t> least{args.n};
  parallel_for(args.n, kGrain, [&](int64_t begin, int64_t end) {
    const int64_t found = begin + first_outside(x + begin, end - begin, args.low, args.high);
    int64_t before = least.load(std::memory_order_relaxed);
    while (found < end && found < before && !least.compare_exchange_weak(before, found, std::memory_order_relaxed)) {
    }
  });
  const int64_t place = least.load(std::memory_order_relaxed);
  if (place != args.n) keep_bad_index(place);
}

}  // namespace

void check_range(const RangeArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return check<float>(args);
    case DType::kFloat64:
      return check<double>(args);
    case DType::kInt32:
      return check<int32_t>(args);
    default:
      return check<uint8_t>(args);
  }
}

}  // namespace chainrule
