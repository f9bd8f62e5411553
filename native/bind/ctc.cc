// Binding of connectionist temporal classification. Slots are listed in lib/native.ts.
#include "core/args/ctc.h"

#include "bind/call.h"
#include "core/index_check.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

napi_value ctc(napi_env env, napi_callback_info info) {
  Call call(env, info);
  CtcArgs args{};
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  int64_t shape[3];
  const int64_t elements = call.shape(1, 3, shape);
  args.steps = shape[0];
  args.batch = call.integer(2, 0, INT32_MAX);
  args.classes = call.integer(3, 1, INT32_MAX);
  args.blank = call.integer(4, 0, args.classes - 1);
  args.losses = call.run(0, 5, args.batch, args.dtype);
  if (call.real(6) != -1) args.grads = call.run(1, 6, elements, args.dtype);
  args.logp = call.run(2, 7, elements, args.dtype);
  args.labels = call.size(9);
  args.targets = reinterpret_cast<const int32_t*>(call.run(3, 8, args.labels, DType::kInt32));
  args.plan = reinterpret_cast<const int32_t*>(call.run(4, 10, 3 * args.batch, DType::kInt32));
  args.slots = call.integer(12, 1, INT32_MAX);
  args.room = call.integer(13, 0, int64_t{1} << 40);
  if (args.grads != nullptr && call.ok()) {
    int64_t total;
    if (__builtin_mul_overflow(args.slots, args.room, &total))
      call.fail("work memory below 2^63 elements");
    else
      args.work = reinterpret_cast<double*>(call.run(5, 11, total, DType::kFloat64));
  }
  args.zero_infinity = call.flag(14);
  if (!call.ok()) return nullptr;
  return number(env, static_cast<double>(launch_checked(kernels().ctc, args)));
}

}  // namespace

void register_ctc(napi_env env, napi_value exports) { export_function(env, exports, "ctc", ctc); }

}  // namespace chainrule
