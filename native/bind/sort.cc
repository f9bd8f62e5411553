// Bindings of sorting and picking by rank. Slots are listed in lib/native.ts.
#include "core/args/sort.h"

#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

napi_value sort(napi_env env, napi_callback_info info) {
  Call call(env, info);
  SortArgs args;
  args.dtype = call.dtype(0);
  int64_t shape[3];
  const int64_t elements = call.shape(1, 3, shape);
  args.outer = shape[0];
  args.n = shape[1];
  args.inner = shape[2];
  args.descending = call.flag(4);
  args.values = call.run(0, 5, elements, args.dtype);
  args.places = reinterpret_cast<int32_t*>(call.run(1, 6, elements, DType::kInt32));
  args.x = call.run(2, 7, elements, args.dtype);
  if (args.n > INT32_MAX) call.fail("places that int32 can hold");
  if (call.ok()) launch(kernels().sort, args);
  return nullptr;
}

// Of `many` the k first are taken, else the one of rank k.
napi_value select(napi_env env, napi_callback_info info, Kernel<SelectArgs> kernel, bool many) {
  Call call(env, info);
  SelectArgs args{};
  args.dtype = call.dtype(0);
  int64_t shape[3];
  const int64_t elements = call.shape(1, 3, shape);
  args.outer = shape[0];
  args.n = shape[1];
  args.inner = shape[2];
  args.k = call.integer(4, 0, INT32_MAX);
  if (many) {
    args.largest = call.flag(5);
    args.sorted = call.flag(6);
  } else {
    args.rank = static_cast<Rank>(call.integer(5, 0, 2));
  }
  const int64_t most = many ? args.n : args.n - 1;
  if (args.n > INT32_MAX) call.fail("places that int32 can hold");
  if (args.n == 0 && !many) call.fail("at least one element to pick from");
  if (args.k > most) call.fail("a k inside the line");
  if (!call.ok()) return nullptr;
  // k is at most n, so the products are below one that call.shape checked, or there is nothing at all.
  const int64_t lines = elements == 0 ? 0 : elements / args.n;
  const int64_t results = many ? lines * args.k : args.n == 0 ? 0 : args.outer * args.inner;
  args.values = call.run(0, 7, results, args.dtype);
  args.places = reinterpret_cast<int32_t*>(call.run(1, 8, results, DType::kInt32));
  args.x = call.run(2, 9, elements, args.dtype);
  if (call.ok()) launch(kernel, args);
  return nullptr;
}

napi_value topk(napi_env env, napi_callback_info info) { return select(env, info, kernels().topk, true); }
napi_value kth(napi_env env, napi_callback_info info) { return select(env, info, kernels().kth, false); }

napi_value row_order(napi_env env, napi_callback_info info) {
  Call call(env, info);
  RowOrderArgs args;
  args.dtype = call.dtype(0);
  int64_t shape[2];
  const int64_t elements = call.shape(1, 2, shape);
  args.rows = shape[0];
  args.columns = shape[1];
  args.places = reinterpret_cast<int32_t*>(call.run(0, 3, args.rows, DType::kInt32));
  args.x = call.run(1, 4, elements, args.dtype);
  if (args.rows > INT32_MAX) call.fail("places that int32 can hold");
  if (call.ok()) launch(kernels().row_order, args);
  return nullptr;
}

}  // namespace

void register_sort(napi_env env, napi_value exports) {
  export_function(env, exports, "sort", sort);
  export_function(env, exports, "topk", topk);
  export_function(env, exports, "kth", kth);
  export_function(env, exports, "rowOrder", row_order);
}

}  // namespace chainrule
