// Bindings of resampling and of sampling at picked places. Slots are listed in lib/native.ts.
#include "core/args/resample.h"

#include <cstring>

#include "bind/call.h"
#include "core/index_check.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

constexpr int64_t kMost = INT32_MAX;

// The product of sizes, failing on overflow.
int64_t product(Call& call, int64_t a, int64_t b, int64_t c) {
  int64_t n = 0;
  if (__builtin_mul_overflow(a, b, &n) || __builtin_mul_overflow(n, c, &n)) call.fail("fewer than 2^63 elements");
  return n;
}

// The table of an axis from argument `index` (starts, then counts) and the one after it (weights); width 0 is none.
Taps read_taps(Call& call, int index, int slot, int64_t in, int64_t out) {
  Taps taps{};
  taps.width = call.integer(slot, 0, kMost);
  if (!call.ok()) return taps;
  if (taps.width == 0) {
    if (in != out) call.fail("equal sizes along an axis without taps");
    return taps;
  }
  const Bytes spans = call.bytes(index), weights = call.bytes(index + 1);
  if (!call.ok()) return taps;
  if (spans.length / 8 < out || weights.length / 8 / taps.width < out ||
      (reinterpret_cast<uintptr_t>(spans.data) & 3) != 0 || (reinterpret_cast<uintptr_t>(weights.data) & 7) != 0) {
    call.fail("a start, a count and weights for every place of the axis");
    return taps;
  }
  taps.starts = reinterpret_cast<const int32_t*>(spans.data);
  taps.counts = taps.starts + out;
  taps.weights = reinterpret_cast<const double*>(weights.data);
  for (int64_t i = 0; i < out; ++i) {
    const int64_t start = taps.starts[i], count = taps.counts[i];
    if (start < 0 || count < 0 || count > taps.width || start + count > in) {
      call.fail("taps inside the axis");
      return taps;
    }
  }
  return taps;
}

napi_value resample(napi_env env, napi_callback_info info) {
  Call call(env, info);
  ResampleArgs args{};
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  args.planes = call.size(1);
  int64_t* sizes[] = {&args.h, &args.w, &args.oh, &args.ow};
  for (int i = 0; i < 4; ++i) *sizes[i] = call.integer(2 + i, 0, kMost);
  if (!call.ok()) return nullptr;
  const int64_t x = product(call, args.planes, args.h, args.w), y = product(call, args.planes, args.oh, args.ow);
  // Work along the columns is cut by these as well.
  product(call, args.planes, args.h, args.ow);
  if (!call.ok()) return nullptr;
  args.y = call.run(0, 8, y, args.dtype);
  args.x = call.run(1, 9, x, args.dtype);
  if (!call.ok() || y == 0) return nullptr;
  // Without elements to read there is nothing but zeros.
  if (x == 0) {
    std::memset(args.y, 0, static_cast<size_t>(y) * size_of(args.dtype));
    return nullptr;
  }
  args.rows = read_taps(call, 2, 6, args.h, args.oh);
  args.columns = read_taps(call, 4, 7, args.w, args.ow);
  if (!call.ok()) return nullptr;
  if (args.rows.starts == nullptr && args.columns.starts == nullptr)
    call.fail("taps along one axis at least");
  else
    launch(kernels().resample, args);
  return nullptr;
}

napi_value run(napi_env env, napi_callback_info info, Kernel<SampleArgs> kernel) {
  Call call(env, info);
  SampleArgs args{};
  args.dtype = static_cast<DType>(call.integer(0, 0, 1));
  args.n = call.size(1);
  args.c = call.size(2);
  args.size = call.integer(3, 0, kMost);
  args.taps = call.integer(4, 1, 1 << 20);
  args.points = call.size(5);
  if (!call.ok()) return nullptr;
  const int64_t x = product(call, args.n, args.c, args.size), y = product(call, args.n, args.c, args.points),
                places = product(call, args.n, args.taps, args.points);
  if (!call.ok()) return nullptr;
  args.y = call.run(0, 6, y, args.dtype);
  args.x = call.run(1, 7, x, args.dtype);
  args.places = reinterpret_cast<const int32_t*>(call.run(2, 8, places, DType::kInt32));
  args.weights = call.run(3, 9, places, args.dtype);
  // Sizes next to a 0 are not bounded by any buffer, so that kernels see none.
  if (!call.ok() || x == 0 || y == 0) return nullptr;
  return number(env, static_cast<double>(launch_checked(kernel, args)));
}

napi_value sample(napi_env env, napi_callback_info info) { return run(env, info, kernels().sample); }
napi_value scatter(napi_env env, napi_callback_info info) { return run(env, info, kernels().sample_scatter); }
napi_value dot(napi_env env, napi_callback_info info) { return run(env, info, kernels().sample_dot); }

}  // namespace

void register_resample(napi_env env, napi_value exports) {
  export_function(env, exports, "resample", resample);
  export_function(env, exports, "sample", sample);
  export_function(env, exports, "sampleScatter", scatter);
  export_function(env, exports, "sampleDot", dot);
}

}  // namespace chainrule
