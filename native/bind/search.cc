// Bindings of binary search, of finding what is not 0, and what lies outside a range. Slots are listed in
// lib/native.ts.
#include "core/args/search.h"

#include "bind/call.h"
#include "core/index_check.h"
#include "core/range_check.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

napi_value searchsorted(napi_env env, napi_callback_info info) {
  Call call(env, info);
  SearchArgs args;
  args.dtype = call.dtype(0);
  args.right = call.flag(4);
  // Both products are checked, with and without the other size.
  int64_t sizes[2] = {0, 0};
  int64_t shape[3];
  call.shape(1, 3, shape);
  args.outer = shape[0];
  args.n = shape[1];
  args.m = shape[2];
  if (__builtin_mul_overflow(args.outer, args.n, &sizes[0]) || __builtin_mul_overflow(args.outer, args.m, &sizes[1]))
    call.fail("a shape with fewer than 2^63 elements");
  if (args.n > INT32_MAX) call.fail("places that int32 can hold");
  if (!call.ok()) return nullptr;
  args.y = reinterpret_cast<int32_t*>(call.run(0, 5, sizes[1], DType::kInt32));
  args.sorted = call.run(1, 6, sizes[0], args.dtype);
  args.values = call.run(2, 7, sizes[1], args.dtype);
  args.sorter =
      call.real(8) == -1 ? nullptr : reinterpret_cast<const int32_t*>(call.run(3, 8, sizes[0], DType::kInt32));
  if (!call.ok()) return nullptr;
  return number(env, static_cast<double>(launch_checked(kernels().searchsorted, args)));
}

napi_value nonzero(napi_env env, napi_callback_info info) {
  Call call(env, info);
  NonzeroArgs args{};
  args.dtype = call.dtype(0);
  args.rows = call.size(1);
  args.ndim = call.ndim(4);
  args.n = call.shape(5, args.ndim, args.shape);
  int64_t numbers;
  if (__builtin_mul_overflow(args.rows, int64_t{args.ndim}, &numbers)) call.fail("fewer rows");
  // Rows of no numbers take no memory: their count is bounded by what there is to find.
  if (args.rows > args.n) call.fail("at most a row for each element");
  for (int d = 0; d < args.ndim; ++d)
    if (args.shape[d] > INT32_MAX) call.fail("places that int32 can hold");
  if (!call.ok()) return nullptr;
  args.y = reinterpret_cast<int32_t*>(call.run(0, 2, numbers, DType::kInt32));
  args.x = call.run(1, 3, args.n, args.dtype);
  if (call.ok()) launch(kernels().nonzero, args);
  return nullptr;
}

napi_value first_outside(napi_env env, napi_callback_info info) {
  Call call(env, info);
  RangeArgs args;
  args.dtype = call.dtype(0);
  args.n = call.size(1);
  args.x = call.run(0, 2, args.n, args.dtype);
  args.low = call.real(3);
  args.high = call.real(4);
  if (!call.ok()) return nullptr;
  return number(env, static_cast<double>(launch_checked(check_range, args)));
}

}  // namespace

void register_search(napi_env env, napi_value exports) {
  export_function(env, exports, "searchsorted", searchsorted);
  export_function(env, exports, "nonzero", nonzero);
  export_function(env, exports, "firstOutside", first_outside);
}

}  // namespace chainrule
