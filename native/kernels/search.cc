// Binary search in sorted rows, and the places of what is not 0.
#include "kernels/capability.h"
//
#include <string.h>

#include "core/args/search.h"
#include "core/index_check.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// How many elements lead the row up to where `value` belongs; comparisons are written so that NaN is found at the end.
template <bool kRight, class T>
int32_t search(const T* row, const int32_t* sorter, int64_t n, T value) {
  int64_t begin = 0, length = n;
  while (length > 0) {
    const int64_t half = length / 2, middle = begin + half;
    int64_t at = middle;
    if (sorter) {
      // Checked before; read once and checked again, for its buffer may be shared with another thread.
      at = __atomic_load_n(sorter + middle, __ATOMIC_RELAXED);
      if (at < 0 || at >= n) at = 0;
    }
    const bool later = kRight ? !(row[at] > value) : !(row[at] >= value);
    begin = later ? middle + 1 : begin;
    length = later ? length - half - 1 : half;
  }
  return static_cast<int32_t>(begin);
}

// Several values in one row side by side, the same steps each: one alone waits for every element it compares with.
constexpr int64_t kTogether = 16;

template <bool kRight, class T>
void search_many(int32_t* y, const T* row, int64_t n, const T* values) {
  int32_t begin[kTogether] = {}, length[kTogether];
  for (int64_t j = 0; j < kTogether; ++j) length[j] = static_cast<int32_t>(n);
  for (int64_t most = n; most > 0; most /= 2) {
    for (int64_t j = 0; j < kTogether; ++j) {
      const int32_t half = length[j] / 2, middle = begin[j] + half;
      // Whoever is done looks at an element all the same, the last at most, and stays where it is.
      const T element = row[middle < n ? middle : n - 1];
      const bool later = (length[j] > 0) & (kRight ? !(element > values[j]) : !(element >= values[j]));
      begin[j] = later ? middle + 1 : begin[j];
      length[j] = later ? length[j] - half - 1 : half;
    }
  }
  for (int64_t j = 0; j < kTogether; ++j) y[j] = begin[j];
}

template <class T>
void searchsorted(const SearchArgs& args) {
  if (args.sorter && !check_indices(args.sorter, args.outer * args.n, 0, args.n, kNoneIgnored)) return;
  constexpr int64_t kGrain = 1024;
  const auto find = args.right ? search<true, T> : search<false, T>;
  const auto many = args.right ? search_many<true, T> : search_many<false, T>;
  if (args.m == 0) return;
  parallel_for(args.outer * args.m, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / args.m * args.n;
      if (!args.sorter && args.n > 0 && i + kTogether <= end && i % args.m + kTogether <= args.m) {
        many(args.y + i, static_cast<const T*>(args.sorted) + row, args.n, static_cast<const T*>(args.values) + i);
        i += kTogether - 1;
        continue;
      }
      args.y[i] = find(static_cast<const T*>(args.sorted) + row, args.sorter ? args.sorter + row : nullptr, args.n,
                       static_cast<const T*>(args.values)[i]);
    }
  });
}

void searchsorted_any(const SearchArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return searchsorted<float>(args);
    case DType::kFloat64:
      return searchsorted<double>(args);
    case DType::kInt32:
      return searchsorted<int32_t>(args);
    default:
      return searchsorted<uint8_t>(args);
  }
}

// The places of elements begin..end-1 as rows first..limit-1 of y; returns the row after the last. Every place is
// written and the row kept only if the element counts: a mask at random would mislead a branch.
template <class T>
int64_t write_places(const NonzeroArgs& args, int64_t begin, int64_t end, int64_t first, int64_t limit) {
  const T* x = static_cast<const T*>(args.x);
  const int32_t ndim = args.ndim;
  int32_t place[kMaxDims] = {};
  int64_t rest = begin;
  for (int32_t d = ndim - 1; d >= 0; --d) {
    place[d] = static_cast<int32_t>(rest % args.shape[d]);
    rest /= args.shape[d];
  }
  const int32_t last = ndim - 1;
  for (int64_t i = begin; i < end && first < limit; ++i) {
    for (int32_t d = 0; d < ndim; ++d) args.y[first * ndim + d] = place[d];
    first += x[i] != 0;
    if (ndim == 0 || ++place[last] < args.shape[last]) continue;
    for (int32_t d = last; d > 0 && place[d] == args.shape[d]; --d) {
      place[d] = 0;
      ++place[d - 1];
    }
  }
  return first;
}

template <class T>
void nonzero(const NonzeroArgs& args) {
  constexpr int64_t kChunk = 32 * 1024;
  const T* x = static_cast<const T*>(args.x);
  const int64_t chunks = (args.n + kChunk - 1) / kChunk;
  int64_t* starts = static_cast<int64_t*>(acquire_scratch(static_cast<size_t>(chunks + 1) * sizeof(int64_t)));
  const auto end_of = [&](int64_t c) { return args.n - c * kChunk < kChunk ? args.n : (c + 1) * kChunk; };
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      int64_t count = 0;
      for (int64_t i = c * kChunk; i < end_of(c); ++i) count += x[i] != 0;
      starts[c + 1] = count;
    }
  });
  starts[0] = 0;
  for (int64_t c = 0; c < chunks; ++c) starts[c + 1] += starts[c];
  // Rows are limited twice: to what fits, and to what was counted, should the elements have changed since.
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const int64_t limit = starts[c + 1] < args.rows ? starts[c + 1] : args.rows;
      int64_t row = write_places<T>(args, c * kChunk, end_of(c), starts[c], limit);
      for (; row < limit; ++row) memset(args.y + row * args.ndim, 0, static_cast<size_t>(args.ndim) * sizeof(int32_t));
    }
  });
  for (int64_t row = starts[chunks]; row < args.rows; ++row)
    memset(args.y + row * args.ndim, 0, static_cast<size_t>(args.ndim) * sizeof(int32_t));
  release_scratch(starts);
}

void nonzero_any(const NonzeroArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return nonzero<float>(args);
    case DType::kFloat64:
      return nonzero<double>(args);
    case DType::kInt32:
      return nonzero<int32_t>(args);
    default:
      return nonzero<uint8_t>(args);
  }
}

}  // namespace

void fill_search(Table& table) {
  table.searchsorted = searchsorted_any;
  table.nonzero = nonzero_any;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
