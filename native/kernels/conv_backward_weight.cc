// The weight and bias gradients of convolution: dot products over pixels, in chunks that are summed in a fixed order.
#include "kernels/capability.h"
//
#include "core/parallel.h"
#include "kernels/conv_paths.h"
#include "kernels/patches.h"
#include "kernels/strips.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// A tile's row of pixels: long enough that adding up lanes at its end costs little, short enough that the rows a
// register tile reads (10 of 4 KB) stay in the first-level cache.
constexpr int64_t kRowBytes = 4096;
// Rows of patches packed at once: 100 of 4 KB stay in the second-level cache.
constexpr int64_t kPanelRows = 100;
constexpr int64_t kTasks = 16;
constexpr int64_t kPartialBytes = int64_t{8} << 20;

// Cut by shape only: sums over pixels must not depend on threads.
template <class T>
struct Plan {
  ConvSizes s;
  int64_t pixels, tile;         // of all samples; at once, a multiple of kLanes
  int64_t ld;                   // of packed rows: not a multiple of 4 KB, which would fall on the same cache sets
  int64_t chunks, chunk;        // of pixels, each with sums of its own; pixels of one
  int64_t channels;             // packed at once
  int64_t channel_tasks, step;  // parts the channels are cut into; channels of one

  explicit Plan(const ConvGeometry& g) : s(conv_sizes(g)), pixels(g.n * s.p) {
    const int64_t window = g.kh * g.kw, bytes = g.o * s.k * static_cast<int64_t>(sizeof(T));
    tile = smaller(kRowBytes / static_cast<int64_t>(sizeof(T)), rounded_up(pixels, kLanes<T>));
    // A sample of half a tile or more is cut by itself: dy then need not be packed.
    if (s.p % kLanes<T> == 0 && s.p >= tile / 2) {
      const int64_t vectors = s.p / kLanes<T>, parts = blocks_of(s.p, tile);
      if (vectors % parts == 0) tile = s.p / parts;
    }
    ld = tile + 64 / static_cast<int64_t>(sizeof(T));
    const int64_t tiles = blocks_of(pixels, tile);
    const int64_t most = larger(1, smaller(kTasks, kPartialBytes / bytes));
    chunk = blocks_of(tiles, most) * tile;
    chunks = blocks_of(pixels, chunk);
    channels = larger(1, smaller(s.c, kPanelRows / window));
    const int64_t wanted = blocks_of(kTasks, chunks * g.groups);
    step = rounded_up(blocks_of(s.c, wanted), wanted > 1 ? 1 : channels);
    channel_tasks = blocks_of(s.c, step);
  }
};

// dy [o, ld] of pixels [begin, end), zeros up to `tile`.
template <class T>
void pack_gradient(const ConvGeometry& g, const Plan<T>& plan, const T* dy, int64_t begin, int64_t end, T* panel) {
  const int64_t p = plan.s.p, n = end - begin;
  over_samples(p, begin, end, [&](int64_t sample, int64_t pixel, int64_t length, int64_t at) {
    const T* from = dy + sample * g.o * p + pixel;
    for (int64_t o = 0; o < plan.s.o; ++o) copy_lanes(panel + o * plan.ld + at, from + o * p, length);
  });
  for (int64_t o = 0; o < plan.s.o; ++o) zero_lanes(panel + o * plan.ld + n, rounded_up(n, kLanes<T>) - n);
}

template <class T>
T row_sum(const T* row, int64_t n) {
  Vector<T> sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes<T> <= n; i += 4 * kLanes<T>)
    for (int64_t v = 0; v < 4; ++v) sums[v] += load(row + i + v * kLanes<T>);
  for (; i < n; i += kLanes<T>) sums[0] += load(row + i);
  return sum_of_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// Calls tile(o, outputs, k, rows) for every register tile of `rows` patch rows. Rows of dy, 24 KB of them, stay in the
// first-level cache while the patches pass: neighbouring patch rows share most of their pixels, rows of dy none.
template <class T, class Tile>
CHAINRULE_INLINE void over_tiles(const Plan<T>& plan, int64_t rows, const Tile& tile) {
  const Blocks columns(rows, kDotColumns), outputs(plan.s.o, kDotRows);
  for (int64_t j = 0; j < outputs.count; ++j)
    for (int64_t i = 0; i < columns.count; ++i) {
      tile(outputs.begin(j), outputs.size(j), columns.begin(i), columns.size(i));
    }
}

// Pixels [begin, end) with their rows of dy [o, ld] and what they see of some channels, x as `layout` has it.
template <class T>
struct Work {
  const ConvGeometry& g;
  const Plan<T>& plan;
  const Layout& layout;
  int64_t begin, end;
  const T* dy;
  int64_t ld;
  const int64_t* offsets;

  int64_t pixels() const { return rounded_up(end - begin, kLanes<T>); }
};

// dw [o, k] of patch rows [0, rows) += dy patches^T, patches packed.
template <class T>
void multiply_packed(const Work<T>& work, int64_t rows, const T* x, T* dw) {
  const Plan<T>& plan = work.plan;
  const Scratch<T> patches(rows * plan.ld + kLanes<T>);
  const Scratch<Move> moves(work.end - work.begin);
  pack_patches(work.g, work.layout, rows, work.offsets, x, work.begin, work.end, work.pixels(), moves,
               static_cast<T*>(patches), plan.ld);
  over_tiles(plan, rows, [&](int64_t o, int64_t outputs, int64_t k, int64_t columns) {
    dot_tile(T{}, outputs, columns)(work.pixels(), work.dy + o * work.ld, work.ld, patches + k * plan.ld, plan.ld,
                                    dw + o * plan.s.k + k, plan.s.k);
  });
}

