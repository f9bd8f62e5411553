// launch(): the single point through which every kernel runs.
#pragma once
#include <cstddef>
#include <type_traits>

namespace chainrule {

template <class Args>
using Kernel = void (*)(const Args&);

// One call as Programs keep it (core/program.h).
template <class Args>
struct Launch {
  Kernel<Args> kernel;
  Args args;
  static void run(const void* call) {
    const auto* launch = static_cast<const Launch*>(call);
    launch->kernel(launch->args);
  }
};

// Threads that record into a Program at this moment; all others run their kernels.
extern int recording_threads;
// Whether the calling thread records.
bool recording();
// Adds a call to the Program that the calling thread records into. `checks`: the kernel may meet a bad index
// (core/index_check.h).
void record_launch(void (*run)(const void* call), const void* call, size_t size, bool checks);

// A call is a function and a plain struct of pointers and sizes, so that it can be copied, kept and run again.
template <class Args>
inline void launch(Kernel<Args> kernel, const Args& args, bool checks = false) {
  static_assert(std::is_trivially_copyable_v<Args>, "kernel arguments are plain data");
  static_assert(alignof(Launch<Args>) <= alignof(std::max_align_t));
  if (__atomic_load_n(&recording_threads, __ATOMIC_RELAXED) != 0 && recording()) {
    const Launch<Args> call{kernel, args};
    return record_launch(&Launch<Args>::run, &call, sizeof call, checks);
  }
  kernel(args);
}

}  // namespace chainrule
