// Bindings of random numbers. Slots are listed in lib/native.ts.
#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

// Key and counter, as the last argument.
uint32_t* state_of(Call& call, int index) {
  const Bytes b = call.bytes(index);
  if (call.ok() && (b.length < 16 || reinterpret_cast<uintptr_t>(b.data) % 4 != 0))
    call.fail("a state of four 32-bit words");
  return reinterpret_cast<uint32_t*>(b.data);
}

napi_value random(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const RandomFamily& family = kernels().random;
  const int64_t kernel = call.integer(0, 0, family.count - 1);
  RandomArgs args{};
  args.dtype = call.dtype(1);
  args.n = call.size(2);
  args.y = call.run(0, 3, args.n, args.dtype);
  args.p0 = call.real(4);
  args.p1 = call.real(5);
  args.state = state_of(call, 1);
  if (!call.ok()) return nullptr;
  const Kernel<RandomArgs> f = family.kernels[kernel][static_cast<int>(args.dtype)];
  if (f == nullptr) call.fail("a kernel for this dtype");
  if (family.names[kernel] == family.names[3]) {
    constexpr int64_t kMost = int64_t{1} << 52;
    const int64_t low = call.integer(4, -kMost, kMost), high = call.integer(5, -kMost, kMost);
    if (call.ok() && (high <= low || high - low > int64_t{1} << 32)) call.fail("a range of 1 to 2^32 integers");
  }
  if (call.ok() && args.n > 0) launch(f, args);
  return nullptr;
}

napi_value randperm(napi_env env, napi_callback_info info) {
  Call call(env, info);
  RandomArgs args{};
  args.dtype = DType::kInt32;
  args.n = call.integer(0, 0, INT32_MAX);
  args.y = call.run(0, 1, args.n, args.dtype);
  args.state = state_of(call, 1);
  if (call.ok() && args.n > 0) launch(kernels().randperm, args);
  return nullptr;
}

DropoutArgs dropout_args(Call& call) {
  DropoutArgs args{};
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  args.n = call.size(1);
  args.y = call.run(0, 2, args.n, args.dtype);
  args.mask = reinterpret_cast<uint8_t*>(call.run(1, 3, args.n, DType::kUint8));
  args.x = call.run(2, 4, args.n, args.dtype);
  args.p = call.real(5);
  return args;
}

napi_value dropout(napi_env env, napi_callback_info info) {
  Call call(env, info);
  DropoutArgs args = dropout_args(call);
  args.state = state_of(call, 3);
  if (call.ok() && args.n > 0) launch(kernels().dropout, args);
  return nullptr;
}

napi_value dropout_backward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const DropoutArgs args = dropout_args(call);
  if (call.ok() && args.n > 0) launch(kernels().dropout, args);
  return nullptr;
}

}  // namespace

void register_random(napi_env env, napi_value exports) {
  export_function(env, exports, "random", random);
  export_names(env, exports, "random", kernels().random.names, kernels().random.count);
  export_function(env, exports, "randperm", randperm);
  export_function(env, exports, "dropout", dropout);
  export_function(env, exports, "dropoutBackward", dropout_backward);
}

}  // namespace chainrule
