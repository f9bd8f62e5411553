// Searching a run for the first place that something is wrong with.
#pragma once
#include <atomic>
#include <cstdint>

#include "core/parallel.h"

namespace chainrule {

// The first of [begin, end) for which `wrong` says so, or `end`. Blocks without a branch inside vectorise.
template <class F>
int64_t first_place(int64_t begin, int64_t end, const F& wrong) {
  constexpr int64_t kBlock = 256;
  for (; begin < end; begin += kBlock) {
    const int64_t stop = end - begin < kBlock ? end : begin + kBlock;
    unsigned any = 0;
    for (int64_t j = begin; j < stop; ++j) any |= static_cast<unsigned>(wrong(j));
    if (!any) continue;
    for (int64_t j = begin; j < stop; ++j)
      if (wrong(j)) return j;
  }
  return end;
}

// The same of [0, n), or n, on all threads.
template <class F>
int64_t first_place_of_all(int64_t n, int64_t grain, const F& wrong) {
  if (n <= grain) return first_place(0, n, wrong);
  std::atomic<int64_t> least{n};
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    const int64_t found = first_place(begin, end, wrong);
    int64_t before = least.load(std::memory_order_relaxed);
    while (found < end && found < before && !least.compare_exchange_weak(before, found, std::memory_order_relaxed)) {
    }
  });
  return least.load(std::memory_order_relaxed);
}

}  // namespace chainrule
