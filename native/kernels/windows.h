// Windows of pooling: where they lie in a plane, and vectors of neighbouring windows.
#pragma once
#include "core/args/conv.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/strided.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Places of a window that lie inside the plane along one axis: [begin, end), dilation apart from `start`.
struct Span {
  int64_t start, begin, end;
};

inline Span span(int64_t out, int64_t size, int64_t k, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t start = out * stride - pad;
  const int64_t begin = start < 0 ? (-start + dilation - 1) / dilation : 0;
  int64_t end = start >= size ? 0 : (size - 1 - start) / dilation + 1;
  if (end > k) end = k;
  return {start, begin < end ? begin : end, end};
}

inline Span rows(const Pool2dArgs& a, int64_t i) { return span(i, a.h, a.kh, a.stride_h, a.pad_h, a.dilation_h); }
inline Span columns(const Pool2dArgs& a, int64_t j) { return span(j, a.w, a.kw, a.stride_w, a.pad_w, a.dilation_w); }

// Windows [begin, end) of a row have all their columns inside the plane.
struct Interior {
  int64_t begin, end;
};

inline Interior interior(const Pool2dArgs& a) {
  int64_t begin = 0, end = a.ow;
  for (; begin < end && columns(a, begin).begin > 0; ++begin) {
  }
  for (; end > begin && columns(a, end - 1).end < a.kw; --end) {
  }
  return {begin, end};
}

// Calls f.template operator()<lanes>(j) for vectors of windows that cover [begin, end), the last one overlapping the
// one before it; returns where single windows must go on, which is `begin` if there are fewer than four.
template <class F>
CHAINRULE_INLINE int64_t over_vectors(int64_t begin, int64_t end, const F& f) {
  const auto cover = [&]<int lanes>() {
    int64_t j = begin;
    for (; j + lanes <= end; j += lanes) f.template operator()<lanes>(j);
    if (j < end) f.template operator()<lanes>(end - lanes);
    return end;
  };
  if (end - begin >= 16) return cover.template operator()<16>();
  if (end - begin >= 8) return cover.template operator()<8>();
  if (end - begin >= 4) return cover.template operator()<4>();
  return begin;
}

// Calls f(begin, end) for chunks of planes, some 16,000 window places each.
template <class F>
void over_chunks(const Pool2dArgs& a, const F& f) {
  const int64_t each = a.oh * a.ow * a.kh * a.kw + a.h * a.w, size = 65536;
  parallel_for(a.planes, each >= size ? 1 : size / (each > 0 ? each : 1), f);
}

// Calls f(offset of a plane in the input, in the output) for every plane.
template <class F>
void over_planes(const Pool2dArgs& a, const F& f) {
  over_chunks(a, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) f(plane * a.h * a.w, plane * a.oh * a.ow);
  });
}

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
