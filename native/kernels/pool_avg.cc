// Average pooling, forward and backward.
#include "kernels/capability.h"
//
#include "kernels/pool_paths.h"
#include "kernels/windows.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Windows of up to so many places are added up in their own type, larger ones in double.
constexpr int64_t kSmallWindow = 64;

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// What a window's sum is divided by, as PyTorch has it: padding counts if asked for, what lies beyond it never.
int64_t divisor(const Pool2dArgs& a, int64_t i, int64_t j, const Span& r, const Span& c) {
  if (a.divisor != 0) return a.divisor;
  if (!a.count_include_pad) return (r.end - r.begin) * (c.end - c.begin);
  const int64_t top = i * a.stride_h - a.pad_h, left = j * a.stride_w - a.pad_w;
  return (smaller(top + a.kh, a.h + a.pad_h) - top) * (smaller(left + a.kw, a.w + a.pad_w) - left);
}

template <class T>
T average(const Pool2dArgs& a, int64_t i, int64_t j, const Span& r, const T* x) {
  const Span c = columns(a, j);
  double sum = 0;
  for (int64_t p = r.begin; p < r.end; ++p)
    for (int64_t q = c.begin; q < c.end; ++q) sum += static_cast<double>(x[(r.start + p) * a.w + c.start + q]);
  if (r.begin == r.end || c.begin == c.end) return T{0};
  return static_cast<T>(sum / static_cast<double>(divisor(a, i, j, r, c)));
}

template <class T>
void forward_plane(const Pool2dArgs& a, const Interior& inner, const T* x, T* y) {
  for (int64_t i = 0; i < a.oh; ++i, y += a.ow) {
    const Span r = rows(a, i);
    for (int64_t j = 0; j < inner.begin; ++j) y[j] = average(a, i, j, r, x);
    const int64_t rest = over_vectors(inner.begin, inner.end, [&]<int lanes>(int64_t j) {
      Windows<T, lanes> sum{};
      for (int64_t p = r.begin; p < r.end; ++p) {
        const T* row = x + (r.start + p) * a.w + j * a.stride_w - a.pad_w;
        for (int64_t q = 0; q < a.kw; ++q) sum += load_strided<T, lanes>(row + q, a.stride_w);
      }
      if (r.begin < r.end) sum /= static_cast<T>(divisor(a, i, j, r, columns(a, j)));
      __builtin_memcpy(y + j, &sum, sizeof sum);
    });
    for (int64_t j = rest; j < a.ow; ++j) y[j] = average(a, i, j, r, x);
  }
}

// What each window of a row gives to each of its places.
template <class T>
void shares_of_row(const Pool2dArgs& a, const Interior& inner, int64_t i, const Span& r, const T* dy, T* shares) {
  int64_t known = 0;
  for (int64_t j = 0; j < a.ow; ++j) {
    // Inside, all windows of a row have the same divisor.
    if (j <= inner.begin || j >= inner.end) known = divisor(a, i, j, r, columns(a, j));
    shares[j] = dy[j] / static_cast<T>(known);
  }
}

template <class T>
void backward_plane(const Pool2dArgs& a, const Interior& inner, T* shares, const T* dy, T* dx) {
  for (int64_t i = 0; i < a.h * a.w; ++i) dx[i] = 0;
  for (int64_t i = 0; i < a.oh; ++i, dy += a.ow) {
    const Span r = rows(a, i);
    shares_of_row(a, inner, i, r, dy, shares);
    for (int64_t p = r.begin; p < r.end; ++p) {
      T* row = dx + (r.start + p) * a.w;
      const auto edge = [&](int64_t j) {
        const Span c = columns(a, j);
        for (int64_t q = c.begin; q < c.end; ++q) row[c.start + q] += shares[j];
      };
      for (int64_t j = 0; j < inner.begin; ++j) edge(j);
      for (int64_t q = 0; q < a.kw; ++q) {
        T* to = row - a.pad_w + q;
        for (int64_t j = inner.begin; j < inner.end; ++j) to[j * a.stride_w] += shares[j];
      }
      for (int64_t j = inner.end; j < a.ow; ++j) edge(j);
    }
  }
}

template <class T>
void forward(const Pool2dArgs& a) {
  const Interior inner = a.kh * a.kw <= kSmallWindow ? interior(a) : Interior{0, 0};
  over_planes(a, [&](int64_t in, int64_t out) {
    forward_plane(a, inner, static_cast<const T*>(a.x) + in, static_cast<T*>(a.y) + out);
  });
}

template <class T>
void backward(const Pool2dArgs& a) {
  const Interior inner = interior(a);
  over_planes(a, [&](int64_t in, int64_t out) {
    T* shares = static_cast<T*>(acquire_scratch(static_cast<size_t>(a.ow) * sizeof(T)));
    backward_plane(a, inner, shares, static_cast<const T*>(a.dy) + out, static_cast<T*>(a.dx) + in);
    release_scratch(shares);
  });
}

// Average windows have no dilation, whatever the arguments hold.
Pool2dArgs undilated(Pool2dArgs a) {
  a.dilation_h = a.dilation_w = 1;
  return a;
}

}  // namespace

void avg_pool2d_forward(const Pool2dArgs& args) {
  const Pool2dArgs a = undilated(args);
  a.dtype == DType::kFloat64 ? forward<double>(a) : forward<float>(a);
}

void avg_pool2d_backward(const Pool2dArgs& args) {
  const Pool2dArgs a = undilated(args);
  a.dtype == DType::kFloat64 ? backward<double>(a) : backward<float>(a);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
