// The thread pool: every index once, any number of callers, inside itself, after fork.
#include "core/parallel.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/scratch.h"

using namespace chainrule;

namespace {

struct Threads {
  int before = num_threads();
  explicit Threads(int n) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
};

int64_t sum_of_indices(int64_t n, int64_t grain) {
  std::atomic<int64_t> sum{0};
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    int64_t part = 0;
    for (int64_t i = begin; i < end; ++i) part += i;
    sum += part;
  });
  return sum;
}

}  // namespace

TEST_CASE("parallel_for visits every index once, cut at multiples of the grain") {
  for (int threads : {1, 2, 3, 8}) {
    const Threads set(threads);
    for (int64_t n : {0, 1, 2, 7, 64, 1000}) {
      for (int64_t grain : {0, 1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<size_t>(n));
        std::atomic<int> wrong{0};
        parallel_for(n, grain, [&](int64_t begin, int64_t end) {
          const int64_t step = grain < 1 ? 1 : grain;
          if (begin % step != 0 || (end - begin != step && end != n)) ++wrong;
          for (int64_t i = begin; i < end; ++i) ++visits[static_cast<size_t>(i)];
        });
        CHECK(wrong == 0);
        for (const auto& v : visits) CHECK(v == 1);
      }
    }
  }
}

TEST_CASE("one chunk runs on the caller") {
  const Threads set(4);
  const auto caller = std::this_thread::get_id();
  std::thread::id runner;
  parallel_for(10, 10, [&](int64_t, int64_t) { runner = std::this_thread::get_id(); });
  CHECK(runner == caller);
}

TEST_CASE("parallel_for inside parallel_for stays on its thread") {
  const Threads set(4);
  std::atomic<int64_t> sum{0}, strays{0};
  parallel_for(16, 1, [&](int64_t begin, int64_t) {
    const auto outer = std::this_thread::get_id();
    parallel_for(100, 10, [&](int64_t b, int64_t e) {
      if (std::this_thread::get_id() != outer) ++strays;
      sum += (e - b) * (begin + 1);
    });
  });
  CHECK(sum == 100 * 136);
  CHECK(strays == 0);
}

TEST_CASE("many threads call parallel_for at once") {
  const Threads set(3);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        if (sum_of_indices(1000, 7) != 499500) ++wrong;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("the number of threads may change while the pool works") {
  const Threads set(1);
  std::atomic<bool> stop{false};
  std::thread changer([&] {
    for (int i = 0; !stop; ++i) set_num_threads(1 + i % 5);
  });
  for (int round = 0; round < 2000; ++round) CHECK(sum_of_indices(100, 1) == 4950);
  stop = true;
  changer.join();
}

TEST_CASE("a sleeping pool wakes up") {
  const Threads set(3);
  for (int round = 0; round < 50; ++round) {
    CHECK(sum_of_indices(64, 1) == 2016);
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

// ThreadSanitizer cannot follow threads that are started after fork.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("a forked child has its own pool") {
  const Threads set(3);
  CHECK(sum_of_indices(1000, 7) == 499500);
  std::atomic<bool> stop{false};
  std::thread other([&] {  // so that some forks happen while the pool is at work
    while (!stop) sum_of_indices(1000, 1);
  });
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(sum_of_indices(1000, 7) == 499500 && sum_of_indices(64, 1) == 2016 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  stop = true;
  other.join();
}
#endif

TEST_CASE("threads are at least one") {
  CHECK(available_cpus() >= 1);
  const Threads set(0);
  CHECK(num_threads() == 1);
}

TEST_CASE("scratch blocks do not overlap and are aligned") {
  for (int round = 0; round < 3; ++round) {
    std::vector<char*> blocks;
    for (size_t bytes : {size_t{0}, size_t{1}, size_t{100000}, size_t{3} << 20, size_t{40} << 20, size_t{64}}) {
      char* block = static_cast<char*>(acquire_scratch(bytes));
      CHECK(reinterpret_cast<uintptr_t>(block) % 64 == 0);
      for (size_t i = 0; i < bytes; i += 61) block[i] = static_cast<char>(blocks.size());
      blocks.push_back(block);
    }
    CHECK(blocks[2][0] == 2);
    CHECK(blocks[2][61 * 1639] == 2);
    CHECK(blocks[4][0] == 4);
    while (!blocks.empty()) {
      release_scratch(blocks.back());
      blocks.pop_back();
    }
  }
}
