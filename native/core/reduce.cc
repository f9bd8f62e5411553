// The driver of all reductions: tiles of outputs, rows or columns of elements, chunks, threads.
#include "core/args/reduce.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "core/scratch.h"

namespace chainrule {
namespace {

// Below this many elements a second thread costs more than it gains.
constexpr int64_t kSerialElements = 32 * 1024;
// A result of few outputs is folded in chunks of a size that nothing but the geometry decides, combined in order.
constexpr int64_t kChunkElements = 64 * 1024;
constexpr int64_t kMaxChunks = 64;
constexpr int64_t kFewRows = 32;
constexpr int64_t kPartials = 8192;  // accumulators of all chunks of columns together
// Outputs of one tile: its accumulators stay in L1.
constexpr int64_t kTile = 1024;
constexpr int64_t kRowTile = 256;
// The longest run folded at once, and the most rows between two stores of the lower level of an accumulator.
constexpr int64_t kPiece = 4096;
constexpr int64_t kRows = 256;
constexpr int64_t kWidest = 8;  // bytes

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The place in the first n of some dimensions, from any element on.
struct Walk {
  const ReduceDim* dims;
  int n;
  int64_t offset = 0;  // of x
  int64_t out = 0;     // of what is written
  int64_t index[kMaxDims];

  Walk(const ReduceDim* dims, int n, int64_t linear) : dims(dims), n(n) {
    for (int d = n - 1; d >= 0; --d) {
      index[d] = linear % dims[d].size;
      linear /= dims[d].size;
      offset += index[d] * dims[d].stride;
      out += index[d] * dims[d].out;
    }
  }

  void next() {
    for (int d = n - 1; d >= 0; --d) {
      offset += dims[d].stride;
      out += dims[d].out;
      if (++index[d] < dims[d].size) return;
      offset -= dims[d].size * dims[d].stride;
      out -= dims[d].size * dims[d].out;
      index[d] = 0;
    }
  }
};

// Accumulators with the places beside them, if there are any.
struct Accumulators {
  char* values;
  int32_t* places;
  uint8_t width;

