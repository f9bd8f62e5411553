// The addon's state per isolate, the shared array of numbers, and bindings about memory: misalignment, fill, arange.
#include <new>

#include "bind/call.h"
#include "bind/jobs.h"
#include "bind/program.h"
#include "kernels/table.h"

namespace chainrule {
namespace {

void free_instance(napi_env env, void* data, void*) {
  Instance* instance = static_cast<Instance*>(data);
  free_programs(env, *instance->programs);
  delete instance->programs;
  delete instance->jobs;
  napi_delete_reference(env, instance->geometry_ref);
  delete instance;
}

// `geometry` lies in a SharedArrayBuffer: an ArrayBuffer could be transferred away, and its memory freed, under our
// pointer. Node-API 9 has no function that makes one, so the constructors are called.
bool make_geometry(napi_env env, Instance* instance, napi_value* array) {
  napi_value global, shared, constructor, length, buffer;
  void* data = nullptr;
  size_t count = 0;
  return napi_get_global(env, &global) == napi_ok &&
         napi_get_named_property(env, global, "SharedArrayBuffer", &shared) == napi_ok &&
         napi_get_named_property(env, global, "Float64Array", &constructor) == napi_ok &&
         napi_create_uint32(env, kGeometry * sizeof(double), &length) == napi_ok &&
         napi_new_instance(env, shared, 1, &length, &buffer) == napi_ok &&
         napi_new_instance(env, constructor, 1, &buffer, array) == napi_ok &&
         napi_get_typedarray_info(env, *array, nullptr, &count, &data, nullptr, nullptr) == napi_ok &&
         count == kGeometry && data != nullptr &&
         napi_create_reference(env, *array, 1, &instance->geometry_ref) == napi_ok &&
         ((instance->geometry = static_cast<double*>(data)), true);
}

napi_value misalignment(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const Bytes b = call.bytes(0);
  return call.ok() ? number(env, static_cast<double>(reinterpret_cast<uintptr_t>(b.data) % 64)) : nullptr;
}

napi_value fill(napi_env env, napi_callback_info info) {
  Call call(env, info);
  FillArgs args;
  args.dtype = call.dtype(0);
  args.n = call.size(1);
  args.y = call.run(0, 2, args.n, args.dtype);
  args.start = call.real(3);
  args.step = 0;
  if (call.ok() && args.n > 0) launch(kernels().fill, args);
  return nullptr;
}

napi_value arange(napi_env env, napi_callback_info info) {
  Call call(env, info);
  FillArgs args;
  args.dtype = call.dtype(0);
  args.n = call.size(1);
  args.y = call.run(0, 2, args.n, args.dtype);
  args.start = call.real(3);
  args.step = call.real(4);
  if (call.ok() && args.n > 0) launch(kernels().arange, args);
  return nullptr;
}

}  // namespace

// Comes first of all families: the others' bindings read the instance.
void register_memory(napi_env env, napi_value exports) {
  Instance* instance = new (std::nothrow) Instance{};
  napi_value geometry;
  if (instance != nullptr) {
    instance->programs = new (std::nothrow) Programs;
    instance->jobs = new (std::nothrow) Jobs;
  }
  if (instance == nullptr || instance->programs == nullptr || instance->jobs == nullptr ||
      !make_geometry(env, instance, &geometry) ||
      napi_set_instance_data(env, instance, free_instance, nullptr) != napi_ok) {
    if (instance != nullptr && instance->geometry_ref != nullptr) napi_delete_reference(env, instance->geometry_ref);
    if (instance != nullptr) {
      delete instance->programs;
      delete instance->jobs;
    }
    delete instance;
    napi_throw_error(env, "ERR_NATIVE", "[native] expected memory for the array of numbers");
    return;
  }
  napi_set_named_property(env, exports, "geometry", geometry);
  export_function(env, exports, "misalignment", misalignment);
  export_function(env, exports, "fill", fill);
  export_function(env, exports, "arange", arange);
}

}  // namespace chainrule
