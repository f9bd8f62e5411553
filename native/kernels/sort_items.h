// Elements as unsigned keys in sorting order beside their places, and sorting those.
#pragma once
#include "kernels/capability.h"
//
#include <stdint.h>
#include <string.h>

#include "core/parallel.h"
#include "core/scratch.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Keys compare as elements do: 0 and -0 are equal, NaN is the largest and equal to itself.
template <class K, class T, K kSign>
inline K float_key(T x) {
  K bits;
  memcpy(&bits, &x, sizeof x);
  if (x != x) return ~K(0);
  if (x == 0) return kSign;
  return bits & kSign ? ~bits : bits | kSign;
}
inline uint32_t key_of(float x) { return float_key<uint32_t, float, 0x80000000u>(x); }
inline uint64_t key_of(double x) { return float_key<uint64_t, double, 0x8000000000000000u>(x); }
inline uint32_t key_of(int32_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }
inline uint32_t key_of(uint8_t x) { return x; }

// The element of a key; false where a key stands for several: zeros and NaN.
template <class K, class T, K kSign>
inline bool float_of(K key, T* x) {
  if (key == kSign || key == ~K(0)) return false;
  key = key & kSign ? key ^ kSign : ~key;
  memcpy(x, &key, sizeof *x);
  return true;
}
inline bool element_of(uint32_t key, float* x) { return float_of<uint32_t, float, 0x80000000u>(key, x); }
inline bool element_of(uint64_t key, double* x) { return float_of<uint64_t, double, 0x8000000000000000u>(key, x); }
inline bool element_of(uint32_t key, int32_t* x) { return *x = static_cast<int32_t>(key ^ 0x80000000u), true; }
inline bool element_of(uint32_t key, uint8_t* x) { return *x = static_cast<uint8_t>(key), true; }

// Key and place; all items of a line differ, so that every way of sorting gives the same result.
struct Narrow {
  using Key = uint32_t;
  uint64_t bits;
  static Narrow of(uint32_t key, int64_t place) {
    return {static_cast<uint64_t>(key) << 32 | static_cast<uint32_t>(place)};
  }
  uint32_t key() const { return static_cast<uint32_t>(bits >> 32); }
  int32_t place() const { return static_cast<int32_t>(bits); }
  bool before(Narrow other) const { return bits < other.bits; }
};

struct Wide {
  using Key = uint64_t;
  uint64_t bits;
  int64_t at;
  static Wide of(uint64_t key, int64_t place) { return {key, place}; }
  uint64_t key() const { return bits; }
  int32_t place() const { return static_cast<int32_t>(at); }
  bool before(Wide other) const { return bits < other.bits || (bits == other.bits && at < other.at); }
};

template <class T>
struct ItemOf {
  using Type = Narrow;
};
template <>
struct ItemOf<double> {
  using Type = Wide;
};
template <class T>
using Item = typename ItemOf<T>::Type;

// Items of `width` neighbouring lines of n elements `inner` apart, line after line; keys are complemented by `flip`.
template <class T>
void make_items(Item<T>* items, const T* x, int64_t n, int64_t inner, int64_t width, typename Item<T>::Key flip) {
  for (int64_t k = 0; k < n; ++k)
    for (int64_t j = 0; j < width; ++j) items[j * n + k] = Item<T>::of(key_of(x[k * inner + j]) ^ flip, k);
}

// The element of an item, out of its line where the key does not say.
template <class T>
inline T element_of_item(Item<T> item, const T* line, int64_t inner, typename Item<T>::Key flip) {
  T x;
  if (!element_of(item.key() ^ flip, &x)) x = line[item.place() * inner];
  return x;
}

// Short lines: an item stands where as many are before it as there are. Comparisons of all pairs are a few vectors.
template <class I>
void sort_by_rank(const I* a, I* b, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const I item = a[i];
    int64_t rank = 0;
    for (int64_t j = 0; j < n; ++j) rank += a[j].before(item);
    b[rank] = item;
  }
}