  Accumulators at(int64_t i) const { return {values + i * width, places ? places + i : nullptr, width}; }
};

template <class T>
void gather(T* y, const char* x, int64_t n, int64_t stride) {
  const T* from = reinterpret_cast<const T*>(x);
  for (int64_t i = 0; i < n; ++i) y[i] = from[i * stride];
}

// n elements `stride` apart as a contiguous run, in `room` when they are not one already.
const char* contiguous(const char* x, int64_t n, int64_t stride, uint8_t width, char* room) {
  if (stride == 1) return x;
  switch (width) {
    case 8:
      gather(reinterpret_cast<uint64_t*>(room), x, n, stride);
      break;
    case 4:
      gather(reinterpret_cast<uint32_t*>(room), x, n, stride);
      break;
    default:
      gather(reinterpret_cast<uint8_t*>(room), x, n, stride);
  }
  return room;
}

// Elements begin..end-1 of one output, row after row in pieces.
void fold_pieces(const ReduceArgs& args, const char* x, int64_t begin, int64_t end, Accumulators acc) {
  const ReduceKernel& kernel = *args.kernel;
  const ReduceDim& inner = args.reduced[args.reduced_dims - 1];
  alignas(64) char room[kPiece * kWidest];
  alignas(8) char low[kWidest];
  void* into = kernel.two_levels ? low : acc.values;
  int pending = 0;
  if (kernel.two_levels) kernel.start(low, nullptr, 1, 0);
  Walk outer(args.reduced, args.reduced_dims - 1, begin / inner.size);
  int64_t at = begin % inner.size;
  while (begin < end) {
    const int64_t n = std::min({inner.size - at, end - begin, kPiece});
    const char* run = x + (outer.offset + at * inner.stride) * args.width;
    kernel.rows(into, acc.places, contiguous(run, n, inner.stride, args.width, room), n, 1, 0,
                outer.out + at * inner.out, inner.out);
    begin += n;
    at += n;
    if (at == inner.size) {
      at = 0;
      outer.next();
    }
    if (kernel.two_levels && (++pending == kRows || begin == end)) {
      kernel.combine(acc.values, nullptr, low, nullptr, 1);
      kernel.start(low, nullptr, 1, 0);
      pending = 0;
    }
  }
}

// Elements begin..end-1 of each of m outputs, the fastest dimension reduced.
void fold_rows(const ReduceArgs& args, const char* x, int64_t m, int64_t begin, int64_t end, Accumulators acc) {
  const ReduceDim& inner = args.reduced[args.reduced_dims - 1];
  const int64_t stride = args.kept[args.kept_dims - 1].stride;
  if (args.reduced_dims == 1 && inner.stride == 1 && end - begin <= kPiece)
    return args.kernel->rows(acc.values, acc.places, x + begin * args.width, end - begin, m, stride, begin * inner.out,
                             inner.out);
  for (int64_t j = 0; j < m; ++j) fold_pieces(args, x + j * stride * args.width, begin, end, acc.at(j));
}

// Rows of a contiguous matrix narrower than a few vectors: several make one wide row, folded together at the end.
// Returns how many rows are done.
int64_t fold_narrow(const ReduceKernel& kernel, const char* x, int64_t m, int64_t rows, char* acc) {
  constexpr int64_t kWide = 64;
  const int64_t together = kWide / m, wide = together * m;
  if (rows < 2 * together) return 0;
  alignas(64) char many[kWide * kWidest];
  kernel.start(many, nullptr, wide, 0);
  kernel.down(many, nullptr, x, wide, rows / together, wide, 0, 0);
  for (int64_t k = 0; k < together; ++k) kernel.combine(acc, nullptr, many + k * m * kernel.width, nullptr, m);
  return rows / together * together;
}

// Elements begin..end-1 of each of m outputs, the fastest dimension kept.
void fold_columns(const ReduceArgs& args, const char* x, int64_t m, int64_t begin, int64_t end, Accumulators acc) {
  const ReduceKernel& kernel = *args.kernel;
  const ReduceDim& inner = args.reduced[args.reduced_dims - 1];
  const int64_t stride = args.kept[args.kept_dims - 1].stride;
  alignas(64) char room[kTile * kWidest], low[kTile * kWidest];
  const bool two_levels = kernel.two_levels && end - begin > kRows;
  const bool narrow = m <= 32 && stride == 1 && inner.stride == m && !acc.places;
  char* into = two_levels ? low : acc.values;
  if (two_levels) kernel.start(low, nullptr, m, 0);
  int64_t pending = 0;
  Walk outer(args.reduced, args.reduced_dims - 1, begin / inner.size);
  int64_t at = begin % inner.size;
  while (begin < end) {
    // Elements of a row that lie apart are brought together first, one row at a time.
    const int64_t rows = stride == 1 ? std::min({inner.size - at, end - begin, kRows}) : 1;
    const char* row = x + (outer.offset + at * inner.stride) * args.width;
    const int64_t done = narrow ? fold_narrow(kernel, row, m, rows, into) : 0;
    if (done < rows)
      kernel.down(into, acc.places, contiguous(row + done * inner.stride * args.width, m, stride, args.width, room), m,
                  rows - done, inner.stride, outer.out + at * inner.out, inner.out);
    begin += rows;
    at += rows;
    if (at == inner.size) {
      at = 0;
      outer.next();
    }
    pending += rows;
    if (two_levels && (pending >= kRows || begin == end)) {
      kernel.combine(acc.values, nullptr, low, nullptr, m);
      kernel.start(low, nullptr, m, 0);
      pending = 0;
    }
  }
}

// How a job is cut: the elements of an output into chunks, the outputs of the fastest kept dimension into tiles.
struct Cut {
  int64_t elements;  // of one output
  int64_t chunk, chunks;
  int64_t tile, tiles;
};

Cut cut(const ReduceArgs& args) {
  Cut c;
  c.elements = args.count / args.repeat;
  const int64_t width = args.kept[args.kept_dims - 1].size;
  c.chunk = c.elements;
  if (args.columns) {
    c.tile = std::min(width, kTile);
    if (args.outputs <= kPartials / 2 && c.elements > kChunkElements / args.outputs)
      c.chunk = std::max(divide_up(kChunkElements, args.outputs),
                         divide_up(c.elements, std::min(kMaxChunks, kPartials / args.outputs)));
  } else {
    c.tile = std::min(width, std::clamp(kSerialElements / c.elements, int64_t{1}, kRowTile));
    if (args.outputs <= kFewRows)
      c.chunk = std::max(kChunkElements, divide_up(divide_up(c.elements, kMaxChunks), kPiece) * kPiece);
  }
  c.chunks = divide_up(c.elements, c.chunk);
  c.tiles = divide_up(width, c.tile);
  return c;
}

// Tasks begin..end-1, each one chunk of the elements of one tile of outputs; into `partial` [chunks, outputs] or, when
// a task has all the elements, into the result.
void run_tasks(const ReduceArgs& args, const Cut& cut, const Accumulators* partial, int64_t begin, int64_t end) {
  const ReduceKernel& kernel = *args.kernel;
  const ReduceDim& inner = args.kept[args.kept_dims - 1];
  const char* x = static_cast<const char*>(args.x);
  const bool finds = args.indices != nullptr;
  alignas(64) char values[kTile * kWidest];
  int32_t places[kTile];
  int64_t chunk = begin % cut.chunks, tile = begin / cut.chunks % cut.tiles;
  int64_t line = begin / cut.chunks / cut.tiles;
  Walk outer(args.kept, args.kept_dims - 1, line);
  for (int64_t t = begin; t < end; ++t) {
    const int64_t j = tile * cut.tile, m = std::min(cut.tile, inner.size - j);
    const int64_t first = chunk * cut.chunk, last = std::min(cut.elements, first + cut.chunk);
    const Accumulators acc = partial ? partial->at(chunk * args.outputs + line * inner.size + j)
                                     : Accumulators{values, finds ? places : nullptr, kernel.width};
    int64_t place = 0;
    if (finds) {
      const ReduceDim& d = args.reduced[args.reduced_dims - 1];
      place = Walk(args.reduced, args.reduced_dims - 1, first / d.size).out + first % d.size * d.out;
    }
    kernel.start(acc.values, acc.places, m, place);
    (args.columns ? fold_columns : fold_rows)(args, x + (outer.offset + j * inner.stride) * args.width, m, first, last,
                                              acc);
    if (!partial) {
      const int64_t out = outer.out + j * inner.out;
      kernel.finish(args.y ? static_cast<char*>(args.y) + out * static_cast<int64_t>(size_of(kernel.out)) : nullptr,
                    finds ? args.indices + out : nullptr, values, places, m, inner.out, args.repeat, args.count);
    }
    if (++chunk < cut.chunks) continue;
    chunk = 0;
    if (++tile < cut.tiles) continue;
    tile = 0;
    ++line;
    outer.next();
  }
}

void combine_chunks(const ReduceArgs& args, const Cut& cut, Accumulators partial) {
  const ReduceKernel& kernel = *args.kernel;
  for (int64_t c = 1; c < cut.chunks; ++c) {
    const Accumulators later = partial.at(c * args.outputs);
    kernel.combine(partial.values, partial.places, later.values, later.places, args.outputs);
  }
  const ReduceDim& inner = args.kept[args.kept_dims - 1];
  Walk outer(args.kept, args.kept_dims - 1, 0);
  for (int64_t o = 0; o < args.outputs; o += inner.size, outer.next()) {
    const Accumulators acc = partial.at(o);
    kernel.finish(args.y ? static_cast<char*>(args.y) + outer.out * static_cast<int64_t>(size_of(kernel.out)) : nullptr,
                  args.indices ? args.indices + outer.out : nullptr, acc.values, acc.places, inner.size, inner.out,
                  args.repeat, args.count);
  }
}

// Nothing to fold: every output is that of no elements.
void run_empty(const ReduceArgs& args) {
  const ReduceKernel& kernel = *args.kernel;
  alignas(8) char nothing[kWidest];
  kernel.start(nothing, nullptr, 1, 0);
  const int64_t width = static_cast<int64_t>(size_of(kernel.out));
  for (int64_t o = 0; o < args.outputs; ++o)
    kernel.finish(static_cast<char*>(args.y) + o * width, nullptr, nothing, nullptr, 1, 1, 1, 0);
}

}  // namespace

void run_reduce(const ReduceArgs& args) {
  if (args.outputs == 0) return;
  if (args.count == 0) {
    if (!args.kernel->needs_elements) run_empty(args);
    return;
  }
  const Cut c = cut(args);
  const int64_t tasks = args.outputs / args.kept[args.kept_dims - 1].size * c.tiles * c.chunks;
  if (c.chunks == 1) {
    if (args.outputs <= kSerialElements / c.elements) return run_tasks(args, c, nullptr, 0, tasks);
    return parallel_for(tasks, std::max(int64_t{1}, kSerialElements / (c.tile * c.elements)),
                        [&](int64_t begin, int64_t end) { run_tasks(args, c, nullptr, begin, end); });
  }
  const size_t accumulators = static_cast<size_t>(args.outputs * c.chunks);
  const size_t bytes = divide_up(static_cast<int64_t>(accumulators * args.kernel->width), 8) * 8;
  void* scratch = acquire_scratch(bytes + (args.indices ? accumulators * sizeof(int32_t) : 0));
  char* values = static_cast<char*>(scratch);
  const Accumulators partial{values, args.indices ? reinterpret_cast<int32_t*>(values + bytes) : nullptr,
                             args.kernel->width};
  parallel_for(tasks, std::max(int64_t{1}, kSerialElements / (c.tile * c.chunk)),
               [&](int64_t begin, int64_t end) { run_tasks(args, c, &partial, begin, end); });
  combine_chunks(args, c, partial);
  release_scratch(scratch);
}

}  // namespace chainrule
