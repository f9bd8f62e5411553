// The input gradient of convolution: weights times output gradient, added to the pixels each patch came from.
#include "kernels/capability.h"
//
#include "core/parallel.h"
#include "kernels/conv_paths.h"
#include "kernels/patches.h"
#include "kernels/strips.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Bytes of a packed tile of dy, as in the forward direction.
constexpr int64_t kTileBytes = 128 * 1024;
constexpr int64_t kDepth = 512;

// A row of the product: one channel seen through one place of the kernel.
struct Place {
  int64_t c, i, j;
};

// As many images, up to some 512 pixels, as fill register tiles of n pixels best.
inline int64_t images_of_task(int64_t images, int64_t p, int64_t n) {
  int64_t best = 1;
  for (int64_t i = 2; i <= images && i * p <= 16 * n; ++i) {
    // p*i / rounded_up(p*i, n), the part of the tiles that is used, compared crosswise.
    if (i * rounded_up(best * p, n) > best * rounded_up(i * p, n)) best = i;
  }
  return best;
}

// Cut by shape only: the order in which a pixel's sums arrive must not depend on threads.
template <class T>
struct Plan {
  ConvSizes s;
  int64_t images;    // of one task: enough to fill a register tile where images are tiny
  int64_t channels;  // of one task: all, unless there are few images
  int64_t image_tasks, channel_tasks;
  int64_t depth;  // output channels summed in registers
  int64_t tile;   // pixels packed at once

  explicit Plan(const Conv2dGeometry& g) : s(conv_sizes(g)) {
    constexpr int64_t n = kOuterColumns<T>;
    images = images_of_task(g.n, s.p, n);
    image_tasks = blocks_of(g.n, images);
    channel_tasks = smaller(s.c, blocks_of(16, larger(1, image_tasks * g.groups)));
    channels = blocks_of(s.c, channel_tasks);
    channel_tasks = blocks_of(s.c, channels);
    depth = smaller(s.o, kDepth);
    const int64_t columns = kTileBytes / (depth * static_cast<int64_t>(sizeof(T)));
    tile = larger(n, smaller(columns, 512) / n * n);
  }
};

// Rows are ordered by kernel place, channels innermost: neighbours then add to different planes, and the processor need
// not wait for a store to be seen by the next overlapping load.
CHAINRULE_INLINE void next(const Conv2dGeometry& g, int64_t channels, Place& at) {
  if (++at.c < channels) return;
  at.c = 0;
  if (++at.i < g.kh) return;
  at.i = 0;
  ++at.j;
}

// From place (0, 0) of channel 0 to the place of each row.
inline void row_offsets(const Conv2dGeometry& g, const Layout& l, int64_t channels, int64_t* offsets) {
  for (int64_t j = 0; j < g.kw; ++j)
    for (int64_t i = 0; i < g.kh; ++i) {
      const int64_t place = place_offset(g, l, i, j);
      for (int64_t c = 0; c < channels; ++c) *offsets++ = place + c * l.plane;
    }
}

// w [o, c, kh, kw] of one group, from channel `first` -> for each block of rows [o, rows], outputs [begin, end). One
// output after the other: all it is read from and written to fits in the first-level cache.
template <class T>
void pack_weights(const Conv2dGeometry& g, const ConvSizes& s, int64_t first, int64_t channels, int64_t begin,
                  int64_t end, const T* w, T* packed) {
  const Blocks blocks(channels * g.kh * g.kw, kOuterRows);
  for (int64_t o = begin; o < end; ++o) {
    const T* from = w + o * s.k + first * g.kh * g.kw;
    Place at{0, 0, 0};
    for (int64_t block = 0; block < blocks.count; ++block) {
      const int64_t rows = blocks.size(block);
      T* to = packed + blocks.begin(block) * s.o + o * rows;
      for (int64_t i = 0; i < rows; ++i, next(g, channels, at)) to[i] = from[(at.c * g.kh + at.i) * g.kw + at.j];
    }
  }
}

// dy of output channels [0, depth) and pixels [begin, end) -> [depth, kOuterColumns], zeros where there is no pixel.
template <class T>
void pack_gradient(const Conv2dGeometry& g, int64_t p, int64_t depth, const T* dy, int64_t begin, int64_t end,
                   T* panel) {
  constexpr int64_t n = kOuterColumns<T>;
  over_images(p, begin, end, [&](int64_t image, int64_t pixel, int64_t length, int64_t at) {
    const T* from = dy + image * g.o * p + pixel;
    for (int64_t o = 0; o < depth; ++o) copy_lanes(panel + o * n + at, from + o * p, length);
  });
  if (end - begin == n) return;
  for (int64_t o = 0; o < depth; ++o) zero_lanes(panel + o * n + end - begin, n - (end - begin));
}

