// Kernels of reductions that find an element: its value and its place, the first of equal ones.
//
// An Op is one of those of reduce_fold.h with `beats(x, best)`: whether x takes the place of an earlier element. The
// extreme of nothing is beaten by all but its equals, and the first of these is where the accumulator starts.
#pragma once
#include "kernels/reduce_fold.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class Op>
struct Find {
  using T = typename Op::T;
  using Acc = typename Op::Acc;

  static void start(void* acc, int32_t* places, int64_t n, int64_t place) {
    for (int64_t j = 0; j < n; ++j) {
      static_cast<Acc*>(acc)[j] = Op::identity();
      if (places) places[j] = static_cast<int32_t>(place);
    }
  }

  // The first element of a run that equals `best`, its extreme, or is NaN as that is.
  static int64_t first(const T* x, int64_t n, Acc best) {
    constexpr int64_t kBlock = 64;
    const bool nan = best != best;
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      unsigned found = 0;
      for (int64_t j = 0; j < kBlock; ++j) {
        const Acc v = Op::value(x[i + j]);
        found |= static_cast<unsigned>(v == best) | (static_cast<unsigned>(v != v) & static_cast<unsigned>(nan));
      }
      if (found) break;
    }
    for (; i < n; ++i) {
      const Acc v = Op::value(x[i]);
      if (v == best || v != v) return i;
    }
    return 0;
  }

  // Two passes over a run in L1: its extreme, then where that is; the second only if it beats what came before.
  static void rows(void* acc, int32_t* places, const void* x, int64_t n, int64_t rows, int64_t stride, int64_t place,
                   int64_t step) {
    Acc* best = static_cast<Acc*>(acc);
    const T* row = static_cast<const T*>(x);
    for (int64_t r = 0; r < rows; ++r, row += stride) {
      if (n <= 16) {
        for (int64_t i = 0; i < n; ++i) {
          const Acc v = Op::value(row[i]);
          if (!Op::beats(v, best[r])) continue;
          best[r] = v;
          places[r] = static_cast<int32_t>(place + i * step);
        }
        continue;
      }
      const Acc extreme = fold_run<Op>(row, n);
      if (!Op::beats(extreme, best[r])) continue;
      const int64_t i = first(row, n, extreme);
      best[r] = Op::value(row[i]);
      places[r] = static_cast<int32_t>(place + i * step);
    }
  }

  static void down(void* acc, int32_t* places, const void* x, int64_t n, int64_t rows, int64_t stride, int64_t place,
                   int64_t step) {
    Acc* __restrict best = static_cast<Acc*>(acc);
    int32_t* __restrict found = places;
    const T* __restrict row = static_cast<const T*>(x);
    for (int64_t r = 0; r < rows; ++r, row += stride) {
      const int32_t here = static_cast<int32_t>(place + r * step);
      for (int64_t j = 0; j < n; ++j) {
        const Acc v = Op::value(row[j]), before = best[j];
        const bool better = Op::beats(v, before);
        best[j] = better ? v : before;
        found[j] = better ? here : found[j];
      }
    }
  }

  static void combine(void* acc, int32_t* places, const void* later, const int32_t* later_places, int64_t n) {
    Acc* best = static_cast<Acc*>(acc);
    const Acc* other = static_cast<const Acc*>(later);
    for (int64_t j = 0; j < n; ++j) {
      if (!Op::beats(other[j], best[j])) continue;
      best[j] = other[j];
      places[j] = later_places[j];
    }
  }

  static void finish(void* y, int32_t* indices, const void* acc, const int32_t* places, int64_t n, int64_t step,
                     int64_t, int64_t) {
    for (int64_t j = 0; j < n; ++j) {
      if (y) static_cast<Acc*>(y)[j * step] = static_cast<const Acc*>(acc)[j];
      if (indices) indices[j * step] = places[j];
    }
  }

  static constexpr ReduceKernel kernel(DType out, bool finds) {
    return {out, true, finds, false, sizeof(Acc), start, rows, down, combine, finish, nullptr};
  }
};

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
