// Row loops of the elementwise families: a functor becomes a RowFunction. The rest of a row that fills no vector goes
// through the same vector code, so a value never depends on its place.
#pragma once
#include "kernels/capability.h"
//
#include <stdint.h>

#include "core/args/elementwise.h"
#include "kernels/lanes.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class T>
using Vector = Batch<T>;

template <class T>
void repeat(T* y, T value, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = value;
}

// F::of(x, p0, p1) on vectors of a float type.
template <class F, class T>
void unary_vectors(void* y, const void* const* x, const int64_t* step, int64_t n, const double* p) {
  using V = Vector<T>;
  constexpr int64_t kWidth = V::size;
  T* out = static_cast<T*>(y);
  const T* a = static_cast<const T*>(x[0]);
  const V p0(static_cast<T>(p[0])), p1(static_cast<T>(p[1]));
  const bool repeated = step[0] == 0;
  const int64_t count = repeated ? 1 : n;
  T one;
  T* to = repeated ? &one : out;
  for (int64_t i = 0; i < count; i += kWidth) {
    const bool whole = count - i >= kWidth;
    const V v = whole ? V::load_unaligned(a + i) : load_part(a + i, count - i);
    const V result = F::of(v, p0, p1);
    if (whole)
      result.store_unaligned(to + i);
    else
      store_part(to + i, result, count - i);
  }
  if (repeated) repeat(out, one, n);
}

// Steps are template arguments: a repeated operand stays in a register.
template <class F, class T, int kStepA, int kStepB>
void binary_vectors(T* y, const T* a, const T* b, int64_t n, const double* p) {
  using V = Vector<T>;
  constexpr int64_t kWidth = V::size;
  const V p0(static_cast<T>(p[0]));
  const V a0(*a), b0(*b);
  for (int64_t i = 0; i < n; i += kWidth) {
    V u = a0, v = b0;
    const bool whole = n - i >= kWidth;
    if constexpr (kStepA == 1) u = whole ? V::load_unaligned(a + i) : load_part(a + i, n - i);
    if constexpr (kStepB == 1) v = whole ? V::load_unaligned(b + i) : load_part(b + i, n - i);
    const V result = F::of(u, v, p0);
    if (whole)
      result.store_unaligned(y + i);
    else
      store_part(y + i, result, n - i);
  }
}

template <class F, class T>
void binary_vectors(void* y, const void* const* x, const int64_t* step, int64_t n, const double* p) {
  T* out = static_cast<T*>(y);
  const T* a = static_cast<const T*>(x[0]);
  const T* b = static_cast<const T*>(x[1]);
  if (step[0] != 0)
    (step[1] != 0 ? binary_vectors<F, T, 1, 1> : binary_vectors<F, T, 1, 0>)(out, a, b, n, p);
  else if (step[1] != 0)
    binary_vectors<F, T, 0, 1>(out, a, b, n, p);
  else {
    T one;
    binary_vectors<F, T, 1, 1>(&one, a, b, 1, p);
    repeat(out, one, n);
  }
}

// F::of(x) -> R on single values, vectorised by the compiler: for what is exact, so that place cannot matter.
template <class F, class T, class R>
void unary_values(void* y, const void* const* x, const int64_t* step, int64_t n, const double*) {
  R* out = static_cast<R*>(y);
  const T* a = static_cast<const T*>(x[0]);
  if (step[0] == 0) return repeat(out, static_cast<R>(F::of(*a)), n);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(F::of(a[i]));
}

template <class F, class T, class R>
void binary_values(void* y, const void* const* x, const int64_t* step, int64_t n, const double*) {
  R* out = static_cast<R*>(y);
  const T* a = static_cast<const T*>(x[0]);
  const T* b = static_cast<const T*>(x[1]);
  const T a0 = *a, b0 = *b;
  if (step[0] != 0 && step[1] != 0)
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(F::of(a[i], b[i]));
  else if (step[0] != 0)
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(F::of(a[i], b0));
  else if (step[1] != 0)
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(F::of(a0, b[i]));
  else
    repeat(out, static_cast<R>(F::of(a0, b0)), n);
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
