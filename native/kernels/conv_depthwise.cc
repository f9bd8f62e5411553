// Convolution with one input channel per group: no sums over channels, so each plane is walked row by row.
#include "kernels/capability.h"
//
#include "core/parallel.h"
#include "kernels/conv_paths.h"
#include "kernels/patches.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// What a plane of outputs sees: its input plane in a copy with its padding, offsets of the kernel's places in it.
template <class T>
struct Plane {
  const ConvGeometry& g;
  const Layout& layout;
  const int64_t* offsets;
  T* copy;

  const T* row(int64_t i) const { return copy + i * g.stride_h * layout.width; }
  T* row(int64_t i) { return copy + i * g.stride_h * layout.width; }
};

// The layout of a single plane; image and channel are chosen by the pointer it is copied from.
template <class T>
Layout plane_layout(const ConvGeometry& g) {
  ConvGeometry one = g;
  one.n = one.c = 1;
  return layout_of<T>(one, 1, 0, g.oh * g.ow, false);
}

template <class T, int lanes>
CHAINRULE_INLINE auto load_lanes(const T* p) {
  typedef T V __attribute__((vector_size(lanes * sizeof(T))));
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

// Calls f.template operator()<lanes>(j) for vectors that cover [0, n), the last one overlapping the one before it, or
// for each element of a row of less than four.
template <class T, class F>
CHAINRULE_INLINE void over_row(int64_t n, const F& f) {
  const auto cover = [&]<int lanes>() {
    int64_t j = 0;
    for (; j + lanes <= n; j += lanes) f.template operator()<lanes>(j);
    if (j < n) f.template operator()<lanes>(n - lanes);
  };
  if constexpr (kLanes < T >> 8) {
    if (n >= 16) return cover.template operator()<16>();
  }
  if constexpr (kLanes < T >> 4) {
    if (n >= 8) return cover.template operator()<8>();
  }
  n >= 4 ? cover.template operator()<4>() : cover.template operator()<1>();
}

template <class T>
void forward_plane(const Plane<T>& plane, const T* w, T bias, T* y) {
  const ConvGeometry& g = plane.g;
  const int64_t window = g.kh * g.kw;
  for (int64_t i = 0; i < g.oh; ++i, y += g.ow) {
    const T* row = plane.row(i);
    over_row<T>(g.ow, [&]<int lanes>(int64_t j) {
      auto sum = load_lanes<T, lanes>(row + j + plane.offsets[0]) * w[0] + bias;
      for (int64_t k = 1; k < window; ++k) sum += load_lanes<T, lanes>(row + j + plane.offsets[k]) * w[k];
      __builtin_memcpy(y + j, &sum, sizeof sum);
    });
  }
}

// The plane's copy += what each place of the kernel gives back.
template <class T>
void backward_plane(Plane<T>& plane, const T* w, const T* dy) {
  const ConvGeometry& g = plane.g;
  const int64_t window = g.kh * g.kw;
  for (int64_t i = 0; i < g.oh; ++i, dy += g.ow) {
    for (int64_t k = 0; k < window; ++k) {
      T* to = plane.row(i) + plane.offsets[k];
      const T factor = w[k];
      for (int64_t j = 0; j < g.ow; ++j) to[j] += dy[j] * factor;
    }
  }
}

template <class T, int lanes, int places>
struct LaneSums {
  typedef T V __attribute__((vector_size(lanes * sizeof(T))));
  V sums[places] = {};

  CHAINRULE_INLINE void add(const T* const (&x)[places], int64_t j, const T* dy) {
    const auto gradient = load_lanes<T, lanes>(dy + j);
#pragma GCC unroll 4
    for (int k = 0; k < places; ++k) sums[k] += load_lanes<T, lanes>(x[k] + j) * gradient;
  }

  CHAINRULE_INLINE void add_to(double* totals) const {
    for (int k = 0; k < places; ++k)
      for (int i = 0; i < lanes; ++i) totals[k] += static_cast<double>(sums[k][i]);
  }
};

// totals[0 .. places) += the sums over a plane of dy times what it sees through places k and on: several at a time, as
// one sum alone would wait for its own last addition.
template <class T, int places>
void dot_places(const Plane<T>& plane, int64_t k, const T* dy, double* totals) {
  const ConvGeometry& g = plane.g;
  LaneSums<T, kLanes<T>, places> wide;
  LaneSums<T, 4, places> narrow;
  LaneSums<T, 1, places> single;
  for (int64_t i = 0; i < g.oh; ++i, dy += g.ow) {
    const T* x[places];
    for (int q = 0; q < places; ++q) x[q] = plane.row(i) + plane.offsets[k + q];
    int64_t j = 0;
    for (; j + kLanes<T> <= g.ow; j += kLanes<T>) wide.add(x, j, dy);
    for (; j + 4 <= g.ow; j += 4) narrow.add(x, j, dy);
    for (; j < g.ow; ++j) single.add(x, j, dy);
  }
  wide.add_to(totals);
  narrow.add_to(totals);
  single.add_to(totals);
}

template <class T>
void dot_plane(const Plane<T>& plane, const T* dy, double* totals) {
  const int64_t window = plane.g.kh * plane.g.kw;
  int64_t k = 0;
  for (; k + 3 <= window; k += 3) dot_places<T, 3>(plane, k, dy, totals + k);
  for (; k < window; ++k) dot_places<T, 1>(plane, k, dy, totals + k);
}

template <class T>
void copy_plane(const Plane<T>& plane, const T* x) {
  ConvGeometry one = plane.g;
  one.n = one.c = 1;
  copy_images(one, plane.layout, 0, 1, x, plane.copy);
}

// Some 65,536 multiply-adds, 10 us, a chunk.
int64_t planes_per_chunk(const ConvGeometry& g) { return larger(1, 65536 / larger(1, g.oh * g.ow * g.kh * g.kw)); }

// Calls f(plane, index) for index in [0, n), each thread with a copy of its own.
template <class T, class F>
void over_planes(const ConvGeometry& g, int64_t n, int64_t grain, const F& f) {
  Layout layout = plane_layout<T>(g);
  // Always a copy: gradients are added to it, and vectors may read beyond a plane.
  if (layout.direct) layout = {false, 0, 1, 0, g.h, 0, g.w, g.w, g.h * g.w, g.h * g.w};
  const Scratch<int64_t> offsets(g.kh * g.kw);
  patch_offsets(g, layout, 1, offsets);
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    const Scratch<T> copy(copy_size<T>(layout));
    Plane<T> plane{g, layout, offsets, copy};
    for (int64_t i = begin; i < end; ++i) f(plane, i);
  });
}

