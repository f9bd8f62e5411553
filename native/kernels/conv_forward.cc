// Convolution forward: patches packed by tiles of pixels, multiplied by packed weights, no column matrix in memory.
#include "kernels/capability.h"
//
#include "core/parallel.h"
#include "kernels/conv_paths.h"
#include "kernels/patches.h"
#include "kernels/strips.h"
#include "kernels/transpose.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Pixels of a task: enough that neighbouring tasks share little of what their pixels see.
constexpr int64_t kTile = 1024;
// Tasks of a thread, where there are pixels enough: no sum depends on where pixels are cut.
constexpr int64_t kTasks = 4;
// Blocks of output channels that make a task worth looking at its pixels by itself.
constexpr int64_t kBlocks = 8;
// Bytes of packed patches: with their weights they stay in a 256 KB second-level cache.
constexpr int64_t kPanelBytes = 128 * 1024;
// Terms of a sum that are added up in registers before they go to memory.
constexpr int64_t kDepth = 512;

// How one convolution is cut: by shape only where sums are cut, freely elsewhere.
template <class T>
struct Plan {
  ConvSizes s;
  Blocks blocks;           // of output channels
  int64_t depth_channels;  // channels whose patches are summed in registers
  int64_t panels;          // pixels packed at once, a multiple of kOuterColumns
  int64_t tile;            // pixels of a task, a multiple of kOuterColumns too
  int64_t pixels, tiles;   // of all samples
  int64_t parts;           // tasks that share a tile of pixels, each with blocks of its own

  explicit Plan(const ConvGeometry& g) : s(conv_sizes(g)), blocks(s.o, kOuterRows) {
    const int64_t window = g.kh * g.kw;
    depth_channels = larger(1, smaller(s.c, kDepth / window));
    const int64_t columns = kPanelBytes / (depth_channels * window * static_cast<int64_t>(sizeof(T)));
    panels = larger(kOuterColumns<T>, columns / kOuterColumns<T> * kOuterColumns<T>);
    pixels = g.n * s.p;
    // Few pixels and many weights: rather read the pixels for every part than the weights for every tile.
    const int64_t tasks = kTasks * num_threads(), most = larger(1, blocks.count / kBlocks);
    const int64_t wanted = blocks_of(tasks, most * g.groups);
    tile = smaller(kTile, rounded_up(larger(1, blocks_of(pixels, wanted)), kOuterColumns<T>));
    tiles = blocks_of(pixels, tile);
    parts = smaller(most, blocks_of(tasks, larger(1, tiles * g.groups)));
  }

  // Where the packed weights of a block begin; packing stores up to a vector too far. All those of a group.
  int64_t packed(int64_t block) const { return blocks.begin(block) * s.k + block * kLanes<T>; }
  int64_t packed() const { return packed(blocks.count); }
};

// w [o, k] of one group -> for each block of rows [k, rows], so that a tile reads its factors one after the other.
template <class T>
void pack_weights(const Plan<T>& plan, const T* w, T* packed) {
  const int64_t k = plan.s.k;
  parallel_for(plan.blocks.count, larger(1, 65536 / (k * kOuterRows)), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t rows = plan.blocks.size(block);
      const T* from = w + plan.blocks.begin(block) * k;
      // Backwards, as each group stores whole vectors and so spoils the start of what is beside it.
      for (int64_t i = (rows - 1) / kLanes<T> * kLanes<T>; i >= 0; i -= kLanes<T>) {
        pack_transposed(from + i * k, k, smaller(kLanes<T>, rows - i), k, packed + plan.packed(block) + i, rows);
      }
    }
  });
}

// Sums of some pixels that are not one run of one sample go to memory through a small buffer.
template <class T>
void scatter(const Plan<T>& plan, const T* sums, int64_t begin, int64_t count, int64_t rows, Store how, T* y,
             int64_t sample_stride) {
  over_samples(plan.s.p, begin, begin + count, [&](int64_t sample, int64_t pixel, int64_t length, int64_t at) {
    for (int64_t i = 0; i < rows; ++i) {
      T* to = y + sample * sample_stride + i * plan.s.p + pixel;
      const T* from = sums + i * kOuterColumns<T> + at;
      how == Store::kAdd ? add_lanes(to, from, length) : copy_lanes(to, from, length);
    }
  });
}

