// Module init: the table of contents of the addon.
#include <node_api.h>

#include "blas/openblas.h"
#include "core/alone.h"
#include "core/cpu.h"
#include "core/parallel.h"
#include "kernels/table.h"

namespace chainrule {

void register_memory(napi_env env, napi_value exports);
void register_elementwise(napi_env env, napi_value exports);
void register_reduce(napi_env env, napi_value exports);
void register_softmax(napi_env env, napi_value exports);
void register_loss(napi_env env, napi_value exports);
void register_ctc(napi_env env, napi_value exports);
void register_index(napi_env env, napi_value exports);
void register_scan(napi_env env, napi_value exports);
void register_sort(napi_env env, napi_value exports);
void register_search(napi_env env, napi_value exports);
void register_optim(napi_env env, napi_value exports);
void register_random(napi_env env, napi_value exports);
void register_pool(napi_env env, napi_value exports);
void register_resample(napi_env env, napi_value exports);
void register_norm(napi_env env, napi_value exports);
void register_conv(napi_env env, napi_value exports);
void register_gemm(napi_env env, napi_value exports);
void register_attention(napi_env env, napi_value exports);
void register_recurrent(napi_env env, napi_value exports);
void register_linalg(napi_env env, napi_value exports);
void register_jobs(napi_env env, napi_value exports);
void register_program(napi_env env, napi_value exports);

namespace {

napi_value string(napi_env env, const char* text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

napi_value get_capability(napi_env env, napi_callback_info) { return string(env, capability()); }

napi_value get_openblas_core(napi_env env, napi_callback_info) { return string(env, openblas_core()); }

napi_value get_num_threads(napi_env env, napi_callback_info) {
  napi_value value = nullptr;
  napi_create_int32(env, num_threads(), &value);
  return value;
}

napi_value put_num_threads(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  int32_t n = 0;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok || argc < 1 ||
      napi_get_value_int32(env, argv[0], &n) != napi_ok || n < 1) {
    napi_throw_range_error(env, "ERR_INVALID_ARG", "[setNumThreads] expected an integer of at least 1");
    return nullptr;
  }
  set_num_threads(n);
  return nullptr;
}

napi_value put_alone(napi_env, napi_callback_info) {
  compute_alone();
  return nullptr;
}

void register_function(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}

// What runs the kernels: CPU capability, OpenBLAS core, threads.
void register_cpu(napi_env env, napi_value exports) {
  register_function(env, exports, "capability", get_capability);
  register_function(env, exports, "openblasCore", get_openblas_core);
  register_function(env, exports, "numThreads", get_num_threads);
  register_function(env, exports, "setNumThreads", put_num_threads);
  register_function(env, exports, "computeAlone", put_alone);
}

}  // namespace
}  // namespace chainrule

// Runs once in every isolate that loads the addon; what it calls keeps no state of its own per process but the CPU
// choice.
NAPI_MODULE_INIT() {
  using namespace chainrule;
  restore_openblas_environment();
  if (const char* error = capability_error()) {
    napi_throw_error(env, "ERR_CPU", error);
    return nullptr;
  }
  register_cpu(env, exports);
  register_memory(env, exports);
  register_elementwise(env, exports);
  register_reduce(env, exports);
  register_softmax(env, exports);
  register_loss(env, exports);
  register_ctc(env, exports);
  register_index(env, exports);
  register_scan(env, exports);
  register_sort(env, exports);
  register_search(env, exports);
  register_optim(env, exports);
  register_random(env, exports);
  register_pool(env, exports);
  register_resample(env, exports);
  register_norm(env, exports);
  register_conv(env, exports);
  register_gemm(env, exports);
  register_attention(env, exports);
  register_recurrent(env, exports);
  register_linalg(env, exports);
  register_program(env, exports);
  register_jobs(env, exports);
  return exports;
}