template <class T>
void forward(const ConvArgs& args) {
  const ConvGeometry& g = args.g;
  const int64_t outputs = g.o / g.groups, window = g.kh * g.kw, p = g.oh * g.ow;
  const auto *x = static_cast<const T*>(args.x), *w = static_cast<const T*>(args.w);
  const auto* bias = static_cast<const T*>(args.bias);
  over_planes<T>(g, g.n * g.c, planes_per_chunk(g), [&](Plane<T>& plane, int64_t i) {
    copy_plane(plane, x + i * g.h * g.w);
    for (int64_t q = 0; q < outputs; ++q) {
      const int64_t o = i % g.c * outputs + q;
      forward_plane(plane, w + o * window, bias ? bias[o] : T{0}, static_cast<T*>(args.y) + (i * outputs + q) * p);
    }
  });
}

// The geometry of which an input gradient is the output: of stride 1, with as much padding as lets every place meet
// every pixel. One of stride 2 or of more padding than a kernel reaches has none, and its padding comes out negative.
ConvGeometry flipped(const ConvGeometry& g) {
  ConvGeometry f = g;
  f.h = g.oh;
  f.w = g.ow;
  f.oh = g.h;
  f.ow = g.w;
  f.pad_h = g.stride_h == 1 ? (g.kh - 1) * g.dilation_h - g.pad_h : -1;
  f.pad_w = g.stride_w == 1 ? (g.kw - 1) * g.dilation_w - g.pad_w : -1;
  return f;
}

