// Patches of images as matrices: what each output pixel of a convolution sees, packed for products and added back.
#pragma once
#include "core/args/conv.h"
#include "core/scratch.h"
#include "kernels/strided.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Depth is folded away: each of the od output slices of a sample is an image of its own, and each place of the kernel
// along the depth makes channels of its own, (c, place). Planes of what they see are found by seen_plane; weights and
// outputs lie in memory as if there had never been a depth.

// Per group: input channels c*kd, output channels, patch size c*kd*kh*kw, output pixels of a sample.
struct ConvSizes {
  int64_t c, o, k, p;
};

inline ConvSizes conv_sizes(const ConvGeometry& g) {
  const int64_t c = g.c / g.groups * g.kd;
  return {c, g.o / g.groups, c * g.kh * g.kw, g.od * g.oh * g.ow};
}

// The plane that an image sees in a channel, counted from the sample 0's plane 0, or -1 where it sees padding.
CHAINRULE_INLINE int64_t seen_plane(const ConvGeometry& g, int64_t image, int64_t channel) {
  if (g.d * g.od * g.kd == 1 && g.pad_d == 0) return image * g.c + channel;
  const int64_t slice = image % g.od * g.stride_d - g.pad_d + channel % g.kd * g.dilation_d;
  return slice < 0 || slice >= g.d ? -1 : (image / g.od * g.c + channel / g.kd) * g.d + slice;
}

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t blocks_of(int64_t n, int64_t size) { return (n + size - 1) / size; }
inline int64_t rounded_up(int64_t n, int64_t unit) { return blocks_of(n, unit) * unit; }

// n things dealt evenly to the fewest blocks of at most `most`; the larger ones come first. Asking costs no division.
struct Blocks {
  int64_t n, count, least, larger_ones;
  Blocks(int64_t things, int64_t most) : Blocks(things, blocks_of(things, most), 0) {}
  // So many blocks, whatever their size.
  static Blocks of_count(int64_t things, int64_t count) { return Blocks(things, count, 0); }
  int64_t begin(int64_t block) const { return block * least + smaller(block, larger_ones); }
  int64_t size(int64_t block) const { return least + (block < larger_ones ? 1 : 0); }

 private:
  Blocks(int64_t things, int64_t blocks, int)
      : n(things), count(blocks), least(count ? n / count : 0), larger_ones(n - least * count) {}
};

