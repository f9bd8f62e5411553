// Arguments of convolution and of 2-d pooling, channels before sizes, all tensors contiguous.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// x [N,C,D,H,W], w [O,C/groups,kd,kh,kw], b [O] or null -> y [N,O,OD,OH,OW]; images have D = kd = OD = 1, sequences H,
// kh and OH too.
struct ConvGeometry {
  int64_t n, c, d, h, w;
  int64_t o, kd, kh, kw;
  int64_t od, oh, ow;
  int64_t stride_d, stride_h, stride_w;
  int64_t pad_d, pad_h,
      pad_w;  // before the first slice, row and column; what lies beyond the last is implied by od, oh, ow
  int64_t dilation_d, dilation_h, dilation_w;
  int64_t groups;
};

// Forward reads x, w, bias [O] and writes y; the input gradient, which is the transposed convolution too, reads dy, w,
// bias [C] and writes dx; the weight gradient reads x, dy and writes dw and, unless null, dbias. Everything written is
// overwritten, never added to; no bias is null.
struct ConvArgs {
  DType dtype;
  ConvGeometry g;
  const void* x;
  const void* w;
  const void* bias;
  const void* dy;
  void* y;
  void* dx;
  void* dw;
  void* dbias;
};

// max: y and the place of the maximum inside its window (the first one wins, over all the last NaN), one byte where the
// window has at most 255 places, else int32; avg: count_include_pad as PyTorch has it, divisor 0 for the window's own
// size.
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
