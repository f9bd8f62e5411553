// Checking indices before anything is read or written with them.
#include "core/index_check.h"

#include <algorithm>
#include <atomic>

#include "core/parallel.h"

namespace chainrule {
namespace {

thread_local int64_t bad_index = -1;

// Bounds as indices have them, so that a vector holds as many as fit.
struct Bounds {
  int32_t low, high;  // inclusive
  int32_t ignored;
};

// The first bad one of a run, or `count`. Blocks without a branch inside vectorise.
template <bool kIgnores>
int64_t first_bad(const int32_t* index, int64_t count, const Bounds& bounds) {
  constexpr int64_t kBlock = 256;
  const auto [low, high, ignored] = bounds;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = count - begin < kBlock ? count : begin + kBlock;
    const auto bad = [&](int64_t j) {
      const bool outside = (index[j] < low) | (index[j] > high);
      return kIgnores ? outside & (index[j] != ignored) : outside;
    };
    unsigned any = 0;
    for (int64_t j = begin; j < end; ++j) any |= bad(j);
    if (!any) continue;
    for (int64_t j = begin; j < end; ++j)
      if (bad(j)) return j;
  }
  return count;
}

}  // namespace

bool check_indices(const int32_t* index, int64_t count, int64_t low, int64_t n, int64_t ignored) {
  constexpr int64_t kGrain = 64 * 1024;
  const Bounds bounds{static_cast<int32_t>(std::max<int64_t>(low, INT32_MIN)),
                      static_cast<int32_t>(std::min<int64_t>(n - 1, INT32_MAX)), static_cast<int32_t>(ignored)};
  const auto first = ignored == kNoneIgnored ? first_bad<false> : first_bad<true>;
  int64_t place = count;
  if (count <= kGrain) {
    place = first(index, count, bounds);
  } else {
    std::atomic<int64_t> least{count};
    parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
      const int64_t found = begin + first(index + begin, end - begin, bounds);
      int64_t before = least.load(std::memory_order_relaxed);
      while (found < end && found < before && !least.compare_exchange_weak(before, found, std::memory_order_relaxed)) {
      }
    });
    place = least.load(std::memory_order_relaxed);
  }
  if (place == count) return true;
  keep_bad_index(place);
  return false;
}

void keep_bad_index(int64_t place) {
  if (bad_index < 0) bad_index = place;
}

int64_t take_bad_index() {
  const int64_t place = bad_index;
  bad_index = -1;
  return place;
}

}  // namespace chainrule
