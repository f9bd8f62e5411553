// Bindings of softmax and log-softmax. Slots are listed in lib/native.ts.
#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

struct Read {
  const SoftmaxKernel* kernel;
  DType dtype;
  int64_t elements;
  SoftmaxArgs args;
};

Read read(Call& call) {
  const SoftmaxFamily& family = kernels().softmax;
  Read r{};
  r.kernel = &family.kernels[call.integer(0, 0, family.count - 1)];
  r.dtype = static_cast<DType>(call.integer(1, 0, 1));
  int64_t shape[3];
  r.elements = call.shape(2, 3, shape);
  r.args.outer = shape[0];
  r.args.n = shape[1];
  r.args.inner = shape[2];
  r.args.y = call.run(0, 5, r.elements, r.dtype);
  r.args.x = call.run(1, 6, r.elements, r.dtype);
  return r;
}

napi_value softmax(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const Read r = read(call);
  if (call.ok()) launch(r.kernel->forward[static_cast<int>(r.dtype)], r.args);
  return nullptr;
}

napi_value softmax_backward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Read r = read(call);
  r.args.result = call.run(2, 7, r.elements, r.dtype);
  if (call.ok()) launch(r.kernel->backward[static_cast<int>(r.dtype)], r.args);
  return nullptr;
}

}  // namespace

void register_softmax(napi_env env, napi_value exports) {
  const SoftmaxFamily& family = kernels().softmax;
  export_names(env, exports, "softmax", family.names, family.count);
  export_function(env, exports, "softmax", softmax);
  export_function(env, exports, "softmaxBackward", softmax_backward);
}

}  // namespace chainrule
