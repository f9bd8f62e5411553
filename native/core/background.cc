// The threads behind run_in_background: started when something waits and nobody is free, then kept.
#include "core/background.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace chainrule {
namespace {

constexpr int kMaxThreads = 64;

// Never destroyed: threads may be asleep in it when the process exits, and a forked child abandons it.
struct Queue {
  std::mutex mutex;
  std::condition_variable wake;
  BackgroundTask* first = nullptr;
  BackgroundTask* last = nullptr;
  int waiting = 0;  // tasks
  int idle = 0;     // threads
  int threads = 0;
};

std::atomic<Queue*> current_queue{nullptr};

// No thread but the forking one exists in a child: it starts anew, lazily.
void forget_queue() { current_queue.store(nullptr, std::memory_order_relaxed); }

Queue& queue() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_queue);
  (void)registered;
  Queue* found = current_queue.load(std::memory_order_acquire);
  if (found) return *found;
  Queue* made = new Queue;
  if (current_queue.compare_exchange_strong(found, made, std::memory_order_acq_rel)) return *made;
  delete made;
  return *found;
}

void work(Queue& queue) {
  std::unique_lock lock(queue.mutex);
  for (;;) {
    while (queue.first == nullptr) {
      ++queue.idle;
      queue.wake.wait(lock);
      --queue.idle;
    }
    BackgroundTask* task = queue.first;
    queue.first = task->next;
    --queue.waiting;
    lock.unlock();
    task->run(task);  // it may be gone when this returns
    lock.lock();
  }
}

// Whether a thread more runs now. Signals stay with the threads of the host: one of ours that took SIGINT would
// surprise it.
bool start_thread(Queue& queue) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    std::thread([&queue] { work(queue); }).detach();
    ++queue.threads;
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace

bool run_in_background(BackgroundTask* task) {
  Queue& to = queue();
  const std::lock_guard lock(to.mutex);
  // A thread that was woken but does not run yet still counts as idle: compare with all that waits.
  if (to.waiting + 1 > to.idle && to.threads < kMaxThreads && !start_thread(to) && to.threads == 0) return false;
  task->next = nullptr;
  if (to.first == nullptr)
    to.first = task;
  else
    to.last->next = task;
  to.last = task;
  ++to.waiting;
  to.wake.notify_one();
  return true;
}

}  // namespace chainrule
