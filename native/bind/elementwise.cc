// Bindings of the elementwise families: unary, test, binary, compare, where, copy. Slots are listed in lib/native.ts.
#include "bind/call.h"
#include "core/loops.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

enum Slot { kKernel = 0, kDType = 1, kDTypeY = 2, kP = 3, kNdim = 5, kOffset = 6, kImmediate = 10, kShape = 13 };

uint64_t bits(const void* value, size_t width) {
  uint64_t result = 0;
  __builtin_memcpy(&result, value, width);
  return result;
}

int64_t clamped(double value, double low, double high) {
  if (!(value > low)) return value == value ? static_cast<int64_t>(low) : 0;
  return static_cast<int64_t>(value < high ? value : high);
}

// A JavaScript number in the dtype of the operand, converted as kernels/convert.h does it.
uint64_t immediate(double value, DType dtype) {
  switch (dtype) {
    case DType::kFloat32: {
      const float x = static_cast<float>(value);
      return bits(&x, sizeof x);
    }
    case DType::kFloat64:
      return bits(&value, sizeof value);
    case DType::kInt32: {
      const int32_t x = static_cast<int32_t>(clamped(value, -2147483648.0, 2147483647.0));
      return bits(&x, sizeof x);
    }
    case DType::kUint8: {
      const uint8_t x = static_cast<uint8_t>(clamped(value, 0, 255));
      return bits(&x, sizeof x);
    }
    default: {
      const uint8_t x = value != 0;
      return bits(&x, sizeof x);
    }
  }
}

// Strides that walk `shape` as contiguous memory; sizes of 1 do not matter.
bool contiguous(const Call& call, int slot, int ndim, const int64_t* shape) {
  double expected = 1;
  for (int d = ndim - 1; d >= 0; --d) {
    if (shape[d] != 1 && call.real(slot + d) != expected) return false;
    expected *= static_cast<double>(shape[d]);
  }
  return true;
}

bool repeated(const Call& call, int slot, int ndim, const int64_t* shape) {
  for (int d = 0; d < ndim; ++d)
    if (shape[d] != 1 && call.real(slot + d) != 0) return false;
  return true;
}

// Whether no two places of y share memory: each stride, from the smallest, steps over all that the smaller ones reach.
// An overlapping y could have more elements than memory, and threads would write them at once.
bool distinct(int ndim, const int64_t* shape, const int64_t* strides) {
  int64_t reach = 0;
  uint32_t left = 0;
  for (int d = 0; d < ndim; ++d) left |= static_cast<uint32_t>(shape[d] > 1) << d;
  while (left != 0) {
    int smallest = -1;
    int64_t least = 0;
    for (int d = 0; d < ndim; ++d) {
      const int64_t stride = strides[d] < 0 ? -strides[d] : strides[d];
      if ((left >> d & 1) == 0 || (smallest >= 0 && stride >= least)) continue;
      smallest = d;
      least = stride;
    }
    if (least <= reach) return false;
    reach += (shape[smallest] - 1) * least;
    left &= ~(1u << smallest);
  }
  return true;
}

