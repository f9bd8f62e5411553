// Bindings of scaled dot-product attention. Slots are listed in lib/native.ts.
#include "core/args/attention.h"

#include "bind/call.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

constexpr int kForwardArguments = 6;
constexpr int kBackwardArguments = 10;

class Reader {
 public:
  Reader(Call& call, AttentionArgs& args) : call_(call), args_(args) {
    args.dtype = static_cast<DType>(call.integer(0, 0, 1));
    args.causal = call.flag(1);
    int64_t sizes[4];
    call.shape(2, 4, sizes);
    args.l = sizes[0];
    args.s = sizes[1];
    args.e = sizes[2];
    args.ev = sizes[3];
    args.scale = call.real(6);
    args.mask_kind = static_cast<MaskKind>(call.integer(7, 0, 2));
    args.ndim = static_cast<int32_t>(call.integer(8, 0, kMaxHeadDims));
    call.shape(9, args.ndim, args.shape);
    slot_ = 9 + args.ndim;
  }

  // A matrix of every head: its offset (-1: none), batch strides and row stride, after those read before.
  HeadView view(int index, int64_t rows, int64_t columns) { return read(index, rows, columns, 1, args_.dtype); }

  void mask(int index) {
    const DType dtype = args_.mask_kind == MaskKind::kBool ? DType::kBool : args_.dtype;
    if (args_.mask_kind == MaskKind::kNone) return;
    call_.strides(slot_ + args_.ndim + 2, 1, &args_.mask_column);
    args_.mask = read(index, args_.l, args_.s, args_.mask_column, dtype);
    if (call_.ok() && !args_.mask.data) call_.fail("a mask of the kind given");
    ++slot_;
  }

  void stats(int index) {
    if (call_.real(slot_) != -1) args_.stats = call_.run(index, slot_, 2 * heads_ * args_.l, args_.dtype);
    ++slot_;
  }

  // Whether the numbers read so far are right and there is something to compute.
  bool begin() {
    if (!call_.ok()) return false;
    int64_t rows = 0;
    heads_ = 1;
    for (int i = 0; i < args_.ndim; ++i) {
      if (__builtin_mul_overflow(heads_, args_.shape[i], &heads_)) heads_ = -1;
      if (heads_ < 0) break;
    }
    if (heads_ < 0 || __builtin_mul_overflow(heads_, args_.l, &rows) || rows > (int64_t{1} << 52)) {
      call_.fail("fewer than 2^52 queries");
      return false;
    }
    return rows > 0 && args_.s > 0 && args_.e > 0 && args_.ev > 0;
  }

 private:
  HeadView read(int index, int64_t rows, int64_t columns, int64_t column, DType dtype) {
    HeadView result{};
    const int slot = slot_;
    slot_ += args_.ndim + 2;
    if (!call_.ok() || call_.real(slot) == -1) return result;
    int64_t shape[kMaxDims], strides[kMaxDims];
    call_.strides(slot + 1, args_.ndim + 1, strides);
    for (int i = 0; i < args_.ndim; ++i) {
      shape[i] = args_.shape[i];
      result.batch[i] = strides[i];
    }
    result.row = strides[args_.ndim];
    shape[args_.ndim] = rows;
    shape[args_.ndim + 1] = columns;
    strides[args_.ndim + 1] = column;
    result.data = call_.view(index, slot, args_.ndim + 2, shape, strides, dtype);
    return result;
  }

  Call& call_;
  AttentionArgs& args_;
  int64_t heads_ = 0;
  int slot_;
};

napi_value forward(napi_env env, napi_callback_info info) {
  Call call(env, info);
  AttentionArgs args{};
  Reader reader(call, args);
  if (!reader.begin()) return nullptr;
  args.y = reader.view(0, args.l, args.ev);
  reader.stats(1);
  args.q = reader.view(2, args.l, args.e);
  args.k = reader.view(3, args.s, args.e);
  args.v = reader.view(4, args.s, args.ev);
  reader.mask(kForwardArguments - 1);
  if (call.ok() && !(args.y.data && args.q.data && args.k.data && args.v.data))
    call.fail("a result and three operands");
  if (call.ok()) launch(kernels().attention_forward, args);
  return nullptr;
}

napi_value backward(napi_env env, napi_callback_info info) {
  napi_value values[kBackwardArguments];
  Call call(env, info, values, kBackwardArguments);
  AttentionArgs args{};
  Reader reader(call, args);
  if (!reader.begin()) return nullptr;
  args.dq = reader.view(0, args.l, args.e);
  args.dk = reader.view(1, args.s, args.e);
  args.dv = reader.view(2, args.s, args.ev);
  args.dy = reader.view(3, args.l, args.ev);
  args.y = reader.view(4, args.l, args.ev);
  reader.stats(5);
  args.q = reader.view(6, args.l, args.e);
  args.k = reader.view(7, args.s, args.e);
  args.v = reader.view(8, args.s, args.ev);
  reader.mask(kBackwardArguments - 1);
  const bool whole = args.dy.data && args.y.data && args.stats && args.q.data && args.k.data && args.v.data;
  if (call.ok() && !whole) call.fail("all that backward reads");
  if (call.ok()) launch(kernels().attention_backward, args);
  return nullptr;
}

}  // namespace

void register_attention(napi_env env, napi_value exports) {
  export_function(env, exports, "attention", forward);
  export_function(env, exports, "attentionBackward", backward);
}

}  // namespace chainrule
