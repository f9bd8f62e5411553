// parallel_for: one process-wide pool of threads, shared by every isolate, safe under fork.
#pragma once
#include <cstdint>

namespace chainrule {

// Threads a parallel_for may use, the caller among them; at least 1.
int num_threads();
void set_num_threads(int n);
// The CPUs this process may really use: affinity mask and cgroup quota.
int available_cpus();

// Runs f(context, begin, end) over [0, n) cut at multiples of `grain`. How chunks fall to threads is free, where they
// are cut is not: a result that is made per chunk does not depend on the thread count. Called inside a parallel_for, or
// while another isolate uses the pool, it runs on the calling thread. f does not throw.
void parallel_for(int64_t n, int64_t grain, void (*f)(const void* context, int64_t begin, int64_t end),
                  const void* context);

template <class F>
inline void parallel_for(int64_t n, int64_t grain, const F& f) {
  parallel_for(
      n, grain, [](const void* context, int64_t begin, int64_t end) { (*static_cast<const F*>(context))(begin, end); },
      &f);
}

}  // namespace chainrule
