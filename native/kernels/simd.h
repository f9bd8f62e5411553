// xsimd as every kernel includes it, with what 8.1 gets wrong made right by specialisation.
#pragma once
#include "kernels/capability.h"
//
// g++ 12 warns about the operand that AVX-512's own intrinsics leave undefined (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>

namespace xsimd::kernel {

#if defined(__AVX512F__)
// For AVX-512 xsimd multiplies and then adds.
#define CHAINRULE_FUSED(name, intrinsic, T, suffix)                                                      \
  template <>                                                                                            \
  inline batch<T, default_arch> name(batch<T, default_arch> const& x, batch<T, default_arch> const& y,   \
                                     batch<T, default_arch> const& z, requires_arch<generic>) noexcept { \
    return _mm512_##intrinsic##_##suffix(x, y, z);                                                       \
  }
CHAINRULE_FUSED(fma, fmadd, float, ps)
CHAINRULE_FUSED(fma, fmadd, double, pd)
CHAINRULE_FUSED(fms, fmsub, float, ps)
CHAINRULE_FUSED(fms, fmsub, double, pd)
CHAINRULE_FUSED(fnma, fnmadd, float, ps)
CHAINRULE_FUSED(fnma, fnmadd, double, pd)
CHAINRULE_FUSED(fnms, fnmsub, float, ps)
CHAINRULE_FUSED(fnms, fnmsub, double, pd)
#undef CHAINRULE_FUSED

// NaN != NaN was false.
template <>
inline batch_bool<float, default_arch> neq(batch<float, default_arch> const& a, batch<float, default_arch> const& b,
                                           requires_arch<avx512f>) noexcept {
  return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ);
}
template <>
inline batch_bool<double, default_arch> neq(batch<double, default_arch> const& a, batch<double, default_arch> const& b,
                                            requires_arch<avx512f>) noexcept {
  return _mm512_cmp_pd_mask(a, b, _CMP_NEQ_UQ);
}
#elif defined(__AVX2__)
template <>
inline batch_bool<float, default_arch> neq(batch<float, default_arch> const& a, batch<float, default_arch> const& b,
                                           requires_arch<avx>) noexcept {
  return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ);
}
template <>
inline batch_bool<double, default_arch> neq(batch<double, default_arch> const& a, batch<double, default_arch> const& b,
                                            requires_arch<avx>) noexcept {
  return _mm256_cmp_pd(a, b, _CMP_NEQ_UQ);
}
#elif defined(__SSE2__)
// Masks of all ones were compared as floats, as NaNs.
template <>
inline batch_bool<float, default_arch> neq(batch_bool<float, default_arch> const& a,
                                           batch_bool<float, default_arch> const& b, requires_arch<sse2>) noexcept {
  return _mm_xor_ps(a, b);
}
template <>
inline batch_bool<double, default_arch> neq(batch_bool<double, default_arch> const& a,
                                            batch_bool<double, default_arch> const& b, requires_arch<sse2>) noexcept {
  return _mm_xor_pd(a, b);
}
#endif

}  // namespace xsimd::kernel
