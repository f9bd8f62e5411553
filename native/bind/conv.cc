// Bindings of 2-d convolution and its gradients. Slots are listed in lib/native.ts.
#include <cstring>

#include "bind/call.h"
#include "blas/gemm.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

constexpr int64_t kMost = int64_t{1} << 40;

// How far the last tap of the last window lies from the first row of the padded input.
bool fits(int64_t in, int64_t k, int64_t out, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t last = (out - 1) * stride + (k - 1) * dilation - pad;
  // Taps outside the input read zeros; behind it there is as much padding as before it, or what 'same' needs.
  return last < in + pad + (k - 1) * dilation + stride;
}

struct Read {
  Conv2dArgs args;
  int64_t x, w, y;  // elements
};

Read read(Call& call) {
  Read r{};
  Conv2dArgs& args = r.args;
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  Conv2dGeometry& g = args.g;
  int64_t* sizes[] = {&g.n, &g.c, &g.h, &g.w, &g.o, &g.kh, &g.kw, &g.oh, &g.ow};
  for (int i = 0; i < 9; ++i) *sizes[i] = call.integer(1 + i, 0, kMost);
  int64_t* steps[] = {&g.stride_h, &g.stride_w, &g.pad_h, &g.pad_w, &g.dilation_h, &g.dilation_w, &g.groups};
  for (int i = 0; i < 7; ++i) *steps[i] = call.integer(10 + i, i == 2 || i == 3 ? 0 : 1, int64_t{1} << 20);
  args.gemm = gemm_serial;
  if (!call.ok()) return r;
  if (g.kh == 0 || g.kw == 0 || g.c == 0 || g.kh > int64_t{1} << 20 || g.kw > int64_t{1} << 20 || g.c % g.groups != 0 ||
      g.o % g.groups != 0) {
    call.fail("a kernel with taps and channels that divide into the groups");
    return r;
  }
  if (!fits(g.h, g.kh, g.oh, g.stride_h, g.pad_h, g.dilation_h) ||
      !fits(g.w, g.kw, g.ow, g.stride_w, g.pad_w, g.dilation_w)) {
    call.fail("windows inside the padded input");
    return r;
  }
  const int64_t x[] = {g.n, g.c, g.h, g.w}, w[] = {g.o, g.c / g.groups, g.kh, g.kw}, y[] = {g.n, g.o, g.oh, g.ow};
  r.x = r.w = r.y = 1;
  bool over = false;
  for (int i = 0; i < 4; ++i) {
    over |= __builtin_mul_overflow(r.x, x[i], &r.x) || __builtin_mul_overflow(r.w, w[i], &r.w) ||
            __builtin_mul_overflow(r.y, y[i], &r.y);
  }
  if (over) call.fail("tensors with fewer than 2^63 elements");
  return r;
}

napi_value forward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call);
  if (!call.ok()) return nullptr;
  r.args.y = call.run(0, 17, r.y, r.args.dtype);
  r.args.x = call.run(1, 18, r.x, r.args.dtype);
  r.args.w = call.run(2, 19, r.w, r.args.dtype);
  if (call.real(20) != -1) r.args.bias = call.run(3, 20, r.args.g.o, r.args.dtype);
  if (call.ok() && r.y > 0) launch(kernels().conv2d_forward, r.args);
  return nullptr;
}

napi_value backward_input(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call);
  if (!call.ok()) return nullptr;
  r.args.dx = call.run(0, 17, r.x, r.args.dtype);
  r.args.dy = call.run(1, 18, r.y, r.args.dtype);
  r.args.w = call.run(2, 19, r.w, r.args.dtype);
  if (!call.ok() || r.x == 0) return nullptr;
  // Sizes next to a 0 are not bounded by any buffer, so that kernels see none.
  if (r.y == 0 || r.w == 0)
    std::memset(r.args.dx, 0, r.x * size_of(r.args.dtype));
  else
    launch(kernels().conv2d_backward_input, r.args);
  return nullptr;
}

napi_value backward_weight(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call);
  if (!call.ok()) return nullptr;
  r.args.dw = call.run(0, 17, r.w, r.args.dtype);
  if (call.real(18) != -1) r.args.dbias = call.run(1, 18, r.args.g.o, r.args.dtype);
  r.args.x = call.run(2, 19, r.x, r.args.dtype);
  r.args.dy = call.run(3, 20, r.y, r.args.dtype);
  if (!call.ok()) return nullptr;
  if (r.y > 0) {
    launch(kernels().conv2d_backward_weight, r.args);
    return nullptr;
  }
  if (r.w > 0) std::memset(r.args.dw, 0, r.w * size_of(r.args.dtype));
  if (r.args.dbias != nullptr) std::memset(r.args.dbias, 0, r.args.g.o * size_of(r.args.dtype));
  return nullptr;
}

}  // namespace

void register_conv(napi_env env, napi_value exports) {
  export_function(env, exports, "conv2d", forward);
  export_function(env, exports, "conv2dBackwardInput", backward_input);
  export_function(env, exports, "conv2dBackwardWeight", backward_weight);
}

}  // namespace chainrule