// Scratch of the calling thread, given back at the end of the scope.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t n) : block_(static_cast<T*>(acquire_scratch(static_cast<size_t>(n) * sizeof(T)))) {}
  ~Scratch() { release_scratch(block_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  operator T*() const { return block_; }

 private:
  T* block_;
};

// Moves of a constant number of bytes, so that they become single instructions.
template <class T, int64_t n>
CHAINRULE_INLINE void copy_exactly(T* to, const T* from) {
  __builtin_memcpy(to, from, n * sizeof(T));
}

template <class T>
CHAINRULE_INLINE void copy_lanes(T* to, const T* from, int64_t n) {
  for (; n >= 16; n -= 16, to += 16, from += 16) copy_exactly<T, 16>(to, from);
  if (n & 8) copy_exactly<T, 8>(to, from), to += 8, from += 8;
  if (n & 4) copy_exactly<T, 4>(to, from), to += 4, from += 4;
  if (n & 2) copy_exactly<T, 2>(to, from), to += 2, from += 2;
  if (n & 1) *to = *from;
}

template <class T>
CHAINRULE_INLINE void fill_lanes(T* to, int64_t n, T value) {
  T lanes[16];
  for (T& lane : lanes) lane = value;
  for (; n >= 16; n -= 16, to += 16) copy_exactly<T, 16>(to, lanes);
  copy_lanes(to, lanes, n);
}

template <class T>
CHAINRULE_INLINE void zero_lanes(T* to, int64_t n) {
  fill_lanes(to, n, T{0});
}

// Every stride-th element, nothing read beyond the last.
template <class T>
CHAINRULE_INLINE void copy_strided(T* to, const T* from, int64_t stride, int64_t n) {
  const auto move = [&]<int lanes>() {
    const Windows<T, lanes> v = load_strided<T, lanes>(from, 2);
    __builtin_memcpy(to, &v, sizeof v);
    to += lanes;
    from += 2 * lanes;
    n -= lanes;
  };
  if (stride == 2) {
    constexpr int most = kLanes<T> < 4 ? 4 : kLanes<T>;
    while (n >= most) move.template operator()<most>();
    if constexpr (most > 8) {
      if (n & 8) move.template operator()<8>();
    }
    if constexpr (most > 4) {
      if (n & 4) move.template operator()<4>();
    }
  }
  for (; n > 0; --n, from += stride) *to++ = *from;
}

template <class T, int64_t n>
CHAINRULE_INLINE void add_exactly(T* to, const T* from) {
  typedef T V __attribute__((vector_size(n * sizeof(T))));
  V a, b;
  __builtin_memcpy(&a, to, sizeof a);
  __builtin_memcpy(&b, from, sizeof b);
  a += b;
  __builtin_memcpy(to, &a, sizeof a);
}

template <class T>
CHAINRULE_INLINE void add_lanes(T* to, const T* from, int64_t n) {
  constexpr int64_t w = kLanes<T>;
  for (; n >= w; n -= w, to += w, from += w) add_exactly<T, w>(to, from);
  if constexpr (w > 8) {
    if (n & 8) add_exactly<T, 8>(to, from), to += 8, from += 8;
  }
  if constexpr (w > 4) {
    if (n & 4) add_exactly<T, 4>(to, from), to += 4, from += 4;
  }
  if constexpr (w > 2) {
    if (n & 2) add_exactly<T, 2>(to, from), to += 2, from += 2;
  }
  if (n & 1) *to += *from;
}

// Calls f(sample, pixel, length, at) for each run of pixels [begin, end) inside one sample of p pixels.
template <class F>
CHAINRULE_INLINE void over_samples(int64_t p, int64_t begin, int64_t end, const F& f) {
  int64_t sample = begin / p, pixel = begin % p;
  for (int64_t at = begin; at < end; ++sample, pixel = 0) {
    const int64_t length = smaller(p - pixel, end - at);
    f(sample, pixel, length, at - begin);
    at += length;
  }
}

// Output pixels of one row of one image, `at` pixels after the first of a sequence that may span rows and images.
struct Run {
  int64_t image, row, column, length, at;
};

// Calls f for each run of pixels [begin, end), counted through all images.
template <class F>
CHAINRULE_INLINE void over_runs(const ConvGeometry& g, int64_t begin, int64_t end, const F& f) {
  const int64_t p = g.oh * g.ow;
  int64_t image = begin / p, row = begin % p / g.ow, column = begin % p % g.ow;
  for (int64_t pixel = begin; pixel < end;) {
    const int64_t length = smaller(g.ow - column, end - pixel);
    f(Run{image, row, column, length, pixel - begin});
    pixel += length;
    column = 0;
    if (++row == g.oh) {
      row = 0;
      ++image;
    }
  }
}

// A convolution that moves nothing within planes sees a plane as one long row, one that moves nothing along the depth
// either a sample.
inline ConvGeometry flattened(ConvGeometry g) {
  const bool plain = g.kh == 1 && g.kw == 1 && g.stride_h == 1 && g.stride_w == 1 && g.pad_h == 0 && g.pad_w == 0;
  if (!plain || g.oh != g.h || g.ow != g.w) return g;
  g.w = g.ow = g.h * g.w;
  g.h = g.oh = 1;
  if (g.kd != 1 || g.stride_d != 1 || g.pad_d != 0 || g.od != g.d) return g;
  g.w = g.ow = g.d * g.w;
  g.d = g.od = 1;
  return g;
}

// Where the pixels are that some output pixels see. Either in the images themselves or in a copy with its padding, and
// with the columns of one phase of the stride side by side: output pixels in a row then see input pixels in a row.
struct Layout {
  bool direct;
  int64_t image, images;  // first one seen, and how many
  int64_t row, rows;      // first output row seen, and how many input rows there are of each image
  int64_t column;         // first output column seen
  int64_t phase, width;   // columns of one phase; of all
  int64_t plane, stride;  // from channel to channel, from image to image
};

// For output pixels [begin, end) and so many channels. Unless reads are exact, vectors read up to a vector too far: not
// from the last image.
template <class T>
Layout layout_of(const ConvGeometry& g, int64_t channels, int64_t begin, int64_t end, bool exact) {
  const int64_t p = g.oh * g.ow, image = begin / p, images = (end - 1) / p + 1 - image;
  const int64_t reach_h = (g.kh - 1) * g.dilation_h, reach_w = (g.kw - 1) * g.dilation_w;
  const bool inside = g.pad_h == 0 && g.pad_w == 0 && g.stride_w == 1 && g.ow + reach_w <= g.w &&
                      (g.oh - 1) * g.stride_h + reach_h < g.h;
  const bool flat = g.d * g.od * g.kd == 1 && g.pad_d == 0;
  if (inside && flat && (exact || image + images < g.n)) {
    return {true, image, images, 0, g.h, 0, g.w, g.w, g.h * g.w, g.c * g.h * g.w};
  }
  const int64_t first = images == 1 ? begin % p / g.ow : 0, last = images == 1 ? (end - 1) % p / g.ow : g.oh - 1;
  // Of a single row, a sequence for example, only the columns in question.
  const bool single = images == 1 && first == last;
  const int64_t column = single ? begin % g.ow : 0, columns = single ? end - begin : g.ow;
  const int64_t rows = (last - first) * g.stride_h + reach_h + 1, phase = columns + reach_w / g.stride_w;
  const int64_t width = phase * g.stride_w, plane = rows * width;
  return {false, image, images, first, rows, column, phase, width, plane, plane * channels};
}

// Elements of a copy; none if direct.
template <class T>
int64_t copy_size(const Layout& l) {
  return l.direct ? 0 : l.images * l.stride + kLanes<T>;
}

CHAINRULE_INLINE int64_t place_offset(const ConvGeometry& g, const Layout& l, int64_t i, int64_t j) {
  const int64_t column = j * g.dilation_w;
  return i * g.dilation_h * l.width + column % g.stride_w * l.phase + column / g.stride_w;
}

// offsets[(c*kh + i)*kw + j]: from what an output pixel sees in channel 0 through place (0, 0) of the kernel to what it
// sees in channel c through (i, j).
inline void patch_offsets(const ConvGeometry& g, const Layout& l, int64_t channels, int64_t* offsets) {
  const int64_t window = g.kh * g.kw;
  for (int64_t i = 0; i < g.kh; ++i)
    for (int64_t j = 0; j < g.kw; ++j)
      for (int64_t c = 0; c < channels; ++c) {
        offsets[c * window + i * g.kw + j] = c * l.plane + place_offset(g, l, i, j);
      }
}

CHAINRULE_INLINE int64_t run_offset(const ConvGeometry& g, const Layout& l, const Run& run) {
  return (run.image - l.image) * l.stride + (run.row - l.row) * g.stride_h * l.width + run.column - l.column;
}

// Calls f(offset of the image row or -1, offset of the copy's row) for each row of the copy of channels [c, c +
// channels); the columns of each phase f goes through itself.
template <class T, class F>
CHAINRULE_INLINE void over_copied_rows(const ConvGeometry& g, const Layout& l, int64_t c, int64_t channels,
                                       const F& f) {
  for (int64_t n = 0; n < l.images; ++n)
    for (int64_t i = 0; i < channels; ++i) {
      const int64_t plane = seen_plane(g, l.image + n, c + i);
      for (int64_t r = 0; r < l.rows; ++r) {
        const int64_t row = l.row * g.stride_h - g.pad_h + r;
        const int64_t from = plane < 0 || row < 0 || row >= g.h ? -1 : (plane * g.h + row) * g.w;
        f(from, n * l.stride + i * l.plane + r * l.width);
      }
    }
}

// Columns [begin, end) of one phase of a copied row are inside the image; the first of them is image column `first`.
struct PhaseColumns {
  int64_t begin, end, first;
};

CHAINRULE_INLINE PhaseColumns phase_columns(const ConvGeometry& g, const Layout& l, int64_t phase) {
  const int64_t shift = l.column * g.stride_w + phase - g.pad_w;  // of column 0
  const int64_t begin = shift < 0 ? smaller(l.phase, blocks_of(-shift, g.stride_w)) : 0;
  const int64_t end = shift >= g.w ? 0 : smaller(l.phase, (g.w - 1 - shift) / g.stride_w + 1);
  return {begin, larger(begin, end), shift + begin * g.stride_w};
}

// Channels [c, c + channels) of x -> the copy that `l` describes.
template <class T>
void copy_images(const ConvGeometry& g, const Layout& l, int64_t c, int64_t channels, const T* x, T* copy) {
  const Scratch<PhaseColumns> phases(g.stride_w);
  for (int64_t phase = 0; phase < g.stride_w; ++phase) phases[phase] = phase_columns(g, l, phase);
  over_copied_rows<T>(g, l, c, channels, [&](int64_t from, int64_t to) {
    if (from < 0) return zero_lanes(copy + to, l.width);
    for (int64_t phase = 0; phase < g.stride_w; ++phase, to += l.phase) {
      const PhaseColumns in = phases[phase];
      const T* row = x + from + in.first;
      zero_lanes(copy + to, in.begin);
      if (g.stride_w == 1) {
        copy_lanes(copy + to + in.begin, row, in.end - in.begin);
      } else {
        copy_strided(copy + to + in.begin, row, g.stride_w, in.end - in.begin);
      }
      zero_lanes(copy + to + in.end, l.phase - in.end);
    }
  });
}

// Columns of all phases -> a row of the image, `row` its column 0.
template <class T>
CHAINRULE_INLINE void restore_row(const ConvGeometry& g, const Layout& l, const PhaseColumns* phases, const T* copy,
                                  T* row) {
  if (g.stride_w == 1) return copy_lanes(row + phases->first, copy + phases->begin, phases->end - phases->begin);
  int64_t done = 0;
  if (g.stride_w == 2) {
    constexpr int lanes = kLanes<T> < 4 ? 4 : kLanes<T>;
    const bool turned = phases[1].first < phases[0].first;
    const PhaseColumns &first = phases[turned], &second = phases[!turned];
    const T *a = copy + turned * l.phase + first.begin, *b = copy + !turned * l.phase + second.begin;
    const int64_t n = smaller(first.end - first.begin, second.end - second.begin);
    for (; done + lanes <= n; done += lanes) {
      Windows<T, lanes> left, right;
      __builtin_memcpy(&left, a + done, sizeof left);
      __builtin_memcpy(&right, b + done, sizeof right);
      store_in_turn<T, lanes>(row + first.first + 2 * done, left, right);
    }
  }
  for (int64_t phase = 0; phase < g.stride_w; ++phase, copy += l.phase) {
    const PhaseColumns in = phases[phase];
    for (int64_t q = in.begin + done; q < in.end; ++q) row[in.first + (q - in.begin) * g.stride_w] = copy[q];
  }
}

// The other way: dx takes the copy's values, padding is dropped, and what no output saw is the bias, or 0 without one.
template <class T>
void restore_images(const ConvGeometry& g, const Layout& l, int64_t c, int64_t channels, const T* copy, const T* bias,
                    T* dx) {
  const Scratch<PhaseColumns> phases(g.stride_w);
  int64_t columns = 0;
  for (int64_t phase = 0; phase < g.stride_w; ++phase) {
    phases[phase] = phase_columns(g, l, phase);
    columns += phases[phase].end - phases[phase].begin;
  }
  const int64_t top = l.row * g.stride_h - g.pad_h, rows = smaller(g.h, top + l.rows) - larger(0, top);
  if (columns < g.w || rows < g.h) {
    for (int64_t n = 0; n < l.images; ++n)
      for (int64_t i = c; i < c + channels; ++i) {
        fill_lanes(dx + seen_plane(g, l.image + n, i) * g.h * g.w, g.h * g.w, bias ? bias[i] : T{0});
      }
  }
  over_copied_rows<T>(g, l, c, channels, [&](int64_t to, int64_t from) {
    if (to >= 0) restore_row<T>(g, l, phases, copy + from, dx + to);
  });
}

// A vector's way from what pixels see to their columns of a panel.
struct Move {
  int64_t from, to;
};

// Moves for pixels [begin, end), at most one per pixel; the lanes a move has too many are overwritten by the next.
template <class T>
int64_t list_moves(const ConvGeometry& g, const Layout& l, int64_t begin, int64_t end, Move* moves) {
  int64_t count = 0;
  over_runs(g, begin, end, [&](const Run& run) {
    const int64_t from = run_offset(g, l, run);
    for (int64_t q = 0; q < run.length; q += kLanes<T>) moves[count++] = {from + q, run.at + q};
  });
  return count;
}

// panel [rows, ld], n columns and zeros up to `padded`; R moves a row, or `count` if R is 0.
template <class T, int R>
void pack_rows(int64_t rows, const int64_t* offsets, const T* x, const Move* moves, int64_t count, int64_t n,
               int64_t padded, T* panel, int64_t ld) {
  Move local[R > 0 ? R : 1];
  for (int r = 0; r < R; ++r) local[r] = moves[r];
  for (int64_t i = 0; i < rows; ++i, panel += ld) {
    const T* from = x + offsets[i];
    if constexpr (R > 0) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) store(panel + local[r].to, load(from + local[r].from));
    } else {
      for (int64_t r = 0; r < count; ++r) store(panel + moves[r].to, load(from + moves[r].from));
    }
    if (n < padded) zero_lanes(panel + n, padded - n);
  }
}

