// Program: calls of kernels recorded once, to be run again in one go, by any thread.
//
// It knows pointers only; who records keeps the memory behind them alive. One thread at a time may use a Program:
// start() says whether it is free.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace chainrule {

class Program {
 public:
  // Memory outside that run() copies into or out of the Program.
  struct Port {
    char* data;
    int64_t length;
  };

  // How far a run came: behind the last call, or at the one that met a bad index, at `place` of its indices.
  struct Outcome {
    int64_t next;
    int64_t place = -1;
  };

  int64_t size() const { return static_cast<int64_t>(calls_.size()); }
  void append(void (*run)(const void* call), const void* call, size_t size, bool checks);
  // Puts a call in the place of another of the same size; false where it is not.
  bool replace(int64_t index, void (*run)(const void* call), const void* call, size_t size);

  // Runs the calls [begin, end). Stops behind a call that met a bad index, and before the next one once `cancelled`
  // (may be null) is set: `next` is below `end` then. `nanoseconds` (may be null) gets the time of each call.
  Outcome run(int64_t begin, int64_t end, const std::atomic<bool>* cancelled, double* nanoseconds) const;

  // Claims the Program for the calling thread until stop(); false while somebody else has it.
  bool start() { return !busy_.exchange(true, std::memory_order_acquire); }
  void stop() { busy_.store(false, std::memory_order_release); }
  bool busy() const { return busy_.load(std::memory_order_acquire); }

  std::vector<Port> ports;

 private:
  struct Call {
    void (*run)(const void* call);
    void* call;
    uint32_t size;
    bool checks;
  };
  void* room(size_t size);

  std::vector<Call> calls_;
  // Calls lie one after another in blocks that stay where they are.
  std::vector<std::unique_ptr<std::max_align_t[]>> blocks_;
  size_t top_ = 0, end_ = 0;
  std::atomic<bool> busy_{false};
};

// Makes the calling thread record into a Program until stop_recording(): behind its last call, or, from 0 on, in the
// places of the calls from `index` on.
void start_recording(Program* program, int64_t index = -1);

// The elementwise calls from here to close_group() become one call that runs tile by tile (core/fused.h).
void open_group();
// Which tiles the next call of the group writes and reads: y first, -1 for memory.
void set_tiles(const int8_t* tiles);
void close_group();

// What was recorded since start_recording; whether all of it found a place.
struct Recorded {
  int64_t calls;
  bool fits;
};
Recorded stop_recording();

}  // namespace chainrule
