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

// With depth, an image is an input slice here, and each place of the kernel along the depth makes output channels of
// its own, (o, place): a slice gathers what all of them give back, so that no two tasks add to one slice.
inline ConvGeometry by_slices(ConvGeometry g) {
  g.kd = g.stride_d = g.dilation_d = 1;
  g.pad_d = 0;
  g.od = g.d;
  return g;
}

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
  const ConvGeometry whole;  // as it was given
  const ConvGeometry g;      // by slices
  int64_t c, o;              // input channels, output channels times places along the depth, of one group
  int64_t p;                 // pixels of an image
  int64_t all_images;
  int64_t images;    // of one task: enough to fill a register tile where images are tiny
  int64_t channels;  // of one task: all, unless there are few images
  int64_t image_tasks, channel_tasks;
  int64_t depth;  // output channels summed in registers
  int64_t tile;   // pixels packed at once

  explicit Plan(const ConvGeometry& given) : whole(given), g(by_slices(given)) {
    constexpr int64_t n = kOuterColumns<T>;
    c = g.c / g.groups;
    o = g.o / g.groups * whole.kd;
    p = g.oh * g.ow;
    all_images = g.n * g.d;
    images = images_of_task(all_images, p, n);
    image_tasks = blocks_of(all_images, images);
    channel_tasks = smaller(c, blocks_of(16, larger(1, image_tasks * g.groups)));
    channels = blocks_of(c, channel_tasks);
    channel_tasks = blocks_of(c, channels);
    depth = smaller(o, kDepth);
    const int64_t columns = kTileBytes / (depth * static_cast<int64_t>(sizeof(T)));
    tile = larger(n, smaller(columns, 512) / n * n);
  }

  // Of dy of one group: the plane that output channel o gives back to an image through its place, or -1 for none.
  int64_t gradient_plane(int64_t image, int64_t o) const {
    if (whole.d * whole.od * whole.kd == 1 && whole.pad_d == 0) return image * g.o + o;
    const int64_t steps = image % g.d + whole.pad_d - o % whole.kd * whole.dilation_d;
    if (steps < 0 || steps % whole.stride_d != 0 || steps / whole.stride_d >= whole.od) return -1;
    return (image / g.d * g.o + o / whole.kd) * whole.od + steps / whole.stride_d;
  }
};

// Rows are ordered by kernel place, channels innermost: neighbours then add to different planes, and the processor need
// not wait for a store to be seen by the next overlapping load.
CHAINRULE_INLINE void next(const ConvGeometry& g, int64_t channels, Place& at) {
  if (++at.c < channels) return;
  at.c = 0;
  if (++at.i < g.kh) return;
  at.i = 0;
  ++at.j;
}

// From place (0, 0) of channel 0 to the place of each row.
inline void row_offsets(const ConvGeometry& g, const Layout& l, int64_t channels, int64_t* offsets) {
  for (int64_t j = 0; j < g.kw; ++j)
    for (int64_t i = 0; i < g.kh; ++i) {
      const int64_t place = place_offset(g, l, i, j);
      for (int64_t c = 0; c < channels; ++c) *offsets++ = place + c * l.plane;
    }
}

// w [o, c, kd, kh, kw] of one group, from channel `first` -> for each block of rows [(o, place), rows], outputs [begin,
// end). One output after the other: all it is read from and written to fits in the first-level cache.
template <class T>
void pack_weights(const Plan<T>& plan, int64_t first, int64_t channels, int64_t begin, int64_t end, const T* w,
                  T* packed) {
  const ConvGeometry& g = plan.g;
  const int64_t kd = plan.whole.kd;
  const Blocks blocks(channels * g.kh * g.kw, kOuterRows);
  for (int64_t o = begin; o < end; ++o) {
    const T* from = w + ((o / kd * plan.c + first) * kd + o % kd) * g.kh * g.kw;
    Place at{0, 0, 0};
    for (int64_t block = 0; block < blocks.count; ++block) {
      const int64_t rows = blocks.size(block);
      T* to = packed + blocks.begin(block) * plan.o + o * rows;
      for (int64_t i = 0; i < rows; ++i, next(g, channels, at)) to[i] = from[(at.c * kd * g.kh + at.i) * g.kw + at.j];
    }
  }
}

// dy of output channels [o, o + depth) and pixels [begin, end) -> [depth, kOuterColumns], zeros where there is no
// pixel.
template <class T>
void pack_gradient(const Plan<T>& plan, int64_t o, int64_t depth, const T* dy, int64_t begin, int64_t end, T* panel) {
  constexpr int64_t n = kOuterColumns<T>;
  over_samples(plan.p, begin, end, [&](int64_t image, int64_t pixel, int64_t length, int64_t at) {
    for (int64_t i = 0; i < depth; ++i) {
      const int64_t plane = plan.gradient_plane(image, o + i);
      if (plane < 0)
        zero_lanes(panel + i * n + at, length);
      else
        copy_lanes(panel + i * n + at, dy + plane * plan.p + pixel, length);
    }
  });
  if (end - begin == n) return;
  for (int64_t i = 0; i < depth; ++i) zero_lanes(panel + i * n + end - begin, n - (end - begin));
}

// Ways back: `wide` moves of a vector, then of 8, 4, 2 and 1 lanes. Sums cannot be overwritten, so they are exact.
struct MovesBack {
  int64_t count[5];  // of 16, 8, 4, 2, 1 lanes
  Move* moves;       // in that order
};

