// Kernels of reductions that fold elements into an accumulator.
//
// An Op has types T (element), Acc, Out and functions identity, value (element to Acc), step (one more element; of
// scalars and, where kLanes is not 0, of batches), combine (two accumulators), repeat (n equal ones), finish (to Out).
#pragma once
#include "core/args/reduce.h"
#include "kernels/lanes.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Floating point goes into a fixed number of lanes, combined in a fixed order: the same bits whatever the width of a
// vector. Long runs go into kChains times as many first, for an addition takes three cycles and two can begin in each.
// Integers need no such care and vectorise by themselves.
constexpr int kChains = 2;

template <class Op, int kBatches>
struct Lanes {
  using T = typename Op::T;
  using Acc = typename Op::Acc;
  static constexpr int kSize = Batch<Acc>::size, kCount = kBatches * kSize;
  Batch<Acc> acc[kBatches];

  Lanes() {
    for (auto& a : acc) a = Batch<Acc>(Op::identity());
  }
  void step(const T* x) {
    for (int k = 0; k < kBatches; ++k) acc[k] = Op::step(acc[k], load_as<Acc>(x + k * kSize));
  }
};

// The halves of n lanes, as vectors: a comparison of single values would be a branch.
template <class Op, int n>
inline typename Op::Acc fold_lanes(const typename Op::Acc* lanes) {
  using Acc = typename Op::Acc;
  if constexpr (n == 1) {
    return *lanes;
  } else {
    typedef Acc Half __attribute__((vector_size(n / 2 * sizeof(Acc))));
    Half low, high;
    __builtin_memcpy(&low, lanes, sizeof low);
    __builtin_memcpy(&high, lanes + n / 2, sizeof high);
    const Half both = Op::combine(low, high);
    Acc half[n / 2];
    __builtin_memcpy(half, &both, sizeof both);
    return fold_lanes<Op, n / 2>(half);
  }
}

template <class Op>
inline typename Op::Acc fold_run(const typename Op::T* x, int64_t n) {
  using T = typename Op::T;
  using Acc = typename Op::Acc;
  if (Op::kLanes == 0 || n <= 16) {
    Acc a = Op::identity();
    for (int64_t i = 0; i < n; ++i) a = Op::step(a, Op::value(x[i]));
    return a;
  }
  if constexpr (Op::kLanes > 0) {
    constexpr int kBatches = Op::kLanes / static_cast<int>(Batch<Acc>::size), kMany = kChains * kBatches;
    Lanes<Op, kBatches> lanes;
    int64_t i = 0;
    if (n >= 2 * kChains * Op::kLanes) {
      Lanes<Op, kMany> many;
      for (; i + many.kCount <= n; i += many.kCount) many.step(x + i);
      for (int half = kMany / 2; half >= kBatches; half /= 2)
        for (int k = 0; k < half; ++k) many.acc[k] = Op::combine(many.acc[k], many.acc[k + half]);
      for (int k = 0; k < kBatches; ++k) lanes.acc[k] = many.acc[k];
    }
    for (; i + Op::kLanes <= n; i += Op::kLanes) lanes.step(x + i);
    if (i < n) {
      T tail[Op::kLanes];
      for (T& element : tail) element = static_cast<T>(Op::identity());
      copy_elements(tail, x + i, n - i);
      lanes.step(tail);
    }
    for (int half = kBatches / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) lanes.acc[k] = Op::combine(lanes.acc[k], lanes.acc[k + half]);
    alignas(64) Acc each[lanes.kSize];
    lanes.acc[0].store_aligned(each);
    return fold_lanes<Op, lanes.kSize>(each);
  }
}

template <class Op>
struct Fold {
  using T = typename Op::T;
  using Acc = typename Op::Acc;
  using Out = typename Op::Out;

  static void start(void* acc, int32_t*, int64_t n, int64_t) {
    for (int64_t j = 0; j < n; ++j) static_cast<Acc*>(acc)[j] = Op::identity();
  }

  static void rows(void* acc, int32_t*, const void* x, int64_t n, int64_t rows, int64_t stride, int64_t, int64_t) {
    Acc* into = static_cast<Acc*>(acc);
    const T* from = static_cast<const T*>(x);
    for (int64_t r = 0; r < rows; ++r, from += stride) into[r] = Op::combine(into[r], fold_run<Op>(from, n));
  }

  // Four rows at a time spare loads and stores of the accumulators.
  static void down(void* acc, int32_t*, const void* x, int64_t n, int64_t rows, int64_t stride, int64_t, int64_t) {
    Acc* __restrict into = static_cast<Acc*>(acc);
    const T* __restrict x0 = static_cast<const T*>(x);
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4, x0 += 4 * stride) {
      const T* __restrict x1 = x0 + stride;
      const T* __restrict x2 = x1 + stride;
      const T* __restrict x3 = x2 + stride;
      for (int64_t j = 0; j < n; ++j) {
        Acc a = Op::step(into[j], Op::value(x0[j]));
        a = Op::step(a, Op::value(x1[j]));
        a = Op::step(a, Op::value(x2[j]));
        into[j] = Op::step(a, Op::value(x3[j]));
      }
    }
    for (; r < rows; ++r, x0 += stride)
      for (int64_t j = 0; j < n; ++j) into[j] = Op::step(into[j], Op::value(x0[j]));
  }

  static void combine(void* acc, int32_t*, const void* later, const int32_t*, int64_t n) {
    Acc* __restrict into = static_cast<Acc*>(acc);
    const Acc* __restrict from = static_cast<const Acc*>(later);
    for (int64_t j = 0; j < n; ++j) into[j] = Op::combine(into[j], from[j]);
  }

  static void finish(void* y, int32_t*, const void* acc, const int32_t*, int64_t n, int64_t step, int64_t repeat,
                     int64_t count) {
    const Acc* from = static_cast<const Acc*>(acc);
    Out* to = static_cast<Out*>(y);
    for (int64_t j = 0; j < n; ++j)
      to[j * step] = Op::finish(repeat == 1 ? from[j] : Op::repeat(from[j], repeat), count);
  }

  static constexpr ReduceKernel kernel(DType out, const ReduceKernel* with_indices = nullptr) {
    return {out,    Op::kNeedsElements, false, Op::kTwoLevels, sizeof(Acc), start, rows, down, combine,
            finish, with_indices};
  }
};

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
