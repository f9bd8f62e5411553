// Arguments of 2-d convolution and pooling, NCHW, all tensors contiguous.
#pragma once
#include "core/args/gemm.h"

namespace chainrule {

// x [N,C,H,W], w [O,C/groups,kh,kw], b [O] or null -> y [N,O,OH,OW].
struct Conv2dGeometry {
  int64_t n, c, h, w;
  int64_t o, kh, kw;
  int64_t oh, ow;
  int64_t stride_h, stride_w;
  int64_t pad_h, pad_w;  // before the first row and column; what lies beyond the last is implied by oh, ow
  int64_t dilation_h, dilation_w;
  int64_t groups;
};

// Forward reads x, w, bias and writes y; the input gradient reads dy, w and writes dx; the weight gradient reads x, dy
// and writes dw and, unless null, dbias. Everything written is overwritten, never added to.
struct Conv2dArgs {
  DType dtype;
  Conv2dGeometry g;
  const void* x;
  const void* w;
  const void* bias;
  const void* dy;
  void* y;
  void* dx;
  void* dw;
  void* dbias;
  GemmFunction gemm;
};

// max: y and the place of the maximum inside its window (first one wins, NaN wins over all), one byte where the window
// has at most 255 places, else int32; avg: count_include_pad as PyTorch has it, divisor 0 for the window's own size.
struct Pool2dArgs {
  DType dtype;
  int64_t planes;  // N*C
  int64_t h, w, oh, ow;
  int64_t kh, kw, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
  bool count_include_pad;
  int64_t divisor;
  const void* x;
  const void* dy;
  void* y;
  void* dx;
  void* places;  // max only: written forward, read backward
  bool wide_places;
};

}  // namespace chainrule