// panel [rows, ld]: a column for each output pixel of [begin, end) and zeros up to `padded`; x is what `l` describes,
// moves has room for one per pixel, the panel for a vector more.
template <class T>
void pack_patches(const ConvGeometry& g, const Layout& l, int64_t rows, const int64_t* offsets, const T* x,
                  int64_t begin, int64_t end, int64_t padded, Move* moves, T* panel, int64_t ld) {
  const int64_t count = list_moves<T>(g, l, begin, end, moves), n = end - begin;
  switch (count) {
    case 1:
      return pack_rows<T, 1>(rows, offsets, x, moves, count, n, padded, panel, ld);
    case 2:
      return pack_rows<T, 2>(rows, offsets, x, moves, count, n, padded, panel, ld);
    case 3:
      return pack_rows<T, 3>(rows, offsets, x, moves, count, n, padded, panel, ld);
    case 4:
      return pack_rows<T, 4>(rows, offsets, x, moves, count, n, padded, panel, ld);
    default:
      return pack_rows<T, 0>(rows, offsets, x, moves, count, n, padded, panel, ld);
  }
}

// Where output rows are whole strips, nothing need be packed: offsets of the strips of pixels [begin, end), the last
// one again up to a multiple of `unit`.
template <class T>
bool in_strips(const ConvGeometry& g) {
  return g.ow % (kLanes<T> / 2) == 0;
}

template <class T>
void list_strips(const ConvGeometry& g, const Layout& l, int64_t begin, int64_t end, int64_t unit, int64_t* strips) {
  int64_t count = 0;
  over_runs(g, begin, end, [&](const Run& run) {
    const int64_t from = run_offset(g, l, run);
    for (int64_t q = 0; q < run.length; q += kLanes<T> / 2) strips[count++] = from + q;
  });
  for (; count % unit != 0; ++count) strips[count] = strips[count - 1];
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
