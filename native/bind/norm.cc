// Bindings of normalisation to mean 0 and variance 1. Slots are listed in lib/native.ts.
#include "core/args/norm.h"

#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

struct Read {
  NormArgs args;
  int64_t elements;
  int64_t parameters;
};

// Slots 0 to 10: what forward and backward have in common.
Read read(Call& call, int stats, int x, int weight) {
  Read r{};
  NormArgs& a = r.args;
  a.dtype = static_cast<DType>(call.integer(0, 0, 1));
  a.batch = call.flag(1);
  a.centered = call.flag(2);
  a.given = call.flag(3);
  int64_t shape[4];
  r.elements = call.shape(4, 4, shape);
  a.outer = shape[0];
  a.groups = shape[1];
  a.channels = shape[2];
  a.inner = shape[3];
  if (a.batch && a.channels != 1) call.fail("one channel in a group whose statistics go over the batch");
  a.eps = call.real(8);
  if (!call.ok() || r.elements == 0) return r;
  r.parameters = a.groups * a.channels;
  const int64_t sites = sites_of(a);
  a.mean = reinterpret_cast<double*>(call.run(stats, 9, 2 * sites, DType::kFloat64));
  a.variance = a.mean + sites;
  a.x = call.run(x, 10, r.elements, a.dtype);
  if (call.real(11) != -1) a.weight = call.run(weight, 11, r.parameters, a.dtype);
  return r;
}

napi_value forward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call, 1, 2, 3);
  NormArgs& a = r.args;
  if (!call.ok() || r.elements == 0) return nullptr;
  a.y = call.run(0, 12, r.elements, a.dtype);
  if (call.real(13) != -1) a.bias = call.run(4, 13, r.parameters, a.dtype);
  if (call.real(14) != -1) a.running_mean = call.run(5, 14, a.groups, a.dtype);
  if (call.real(15) != -1) a.running_variance = call.run(6, 15, a.groups, a.dtype);
  a.momentum = call.real(16);
  if (call.ok()) launch(kernels().norm_forward, a);
  return nullptr;
}

napi_value backward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call, 3, 4, 5);
  NormArgs& a = r.args;
  if (!call.ok() || r.elements == 0) return nullptr;
  if (call.real(12) != -1) a.dx = call.run(0, 12, r.elements, a.dtype);
  if (call.real(13) != -1) a.dweight = call.run(1, 13, r.parameters, a.dtype);
  if (call.real(14) != -1) a.dbias = call.run(2, 14, r.parameters, a.dtype);
  a.dy = call.run(6, 15, r.elements, a.dtype);
  if (call.ok()) launch(kernels().norm_backward, a);
  return nullptr;
}

}  // namespace

void register_norm(napi_env env, napi_value exports) {
  export_function(env, exports, "norm", forward);
  export_function(env, exports, "normBackward", backward);
}

}  // namespace chainrule
