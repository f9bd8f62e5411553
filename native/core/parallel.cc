// The pool behind parallel_for: the caller takes part, helpers spin briefly and then sleep.
#include "core/parallel.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "core/alone.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace chainrule {
namespace {

using ChunkFunction = void (*)(const void* context, int64_t begin, int64_t end);

constexpr int kMaxThreads = 1024;
// Between two kernels of a training step pass 1-10 us; waking a sleeper costs 5-50 us.
constexpr auto kSpin = std::chrono::microseconds(50);

// state of the pool: how many helpers are inside the job, whether it can still be joined, and its number.
constexpr uint64_t kInside = 0xffff;
constexpr uint64_t kOpen = 0x10000;
constexpr int kNumberShift = 17;

struct Job {
  int64_t n = 0;
  int64_t grain = 1;
  ChunkFunction f = nullptr;
  const void* context = nullptr;
};

// Never destroyed: helpers may be asleep in it when the process exits, and a forked child abandons it.
struct Pool {
  alignas(64) std::atomic<uint64_t> state{0};
  alignas(64) std::atomic<int64_t> left{0};    // chunks that nobody has taken
  alignas(64) std::atomic<int64_t> helped{0};  // chunks that helpers took
  alignas(64) std::atomic<int> seats{0};       // helpers the job still has room for
  Job job;
  std::atomic<bool> busy{false};
  int helpers = 0;  // started so far; touched by the holder of `busy` only
  alignas(64) std::atomic<int> sleepers{0};
  std::mutex mutex;
  std::condition_variable wake;
};

std::atomic<Pool*> current_pool{nullptr};
thread_local bool alone = false;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void run_here(int64_t n, int64_t grain, ChunkFunction f, const void* context) {
  for (int64_t begin = 0; begin < n; begin += grain) f(context, begin, n - begin < grain ? n : begin + grain);
}

int64_t chunks_of(const Job& job) { return (job.n - 1) / job.grain + 1; }

// The caller takes chunks from the front and helpers from the back: work on the same memory, step after step, finds
// much of it in the caches of the same cores.
void run_chunks(Pool& pool, bool helper) {
  const Job job = pool.job;
  const int64_t chunks = chunks_of(job);
  for (int64_t own = 0; pool.left.fetch_sub(1, std::memory_order_relaxed) > 0; ++own) {
    const int64_t chunk = helper ? chunks - 1 - pool.helped.fetch_add(1, std::memory_order_relaxed) : own;
    const int64_t begin = chunk * job.grain;
    job.f(job.context, begin, job.n - begin < job.grain ? job.n : begin + job.grain);
  }
}

bool joinable(uint64_t state, uint64_t seen) { return (state & kOpen) && (state >> kNumberShift) != seen; }

void spin_until_joinable(const Pool& pool, uint64_t seen) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (joinable(pool.state.load(std::memory_order_relaxed), seen)) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
}

void sleep_until_joinable(Pool& pool, uint64_t seen) {
  std::unique_lock lock(pool.mutex);
  pool.sleepers.fetch_add(1);  // before the look at the state, as publish() writes the state before it counts sleepers
  while (!joinable(pool.state.load(), seen)) pool.wake.wait(lock);
  pool.sleepers.fetch_sub(1);
}

// True with the helper counted inside; the caller of parallel_for then waits for it to leave.
bool join(Pool& pool, uint64_t& seen) {
  uint64_t state = pool.state.load(std::memory_order_relaxed);
  while (joinable(state, seen)) {
    if (pool.state.compare_exchange_weak(state, state + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
      seen = state >> kNumberShift;
      return true;
    }
  }
  return false;
}

void help(Pool& pool) {
  uint64_t seen = 0;
  for (;;) {
    spin_until_joinable(pool, seen);
    if (!joinable(pool.state.load(std::memory_order_relaxed), seen)) sleep_until_joinable(pool, seen);
    if (!join(pool, seen)) continue;
    if (pool.seats.fetch_sub(1, std::memory_order_relaxed) > 0) run_chunks(pool, true);
    pool.state.fetch_sub(1, std::memory_order_release);
  }
}

// Signals stay with the threads of the host: a helper that took SIGINT would surprise it.
void start_helpers(Pool& pool, int wanted) {
  if (pool.helpers >= wanted) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    for (; pool.helpers < wanted; ++pool.helpers) std::thread([&pool] { help(pool); }).detach();
  } catch (const std::system_error&) {
    // The system grants no more threads: the work is done by those there are.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void publish(Pool& pool, const Job& job, int seats) {
  pool.job = job;
  pool.left.store(chunks_of(job), std::memory_order_relaxed);
  pool.helped.store(0, std::memory_order_relaxed);
  pool.seats.store(seats, std::memory_order_relaxed);
  const uint64_t number = (pool.state.load(std::memory_order_relaxed) >> kNumberShift) + 1;
  pool.state.store(number << kNumberShift | kOpen);
  int asleep = pool.sleepers.load();
  if (asleep == 0) return;
  { const std::lock_guard lock(pool.mutex); }  // a helper past its look at the state is now really waiting
  for (int i = 0; i < seats && i < asleep; ++i) pool.wake.notify_one();
}

void close_and_wait(Pool& pool) {
  pool.state.fetch_and(~kOpen, std::memory_order_relaxed);
  for (int i = 0; pool.state.load(std::memory_order_acquire) & kInside; ++i) {
    // A helper that lost its CPU needs ours: spin for some 20 us only.
    if (i < 1000) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

// No thread but the forking one exists in a child: it starts anew, lazily, whatever state the pool was in.
void forget_pool() { current_pool.store(nullptr, std::memory_order_relaxed); }

Pool& pool() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_pool);
  (void)registered;
  Pool* found = current_pool.load(std::memory_order_acquire);
  if (found) return *found;
  Pool* made = new Pool;
  if (current_pool.compare_exchange_strong(found, made, std::memory_order_acq_rel)) return *made;
  delete made;
  return *found;
}

int clamp_threads(long n) { return n < 1 ? 1 : n > kMaxThreads ? kMaxThreads : static_cast<int>(n); }

int first_num_threads() {
  const char* text = std::getenv("CHAINRULE_NUM_THREADS");
  const long wanted = text ? std::strtol(text, nullptr, 10) : 0;
  return clamp_threads(wanted > 0 ? wanted : available_cpus());
}

std::atomic<int>& threads() {
  static std::atomic<int> count{first_num_threads()};
  return count;
}

}  // namespace

int num_threads() { return alone ? 1 : threads().load(std::memory_order_relaxed); }

void compute_alone() { alone = true; }

void set_num_threads(int n) { threads().store(clamp_threads(n), std::memory_order_relaxed); }

void parallel_for(int64_t n, int64_t grain, ChunkFunction f, const void* context) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  if (n <= grain) return f(context, 0, n);
  const int64_t others = (n - 1) / grain;
  const int most = num_threads() - 1;
  const int seats = others < most ? static_cast<int>(others) : most;
  if (seats == 0) return run_here(n, grain, f, context);
  Pool& shared = pool();
  if (shared.busy.exchange(true, std::memory_order_acquire)) return run_here(n, grain, f, context);
  start_helpers(shared, seats);
  publish(shared, {n, grain, f, context}, seats);
  run_chunks(shared, false);
  close_and_wait(shared);
  shared.busy.store(false, std::memory_order_release);
}

}  // namespace chainrule