// Ways back: `wide` moves of a vector, then of 8, 4, 2 and 1 lanes. Sums cannot be overwritten, so they are exact.
struct MovesBack {
  int64_t count[5];  // of 16, 8, 4, 2, 1 lanes
  Move* moves;       // in that order
};

template <class T>
MovesBack list_moves_back(const Conv2dGeometry& g, const Layout& l, int64_t begin, int64_t end, Move* moves) {
  MovesBack back{{}, moves};
  for (int size = 0, lanes = 16; size < 5; ++size, lanes /= 2) {
    over_runs(g, begin, end, [&](const Run& run) {
      // What the wider moves have left of a run begins at its length without its lower bits.
      int64_t q = size == 0 ? 0 : run.length & -(2 * lanes);
      const int64_t last = run.length & -lanes;
      for (; q < last; q += lanes) {
        *moves++ = {run_offset(g, l, run) + q, run.at + q};
        ++back.count[size];
      }
    });
  }
  return back;
}

template <class T, int lanes>
CHAINRULE_INLINE const Move* add_moves(const Move* move, int64_t count, const T* sums, T* to) {
  for (int64_t i = 0; i < count; ++i, ++move) add_exactly<T, lanes>(to + move->from, sums + move->to);
  return move;
}

// The sums of `rows` places go back to the pixels they came from.
template <class T>
void add_patches(const MovesBack& back, int64_t rows, const int64_t* offsets, const T* sums, T* dx) {
  for (int64_t i = 0; i < rows; ++i, sums += kOuterColumns<T>) {
    T* to = dx + offsets[i];
    const Move* move = back.moves;
    move = add_moves<T, 16>(move, back.count[0], sums, to);
    move = add_moves<T, 8>(move, back.count[1], sums, to);
    move = add_moves<T, 4>(move, back.count[2], sums, to);
    move = add_moves<T, 2>(move, back.count[3], sums, to);
    add_moves<T, 1>(move, back.count[4], sums, to);
  }
}

// Pixels [begin, end), one depth of output channels, dy packed as panels [depth, kOuterColumns] one after the other.
template <class T>
struct Work {
  const Conv2dGeometry& g;
  const Plan<T>& plan;
  const Layout& layout;
  int64_t begin, end, o, depth;
  const Blocks& blocks;
  const int64_t* offsets;  // of the rows of the product
  const T *packed, *panels;
  T* dx;

  int64_t subs() const { return blocks_of(end - begin, kOuterColumns<T>); }
  const T* panel(int64_t sub) const { return panels + sub * depth * kOuterColumns<T>; }
  const T* weights(int64_t block) const { return packed + blocks.begin(block) * plan.s.o + o * blocks.size(block); }
};

template <class T>
void multiply_moves(const Work<T>& work) {
  constexpr int64_t n = kOuterColumns<T>;
  const Scratch<Move> moves(work.subs() * n);
  const Scratch<MovesBack> back(work.subs());
  for (int64_t sub = 0; sub < work.subs(); ++sub) {
    const int64_t first = work.begin + sub * n, last = smaller(first + n, work.end);
    back[sub] = list_moves_back<T>(work.g, work.layout, first, last, moves + sub * n);
  }
  alignas(64) T sums[kOuterRows * n];
  for (int64_t block = 0; block < work.blocks.count; ++block) {
    const int64_t rows = work.blocks.size(block);
    const OuterTile<T> tile = outer_tile(T{}, rows);
    for (int64_t sub = 0; sub < work.subs(); ++sub) {
      tile(work.depth, work.weights(block), work.panel(sub), n, nullptr, Store::kSet, sums, n);
      add_patches<T>(back[sub], rows, work.offsets + work.blocks.begin(block), sums, work.dx);
    }
  }
}

template <class T>
void multiply_strips(const Work<T>& work) {
  constexpr int64_t n = kOuterColumns<T>;
  const Scratch<int64_t> strips(work.subs() * kOuterStrips);
  list_strips<T>(work.g, work.layout, work.begin, work.end, kOuterStrips, strips);
  for (int64_t block = 0; block < work.blocks.count; ++block) {
    const BackStrips<T> tile = back_strips(T{}, work.blocks.size(block));
    for (int64_t sub = 0; sub < work.subs(); ++sub) {
      const int64_t count = smaller(kOuterStrips, (work.end - work.begin - sub * n) / kStrip<T>);
      tile(work.depth, work.weights(block), work.panel(sub), n, work.dx, work.offsets + work.blocks.begin(block),
           strips + sub * kOuterStrips, count);
    }
  }
}