// The same with patches read where they are.
template <class T>
void multiply_strips(const Work<T>& work, int64_t rows, const int64_t* strips, const T* x, T* dw) {
  over_tiles(work.plan, rows, [&](int64_t o, int64_t outputs, int64_t k, int64_t columns) {
    dot_strips(T{}, outputs, columns)(work.pixels(), work.dy + o * work.ld, work.ld, x, work.offsets + k, strips,
                                      dw + o * work.plan.s.k + k, work.plan.s.k);
  });
}

// Adds the gradients of pixels [begin, end) to dw [o, k], channels [c, c_end), and to dbias [o] unless null.
template <class T>
void run_tile(const ConvGeometry& g, const Plan<T>& plan, const T* x, const T* dy, int64_t begin, int64_t end,
              int64_t c, int64_t c_end, T* dw, double* dbias) {
  const int64_t n = end - begin, p = plan.s.p, window = g.kh * g.kw;
  const bool even = n % kLanes<T> == 0, strips = even && in_strips<T>(g);
  const bool whole = even && begin % p + n <= p;  // then dy's own rows serve
  const Scratch<T> packed(whole ? 0 : plan.s.o * plan.ld);
  if (!whole) pack_gradient(g, plan, dy, begin, end, static_cast<T*>(packed));
  const Layout layout = layout_of<T>(g, plan.channels, begin, end, strips);
  const Scratch<T> copy(copy_size<T>(layout));
  const Scratch<int64_t> offsets(plan.channels * window), list(strips ? n / kStrip<T> : 0);
  patch_offsets(g, layout, plan.channels, offsets);
  if (strips) list_strips<T>(g, layout, begin, end, 1, list);
  const T* rows = whole ? dy + begin / p * g.o * p + begin % p : packed;
  const Work<T> work{g, plan, layout, begin, end, rows, whole ? p : plan.ld, offsets};
  for (int64_t o = 0; dbias && o < plan.s.o; ++o) {
    dbias[o] += static_cast<double>(row_sum(rows + o * work.ld, work.pixels()));
  }
  for (; c < c_end; c += plan.channels) {
    const int64_t channels = smaller(plan.channels, c_end - c);
    if (!layout.direct) copy_images(g, layout, c, channels, x, static_cast<T*>(copy));
    const T* seen = layout.direct ? x + c * layout.plane + layout.image * layout.stride : copy;
    if (strips) {
      multiply_strips<T>(work, channels * window, list, seen, dw + c * window);
    } else {
      multiply_packed(work, channels * window, seen, dw + c * window);
    }
  }
}

// total[i] = sum over chunks of partial[chunk][i].
template <class T, class P>
void sum_chunks(int64_t n, int64_t chunks, const P* partial, T* total) {
  parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += 256) {
      P sums[256];
      const int64_t length = smaller(256, end - i);
      for (int64_t j = 0; j < length; ++j) sums[j] = partial[i + j];
      for (int64_t chunk = 1; chunk < chunks; ++chunk)
        for (int64_t j = 0; j < length; ++j) sums[j] += partial[chunk * n + i + j];
      for (int64_t j = 0; j < length; ++j) total[i + j] = static_cast<T>(sums[j]);
    }
  });
}

template <class T>
void backward_weight(const ConvArgs& args) {
  const ConvGeometry g = flattened(args.g);
  const ConvSizes s = conv_sizes(g);
  const int64_t size = g.o * s.k;
  auto *dw = static_cast<T*>(args.dw), *dbias = static_cast<T*>(args.dbias);
  if (size == 0 || g.n * s.p == 0) {
    zero_lanes(dw, size);
    if (dbias) zero_lanes(dbias, g.o);
    return;
  }
  const Plan<T> plan(g);
  const Scratch<T> partial(plan.chunks > 1 ? plan.chunks * size : 0);
  const Scratch<double> partial_bias(dbias ? plan.chunks * g.o : 0);
  T* sums = plan.chunks > 1 ? static_cast<T*>(partial) : dw;
  parallel_for(plan.chunks * g.groups * plan.channel_tasks, 1, [&](int64_t index, int64_t) {
    const int64_t task = index % plan.channel_tasks, group = index / plan.channel_tasks % g.groups;
    const int64_t chunk = index / plan.channel_tasks / g.groups, window = g.kh * g.kw;
    const int64_t c = task * plan.step, c_end = smaller(c + plan.step, s.c);
    T* to = sums + chunk * size + group * s.o * s.k;
    double* bias = dbias && task == 0 ? partial_bias + chunk * g.o + group * s.o : nullptr;
    for (int64_t o = 0; o < s.o; ++o) zero_lanes(to + o * s.k + c * window, (c_end - c) * window);
    if (bias) zero_lanes(bias, s.o);
    const int64_t end = smaller((chunk + 1) * plan.chunk, plan.pixels);
    for (int64_t at = chunk * plan.chunk; at < end; at += plan.tile) {
      run_tile(g, plan, static_cast<const T*>(args.x) + group * g.c / g.groups * g.d * g.h * g.w,
               static_cast<const T*>(args.dy) + group * s.o * s.p, at, smaller(at + plan.tile, end), c, c_end, to,
               bias);
    }
  });
  if (plan.chunks > 1) sum_chunks(size, plan.chunks, static_cast<const T*>(partial), dw);
  if (dbias) sum_chunks(g.o, plan.chunks, static_cast<const double*>(partial_bias), dbias);
}

}  // namespace

void conv_backward_weight(const ConvArgs& args) {
  if (is_depthwise(args.g)) return depthwise_backward_weight(args);
  args.dtype == DType::kFloat64 ? backward_weight<double>(args) : backward_weight<float>(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
