// The binding of reductions.
#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

// Overlapping views let a small buffer stand for any number of elements: more than so many times what it holds, and
// more than a second's work, is refused.
constexpr int64_t kAmplification = 64;
constexpr int64_t kAlwaysAllowed = int64_t{1} << 30;

napi_value reduce(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const ReduceFamily& family = kernels().reduce;
  const int64_t number = call.integer(0, 0, family.count - 1);
  const DType dtype = call.dtype(1), out = call.dtype(2);
  const int ndim = call.ndim(3);
  const bool wants_places = call.real(6) != -1;
  const ReduceKernel& kernel = family.kernels[number][static_cast<int>(dtype)];
  int64_t shape[kMaxDims], strides[kMaxDims];
  bool reduced[kMaxDims];
  call.shape(8, ndim, shape);
  call.strides(8 + ndim, ndim, strides);
  for (int d = 0; d < ndim; ++d) reduced[d] = call.flag(8 + 2 * ndim + d);
  if (!call.ok()) return nullptr;

  ReduceArgs args;
  args.kernel = &kernel;
  args.width = static_cast<uint8_t>(size_of(dtype));
  args.x = call.view(1, 5, ndim, shape, strides, dtype);
  args.indices = nullptr;
  if (!call.ok()) return nullptr;
  int64_t outputs = 1;
  for (int d = 0; d < ndim; ++d)
    if (!reduced[d]) outputs *= shape[d];
  args.y = call.run(0, 4, outputs, out);
  if (kernel.finds) {
    args.indices = static_cast<int32_t*>(args.y);
    args.y = nullptr;
  } else if (wants_places && kernel.with_indices) {
    args.kernel = kernel.with_indices;
    args.indices = reinterpret_cast<int32_t*>(call.run(2, 6, outputs, DType::kInt32));
  } else if (wants_places) {
    call.fail("indices with amax and amin only");
  }
  if (out != kernel.out) call.fail("the result's dtype of this reduction in slot 2");
  if (!call.ok()) return nullptr;
  plan_reduce(args, ndim, shape, strides, reduced);
  if (args.outputs > 0 && args.count == 0 && kernel.needs_elements) call.fail("at least one element to reduce");
  if (args.outputs > 0 && args.count > 0) {
    int64_t work;
    if (args.indices && args.count > INT32_MAX) call.fail("places that int32 can hold");
    if (__builtin_mul_overflow(args.outputs, args.count / args.repeat, &work) ||
        (work > kAlwaysAllowed && work / kAmplification > call.bytes(1).length / static_cast<int64_t>(size_of(dtype))))
      call.fail("a view that repeats its elements less often");
  }
  if (call.ok()) launch(run_reduce, args);
  return nullptr;
}

}  // namespace

void register_reduce(napi_env env, napi_value exports) {
  const ReduceFamily& family = kernels().reduce;
  export_names(env, exports, "reduce", family.names, family.count);
  export_function(env, exports, "reduce", reduce);
}

}  // namespace chainrule
