// Background threads: every task once, in order for one thread, many at once, after fork.
#include "core/background.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "core/parallel.h"

using namespace chainrule;

namespace {

// Counts down to zero; waiting gives up after a minute, so that a lost task is a failure and no hang.
class Countdown {
 public:
  explicit Countdown(int n) : left_(n) {}
  void done() {
    const std::lock_guard lock(mutex_);
    if (--left_ == 0) wake_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, std::chrono::minutes(1), [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  int left_;
};

struct Counting : BackgroundTask {
  std::atomic<int> calls{0};
  std::thread::id thread;
  Countdown* countdown = nullptr;
};

void count(BackgroundTask* task) {
  Counting& counting = *static_cast<Counting*>(task);
  ++counting.calls;
  counting.thread = std::this_thread::get_id();
  counting.countdown->done();
}

}  // namespace

// ThreadSanitizer cannot follow threads that are started after fork. Before the other tests, as none of their threads
// may just be starting: AddressSanitizer has locks for that, which a child would inherit taken.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("a forked child starts threads of its own") {
  const auto runs = [] {
    Countdown countdown(1);
    Counting task;
    task.run = count;
    task.countdown = &countdown;
    return run_in_background(&task) && countdown.wait() && task.calls == 1;
  };
  REQUIRE(runs());
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(runs() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("every task runs once, on another thread") {
  constexpr int kTasks = 500;
  Countdown countdown(kTasks);
  std::vector<Counting> tasks(kTasks);
  for (Counting& task : tasks) {
    task.run = count;
    task.countdown = &countdown;
    REQUIRE(run_in_background(&task));
  }
  REQUIRE(countdown.wait());
  for (const Counting& task : tasks) {
    CHECK(task.calls == 1);
    CHECK(task.thread != std::this_thread::get_id());
  }
}

TEST_CASE("tasks that wait for each other run at once") {
  constexpr int kTasks = 8;
  struct Meeting : BackgroundTask {
    Countdown* all = nullptr;
    Countdown* countdown = nullptr;
    bool met = false;
  };
  Countdown all(kTasks), countdown(kTasks);
  std::vector<Meeting> tasks(kTasks);
  for (Meeting& task : tasks) {
    task.all = &all;
    task.countdown = &countdown;
    task.run = [](BackgroundTask* given) {
      Meeting& self = *static_cast<Meeting*>(given);
      self.all->done();
      self.met = self.all->wait();
      self.countdown->done();
    };
    REQUIRE(run_in_background(&task));
  }
  REQUIRE(countdown.wait());
  for (const Meeting& task : tasks) CHECK(task.met);
}

TEST_CASE("parallel_for inside a task gives what it gives outside") {
  struct Summing : BackgroundTask {
    Countdown* countdown = nullptr;
    int64_t sum = 0;
  };
  Countdown countdown(4);
  std::vector<Summing> tasks(4);
  for (Summing& task : tasks) {
    task.countdown = &countdown;
    task.run = [](BackgroundTask* given) {
      Summing& self = *static_cast<Summing*>(given);
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::atomic<int64_t> sum{0};
        parallel_for(1000, 10, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) sum += i;
        });
        self.sum += sum;
      }
      self.countdown->done();
    };
    REQUIRE(run_in_background(&task));
  }
  REQUIRE(countdown.wait());
  for (const Summing& task : tasks) CHECK(task.sum == 20 * 499500);
}
