// The driver of bags: a reduction's kernel folds rows from anywhere in a table, with no copy of them.
#include "core/args/bag.h"

#include <algorithm>

#include "core/index_check.h"
#include "core/parallel.h"

namespace chainrule {
namespace {

constexpr int64_t kGrain = 32 * 1024;  // elements a thread takes at a time
constexpr int64_t kTile = 1024;        // columns whose accumulators stay in L1
constexpr int64_t kWidest = 8;         // bytes of an accumulator
constexpr int64_t kLine = 64;
constexpr int64_t kAhead = 2048;  // bytes of the next row asked for while one is folded

// Indices and starts were checked, but another thread may share their buffers: each is read once and checked where it
// is used. -1 for what does not count.
int64_t row_at(const BagArgs& args, int64_t i) {
  const int64_t row = __atomic_load_n(args.index + i, __ATOMIC_RELAXED);
  return row < 0 || row >= args.rows || row == args.padding ? -1 : row;
}

int64_t start_at(const BagArgs& args, int64_t bag) {
  return std::clamp<int64_t>(__atomic_load_n(args.starts + bag, __ATOMIC_RELAXED), 0, args.count);
}

void join(const BagArgs& args, int64_t bag, int64_t begin, int64_t end) {
  const ReduceKernel& kernel = *args.kernel;
  alignas(64) char values[kTile * kWidest];
  int32_t places[kTile];
  int32_t* found = kernel.finds ? places : nullptr;
  for (int64_t j = 0; j < args.columns; j += kTile) {
    const int64_t n = std::min(kTile, args.columns - j);
    const char* x = static_cast<const char*>(args.x) + j * args.width;
    const auto at = [&](int64_t row) { return x + row * args.columns * args.width; };
    kernel.start(values, found, n, -1);
    int64_t count = 0;
    int64_t row = begin < end ? row_at(args, begin) : -1;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t next = i + 1 < end ? row_at(args, i + 1) : -1;
      if (next >= 0)
        for (int64_t k = 0; k < std::min(n * args.width, kAhead); k += kLine) __builtin_prefetch(at(next) + k);
      if (row >= 0) {
        kernel.down(values, found, at(row), n, 1, n, row, 0);
        ++count;
      }
      row = next;
    }
    const int64_t out = bag * args.columns + j;
    if (kernel.finds)
      kernel.finish(nullptr, static_cast<int32_t*>(args.y) + out, values, found, n, 1, 1, count);
    else
      kernel.finish(static_cast<char*>(args.y) + out * args.width, nullptr, values, nullptr, n, 1, 1,
                    std::max(count, int64_t{1}));
  }
}

}  // namespace

void run_bag(const BagArgs& args) {
  if (!check_indices(args.index, args.count, 0, args.rows, kNoneIgnored) || args.bags == 0) return;
  const int64_t work = std::max(args.count, args.bags) / args.bags * args.columns + 1;
  parallel_for(args.bags, kGrain / work + 1, [&](int64_t first, int64_t last) {
    for (int64_t bag = first; bag < last; ++bag) join(args, bag, start_at(args, bag), start_at(args, bag + 1));
  });
}

}  // namespace chainrule
