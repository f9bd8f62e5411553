// Bindings of running sums and the like. Slots are listed in lib/native.ts.
#include "core/args/scan.h"

#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

// Which dtypes a kernel has.
enum class Takes { kFloats, kNumbers, kAll };

ScanArgs read(Call& call, Takes takes, int64_t* elements) {
  ScanArgs args{};
  const int last[] = {static_cast<int>(DType::kFloat64), static_cast<int>(DType::kInt32), kDTypes - 1};
  args.dtype = static_cast<DType>(call.integer(0, 0, last[static_cast<int>(takes)]));
  int64_t shape[3];
  *elements = call.shape(1, 3, shape);
  args.outer = shape[0];
  args.n = shape[1];
  args.inner = shape[2];
  args.reverse = call.flag(4);
  return args;
}

napi_value run(napi_env env, napi_callback_info info, Kernel<ScanArgs> kernel, Takes takes) {
  Call call(env, info);
  int64_t elements;
  ScanArgs args = read(call, takes, &elements);
  args.y = call.run(0, 5, elements, args.dtype);
  args.x = call.run(1, 6, elements, args.dtype);
  if (call.ok()) launch(kernel, args);
  return nullptr;
}

napi_value run_places(napi_env env, napi_callback_info info, Kernel<ScanArgs> kernel) {
  Call call(env, info);
  int64_t elements;
  ScanArgs args = read(call, Takes::kAll, &elements);
  args.y = call.run(0, 5, elements, args.dtype);
  args.places = reinterpret_cast<int32_t*>(call.run(1, 6, elements, DType::kInt32));
  args.x = call.run(2, 7, elements, args.dtype);
  if (args.n > INT32_MAX) call.fail("places that int32 can hold");
  if (call.ok()) launch(kernel, args);
  return nullptr;
}

napi_value cumsum(napi_env env, napi_callback_info info) { return run(env, info, kernels().cumsum, Takes::kNumbers); }
napi_value cumprod(napi_env env, napi_callback_info info) { return run(env, info, kernels().cumprod, Takes::kNumbers); }
napi_value logcumsumexp(napi_env env, napi_callback_info info) {
  return run(env, info, kernels().logcumsumexp, Takes::kFloats);
}
napi_value cummax(napi_env env, napi_callback_info info) { return run_places(env, info, kernels().cummax); }
napi_value cummin(napi_env env, napi_callback_info info) { return run_places(env, info, kernels().cummin); }

napi_value recurrence(napi_env env, napi_callback_info info) {
  Call call(env, info);
  int64_t elements;
  ScanArgs args = read(call, Takes::kFloats, &elements);
  args.y = call.run(0, 5, elements, args.dtype);
  args.x = call.run(1, 6, elements, args.dtype);
  args.a = call.run(2, 7, elements, args.dtype);
  if (call.ok()) launch(kernels().recurrence, args);
  return nullptr;
}

}  // namespace

void register_scan(napi_env env, napi_value exports) {
  export_function(env, exports, "cumsum", cumsum);
  export_function(env, exports, "cumprod", cumprod);
  export_function(env, exports, "cummax", cummax);
  export_function(env, exports, "cummin", cummin);
  export_function(env, exports, "logcumsumexp", logcumsumexp);
  export_function(env, exports, "recurrence", recurrence);
}

}  // namespace chainrule
