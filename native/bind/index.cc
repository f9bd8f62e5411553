// Bindings of reading and writing at indices. Slots are listed in lib/native.ts.
#include "bind/call.h"
#include "core/index_check.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

// Whether there is an index for every element or one for every row, and which side is indexed: 2 n counts its rows.
enum class Indices { kElements, kRows };
enum class Indexed { kX, kY };

napi_value run(napi_env env, napi_callback_info info, Kernel<IndexArgs> kernel, Indices indices, Indexed indexed) {
  Call call(env, info);
  IndexArgs args;
  args.dtype = call.dtype(0);
  // Both products are checked, with and without n, so that the sizes below cannot overflow.
  int64_t shape[4];
  call.shape(1, 4, shape);
  args.outer = shape[0];
  args.n = shape[1];
  args.count = shape[2];
  args.inner = shape[3];
  if (!call.ok()) return nullptr;
  const int64_t whole = args.outer * args.n * args.inner, picked = args.outer * args.count * args.inner;
  args.y = call.run(0, 5, indexed == Indexed::kX ? picked : whole, args.dtype);
  args.x = call.run(1, 6, indexed == Indexed::kX ? whole : picked, args.dtype);
  args.wraps = call.flag(8);
  args.index = reinterpret_cast<const int32_t*>(
      call.run(2, 7, indices == Indices::kElements ? picked : args.count, DType::kInt32));
  if (!call.ok()) return nullptr;
  return number(env, static_cast<double>(launch_checked(kernel, args)));
}

napi_value gather(napi_env env, napi_callback_info info) {
  return run(env, info, kernels().gather, Indices::kElements, Indexed::kX);
}
napi_value scatter_add(napi_env env, napi_callback_info info) {
  return run(env, info, kernels().scatter_add, Indices::kElements, Indexed::kY);
}
napi_value scatter(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const auto kind = call.integer(9, 0, kScatters - 1);
  if (!call.ok()) return nullptr;
  return run(env, info, kernels().scatter[kind], Indices::kElements, Indexed::kY);
}
napi_value index_select(napi_env env, napi_callback_info info) {
  return run(env, info, kernels().index_select, Indices::kRows, Indexed::kX);
}
napi_value index_add(napi_env env, napi_callback_info info) {
  return run(env, info, kernels().index_add, Indices::kRows, Indexed::kY);
}
napi_value index_copy(napi_env env, napi_callback_info info) {
  return run(env, info, kernels().index_copy, Indices::kRows, Indexed::kY);
}

}  // namespace

void register_index(napi_env env, napi_value exports) {
  export_function(env, exports, "gather", gather);
  export_function(env, exports, "scatterAdd", scatter_add);
  export_function(env, exports, "indexSelect", index_select);
  export_function(env, exports, "indexAdd", index_add);
  export_function(env, exports, "indexCopy", index_copy);
  export_function(env, exports, "scatter", scatter);
}

}  // namespace chainrule
