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

// Elements of both in turn, the first one's first, to 2 * lanes elements.
template <class T, int lanes>
CHAINRULE_INLINE void store_in_turn(T* to, Windows<T, lanes> first, Windows<T, lanes> second) {
  Windows<T, lanes> low, high;
  if constexpr (lanes == 16) {
    low = __builtin_shufflevector(first, second, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    high = __builtin_shufflevector(first, second, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (lanes == 8) {
    low = __builtin_shufflevector(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
    high = __builtin_shufflevector(first, second, 4, 12, 5, 13, 6, 14, 7, 15);
  } else {
    static_assert(lanes == 4);
    low = __builtin_shufflevector(first, second, 0, 4, 1, 5);
    high = __builtin_shufflevector(first, second, 2, 6, 3, 7);
  }
  __builtin_memcpy(to, &low, sizeof low);
  __builtin_memcpy(to + lanes, &high, sizeof high);
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