// 2048 counters stay in L1, and 32 bits are three passes; short lines would spend their time on so many.
constexpr int kDigit = 11, kShortDigit = 8;
constexpr int64_t kSortByRank = 64, kSortByShortDigits = 4096;
constexpr int64_t kSortChunk = 128 * 1024;

template <int kBits, class I>
inline int64_t digit_of(I item, int shift) {
  return static_cast<int64_t>(item.key() >> shift) & ((int64_t{1} << kBits) - 1);
}

// Digit by digit, least first, every chunk counted and moved on its own: chunks are cut by the length alone. Digits
// that are the same everywhere cost no move.
template <int kBits, class I>
I* sort_by_digits(I* a, I* b, int64_t n) {
  constexpr int64_t kDigits = int64_t{1} << kBits;
  constexpr int kKeyBits = 8 * static_cast<int>(sizeof(typename I::Key));
  constexpr int64_t kMostChunks = 64;
  const int64_t least = (n + kMostChunks - 1) / kMostChunks;
  const int64_t chunk = least < kSortChunk ? kSortChunk : least, chunks = (n + chunk - 1) / chunk;
  int32_t* counts = static_cast<int32_t*>(acquire_scratch(static_cast<size_t>(chunks * kDigits) * sizeof(int32_t)));
  for (int shift = 0; shift < kKeyBits; shift += kBits) {
    const auto end_of = [&](int64_t c) { return n - c * chunk < chunk ? n : (c + 1) * chunk; };
    parallel_for(chunks, 1, [&](int64_t first, int64_t last) {
      for (int64_t c = first; c < last; ++c) {
        int32_t* count = counts + c * kDigits;
        memset(count, 0, kDigits * sizeof *count);
        for (int64_t i = c * chunk; i < end_of(c); ++i) ++count[digit_of<kBits>(a[i], shift)];
      }
    });
    int32_t total = 0;
    bool moves = true;
    for (int64_t d = 0; d < kDigits; ++d) {
      const int32_t before = total;
      for (int64_t c = 0; c < chunks; ++c) {
        int32_t* count = counts + c * kDigits + d;
        const int32_t own = *count;
        *count = total;
        total += own;
      }
      moves &= total - before < n;
    }
    if (!moves) continue;
    parallel_for(chunks, 1, [&](int64_t first, int64_t last) {
      for (int64_t c = first; c < last; ++c) {
        int32_t* place = counts + c * kDigits;
        for (int64_t i = c * chunk; i < end_of(c); ++i) b[place[digit_of<kBits>(a[i], shift)]++] = a[i];
      }
    });
    I* const swap = a;
    a = b;
    b = swap;
  }
  release_scratch(counts);
  return a;
}

// Sorts n items, with room for as many in b; returns whichever buffer has the result.
template <class I>
I* sort_items(I* a, I* b, int64_t n) {
  if (n <= kSortByRank) return sort_by_rank(a, b, n), b;
  return n < kSortByShortDigits ? sort_by_digits<kShortDigit>(a, b, n) : sort_by_digits<kDigit>(a, b, n);
}

// Calls block(base, width, room) for blocks of neighbouring lines of [outer, n, inner], with room for `items` of I a
// line. Long lines come one after another, for what is done with each is parallel itself.
template <class I, class F>
void for_each_block(int64_t outer, int64_t n, int64_t inner, int64_t items, const F& block) {
  constexpr int64_t kBlockItems = 64 * 1024, kMostWidth = 16, kLong = 512 * 1024, kGrain = 4 * 1024;
  int64_t width = kBlockItems / n;
  width = width < 1 ? 1 : width > kMostWidth ? kMostWidth : width;
  width = width > inner ? inner : width;
  const int64_t blocks = (inner + width - 1) / width;
  const auto some = [&](int64_t begin, int64_t end) {
    I* room = static_cast<I*>(acquire_scratch(static_cast<size_t>(items * width) * sizeof(I)));
    for (int64_t t = begin; t < end; ++t) {
      const int64_t j = t % blocks * width;
      block(t / blocks, j, inner - j < width ? inner - j : width, room);
    }
    release_scratch(room);
  };
  if (n >= kLong) return some(0, outer * blocks);
  parallel_for(outer * blocks, kGrain / (n * width) + 1, some);
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
