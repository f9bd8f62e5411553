// Bindings of optimizer steps. Slots are listed in lib/native.ts.
#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

constexpr int kFirstSlot = 16;
constexpr int kMostBuffers = 5;
static_assert(5 + kMaxNumbers <= kFirstSlot);
static_assert(kFirstSlot + kMaxParameters * (kMostBuffers + 1) <= kGeometry);

// p, g and `states` more of each parameter, of which the first `used` are not null.
void read(Call& call, OptimArgs& args, int states, int used) {
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  args.count = static_cast<int32_t>(call.integer(1, 0, kMaxParameters));
  args.weight_decay = call.real(3);
  args.maximize = call.flag(4);
  const int buffers = 2 + states;
  int64_t total = 0;
  for (int k = 0; k < args.count && call.ok(); ++k) {
    const int slot = kFirstSlot + k * (buffers + 1), first = k * buffers;
    OptimParameter& parameter = args.parameters[k];
    parameter = {};
    parameter.n = call.size(slot);
    parameter.p = call.run(first, slot + 1, parameter.n, args.dtype);
    parameter.g = call.run(first + 1, slot + 2, parameter.n, args.dtype);
    for (int s = 0; s < used; ++s) parameter.state[s] = call.run(first + 2 + s, slot + 3 + s, parameter.n, args.dtype);
    total += parameter.n;
  }
  if (total > int64_t{1} << 52) call.fail("fewer than 2^52 elements together");
}

napi_value sgd(napi_env env, napi_callback_info info) {
  napi_value values[kMaxParameters * 3];
  Call call(env, info, values, kMaxParameters * 3);
  OptimArgs args;
  args.lr = call.real(2);
  args.momentum = call.real(5);
  args.dampening = call.real(6);
  args.nesterov = call.flag(7);
  args.first = call.flag(8);
  read(call, args, 1, args.momentum != 0 ? 1 : 0);
  if (call.ok()) launch(kernels().sgd[static_cast<int>(args.dtype)], args);
  return nullptr;
}

napi_value adam(napi_env env, napi_callback_info info) {
  napi_value values[kMaxParameters * kMostBuffers];
  Call call(env, info, values, kMaxParameters * kMostBuffers);
  OptimArgs args;
  args.lr = call.real(2);
  args.beta1 = call.real(5);
  args.beta2 = call.real(6);
  args.eps = call.real(7);
  args.step = call.real(8);
  args.decoupled = call.flag(9);
  args.amsgrad = call.flag(10);
  read(call, args, 3, args.amsgrad ? 3 : 2);
  if (call.ok()) launch(kernels().adam[static_cast<int>(args.dtype)], args);
  return nullptr;
}

napi_value update(napi_env env, napi_callback_info info) {
  const UpdateFamily& family = kernels().update;
  napi_value values[kMaxParameters * kMostBuffers];
  Call call(env, info, values, kMaxParameters * kMostBuffers);
  OptimArgs args;
  const UpdateKernel& kernel = family.kernels[call.integer(2, 0, family.count - 1)];
  for (int k = 0; k < kMaxNumbers; ++k) args.numbers[k] = call.real(5 + k);
  read(call, args, kernel.states, kernel.states);
  if (call.ok()) launch(kernel.run[static_cast<int>(args.dtype)], args);
  return nullptr;
}

}  // namespace

void register_optim(napi_env env, napi_value exports) {
  export_function(env, exports, "sgd", sgd);
  export_function(env, exports, "adam", adam);
  const UpdateFamily& family = kernels().update;
  export_names(env, exports, "update", family.names, family.count);
  export_function(env, exports, "update", update);
}

}  // namespace chainrule