// dy packed, every block of rows multiplied and added.
template <class T>
void run_tile(const Conv2dGeometry& g, const Plan<T>& plan, const Layout& l, const Blocks& blocks,
              const int64_t* offsets, int64_t o, const T* dy, const T* packed, T* dx, int64_t begin, int64_t end) {
  constexpr int64_t n = kOuterColumns<T>;
  const int64_t depth = smaller(plan.depth, plan.s.o - o);
  const Scratch<T> panels(depth * rounded_up(end - begin, n));
  for (int64_t q = begin; q < end; q += n) {
    pack_gradient(g, plan.s.p, depth, dy + o * plan.s.p, q, smaller(q + n, end), panels + (q - begin) * depth);
  }
  const Work<T> work{g, plan, l, begin, end, o, depth, blocks, offsets, packed, panels, dx};
  in_strips<T>(g) ? multiply_strips(work) : multiply_moves(work);
}

// dx of some images, channels [c, c + channels) of a group; dx and dy point at the group's first channel of image 0.
template <class T>
void run_task(const Conv2dGeometry& g, const Plan<T>& plan, int64_t image, int64_t c, const T* dy, const T* packed,
              T* dx) {
  const int64_t images = smaller(plan.images, g.n - image), channels = smaller(plan.channels, plan.s.c - c);
  const int64_t first = image * plan.s.p, end = (image + images) * plan.s.p;
  const Layout l = layout_of<T>(g, channels, first, end, true);
  const Scratch<T> copy(copy_size<T>(l));
  dx += c * g.h * g.w;
  T* to = l.direct ? dx + image * l.stride : copy;
  for (int64_t i = 0; i < images; ++i) zero_lanes(to + i * l.stride, channels * l.plane);
  const Blocks blocks(channels * g.kh * g.kw, kOuterRows);
  const Scratch<int64_t> offsets(blocks.n);
  row_offsets(g, l, channels, offsets);
  for (int64_t begin = first; begin < end; begin += plan.tile) {
    for (int64_t o = 0; o < plan.s.o; o += plan.depth) {
      run_tile<T>(g, plan, l, blocks, offsets, o, dy, packed, to, begin, smaller(begin + plan.tile, end));
    }
  }
  if (!l.direct) restore_images(g, l, channels, to, dx);
}

template <class T>
void backward_input(const Conv2dArgs& args) {
  const Conv2dGeometry g = flattened(args.g);
  const ConvSizes s = conv_sizes(g);
  const auto *dy = static_cast<const T*>(args.dy), *w = static_cast<const T*>(args.w);
  auto* dx = static_cast<T*>(args.dx);
  if (g.n * g.c * g.h * g.w == 0) return;
  if (s.p * s.o * s.k == 0) return zero_lanes(dx, g.n * g.c * g.h * g.w);
  const Plan<T> plan(g);
  const Scratch<T> packed(g.o * s.k);
  // Weights of (group, channel task) start where those of the tasks before it end.
  const auto start = [&](int64_t group, int64_t task) {
    return group * s.o * s.k + task * plan.channels * g.kh * g.kw * s.o;
  };
  for (int64_t i = 0; i < g.groups * plan.channel_tasks; ++i) {
    const int64_t group = i / plan.channel_tasks, task = i % plan.channel_tasks, c = task * plan.channels;
    const int64_t channels = smaller(plan.channels, s.c - c);
    parallel_for(s.o, larger(1, 16384 / (channels * g.kh * g.kw)), [&](int64_t begin, int64_t end) {
      pack_weights(g, s, c, channels, begin, end, w + group * s.o * s.k, packed + start(group, task));
    });
  }
  parallel_for(plan.image_tasks * g.groups * plan.channel_tasks, 1, [&](int64_t index, int64_t) {
    const int64_t task = index % plan.channel_tasks, group = index / plan.channel_tasks % g.groups;
    const int64_t image = index / plan.channel_tasks / g.groups * plan.images;
    run_task(g, plan, image, task * plan.channels, dy + group * s.o * s.p, packed + start(group, task),
             dx + group * s.c * g.h * g.w);
  });
}

}  // namespace

void conv2d_backward_input(const Conv2dArgs& args) {
  if (is_depthwise(args.g)) return depthwise_backward_input(args);
  args.dtype == DType::kFloat64 ? backward_input<double>(args) : backward_input<float>(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
