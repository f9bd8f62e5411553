// Program: calls of kernels recorded once, to be run again in one go, by any thread.
#include "core/program.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/fused.h"
#include "core/index_check.h"
#include "core/launch.h"
#include "core/loops.h"

namespace chainrule {
namespace {

struct Recorder {
  Program* program = nullptr;
  int64_t index = -1;  // of the call to replace next, or -1
  Recorded recorded{};
  std::unique_ptr<Launch<FusedArgs>> group;  // open, or null
  int8_t tiles[kMaxOperands + 1] = {-1, -1, -1, -1};
};

thread_local Recorder recorder;

// Whether a call joined the open group; what is not flat elementwise work of the group's size does not.
bool join_group(void (*run)(const void* call), const void* call) {
  if (run != &Launch<ElementwiseArgs>::run) return false;
  const auto* elementwise = static_cast<const Launch<ElementwiseArgs>*>(call);
  return elementwise->kernel == run_elementwise &&
         add_to_group(recorder.group->args, elementwise->args, recorder.tiles);
}

constexpr size_t kBlock = 64 * 1024;
constexpr size_t kAlignment = alignof(std::max_align_t);

double now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

}  // namespace

int recording_threads = 0;

bool recording() { return recorder.program != nullptr; }

void start_recording(Program* program, int64_t index) {
  if (recorder.program == nullptr) __atomic_add_fetch(&recording_threads, 1, __ATOMIC_RELAXED);
  recorder = {};
  recorder.program = program;
  recorder.index = index;
  recorder.recorded = {0, true};
}

Recorded stop_recording() {
  if (recorder.program != nullptr) __atomic_sub_fetch(&recording_threads, 1, __ATOMIC_RELAXED);
  const Recorded recorded = recorder.recorded;
  recorder = {};
  return recorded;
}

void open_group() {
  recorder.group = std::make_unique<Launch<FusedArgs>>();
  recorder.group->kernel = run_fused;
}

void set_tiles(const int8_t* tiles) { std::copy_n(tiles, kMaxOperands + 1, recorder.tiles); }

void close_group() {
  const std::unique_ptr<Launch<FusedArgs>> group = std::move(recorder.group);
  if (recorder.program == nullptr || group == nullptr || group->args.count == 0) return;
  recorder.program->append(&Launch<FusedArgs>::run, group.get(), sizeof *group, false);
}

void record_launch(void (*run)(const void* call), const void* call, size_t size, bool checks) {
  Program& program = *recorder.program;
  ++recorder.recorded.calls;
  if (recorder.group != nullptr)
    recorder.recorded.fits = join_group(run, call) && recorder.recorded.fits;
  else if (recorder.index < 0)
    program.append(run, call, size, checks);
  else if (!program.replace(recorder.index++, run, call, size))
    recorder.recorded.fits = false;
}

void* Program::room(size_t size) {
  const size_t need = (size + kAlignment - 1) / kAlignment;
  if (end_ - top_ < need) {
    end_ = std::max(need, kBlock / kAlignment);
    blocks_.push_back(std::make_unique<std::max_align_t[]>(end_));
    top_ = 0;
  }
  void* found = blocks_.back().get() + top_;
  top_ += need;
  return found;
}

void Program::append(void (*run)(const void* call), const void* call, size_t size, bool checks) {
  void* copy = room(size);
  std::memcpy(copy, call, size);
  calls_.push_back({run, copy, static_cast<uint32_t>(size), checks});
}

bool Program::replace(int64_t index, void (*run)(const void* call), const void* call, size_t size) {
  if (index >= this->size() || calls_[index].size != size) return false;
  std::memcpy(calls_[index].call, call, size);
  calls_[index].run = run;
  return true;
}

Program::Outcome Program::run(int64_t begin, int64_t end, const std::atomic<bool>* cancelled,
                              double* nanoseconds) const {
  double time = nanoseconds == nullptr ? 0 : now();
  for (int64_t i = begin; i < end; ++i) {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return {i};
    const Call& call = calls_[i];
    if (call.checks) take_bad_index();
    call.run(call.call);
    if (call.checks) {
      const int64_t place = take_bad_index();
      if (place >= 0) return {i, place};
    }
    if (nanoseconds != nullptr) {
      const double after = now();
      nanoseconds[i] = after - time;
      time = after;
    }
  }
  return {end};
}

}  // namespace chainrule