// Calls tile(store, bias, c, ldc) so that y of some output channels, up to kOuterColumns pixels from `begin`, is made.
template <class T, class Tile>
CHAINRULE_INLINE void put(const Plan<T>& plan, int64_t rows, const T* bias, Store how, int64_t begin, T* y,
                          int64_t sample_stride, const Tile& tile) {
  const int64_t count = smaller(kOuterColumns<T>, plan.pixels - begin), p = plan.s.p;
  if (count == kOuterColumns<T> && begin % p + count <= p) {
    return tile(bias, how, y + begin / p * sample_stride + begin % p, p);
  }
  alignas(64) T sums[kOuterRows * kOuterColumns<T>];
  tile(bias, Store::kSet, sums, kOuterColumns<T>);
  scatter(plan, sums, begin, count, rows, how, y, sample_stride);
}

// What a tile of pixels of one group works on: channels [c, c + channels), their pixels as `layout` has them.
template <class T>
struct Work {
  const ConvGeometry& g;
  const Plan<T>& plan;
  const Layout& layout;
  int64_t begin, end, part, c, channels;
  const int64_t* offsets;
  const T *x, *packed, *bias;
  T* y;

  int64_t depth() const { return channels * g.kh * g.kw; }
  Store how() const { return c == 0 ? Store::kSet : Store::kAdd; }
  int64_t sample_stride() const { return g.o * plan.s.p; }
  int64_t first_block() const { return part * plan.blocks.count / plan.parts; }
  int64_t end_block() const { return (part + 1) * plan.blocks.count / plan.parts; }
};

// All patches are packed, then met by every block of weights.
template <class T>
void multiply_packed(const Work<T>& work) {
  constexpr int64_t n = kOuterColumns<T>;
  const Plan<T>& plan = work.plan;
  const int64_t depth = work.depth();
  const Scratch<T> panels(depth * rounded_up(work.end - work.begin, n) + n);
  Move moves[n];
  for (int64_t q = work.begin; q < work.end; q += n) {
    pack_patches(work.g, work.layout, depth, work.offsets, work.x, q, smaller(q + n, work.end), n, moves,
                 panels + (q - work.begin) * depth, n);
  }
  for (int64_t block = work.first_block(); block < work.end_block(); ++block) {
    const int64_t first = plan.blocks.begin(block), rows = plan.blocks.size(block);
    const T* w = work.packed + plan.packed(block) + work.c * work.g.kh * work.g.kw * rows;
    const T* bias = work.bias ? work.bias + first : nullptr;
    const OuterTile<T> tile = outer_tile(T{}, rows);
    for (int64_t q = work.begin; q < work.end; q += n) {
      put(plan, rows, bias, work.how(), q, work.y + first * plan.s.p, work.sample_stride(),
          [&](const T* b, Store how, T* c, int64_t ldc) {
            tile(depth, w, panels + (q - work.begin) * depth, n, b, how, c, ldc);
          });
    }
  }
}

// Asks for part `part` of `parts` of what strips see in images themselves: a channel's pixels are far from another's,
// and waiting for memory would cost as much as the products.
template <class T>
CHAINRULE_INLINE void prefetch_strips(const Work<T>& work, const int64_t* strips, int64_t part, int64_t parts) {
  const int64_t window = work.g.kh * work.g.kw, end = work.channels * (part + 1) / parts;
  for (int64_t c = work.channels * part / parts; c < end; ++c) {
    const T* x = work.x + work.offsets[c * window];
    for (int64_t i = 0; i < kOuterStrips; i += 2) __builtin_prefetch(x + strips[i], 0, 2);
  }
}

