// Vectors of the capability's full width, for products: xsimd 8.1 has no fused multiply-add for AVX-512.
#pragma once
#include <cstdint>

#include "kernels/capability.h"

#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Vectors wider than a register are split by the compiler; they cross no real call, so no ABI matters.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64, kRegisters = 32;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32, kRegisters = 16;
#elif defined(__aarch64__)
constexpr int kVectorBytes = 16, kRegisters = 32;
#else
constexpr int kVectorBytes = 16, kRegisters = 16;
#endif

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(kVectorBytes)));
};

template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
constexpr int64_t kLanes = kVectorBytes / sizeof(T);

#define CHAINRULE_INLINE inline __attribute__((always_inline))

template <class T>
CHAINRULE_INLINE Vector<T> load(const T* p) {
  Vector<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
CHAINRULE_INLINE void store(T* p, Vector<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

template <class T>
CHAINRULE_INLINE Vector<T> broadcast(T value) {
  return value - Vector<T>{};  // a scalar beside a vector is broadcast; minus zero keeps -0
}

// a * b + c, rounded once where the CPU can.
#if defined(__AVX512F__)
CHAINRULE_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return _mm512_fmadd_ps(a, b, c);
}
CHAINRULE_INLINE Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
  return _mm512_fmadd_pd(a, b, c);
}
#elif defined(__FMA__)
CHAINRULE_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) {
  return _mm256_fmadd_ps(a, b, c);
}
CHAINRULE_INLINE Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) {
  return _mm256_fmadd_pd(a, b, c);
}
#elif defined(__aarch64__)
CHAINRULE_INLINE Vector<float> fma(Vector<float> a, Vector<float> b, Vector<float> c) { return vfmaq_f32(c, a, b); }
CHAINRULE_INLINE Vector<double> fma(Vector<double> a, Vector<double> b, Vector<double> c) { return vfmaq_f64(c, a, b); }
#else
template <class V>
CHAINRULE_INLINE V fma(V a, V b, V c) {
  return a * b + c;
}
#endif

// The first lanes of a vector in memory: what lies behind them is neither read nor written, and reads as 0.
template <class T>
class Part {
 public:
#if defined(__AVX512F__)
  explicit Part(int64_t lanes) : mask_((1u << lanes) - 1) {}
  CHAINRULE_INLINE Vector<T> load(const T* p) const {
    if constexpr (sizeof(T) == 4)
      return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask_), p);
    else
      return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask_), p);
  }
  CHAINRULE_INLINE void store(T* p, Vector<T> v) const {
    if constexpr (sizeof(T) == 4)
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask_), v);
    else
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask_), v);
  }

 private:
  uint32_t mask_;
#else
  explicit Part(int64_t lanes) : lanes_(lanes) {}
  CHAINRULE_INLINE Vector<T> load(const T* p) const {
    Vector<T> v{};
    for (int64_t i = 0; i < lanes_; ++i) v[i] = p[i];
    return v;
  }
  CHAINRULE_INLINE void store(T* p, Vector<T> v) const {
    for (int64_t i = 0; i < lanes_; ++i) p[i] = v[i];
  }

 private:
  int64_t lanes_;
#endif
};

// 16 bytes of lane sums: halves are added until the vector is no wider.
using Quad = float __attribute__((vector_size(16)));
using Pair = double __attribute__((vector_size(16)));
#if defined(__AVX__)
using Quads = float __attribute__((vector_size(32)));
using Pairs = double __attribute__((vector_size(32)));
CHAINRULE_INLINE Quad fold(Quads v) {
  return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
}
CHAINRULE_INLINE Pair fold(Pairs v) {
  return __builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3);
}
#endif
#if defined(__AVX512F__)
CHAINRULE_INLINE Quad fold(Vector<float> v) {
  return fold(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
              __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
}
CHAINRULE_INLINE Pair fold(Vector<double> v) {
  return fold(__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7));
}
#elif !defined(__AVX__)
CHAINRULE_INLINE Quad fold(Vector<float> v) { return v; }
CHAINRULE_INLINE Pair fold(Vector<double> v) { return v; }
#endif

CHAINRULE_INLINE float sum_of_lanes(Vector<float> v) {
  const Quad q = fold(v);
  return (q[0] + q[2]) + (q[1] + q[3]);
}

CHAINRULE_INLINE double sum_of_lanes(Vector<double> v) {
  const Pair p = fold(v);
  return p[0] + p[1];
}

// The same lanes of every group of four.
#if defined(__AVX512F__)
#define CHAINRULE_FOURS(i, j, k, l) \
  i, j, k, l, i + 4, j + 4, k + 4, l + 4, i + 8, j + 8, k + 8, l + 8, i + 12, j + 12, k + 12, l + 12
#elif defined(__AVX__)
#define CHAINRULE_FOURS(i, j, k, l) i, j, k, l, i + 4, j + 4, k + 4, l + 4
#else
#define CHAINRULE_FOURS(i, j, k, l) i, j, k, l
#endif

// Each addition leaves half as many vectors: four sums of lanes cost little more than one.
CHAINRULE_INLINE Quad sums_of_lanes(Vector<float> a, Vector<float> b, Vector<float> c, Vector<float> d) {
  constexpr int w = kLanes<float>;
  const Vector<float> left = __builtin_shufflevector(a, b, CHAINRULE_FOURS(0, w, 1, w + 1)) +
                             __builtin_shufflevector(a, b, CHAINRULE_FOURS(2, w + 2, 3, w + 3));
  const Vector<float> right = __builtin_shufflevector(c, d, CHAINRULE_FOURS(0, w, 1, w + 1)) +
                              __builtin_shufflevector(c, d, CHAINRULE_FOURS(2, w + 2, 3, w + 3));
  return fold(__builtin_shufflevector(left, right, CHAINRULE_FOURS(0, 1, w, w + 1)) +
              __builtin_shufflevector(left, right, CHAINRULE_FOURS(2, 3, w + 2, w + 3)));
}
#undef CHAINRULE_FOURS

// c[j] += the sum of the lanes of v[j].
template <int N>
CHAINRULE_INLINE void add_lane_sums(const Vector<double> (&v)[N], double* c) {
#pragma GCC unroll 8
  for (int j = 0; j < N; ++j) c[j] += sum_of_lanes(v[j]);
}

template <int N>
CHAINRULE_INLINE void add_lane_sums(const Vector<float> (&v)[N], float* c) {
  static_assert(N <= 4);
  const Vector<float> none{};
  const Quad sums = sums_of_lanes(v[0], N > 1 ? v[N > 1 ? 1 : 0] : none, N > 2 ? v[N > 2 ? 2 : 0] : none,
                                  N > 3 ? v[N > 3 ? 3 : 0] : none);
  if constexpr (N == 4) {
    Quad before;
    __builtin_memcpy(&before, c, sizeof before);
    before += sums;
    __builtin_memcpy(c, &before, sizeof before);
  } else {
#pragma GCC unroll 4
    for (int j = 0; j < N; ++j) c[j] += sums[j];
  }
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
