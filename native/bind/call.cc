// Reading the arguments of a hot binding, and what every binding says when they are wrong.
#include "bind/call.h"

#include <cstdio>

#include "core/launch.h"

namespace chainrule {
namespace {

// Whether some thread records, this one perhaps.
bool recorded() { return __atomic_load_n(&recording_threads, __ATOMIC_RELAXED) != 0; }

bool multiply(int64_t a, int64_t b, int64_t* product) { return !__builtin_mul_overflow(a, b, product); }

}  // namespace

Call::Call(napi_env env, napi_callback_info info, napi_value* room, int capacity)
    : env_(env), count_(static_cast<size_t>(capacity)), args_(room) {
  void* data = nullptr;  // export_function gave it to the function: 4 ns less than asking for the instance
  const bool read = napi_get_cb_info(env, info, &count_, args_, nullptr, &data) == napi_ok && data != nullptr;
  if (count_ > static_cast<size_t>(capacity))
    count_ = static_cast<size_t>(capacity);  // napi_get_cb_info tells how many there were, not how many it wrote
  if (read) {
    instance_ = static_cast<Instance*>(data);
    geometry_ = instance_->geometry;
    return;
  }
  static constexpr double kNothing[kGeometry] = {};
  geometry_ = kNothing;
  count_ = 0;
  fail("a loaded addon");
}

void Call::fail(const char* what) {
  if (!ok_) return;  // the first failure is the one to tell
  ok_ = false;
  char text[160];
  std::snprintf(text, sizeof text, "[native] expected %s", what);
  napi_throw_range_error(env_, "ERR_OUT_OF_RANGE", text);
}

int64_t Call::refuse(int slot, int64_t low, int64_t high) {
  char text[96];
  std::snprintf(text, sizeof text, "an integer from %lld to %lld in slot %d, got %.17g", static_cast<long long>(low),
                static_cast<long long>(high), slot, geometry_[slot]);
  fail(text);
  return low;
}

int64_t Call::shape(int slot, int ndim, int64_t* out) {
  int64_t n = 1;
  bool empty = false;
  for (int d = 0; d < ndim; ++d) {
    out[d] = size(slot + d);
    // Zeros are kept out of the product: what the other sizes make must not overflow whatever their order.
    if (out[d] == 0)
      empty = true;
    else if (!multiply(n, out[d], &n)) {
      fail("a shape with fewer than 2^63 elements");
      return 0;
    }
  }
  return empty ? 0 : n;
}

void Call::strides(int slot, int ndim, int64_t* out) {
  for (int d = 0; d < ndim; ++d) out[d] = integer(slot + d, -(int64_t{1} << 52), int64_t{1} << 52);
}

Bytes Call::bytes(int index) {
  if (index >= count()) return {};
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env_, args_[index], &type, &length, &data, nullptr, nullptr) != napi_ok) {
    napi_valuetype kind;
    if (napi_typeof(env_, args_[index], &kind) == napi_ok && (kind == napi_undefined || kind == napi_null)) return {};
    fail("a typed array");
    return {};
  }
  static constexpr uint8_t kSizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};  // in the order of napi_typedarray_type
  if (static_cast<size_t>(type) >= sizeof kSizes) {
    fail("a typed array of a known kind");
    return {};
  }
  const Bytes whole{static_cast<char*>(data), static_cast<int64_t>(length * kSizes[type])};
  if (recorded()) keep_argument(env_, args_[index], whole.data, whole.length);
  return whole;
}

bool Call::fits(int index, int64_t low, int64_t high, Bytes* b) {
  if (repeats_ && index >= count() && index > 0) index = count() - 1;
  // The number of elements is at most that of bytes, and asking for the kind of array costs as much again (5 ns): the
  // kind is asked for only where elements are too few.
  size_t length = 0;
  void* data = nullptr;
  if (index == seen_) {
    *b = last_;
    if (low >= 0 && high <= b->length) return true;
  } else if (index < count() &&
             napi_get_typedarray_info(env_, args_[index], nullptr, &length, &data, nullptr, nullptr) == napi_ok) {
    *b = {static_cast<char*>(data), static_cast<int64_t>(length)};
    if (low >= 0 && high <= b->length) {
      if (recorded()) keep_argument(env_, args_[index], b->data, b->length);
      seen_ = index;
      last_ = *b;
      return true;
    }
  }
  *b = bytes(index);
  return ok_ && low >= 0 && high <= b->length;
}

char* Call::run(int index, int slot, int64_t n, DType dtype) {
  const int64_t offset = size(slot);
  if (!ok_) return nullptr;
  int64_t end;
  Bytes b;
  if (n < 0 || !multiply(n, static_cast<int64_t>(size_of(dtype)), &end) || __builtin_add_overflow(end, offset, &end) ||
      !fits(index, offset, end, &b)) {
    fail("a run of elements inside its buffer");
    return nullptr;
  }
  return aligned(b.data + offset, dtype);
}

char* Call::aligned(char* data, DType dtype) {
  // A mask, for division by a size known only now costs more than all else here.
  if ((reinterpret_cast<uintptr_t>(data) & (size_of(dtype) - 1)) == 0) return data;
  fail("elements aligned to their size");
  return nullptr;
}

char* Call::view(int index, int slot, int ndim, const int64_t* shape, const int64_t* strides, DType dtype) {
  const int64_t offset = size(slot), width = static_cast<int64_t>(size_of(dtype));
  if (!ok_) return nullptr;
  int64_t first = 0, last = 0;  // lowest and highest element, from the offset
  bool empty = false, sound = true;
  for (int d = 0; d < ndim; ++d) {
    int64_t extent;
    if (shape[d] == 0)
      empty = true;
    else if (!multiply(shape[d] - 1, strides[d], &extent) ||
             __builtin_add_overflow(extent < 0 ? first : last, extent, extent < 0 ? &first : &last))
      sound = false;
  }
  if (empty)
    first = last = offset;
  else
    sound = sound && multiply(first, width, &first) && multiply(last, width, &last) &&
            !__builtin_add_overflow(first, offset, &first) && !__builtin_add_overflow(last, offset + width, &last);
  Bytes b;
  if ((!empty && !sound) || !fits(index, first, last, &b)) {
    fail("a view inside its buffer");
    return nullptr;
  }
  return aligned(b.data + offset, dtype);
}

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

void export_function(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value value = nullptr;
  void* instance = nullptr;
  if (napi_get_instance_data(env, &instance) == napi_ok &&
      napi_create_function(env, name, NAPI_AUTO_LENGTH, function, instance, &value) == napi_ok)
    napi_set_named_property(env, exports, name, value);
}

void export_names(napi_env env, napi_value exports, const char* family, const char* const* names, int count) {
  napi_value all = nullptr, list = nullptr;
  bool known = false;
  napi_has_named_property(env, exports, "names", &known);
  if (known)
    napi_get_named_property(env, exports, "names", &all);
  else if (napi_create_object(env, &all) == napi_ok)
    napi_set_named_property(env, exports, "names", all);
  napi_create_array_with_length(env, count, &list);
  for (int i = 0; i < count; ++i) {
    napi_value name = nullptr;
    napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, i, name);
  }
  napi_set_named_property(env, all, family, list);
}

}  // namespace chainrule
