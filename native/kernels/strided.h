// Vectors of a chosen length, and every second element of a row.
#pragma once
#include "kernels/vector.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class T, int lanes>
struct WindowsOf {
  typedef T type __attribute__((vector_size(lanes * sizeof(T))));
};
template <class T, int lanes>
using Windows = typename WindowsOf<T, lanes>::type;

// Every `stride`-th element, nothing read beyond the last.
template <class T, int lanes>
CHAINRULE_INLINE Windows<T, lanes> load_strided(const T* from, int64_t stride) {
  Windows<T, lanes> a, b;
  if (stride == 1) {
    __builtin_memcpy(&a, from, sizeof a);
    return a;
  }
  if (stride != 2) {
    for (int i = 0; i < lanes; ++i) a[i] = from[i * stride];
    return a;
  }
  __builtin_memcpy(&a, from, sizeof a);
  __builtin_memcpy(&b, from + lanes - 1, sizeof b);
  if constexpr (lanes == 16) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
  } else if constexpr (lanes == 8) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
  } else {
    static_assert(lanes == 4);
    return __builtin_shufflevector(a, b, 0, 2, 5, 7);
  }
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
