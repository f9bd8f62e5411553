// The k first elements of a sorted line without sorting it, and the element of one rank.
#include "kernels/capability.h"
//
#include "core/args/sort.h"
#include "kernels/sort_items.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// The item of a rank among n: digit by digit, most significant first, only what shares the digits found so far stays.
// `left` has room for n items; items keep their order there, so the places decide among equal keys.
template <class I>
I item_of_rank(const I* items, I* left, int64_t n, int64_t rank) {
  constexpr int kBits = 8 * static_cast<int>(sizeof(typename I::Key));
  int32_t counts[kDigits];
  for (int shift = (kBits - 1) / kDigit * kDigit; shift >= 0 && n > 1; shift -= kDigit) {
    memset(counts, 0, sizeof counts);
    for (int64_t i = 0; i < n; ++i) ++counts[digit_of(items[i], shift)];
    int64_t d = 0;
    while (rank >= counts[d]) rank -= counts[d++];
    int64_t kept = 0;
    if (counts[d] < n) {
      for (int64_t i = 0; i < n; ++i)
        if (digit_of(items[i], shift) == d) left[kept++] = items[i];
      items = left;
      n = kept;
    }
  }
  return items[rank];
}

template <class T>
void topk(const SelectArgs& args) {
  using I = Item<T>;
  const int64_t n = args.n, inner = args.inner, k = args.k;
  if (args.outer == 0 || k == 0 || inner == 0) return;
  const typename I::Key flip = args.largest ? ~typename I::Key(0) : 0;
  for_each_block<I>(args.outer, n, inner, 2 * n, [&](int64_t o, int64_t j, int64_t width, I* room) {
    const T* x = static_cast<const T*>(args.x) + o * n * inner + j;
    T* values = static_cast<T*>(args.values) + o * k * inner + j;
    int32_t* places = args.places + o * k * inner + j;
    make_items(room, x, n, inner, width, flip);
    for (int64_t i = 0; i < width; ++i) {
      I *items = room + i * n, *spare = room + (width + i) * n;
      int64_t count = n;
      if (k < n) {
        const I last = item_of_rank(items, spare, n, k - 1);
        count = 0;
        for (int64_t p = 0; p < n; ++p)
          if (!last.before(items[p])) items[count++] = items[p];
      }
      if (args.sorted) items = sort_items(items, spare, count);
      for (int64_t p = 0; p < k; ++p) {
        values[p * inner + i] = element_of_item<T>(items[p], x + i, inner, flip);
        places[p * inner + i] = items[p].place();
      }
    }
  });
}

template <class T>
int64_t rank_of(const SelectArgs& args, const Item<T>* items) {
  if (args.rank == Rank::kGiven) return args.k;
  int64_t nan = 0;
  if constexpr (static_cast<T>(0.5) != 0)
    for (int64_t i = 0; i < args.n; ++i) nan += items[i].key() == ~typename Item<T>::Key(0);
  const int64_t numbers = args.n - nan;
  if (nan > 0 && (args.rank == Rank::kMedian || numbers == 0)) return numbers;
  return (numbers - 1) / 2;
}

template <class T>
void kth(const SelectArgs& args) {
  using I = Item<T>;
  const int64_t n = args.n, inner = args.inner;
  if (args.outer == 0 || n == 0 || inner == 0) return;
  for_each_block<I>(args.outer, n, inner, 2 * n, [&](int64_t o, int64_t j, int64_t width, I* room) {
    const T* x = static_cast<const T*>(args.x) + o * n * inner + j;
    make_items(room, x, n, inner, width, 0);
    for (int64_t i = 0; i < width; ++i) {
      const I* items = room + i * n;
      const I item = item_of_rank(items, room + (width + i) * n, n, rank_of<T>(args, items));
      static_cast<T*>(args.values)[o * inner + j + i] = element_of_item<T>(item, x + i, inner, 0);
      args.places[o * inner + j + i] = item.place();
    }
  });
}

#define CHAINRULE_BY_DTYPE(name)            \
  void name##_any(const SelectArgs& args) { \
    switch (args.dtype) {                   \
      case DType::kFloat32:                 \
        return name<float>(args);           \
      case DType::kFloat64:                 \
        return name<double>(args);          \
      case DType::kInt32:                   \
        return name<int32_t>(args);         \
      default:                              \
        return name<uint8_t>(args);         \
    }                                       \
  }
CHAINRULE_BY_DTYPE(topk)
CHAINRULE_BY_DTYPE(kth)

}  // namespace

void fill_select(Table& table) {
  table.topk = topk_any;
  table.kth = kth_any;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
