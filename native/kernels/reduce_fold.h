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
// vector. Integers need no such care and vectorise by themselves.
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
    constexpr int kSize = Batch<Acc>::size, kBatches = Op::kLanes / kSize;
    Batch<Acc> acc[kBatches];
    for (int k = 0; k < kBatches; ++k) acc[k] = Batch<Acc>(Op::identity());
    T tail[Op::kLanes];
    for (int64_t i = 0; i < n; i += Op::kLanes) {
      const T* from = x + i;
      if (n - i < Op::kLanes) {
        for (int k = 0; k < Op::kLanes; ++k) tail[k] = static_cast<T>(Op::identity());
        copy_elements(tail, from, n - i);
        from = tail;
      }
      for (int k = 0; k < kBatches; ++k) acc[k] = Op::step(acc[k], load_as<Acc>(from + k * kSize));
    }
    Acc lanes[Op::kLanes];
    for (int k = 0; k < kBatches; ++k) acc[k].store_unaligned(lanes + k * kSize);
    for (int half = Op::kLanes / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) lanes[k] = Op::combine(lanes[k], lanes[k + half]);
    return lanes[0];
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
