// Bindings of convolution and its gradients. Slots are listed in lib/native.ts.
#include <cstring>

#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

constexpr int64_t kMost = int64_t{1} << 40;
constexpr int64_t kMostSteps = int64_t{1} << 20;

// How far the last tap of the last window lies from the first row of the padded input.
bool fits(int64_t in, int64_t k, int64_t out, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t last = (out - 1) * stride + (k - 1) * dilation - pad;
  // Taps outside the input read zeros; behind it there is as much padding as before it, or what 'same' needs.
  return last < in + pad + (k - 1) * dilation + stride;
}

struct Read {
  ConvArgs args;
  int64_t x, w, y;  // elements
};

Read read(Call& call) {
  Read r{};
  ConvArgs& args = r.args;
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  ConvGeometry& g = args.g;
  int64_t* sizes[] = {&g.n, &g.c, &g.d, &g.h, &g.w, &g.o, &g.kd, &g.kh, &g.kw, &g.od, &g.oh, &g.ow};
  for (int i = 0; i < 12; ++i) *sizes[i] = call.integer(1 + i, 0, kMost);
  int64_t* steps[] = {&g.stride_d, &g.stride_h,   &g.stride_w,   &g.pad_d,      &g.pad_h,
                      &g.pad_w,    &g.dilation_d, &g.dilation_h, &g.dilation_w, &g.groups};
  for (int i = 0; i < 10; ++i) *steps[i] = call.integer(13 + i, i / 3 == 1 ? 0 : 1, i == 9 ? kMost : kMostSteps);
  if (!call.ok()) return r;
  const int64_t window[] = {g.kd, g.kh, g.kw};
  bool taps = true;
  for (const int64_t k : window) taps = taps && k > 0 && k <= kMostSteps;
  if (!taps || g.c == 0 || g.c % g.groups != 0 || g.o % g.groups != 0) {
    call.fail("a kernel with taps and channels that divide into the groups");
    return r;
  }
  if (!fits(g.d, g.kd, g.od, g.stride_d, g.pad_d, g.dilation_d) ||
      !fits(g.h, g.kh, g.oh, g.stride_h, g.pad_h, g.dilation_h) ||
      !fits(g.w, g.kw, g.ow, g.stride_w, g.pad_w, g.dilation_w)) {
    call.fail("windows inside the padded input");
    return r;
  }
  const int64_t x[] = {g.n, g.c, g.d, g.h, g.w}, w[] = {g.o, g.c / g.groups, g.kd, g.kh, g.kw},
                y[] = {g.n, g.o, g.od, g.oh, g.ow};
  r.x = r.w = r.y = 1;
  bool over = false;
  for (int i = 0; i < 5; ++i) {
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
  r.args.y = call.run(0, 23, r.y, r.args.dtype);
  r.args.x = call.run(1, 24, r.x, r.args.dtype);
  r.args.w = call.run(2, 25, r.w, r.args.dtype);
  if (call.real(26) != -1) r.args.bias = call.run(3, 26, r.args.g.o, r.args.dtype);
  if (call.ok() && r.y > 0) launch(kernels().conv_forward, r.args);
  return nullptr;
}

napi_value backward_input(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call);
  if (!call.ok()) return nullptr;
  r.args.dx = call.run(0, 23, r.x, r.args.dtype);
  r.args.dy = call.run(1, 24, r.y, r.args.dtype);
  r.args.w = call.run(2, 25, r.w, r.args.dtype);
  if (call.real(26) != -1) r.args.bias = call.run(3, 26, r.args.g.c, r.args.dtype);
  // Sizes next to a 0 are not bounded by any buffer, so that kernels see none.
  if (r.x > 0 && (r.y == 0 || r.w == 0)) call.fail("a gradient and weights with elements");
  if (call.ok() && r.x > 0) launch(kernels().conv_backward_input, r.args);
  return nullptr;
}

napi_value backward_weight(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call);
  if (!call.ok()) return nullptr;
  r.args.dw = call.run(0, 23, r.w, r.args.dtype);
  if (call.real(24) != -1) r.args.dbias = call.run(1, 24, r.args.g.o, r.args.dtype);
  r.args.x = call.run(2, 25, r.x, r.args.dtype);
  r.args.dy = call.run(3, 26, r.y, r.args.dtype);
  if (!call.ok()) return nullptr;
  if (r.y > 0) {
    launch(kernels().conv_backward_weight, r.args);
    return nullptr;
  }
  if (r.w > 0) std::memset(r.args.dw, 0, r.w * size_of(r.args.dtype));
  if (r.args.dbias != nullptr) std::memset(r.args.dbias, 0, r.args.g.o * size_of(r.args.dtype));
  return nullptr;
}

}  // namespace

void register_conv(napi_env env, napi_value exports) {
  export_function(env, exports, "conv", forward);
  export_function(env, exports, "convBackwardInput", backward_input);
  export_function(env, exports, "convBackwardWeight", backward_weight);
}

}  // namespace chainrule