// Patches are read where they are; a tile's pixels stay in the first-level cache while the weights pass.
template <class T>
void multiply_strips(const Work<T>& work) {
  constexpr int64_t n = kOuterColumns<T>;
  const Plan<T>& plan = work.plan;
  const Scratch<int64_t> strips(blocks_of(work.end - work.begin, n) * kOuterStrips);
  list_strips<T>(work.g, work.layout, work.begin, work.end, kOuterStrips, strips);
  const int64_t block_begin = work.first_block(), block_end = work.end_block();
  for (int64_t q = work.begin; q < work.end; q += n) {
    const int64_t* four = strips + (q - work.begin) / kStrip<T>;
    for (int64_t block = block_begin; block < block_end; ++block) {
      const int64_t first = plan.blocks.begin(block), rows = plan.blocks.size(block);
      const T* w = work.packed + plan.packed(block) + work.c * work.g.kh * work.g.kw * rows;
      if (work.layout.direct && q + n < work.end) {
        prefetch_strips(work, four + kOuterStrips, block - block_begin, block_end - block_begin);
      }
      put(plan, rows, work.bias ? work.bias + first : nullptr, work.how(), q, work.y + first * plan.s.p,
          work.sample_stride(), [&](const T* b, Store how, T* c, int64_t ldc) {
            outer_strips(T{}, rows)(work.depth(), w, work.x, work.offsets, four, b, how, c, ldc);
          });
    }
  }
}

// One tile of pixels and one part of the channels of one group, a depth at a time.
template <class T>
void run_tile(const ConvGeometry& g, const Plan<T>& plan, const T* x, const T* packed, const T* bias, T* y,
              int64_t begin, int64_t part) {
  const int64_t end = smaller(begin + plan.tile, plan.pixels);
  const bool strips = in_strips<T>(g);
  const Layout layout = layout_of<T>(g, plan.depth_channels, begin, end, strips);
  const Scratch<T> copy(copy_size<T>(layout));
  const Scratch<int64_t> offsets(plan.depth_channels * g.kh * g.kw);
  patch_offsets(g, layout, plan.depth_channels, offsets);
  for (int64_t c = 0; c == 0 || c < plan.s.c; c += plan.depth_channels) {
    const int64_t channels = smaller(plan.depth_channels, plan.s.c - c);
    if (!layout.direct) copy_images(g, layout, c, channels, x, static_cast<T*>(copy));
    const T* seen = layout.direct ? x + c * layout.plane + layout.image * layout.stride : copy;
    Work<T> work{g, plan, layout, begin, end, part, c, channels, offsets, seen, packed, c == 0 ? bias : nullptr, y};
    if (strips) {
      multiply_strips(work);
      continue;
    }
    for (; work.begin < end; work.begin = work.end) {
      work.end = smaller(work.begin + plan.panels, end);
      multiply_packed(work);
    }
  }
}

template <class T>
void forward(const ConvArgs& args) {
  const ConvGeometry g = flattened(args.g);
  const Plan<T> plan(g);
  if (plan.pixels == 0 || g.o == 0) return;
  const auto *x = static_cast<const T*>(args.x), *w = static_cast<const T*>(args.w);
  const auto* bias = static_cast<const T*>(args.bias);
  auto* y = static_cast<T*>(args.y);
  const Scratch<T> packed(g.groups * plan.packed());
  for (int64_t i = 0; i < g.groups; ++i) {
    pack_weights(plan, w + i * plan.s.o * plan.s.k, packed + i * plan.packed());
  }
  parallel_for(plan.tiles * g.groups * plan.parts, 1, [&](int64_t task, int64_t) {
    const int64_t part = task % plan.parts, group = task / plan.parts % g.groups;
    const int64_t begin = task / plan.parts / g.groups * plan.tile;
    run_tile(g, plan, x + group * g.c / g.groups * g.d * g.h * g.w, packed + group * plan.packed(),
             bias ? bias + group * plan.s.o : nullptr, y + group * plan.s.o * plan.s.p, begin, part);
  });
}

}  // namespace

void conv_forward(const ConvArgs& args) {
  if (is_depthwise(args.g)) return depthwise_forward(args);
  args.dtype == DType::kFloat64 ? forward<double>(args) : forward<float>(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
