// Bindings of the losses of class targets. Slots are listed in lib/native.ts.
#include "bind/call.h"
#include "core/index_check.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

struct Sizes {
  int64_t elements;  // of the log-probabilities
  int64_t places;    // of the targets
  int64_t losses;
};

// All that the three have in common; the weights are argument `w`, the sum of the weights is the last.
Sizes read(Call& call, LossArgs& args, int target, int w) {
  args = {};
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  int64_t shape[3];
  const int64_t elements = call.shape(1, 3, shape);
  args.outer = shape[0];
  args.n = shape[1];
  args.inner = shape[2];
  args.ignored = static_cast<int32_t>(call.integer(4, INT32_MIN, INT32_MAX));
  // Without classes there are still targets, and Call::shape left none of the other sizes unchecked.
  const int64_t places = args.n == 0 ? call.ok() ? args.outer * args.inner : 0 : elements / args.n;
  args.target = reinterpret_cast<const int32_t*>(call.run(target, 8, places, DType::kInt32));
  if (call.real(9) != -1) args.w = call.run(w, 9, args.n, args.dtype);
  args.reduction = static_cast<int32_t>(call.integer(10, 0, 2));
  if (args.reduction == 2) args.total = call.run(w + 1, 11, 1, args.dtype);
  return {elements, places, args.reduction == 0 ? places : 1};
}

napi_value nll(napi_env env, napi_callback_info info) {
  Call call(env, info);
  LossArgs args;
  const Sizes size = read(call, args, 3, 4);
  args.losses = call.run(0, 5, size.losses, args.dtype);
  args.weights = call.run(1, 6, size.places, args.dtype);
  args.logp = call.run(2, 7, size.elements, args.dtype);
  if (!call.ok()) return nullptr;
  return number(env, static_cast<double>(launch_checked(kernels().nll, args)));
}

napi_value nll_backward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  LossArgs args;
  const Sizes size = read(call, args, 2, 3);
  args.dx = call.run(0, 5, size.elements, args.dtype);
  args.dloss = call.run(1, 6, size.losses, args.dtype);
  if (call.ok()) launch(kernels().nll_backward, args);
  return nullptr;
}

napi_value cross_entropy_backward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  LossArgs args;
  const Sizes size = read(call, args, 3, 4);
  args.dx = call.run(0, 5, size.elements, args.dtype);
  args.dloss = call.run(1, 6, size.losses, args.dtype);
  args.logp = call.run(2, 7, size.elements, args.dtype);
  if (call.ok()) launch(kernels().cross_entropy_backward, args);
  return nullptr;
}

}  // namespace

void register_loss(napi_env env, napi_value exports) {
  export_function(env, exports, "nll", nll);
  export_function(env, exports, "nllBackward", nll_backward);
  export_function(env, exports, "crossEntropyBackward", cross_entropy_backward);
}

}  // namespace chainrule