// Fills the geometry of y and its operands. Most calls are flat: all contiguous or one value; these never see a stride
// again.
bool read_geometry(Call& call, ElementwiseArgs& args, const DType* dtypes) {
  const int ndim = call.ndim(kNdim);
  args.ndim = ndim;
  args.n = call.shape(kShape, ndim, args.shape);
  if (!call.ok()) return false;
  const int strides = kShape + ndim;
  args.flat = contiguous(call, strides, ndim, args.shape);
  for (int k = 0; k <= args.operands; ++k) {
    args.width[k] = static_cast<uint8_t>(size_of(dtypes[k]));
    if (k == 0) continue;
    args.x[k - 1] = nullptr;
    args.step[k - 1] = 0;
    if (call.real(kOffset + k) == -1) {
      args.immediate[k - 1] = immediate(call.real(kImmediate + k - 1), dtypes[k]);
    } else if (args.flat && !repeated(call, strides + k * ndim, ndim, args.shape)) {
      args.step[k - 1] = 1;
      args.flat = contiguous(call, strides + k * ndim, ndim, args.shape);
    }
  }
  for (int k = 0; k <= args.operands; ++k) {
    if (k > 0 && call.real(kOffset + k) == -1) {
      for (int d = 0; d < ndim; ++d) args.stride[k][d] = 0;
      continue;
    }
    char* data;
    if (args.flat) {
      const int64_t n = k == 0 || args.step[k - 1] == 1 ? args.n : (args.n != 0);
      data = call.run(k, kOffset + k, n, dtypes[k]);
    } else {
      call.strides(strides + k * ndim, ndim, args.stride[k]);
      if (!call.ok()) return false;
      data = call.view(k, kOffset + k, ndim, args.shape, args.stride[k], dtypes[k]);
    }
    if (!call.ok()) return false;
    if (k == 0)
      args.y = data;
    else
      args.x[k - 1] = data;
  }
  if (!args.flat && args.n > 0 && !distinct(ndim, args.shape, args.stride[0]))
    call.fail("a y that does not overlap itself");
  return call.ok();
}

void run(Call& call, ElementwiseArgs& args, const DType* dtypes) {
  call.repeat_last();
  if (args.row == nullptr) return call.fail("a kernel for this dtype");
  args.same = false;
  args.p[0] = call.real(kP);
  args.p[1] = call.real(kP + 1);
  if (read_geometry(call, args, dtypes) && args.n > 0) launch(run_elementwise, args);
}

// y and all operands have one dtype, or y is bool.
void run_family(Call& call, const RowFamily& family, int operands, bool writes_bool) {
  const int64_t kernel = call.integer(kKernel, 0, family.count - 1);
  const DType dtype = call.dtype(kDType);
  if (!call.ok()) return;
  const DType dtypes[] = {writes_bool ? DType::kBool : dtype, dtype, dtype};
  ElementwiseArgs args;
  args.row = family.rows[kernel][static_cast<int>(dtype)];
  args.operands = operands;
  run(call, args, dtypes);
}

napi_value unary(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (call.ok()) run_family(call, kernels().unary, 1, false);
  return nullptr;
}

napi_value test(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (call.ok()) run_family(call, kernels().test, 1, true);
  return nullptr;
}

napi_value binary(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (call.ok()) run_family(call, kernels().binary, 2, false);
  return nullptr;
}

napi_value compare(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (call.ok()) run_family(call, kernels().compare, 2, true);
  return nullptr;
}

napi_value where(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const DType dtype = call.dtype(kDType);
  if (!call.ok()) return nullptr;
  const size_t width = size_of(dtype);
  const DType dtypes[] = {dtype, DType::kBool, dtype, dtype};
  ElementwiseArgs args;
  args.row = kernels().where[width == 1 ? 0 : width == 4 ? 1 : 2];
  args.operands = 3;
  run(call, args, dtypes);
  return nullptr;
}

napi_value copy(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const DType from = call.dtype(kDType), to = call.dtype(kDTypeY);
  if (!call.ok()) return nullptr;
  const DType dtypes[] = {to, from};
  ElementwiseArgs args;
  args.row = kernels().copy[static_cast<int>(from)][static_cast<int>(to)];
  args.operands = 1;
  args.same = from == to;
  args.p[0] = args.p[1] = 0;
  if (read_geometry(call, args, dtypes) && args.n > 0) launch(run_elementwise, args);
  return nullptr;
}

void export_family(napi_env env, napi_value exports, const char* name, const RowFamily& family,
                   napi_callback function) {
  export_function(env, exports, name, function);
  export_names(env, exports, name, family.names, family.count);
}

}  // namespace

void register_elementwise(napi_env env, napi_value exports) {
  export_family(env, exports, "unary", kernels().unary, unary);
  export_family(env, exports, "test", kernels().test, test);
  export_family(env, exports, "binary", kernels().binary, binary);
  export_family(env, exports, "compare", kernels().compare, compare);
  export_function(env, exports, "where", where);
  export_function(env, exports, "copy", copy);
}

}  // namespace chainrule
