// Bindings of recurrent layers. Slots are listed in lib/native.ts.
#include "core/args/recurrent.h"

#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

constexpr int kForwardArguments = 7;
constexpr int kBackwardArguments = 10;
constexpr int64_t kMost = int64_t{1} << 40;

bool sizes_add_up(const RecurrentArgs& args) {
  int64_t sum = 0, last = args.batch;
  for (int64_t t = 0; t < args.steps; ++t) {
    const int64_t size = args.sizes[t];
    if (size < 0 || size > last) return false;
    sum += size;
    last = size;
  }
  return sum == args.rows;
}

// Slots 0 to 8; false for what is wrong, and where there is nothing to do.
bool read(Call& call, int sizes_argument, RecurrentArgs& args) {
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  args.cell = static_cast<RecurrentCell>(call.integer(1, 0, kRecurrentCells - 1));
  args.reverse = call.flag(2);
  args.keep = call.flag(3);
  args.steps = call.integer(4, 0, kMost);
  args.batch = call.integer(5, 0, kMost);
  args.hidden = call.integer(6, 0, int64_t{1} << 20);
  args.rows = call.integer(7, 0, kMost);
  if (call.real(8) != -1)
    args.sizes = reinterpret_cast<const int32_t*>(call.run(sizes_argument, 8, args.steps, DType::kInt32));
  if (!call.ok()) return false;
  int64_t all;
  if (args.sizes ? !sizes_add_up(args) : __builtin_mul_overflow(args.steps, args.batch, &all) || all != args.rows) {
    call.fail("rows of the steps that add up to all rows, none more than the step before");
    return false;
  }
  return args.steps > 0 && args.batch > 0 && args.hidden > 0;
}

napi_value forward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  RecurrentArgs args{};
  if (!read(call, kForwardArguments - 1, args)) return nullptr;
  const int64_t state = args.batch * args.hidden, all = args.rows * args.hidden, gates = gates_of(args.cell);
  const bool lstm = args.cell == RecurrentCell::kLstm, gru = args.cell == RecurrentCell::kGru;
  args.y = call.run(0, 9, all, args.dtype);
  args.h0 = call.run(0, 10, state, args.dtype);
  args.hn = call.run(0, 11, state, args.dtype);
  if (lstm) args.cn = call.run(0, 12, state, args.dtype);
  args.gates = call.run(1, 13, all * gates, args.dtype);
  args.w = call.run(2, 14, gates * args.hidden * args.hidden, args.dtype);
  if (call.real(15) != -1) args.bias = call.run(3, 15, gates * args.hidden, args.dtype);
  if (lstm && call.real(16) != -1) args.c0 = call.run(4, 16, state, args.dtype);
  if (args.keep && (lstm || gru)) args.kept = call.run(5, 17, all, args.dtype);
  if (call.ok()) launch(kernels().recurrent_forward, args);
  return nullptr;
}

napi_value backward(napi_env env, napi_callback_info info) {
  napi_value values[kBackwardArguments];
  Call call(env, info, values, kBackwardArguments);
  RecurrentArgs args{};
  if (!read(call, kBackwardArguments - 1, args)) return nullptr;
  const int64_t state = args.batch * args.hidden, all = args.rows * args.hidden, gates = gates_of(args.cell);
  const bool lstm = args.cell == RecurrentCell::kLstm, gru = args.cell == RecurrentCell::kGru;
  args.dh0 = call.run(0, 9, state, args.dtype);
  if (lstm) args.dc0 = call.run(0, 10, state, args.dtype);
  args.dgates = call.run(1, 11, all * gates, args.dtype);
  args.dhidden = gru ? call.run(2, 12, all * gates, args.dtype) : args.dgates;
  args.dy = call.run(3, 13, all, args.dtype);
  args.dhn = call.run(3, 14, state, args.dtype);
  if (lstm) args.dcn = call.run(3, 15, state, args.dtype);
  args.y = call.run(4, 16, all, args.dtype);
  args.h0 = call.run(4, 17, state, args.dtype);
  args.gates = call.run(5, 18, all * gates, args.dtype);
  if (lstm || gru) args.kept = call.run(6, 19, all, args.dtype);
  args.w = call.run(7, 20, gates * args.hidden * args.hidden, args.dtype);
  if (lstm && call.real(21) != -1) args.c0 = call.run(8, 21, state, args.dtype);
  if (call.ok()) launch(kernels().recurrent_backward, args);
  return nullptr;
}

}  // namespace

void register_recurrent(napi_env env, napi_value exports) {
  export_function(env, exports, "recurrent", forward);
  export_function(env, exports, "recurrentBackward", backward);
}

}  // namespace chainrule
