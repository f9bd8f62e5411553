// The k first elements of a sorted line without sorting it, and the element of one rank.
#include "kernels/capability.h"
//
#include "core/args/sort.h"
#include "kernels/sort_items.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

constexpr int64_t kDigits = 1 << kDigit;

// The digit that the item of a rank begins with, how many items begin with a smaller one; the shift of that digit.
template <class I>
constexpr int kFirst = (8 * static_cast<int>(sizeof(typename I::Key)) - 1) / kDigit* kDigit;

struct Digit {
  int64_t digit, before;
};

Digit digit_of_rank(const int32_t* counts, int64_t rank) {
  Digit d{0, 0};
  while (rank - d.before >= counts[d.digit]) d.before += counts[d.digit++];
  return d;
}

// The item of a rank among n: digit by digit, most significant first, only what shares the digits found so far stays.
// `left` has room for n items and may be `items`; items keep their order, so places decide among equal keys.
template <class I>
I item_of_rank(const I* items, I* left, int64_t n, int64_t rank) {
  int32_t counts[kDigits];
  for (int shift = kFirst<I>; shift >= 0 && n > 1; shift -= kDigit) {
    memset(counts, 0, sizeof counts);
    for (int64_t i = 0; i < n; ++i) ++counts[digit_of<kDigit>(items[i], shift)];
    const Digit found = digit_of_rank(counts, rank);
    if (counts[found.digit] == n) continue;
    int64_t kept = 0;
    for (int64_t i = 0; i < n; ++i)
      if (digit_of<kDigit>(items[i], shift) == found.digit) left[kept++] = items[i];
    items = left;
    n = kept;
    rank -= found.before;
  }
  return items[rank];
}

// The items of a contiguous line that the first digit leaves in question for a rank: those that begin as the item of
// that rank does, and with `all` those before them as well. Most elements are read twice and never written.
template <class T>
int64_t candidates(Item<T>* items, const T* line, int64_t n, int64_t rank, bool all, typename Item<T>::Key flip,
                   int64_t* before) {
  using I = Item<T>;
  int32_t counts[kDigits] = {};
  for (int64_t i = 0; i < n; ++i) ++counts[digit_of<kDigit>(I::of(key_of(line[i]) ^ flip, 0), kFirst<I>)];
  const Digit found = digit_of_rank(counts, rank);
  *before = all ? 0 : found.before;
  // The line may be shared memory that changes: no more are taken than were counted.
  const int64_t most = counts[found.digit] + (all ? found.before : 0);
  int64_t count = 0;
  for (int64_t i = 0; i < n && count < most; ++i) {
    const I item = I::of(key_of(line[i]) ^ flip, i);
    const int64_t digit = digit_of<kDigit>(item, kFirst<I>);
    if (digit == found.digit || (all && digit < found.digit)) items[count++] = item;
  }
  for (; count < most; ++count) items[count] = I::of(0, 0);
  return count;
}

// The k first items of a long contiguous line and some more: what the worst of the best k so far comes before is
// dropped at once, so most elements are read only. `items` has room for the whole line.
template <class T>
int64_t leaders(Item<T>* items, const T* line, int64_t n, int64_t k, int64_t room, typename Item<T>::Key flip) {
  using I = Item<T>;
  int64_t count = 0;
  bool full = false;
  I worst{};
  for (int64_t i = 0; i < n; ++i) {
    const I item = I::of(key_of(line[i]) ^ flip, i);
    if (full && worst.before(item)) continue;
    items[count++] = item;
    if (count < room) continue;
    worst = item_of_rank(items, items + room, count, k - 1);
    full = true;
    count = 0;
    for (int64_t p = 0; p < room; ++p)
      if (!worst.before(items[p])) items[count++] = items[p];
  }
  return count;
}

// Calls line(x, at, items) for every line, contiguous: where lines lie across, blocks of them are copied first. `items`
// has room for two lines; `at` counts lines.
template <class T, class F>
void for_each_line(const SelectArgs& args, const F& line) {
  using I = Item<T>;
  const int64_t n = args.n, inner = args.inner;
  for_each_block<I>(args.outer, n, inner, 3 * n, [&](int64_t o, int64_t j, int64_t width, I* room) {
    const T* x = static_cast<const T*>(args.x) + o * n * inner + j;
    if (inner == 1) return line(x, o, 0, room);
    T* lines = reinterpret_cast<T*>(room + 2 * n);
    for (int64_t k = 0; k < n; ++k)
      for (int64_t i = 0; i < width; ++i) lines[i * n + k] = x[k * inner + i];
    for (int64_t i = 0; i < width; ++i) line(lines + i * n, o, j + i, room);
  });
}

template <class T>
void topk(const SelectArgs& args) {
  using I = Item<T>;
  const int64_t n = args.n, inner = args.inner, k = args.k;
  if (args.outer == 0 || k == 0 || inner == 0) return;
  const typename I::Key flip = args.largest ? ~typename I::Key(0) : 0;
  for_each_line<T>(args, [&](const T* x, int64_t o, int64_t i, I* items) {
    I* spare = items + n;
    int64_t count = n;
    const int64_t room = 4 * k < 512 ? 512 : 4 * k;
    if (k == n || n <= kSortByRank) {
      make_items(items, x, n, 1, 1, flip);
    } else if (room < n / 2) {
      count = leaders(items, x, n, k, room, flip);
    } else {
      int64_t before;
      count = candidates(items, x, n, k - 1, true, flip, &before);
    }
    if (k < count) {
      const I last = item_of_rank(items, spare, count, k - 1);
      int64_t kept = 0;
      for (int64_t p = 0; p < count; ++p)
        if (!last.before(items[p])) items[kept++] = items[p];
      count = kept;
    }
    if (args.sorted) items = sort_items(items, spare, count);
    T* values = static_cast<T*>(args.values) + o * k * inner + i;
    int32_t* places = args.places + o * k * inner + i;
    for (int64_t p = 0; p < k; ++p) {
      values[p * inner] = element_of_item<T>(items[p], x, 1, flip);
      places[p * inner] = items[p].place();
    }
  });
}

template <class T>
int64_t rank_of(const SelectArgs& args, const T* x) {
  if (args.rank == Rank::kGiven) return args.k;
  int64_t nan = 0;
  for (int64_t i = 0; i < args.n; ++i) nan += x[i] != x[i];
  const int64_t numbers = args.n - nan;
  if (nan > 0 && (args.rank == Rank::kMedian || numbers == 0)) return numbers;
  return (numbers - 1) / 2;
}

template <class T>
void kth(const SelectArgs& args) {
  using I = Item<T>;
  if (args.outer == 0 || args.n == 0 || args.inner == 0) return;
  for_each_line<T>(args, [&](const T* x, int64_t o, int64_t i, I* items) {
    int64_t rank = rank_of(args, x), count = args.n, before = 0;
    if (args.n <= kSortByRank)
      make_items(items, x, args.n, 1, 1, 0);
    else
      count = candidates(items, x, args.n, rank, false, 0, &before);
    const I item = item_of_rank(items, items, count, rank - before);
    static_cast<T*>(args.values)[o * args.inner + i] = element_of_item<T>(item, x, 1, 0);
    args.places[o * args.inner + i] = item.place();
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
