// What row kernels share: batches of converted elements, and lanes folded in an order that no capability changes.
#pragma once
#include "kernels/capability.h"
//
#include "kernels/simd.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class T>
using Batch = xsimd::batch<T>;

// The first n elements, fewer than a vector holds.
template <class T>
Batch<T> load_part(const T* x, int64_t n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), x);
  else
    return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), x);
#else
  alignas(64) T part[Batch<T>::size] = {};
  for (int64_t i = 0; i < n; ++i) part[i] = x[i];
  return Batch<T>::load_aligned(part);
#endif
}

template <class T>
void store_part(T* y, Batch<T> v, int64_t n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_ps(y, static_cast<__mmask16>((1u << n) - 1), v);
  else
    _mm512_mask_storeu_pd(y, static_cast<__mmask8>((1u << n) - 1), v);
#else
  alignas(64) T part[Batch<T>::size];
  v.store_aligned(part);
  for (int64_t i = 0; i < n; ++i) y[i] = part[i];
#endif
}

// As many elements as fill a batch of A, converted to A.
template <class A>
inline Batch<A> load_as(const A* x) {
  return Batch<A>::load_unaligned(x);
}

// As many float32 as float64 fit in a vector, and the vectors of them. Of a conversion to eight float64 g++ 12 makes
// two halves that it joins again, unless the intrinsic says it.
constexpr int kDoubles = Batch<double>::size;
typedef float HalfVector __attribute__((vector_size(kDoubles * sizeof(float))));
typedef float FloatVector __attribute__((vector_size(2 * kDoubles * sizeof(float))));
typedef double DoubleVector __attribute__((vector_size(kDoubles * sizeof(double))));

inline Batch<double> widened(HalfVector x) {
#if defined(__AVX512F__)
  return _mm512_cvtps_pd(x);
#else
  return typename Batch<double>::register_type(__builtin_convertvector(x, DoubleVector));
#endif
}

template <class A>
inline Batch<A> load_as(const float* x) requires(__is_same(A, double)) {
  HalfVector half;
  __builtin_memcpy(&half, x, sizeof half);
  return widened(half);
}

// The two halves of a vector without a way through memory.
inline void widen(Batch<float> v, Batch<double>* low, Batch<double>* high) {
  const FloatVector x = (FloatVector) typename Batch<float>::register_type(v);
#if defined(__AVX512F__)
  *low = widened(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7));
  *high = widened(__builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15));
#elif defined(__AVX__)
  *low = widened(__builtin_shufflevector(x, x, 0, 1, 2, 3));
  *high = widened(__builtin_shufflevector(x, x, 4, 5, 6, 7));
#else
  *low = widened(__builtin_shufflevector(x, x, 0, 1));
  *high = widened(__builtin_shufflevector(x, x, 2, 3));
#endif
}

// Two halves as float32, rounded once.
inline Batch<float> narrowed(Batch<double> low, Batch<double> high) {
#if defined(__AVX512F__)
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
#else
  const HalfVector a = __builtin_convertvector((DoubleVector) typename Batch<double>::register_type(low), HalfVector);
  const HalfVector b = __builtin_convertvector((DoubleVector) typename Batch<double>::register_type(high), HalfVector);
#if defined(__AVX__)
  return typename Batch<float>::register_type(__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7));
#else
  return typename Batch<float>::register_type(__builtin_shufflevector(a, b, 0, 1, 2, 3));
#endif
#endif
}

template <class T>
inline void copy_elements(T* y, const T* x, int64_t n) {
  __builtin_memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
