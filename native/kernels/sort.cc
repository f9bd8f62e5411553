// Sorting along a dimension, and the lexicographic order of rows.
#include "kernels/capability.h"
//
#include "core/args/sort.h"
#include "kernels/sort_items.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class T>
void sort(const SortArgs& args) {
  using I = Item<T>;
  const int64_t n = args.n, inner = args.inner;
  if (args.outer == 0 || n == 0 || inner == 0) return;
  const typename I::Key flip = args.descending ? ~typename I::Key(0) : 0;
  for_each_block<I>(args.outer, n, inner, 2 * n, [&](int64_t o, int64_t j, int64_t width, I* room) {
    const int64_t base = o * n * inner + j;
    const T* x = static_cast<const T*>(args.x) + base;
    T* values = static_cast<T*>(args.values) + base;
    int32_t* places = args.places + base;
    make_items(room, x, n, inner, width, flip);
    const I* sorted[16];
    I* spare = room + width * n;
    for (int64_t i = 0; i < width; ++i) sorted[i] = sort_items(room + i * n, spare + i * n, n);
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t i = 0; i < width; ++i) {
        const I item = sorted[i][k];
        values[k * inner + i] = element_of_item<T>(item, x + i, inner, flip);
        places[k * inner + i] = item.place();
      }
    }
  });
}

void sort_any(const SortArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return sort<float>(args);
    case DType::kFloat64:
      return sort<double>(args);
    case DType::kInt32:
      return sort<int32_t>(args);
    default:
      return sort<uint8_t>(args);
  }
}

// Rows are compared where they lie and only their places move: a merge sort from pairs upwards.
template <class T>
void row_order(const RowOrderArgs& args) {
  const T* x = static_cast<const T*>(args.x);
  const int64_t n = args.rows, columns = args.columns;
  const auto before = [&](int32_t p, int32_t q) {
    const T *a = x + p * columns, *b = x + q * columns;
    for (int64_t c = 0; c < columns; ++c) {
      const auto u = key_of(a[c]), v = key_of(b[c]);
      if (u != v) return u < v;
    }
    return false;
  };
  if (n == 0) return;
  int32_t* room = static_cast<int32_t*>(acquire_scratch(static_cast<size_t>(2 * n) * sizeof(int32_t)));
  int32_t *a = room, *b = room + n;
  for (int64_t i = 0; i < n; ++i) a[i] = static_cast<int32_t>(i);
  for (int64_t run = 1; run < n; run *= 2) {
    const int64_t pairs = (n + 2 * run - 1) / (2 * run);
    parallel_for(pairs, 4096 / (run * columns + 1) + 1, [&](int64_t first, int64_t last) {
      for (int64_t p = first; p < last; ++p) {
        const int64_t begin = p * 2 * run;
        const int64_t middle = n - begin < run ? n : begin + run, end = n - begin < 2 * run ? n : begin + 2 * run;
        int64_t i = begin, j = middle;
        for (int64_t k = begin; k < end; ++k) b[k] = i == middle || (j < end && before(a[j], a[i])) ? a[j++] : a[i++];
      }
    });
    int32_t* const swap = a;
    a = b;
    b = swap;
  }
  memcpy(args.places, a, static_cast<size_t>(n) * sizeof(int32_t));
  release_scratch(room);
}

void row_order_any(const RowOrderArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return row_order<float>(args);
    case DType::kFloat64:
      return row_order<double>(args);
    case DType::kInt32:
      return row_order<int32_t>(args);
    default:
      return row_order<uint8_t>(args);
  }
}

}  // namespace

void fill_sort(Table& table) {
  table.sort = sort_any;
  table.row_order = row_order_any;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
