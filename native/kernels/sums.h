// Sums in float64 of vectors of float32 or float64, and the vectors of runs whose length is any.
#pragma once
#include "kernels/capability.h"
//
#include "kernels/lanes.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// A vector of T in float64.
template <class T>
struct Wide {
  static constexpr int kParts = Batch<T>::size / Batch<double>::size;
  Batch<double> part[kParts];
};

template <class T>
inline Wide<T> wide(Batch<T> v) {
  Wide<T> w;
  if constexpr (Wide<T>::kParts == 1)
    w.part[0] = v;
  else
    widen(v, &w.part[0], &w.part[1]);
  return w;
}

template <class T>
struct Sum {
  static constexpr int kParts = Wide<T>::kParts;
  Batch<double> part[kParts];

  Sum() {
    for (auto& p : part) p = Batch<double>(0.0);
  }
  void add(Wide<T> v) {
    for (int k = 0; k < kParts; ++k) part[k] += v.part[k];
  }
  void add_product(Wide<T> a, Wide<T> b) {
    for (int k = 0; k < kParts; ++k) part[k] = xsimd::fma(a.part[k], b.part[k], part[k]);
  }
  void add(Batch<T> v) { add(wide(v)); }
  void add_product(Batch<T> a, Batch<T> b) { add_product(wide(a), wide(b)); }
  // As many as a vector of T has.
  void store(double* lanes) const {
    for (int k = 0; k < kParts; ++k) part[k].store_unaligned(lanes + k * Batch<double>::size);
  }
  double total() const {
    constexpr int kLanes = Batch<double>::size;
    Batch<double> all = part[0];
    for (int k = 1; k < kParts; ++k) all += part[k];
    double lanes[kLanes];
    all.store_unaligned(lanes);
    for (int half = kLanes / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
    return lanes[0];
  }
};

// The first n elements, fewer than a vector holds, and `rest` in place of the others.
template <class T>
inline Batch<T> load_part(const T* x, int64_t n, T rest) {
#if defined(__AVX512F__)
  const Batch<T> others(rest);
  if constexpr (sizeof(T) == sizeof(float))
    return _mm512_mask_loadu_ps(others, static_cast<__mmask16>((1u << n) - 1), x);
  else
    return _mm512_mask_loadu_pd(others, static_cast<__mmask8>((1u << n) - 1), x);
#else
  alignas(64) T lanes[Batch<T>::size];
  for (T& lane : lanes) lane = rest;
  copy_elements(lanes, x, n);
  return Batch<T>::load_aligned(lanes);
#endif
}

// A vector, or of the last n elements of a run what there is of one.
template <class T>
inline Batch<T> load_some(const T* x, int64_t n) {
  return n >= static_cast<int64_t>(Batch<T>::size) ? Batch<T>::load_unaligned(x) : load_part(x, n);
}

template <class T>
inline void store_some(T* y, Batch<T> v, int64_t n) {
  if (n >= static_cast<int64_t>(Batch<T>::size))
    v.store_unaligned(y);
  else
    store_part(y, v, n);
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
