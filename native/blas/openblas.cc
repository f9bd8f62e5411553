// OpenBLAS held at one thread of its own.
#include "blas/openblas.h"

#include <cblas.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

namespace chainrule {
namespace {

constexpr const char* kThreads = "OPENBLAS_NUM_THREADS";
char* saved = nullptr;

// OpenBLAS reads its environment in a constructor without priority, so this one comes first. Asking for one thread only
// later would be too late: its pool would have started, and a pool that is alive hangs child_process.spawnSync.
__attribute__((constructor(101))) void hold_openblas() {
  const char* value = std::getenv(kThreads);
  if (value != nullptr) saved = strdup(value);
  setenv(kThreads, "1", 1);
}

}  // namespace

void restore_openblas_environment() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (saved != nullptr)
      setenv(kThreads, saved, 1);
    else
      unsetenv(kThreads);
    std::free(saved);
  });
}

const char* openblas_core() { return openblas_get_corename(); }

}  // namespace chainrule
