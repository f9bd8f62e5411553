// Bindings of 2-d pooling. Slots are listed in lib/native.ts.
#include <cstring>

#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

constexpr int64_t kMost = int64_t{1} << 40;
constexpr int64_t kStep = int64_t{1} << 20;

struct Read {
  Pool2dArgs args;
  int64_t x, y;  // elements
};

Read read(Call& call, bool has_places) {
  Read r{};
  Pool2dArgs& a = r.args;
  a.dtype = static_cast<DType>(call.integer(0, 0, 1));
  int64_t* sizes[] = {&a.planes, &a.h, &a.w, &a.oh, &a.ow};
  for (int i = 0; i < 5; ++i) *sizes[i] = call.integer(1 + i, 0, kMost);
  int64_t* steps[] = {&a.kh, &a.kw, &a.stride_h, &a.stride_w, &a.pad_h, &a.pad_w, &a.dilation_h, &a.dilation_w};
  for (int i = 0; i < 8; ++i) *steps[i] = call.integer(6 + i, i == 4 || i == 5 ? 0 : 1, kStep);
  a.count_include_pad = call.flag(14);
  a.divisor = call.integer(15, 0, int64_t{1} << 40);
  a.wide_places = call.flag(16);
  if (!call.ok()) return r;
  // Every window begins inside the input or the padding before it, so that none is without an element of its own.
  const bool inside = (a.oh - 1) * a.stride_h - a.pad_h < a.h && (a.ow - 1) * a.stride_w - a.pad_w < a.w &&
                      a.pad_h <= a.kh / 2 && a.pad_w <= a.kw / 2;
  // The places of a window are counted in the type of `places`.
  if (!inside || a.kh * a.kw > (a.wide_places || !has_places ? INT32_MAX : 255)) {
    call.fail("windows that begin inside the input, with at most 255 places unless they are wide");
    return r;
  }
  bool over = __builtin_mul_overflow(a.planes, a.h, &r.x) || __builtin_mul_overflow(r.x, a.w, &r.x);
  over |= __builtin_mul_overflow(a.planes, a.oh, &r.y) || __builtin_mul_overflow(r.y, a.ow, &r.y);
  if (over) call.fail("tensors with fewer than 2^63 elements");
  return r;
}

// Sizes next to a 0 are not bounded by any buffer, so that kernels see none.
void backward(Kernel<Pool2dArgs> kernel, const Read& r) {
  if (r.x == 0) return;
  if (r.y == 0)
    std::memset(r.args.dx, 0, r.x * size_of(r.args.dtype));
  else
    launch(kernel, r.args);
}

DType places_dtype(const Pool2dArgs& args) { return args.wide_places ? DType::kInt32 : DType::kUint8; }

napi_value max_forward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call, true);
  if (!call.ok()) return nullptr;
  r.args.y = call.run(0, 17, r.y, r.args.dtype);
  r.args.x = call.run(1, 18, r.x, r.args.dtype);
  r.args.places = call.run(2, 19, r.y, places_dtype(r.args));
  if (call.ok() && r.y > 0) launch(kernels().max_pool2d_forward, r.args);
  return nullptr;
}

napi_value max_backward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call, true);
  if (!call.ok()) return nullptr;
  r.args.dx = call.run(0, 17, r.x, r.args.dtype);
  r.args.dy = call.run(1, 18, r.y, r.args.dtype);
  r.args.places = call.run(2, 19, r.y, places_dtype(r.args));
  if (call.ok()) backward(kernels().max_pool2d_backward, r);
  return nullptr;
}

napi_value avg_forward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call, false);
  if (!call.ok()) return nullptr;
  r.args.y = call.run(0, 17, r.y, r.args.dtype);
  r.args.x = call.run(1, 18, r.x, r.args.dtype);
  if (call.ok() && r.y > 0) launch(kernels().avg_pool2d_forward, r.args);
  return nullptr;
}

napi_value avg_backward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call, false);
  if (!call.ok()) return nullptr;
  r.args.dx = call.run(0, 17, r.x, r.args.dtype);
  r.args.dy = call.run(1, 18, r.y, r.args.dtype);
  if (call.ok()) backward(kernels().avg_pool2d_backward, r);
  return nullptr;
}

}  // namespace

void register_pool(napi_env env, napi_value exports) {
  export_function(env, exports, "maxPool2d", max_forward);
  export_function(env, exports, "maxPool2dBackward", max_backward);
  export_function(env, exports, "avgPool2d", avg_forward);
  export_function(env, exports, "avgPool2dBackward", avg_backward);
}

}  // namespace chainrule
