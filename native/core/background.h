// run_in_background: work on threads of our own, beside libuv's and beside the helpers of parallel_for.
#pragma once

namespace chainrule {

// A piece of work; whoever hands it in keeps it alive until `run` has been called and has said so itself.
struct BackgroundTask {
  void (*run)(BackgroundTask* task);  // does not throw
  BackgroundTask* next = nullptr;     // the queue's own
};

// Runs the task soon on another thread, in the order of the calls while threads are free. As many run at once as there
// are threads: they grow with what waits, up to 64. False where the system grants none at all: nothing was queued then.
bool run_in_background(BackgroundTask* task);

}  // namespace chainrule
