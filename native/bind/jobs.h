// Runs of Programs in the background, of one isolate: begun here, told to JavaScript when they are over.
#pragma once
#include <node_api.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "bind/program.h"
#include "core/background.h"

namespace chainrule {

struct Jobs;

struct Job : BackgroundTask {
  Jobs* home = nullptr;
  std::shared_ptr<Program> program;
  int64_t id = 0, begin = 0, end = 0;
  std::atomic<bool> cancelled{false};
  Program::Outcome outcome{0, -1};
  double milliseconds = 0;
};

struct Jobs {
  // Touched by the isolate's own thread only.
  std::vector<Job*> open;
  napi_threadsafe_function done = nullptr;

  std::mutex mutex;
  std::condition_variable idle;
  int running = 0;  // whose thread may still touch this
};

}  // namespace chainrule