template <class T>
MovesBack list_moves_back(const ConvGeometry& g, const Layout& l, int64_t begin, int64_t end, Move* moves) {
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
  const Plan<T>& plan;
  const Layout& layout;
  int64_t begin, end, o, depth;
  const Blocks& blocks;
  const int64_t* offsets;  // of the rows of the product
  const T *packed, *panels;
  T* dx;

  int64_t subs() const { return blocks_of(end - begin, kOuterColumns<T>); }
  const T* panel(int64_t sub) const { return panels + sub * depth * kOuterColumns<T>; }
  const T* weights(int64_t block) const { return packed + blocks.begin(block) * plan.o + o * blocks.size(block); }
};

template <class T>
void multiply_moves(const Work<T>& work) {
  constexpr int64_t n = kOuterColumns<T>;
  const Scratch<Move> moves(work.subs() * n);
  const Scratch<MovesBack> back(work.subs());
  for (int64_t sub = 0; sub < work.subs(); ++sub) {
    const int64_t first = work.begin + sub * n, last = smaller(first + n, work.end);
    back[sub] = list_moves_back<T>(work.plan.g, work.layout, first, last, moves + sub * n);
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
  list_strips<T>(work.plan.g, work.layout, work.begin, work.end, kOuterStrips, strips);
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
void run_tile(const Plan<T>& plan, const Layout& l, const Blocks& blocks, const int64_t* offsets, int64_t o,
              const T* dy, const T* packed, T* dx, int64_t begin, int64_t end) {
  constexpr int64_t n = kOuterColumns<T>;
  const int64_t depth = smaller(plan.depth, plan.o - o);
  const Scratch<T> panels(depth * rounded_up(end - begin, n));
  for (int64_t q = begin; q < end; q += n) {
    pack_gradient(plan, o, depth, dy, q, smaller(q + n, end), panels + (q - begin) * depth);
  }
  const Work<T> work{plan, l, begin, end, o, depth, blocks, offsets, packed, panels, dx};
  in_strips<T>(plan.g) ? multiply_strips(work) : multiply_moves(work);
}

// dx of some images, channels [c, c + channels) of a group; dx, dy and bias begin with the group.
template <class T>
void run_task(const Plan<T>& plan, int64_t image, int64_t c, const T* dy, const T* packed, const T* bias, T* dx) {
  const ConvGeometry& g = plan.g;
  const int64_t images = smaller(plan.images, plan.all_images - image), channels = smaller(plan.channels, plan.c - c);
  const int64_t first = image * plan.p, end = (image + images) * plan.p;
  const Layout l = layout_of<T>(g, channels, first, end, true);
  const Scratch<T> copy(copy_size<T>(l));
  T* to = l.direct ? dx + c * l.plane + image * l.stride : copy;
  for (int64_t n = 0; n < images; ++n)
    for (int64_t i = 0; i < channels; ++i) {
      fill_lanes(to + n * l.stride + i * l.plane, l.plane, bias ? bias[c + i] : T{0});
    }
  const Blocks blocks(channels * g.kh * g.kw, kOuterRows);
  const Scratch<int64_t> offsets(blocks.n);
  row_offsets(g, l, channels, offsets);
  for (int64_t begin = first; begin < end; begin += plan.tile) {
    for (int64_t o = 0; o < plan.o; o += plan.depth) {
      run_tile<T>(plan, l, blocks, offsets, o, dy, packed, to, begin, smaller(begin + plan.tile, end));
    }
  }
  if (!l.direct) restore_images(g, l, c, channels, static_cast<const T*>(to), bias, dx);
}

template <class T>
void backward_input(const ConvArgs& args) {
  const Plan<T> plan(flattened(args.g));
  const ConvGeometry& g = plan.g;
  const auto *dy = static_cast<const T*>(args.dy), *w = static_cast<const T*>(args.w);
  const auto* bias = static_cast<const T*>(args.bias);
  auto* dx = static_cast<T*>(args.dx);
  const int64_t group_dx = plan.c * g.d * g.h * g.w, group_dy = g.o / g.groups * plan.whole.od * plan.p;
  const int64_t window = g.kh * g.kw, group_w = plan.o * plan.c * window;
  const Scratch<T> packed(g.groups * group_w);
  // Weights of (group, channel task) start where those of the tasks before it end.
  const auto start = [&](int64_t group, int64_t task) {
    return group * group_w + task * plan.channels * window * plan.o;
  };
  for (int64_t i = 0; i < g.groups * plan.channel_tasks; ++i) {
    const int64_t group = i / plan.channel_tasks, task = i % plan.channel_tasks, c = task * plan.channels;
    const int64_t channels = smaller(plan.channels, plan.c - c);
    parallel_for(plan.o, larger(1, 16384 / (channels * window)), [&](int64_t begin, int64_t end) {
      pack_weights(plan, c, channels, begin, end, w + group * group_w, packed + start(group, task));
    });
  }
  parallel_for(plan.image_tasks * g.groups * plan.channel_tasks, 1, [&](int64_t index, int64_t) {
    const int64_t task = index % plan.channel_tasks, group = index / plan.channel_tasks % g.groups;
    const int64_t image = index / plan.channel_tasks / g.groups * plan.images;
    run_task(plan, image, task * plan.channels, dy + group * group_dy, packed + start(group, task),
             bias ? bias + group * plan.c : nullptr, dx + group * group_dx);
  });
}

}  // namespace

// Unlike the other directions, only for what has elements.
void conv_backward_input(const ConvArgs& args) {
  if (is_depthwise(args.g)) return depthwise_backward_input(args);
  args.dtype == DType::kFloat64 ? backward_input<double>(args) : backward_input<float>(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
