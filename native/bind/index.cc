// Bindings of reading and writing at indices. Slots are listed in lib/native.ts.
#include <cstring>

#include "bind/call.h"
#include "core/args/bag.h"
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

const ReduceKernel* bag_kernel(int64_t mode, DType dtype) {
  constexpr const char* kModes[] = {"sum", "mean", "argmax"};
  const ReduceFamily& family = kernels().reduce;
  for (int k = 0; k < family.count; ++k)
    if (std::strcmp(family.names[k], kModes[mode]) == 0) return &family.kernels[k][static_cast<int>(dtype)];
  return nullptr;
}

napi_value bag(napi_env env, napi_callback_info info) {
  Call call(env, info);
  BagArgs args;
  const DType dtype = static_cast<DType>(call.integer(1, 0, 1));
  args.kernel = bag_kernel(call.integer(0, 0, 2), dtype);
  args.width = static_cast<uint8_t>(size_of(dtype));
  int64_t table[2], result[2];
  const int64_t elements = call.shape(2, 2, table);
  result[0] = call.size(4);
  result[1] = table[1];
  args.rows = table[0];
  args.columns = table[1];
  args.bags = result[0];
  args.count = call.size(5);
  args.padding = call.integer(6, -1, INT32_MAX);
  int64_t outputs = 0;
  if (!call.ok()) return nullptr;
  if (__builtin_mul_overflow(result[0], result[1], &outputs) || outputs > (int64_t{1} << 52))
    call.fail("a result of a possible size");
  if (!call.ok()) return nullptr;
  args.y = call.run(0, 7, outputs, args.kernel->finds ? DType::kInt32 : dtype);
  args.x = call.run(1, 8, elements, dtype);
  args.index = reinterpret_cast<const int32_t*>(call.run(2, 9, args.count, DType::kInt32));
  args.starts = reinterpret_cast<const int32_t*>(call.run(3, 10, args.bags + 1, DType::kInt32));
  if (!call.ok()) return nullptr;
  return number(env, static_cast<double>(launch_checked(run_bag, args)));
}

}  // namespace

void register_index(napi_env env, napi_value exports) {
  export_function(env, exports, "gather", gather);
  export_function(env, exports, "scatterAdd", scatter_add);
  export_function(env, exports, "indexSelect", index_select);
  export_function(env, exports, "indexAdd", index_add);
  export_function(env, exports, "indexCopy", index_copy);
  export_function(env, exports, "scatter", scatter);
  export_function(env, exports, "bag", bag);
}

}  // namespace chainrule