// dx as the convolution of dy with the kernel turned round.
template <class T>
void backward_input_flipped(const ConvArgs& args, const ConvGeometry& f) {
  const int64_t window = f.kh * f.kw;
  const auto *dy = static_cast<const T*>(args.dy), *w = static_cast<const T*>(args.w);
  const auto* bias = static_cast<const T*>(args.bias);
  const Scratch<T> turned(f.c * window);
  for (int64_t c = 0; c < f.c; ++c)
    for (int64_t k = 0; k < window; ++k) turned[c * window + k] = w[c * window + window - 1 - k];
  over_planes<T>(f, f.n * f.c, planes_per_chunk(f), [&](Plane<T>& plane, int64_t i) {
    copy_plane(plane, dy + i * f.h * f.w);
    const int64_t c = i % f.c;
    forward_plane(plane, turned + c * window, bias ? bias[c] : T{0}, static_cast<T*>(args.dx) + i * f.oh * f.ow);
  });
}

template <class T>
void backward_input(const ConvArgs& args) {
  const ConvGeometry f = flipped(args.g);
  if (args.g.o == args.g.c && f.pad_h >= 0 && f.pad_w >= 0) return backward_input_flipped<T>(args, f);
  const ConvGeometry& g = args.g;
  const int64_t outputs = g.o / g.groups, window = g.kh * g.kw, p = g.oh * g.ow;
  const auto *dy = static_cast<const T*>(args.dy), *w = static_cast<const T*>(args.w);
  const auto* bias = static_cast<const T*>(args.bias);
  over_planes<T>(g, g.n * g.c, planes_per_chunk(g), [&](Plane<T>& plane, int64_t i) {
    const T* own = bias ? bias + i % g.c : nullptr;
    fill_lanes(plane.copy, plane.layout.plane, own ? *own : T{0});
    for (int64_t q = 0; q < outputs; ++q) {
      backward_plane(plane, w + (i % g.c * outputs + q) * window, dy + (i * outputs + q) * p);
    }
    ConvGeometry one = g;
    one.n = one.c = 1;
    restore_images(one, plane.layout, 0, 1, static_cast<const T*>(plane.copy), own,
                   static_cast<T*>(args.dx) + i * g.h * g.w);
  });
}

// One channel a task, its images in order: sums do not depend on threads.
template <class T>
void backward_weight(const ConvArgs& args) {
  const ConvGeometry& g = args.g;
  const int64_t outputs = g.o / g.groups, window = g.kh * g.kw, p = g.oh * g.ow;
  auto *dw = static_cast<T*>(args.dw), *dbias = static_cast<T*>(args.dbias);
  over_planes<T>(g, g.c, 1, [&](Plane<T>& plane, int64_t c) {
    const Scratch<double> sums(outputs * (window + 1));
    zero_lanes(static_cast<double*>(sums), outputs * (window + 1));
    for (int64_t n = 0; n < g.n; ++n) {
      copy_plane(plane, static_cast<const T*>(args.x) + (n * g.c + c) * g.h * g.w);
      for (int64_t q = 0; q < outputs; ++q) {
        const T* dy = static_cast<const T*>(args.dy) + (n * g.o + c * outputs + q) * p;
        double* to = sums + q * (window + 1);
        dot_plane(plane, dy, to);
        for (int64_t i = 0; dbias && i < p; ++i) to[window] += static_cast<double>(dy[i]);
      }
    }
    for (int64_t q = 0; q < outputs; ++q) {
      const double* from = sums + q * (window + 1);
      for (int64_t k = 0; k < window; ++k) dw[(c * outputs + q) * window + k] = static_cast<T>(from[k]);
      if (dbias) dbias[c * outputs + q] = static_cast<T>(from[window]);
    }
  });
}

}  // namespace

// One group of one channel is left to the register tiles: they share what they load among the outputs. So is depth.
bool is_depthwise(const ConvGeometry& g) {
  const bool flat = g.d * g.od * g.kd == 1 && g.pad_d == 0;
  return flat && g.groups > 1 && g.c == g.groups && g.o / g.groups <= 4 && g.n * g.o * g.oh * g.ow * g.kh * g.kw > 0;
}

void depthwise_forward(const ConvArgs& args) {
  args.dtype == DType::kFloat64 ? forward<double>(args) : forward<float>(args);
}

void depthwise_backward_input(const ConvArgs& args) {
  args.dtype == DType::kFloat64 ? backward_input<double>(args) : backward_input<float>(args);
}

void depthwise_backward_weight(const ConvArgs& args) {
  args.dtype == DType::kFloat64 ? backward_weight<double>(args) : backward_weight<float>(args);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
