// The per-thread stack of scratch memory.
#include "core/scratch.h"

#include <cstdint>
#include <new>

namespace chainrule {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kKept = size_t{16} << 20;
constexpr size_t kFirst = size_t{64} << 10;

char* allocate(size_t bytes) { return static_cast<char*>(operator new (bytes, std::align_val_t{kAlignment})); }

void free_block(void* block) { operator delete (block, std::align_val_t{kAlignment}); }

struct Stack {
  char* base = nullptr;
  size_t size = 0;
  size_t used = 0;
  size_t outside = 0;  // blocks that did not fit and were allocated by themselves
  size_t peak = 0;     // the most that was taken at once: the size to grow to when nothing is
  ~Stack() {
    if (base) free_block(base);
  }
};

thread_local Stack stack;

bool owns(const Stack& s, const void* block) {
  const auto at = reinterpret_cast<uintptr_t>(block), base = reinterpret_cast<uintptr_t>(s.base);
  return at >= base && at < base + s.size;
}

// Only while nothing is taken, or blocks already handed out would move.
void grow(Stack& s) {
  size_t size = kFirst;
  while (size < s.peak) size *= 2;
  if (s.base) free_block(s.base);
  s.base = nullptr;
  s.size = 0;
  s.base = allocate(size);
  s.size = size;
}

}  // namespace

void* acquire_scratch(size_t bytes) {
  Stack& s = stack;
  const size_t rounded = bytes == 0 ? kAlignment : (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const size_t all = s.used + s.outside + rounded;
  if (all > s.peak && all <= kKept) s.peak = all;
  if (s.used == 0 && s.outside == 0 && s.size < s.peak) grow(s);
  if (rounded > s.size - s.used) {
    char* block = allocate(rounded + kAlignment);
    *reinterpret_cast<size_t*>(block) = rounded;
    s.outside += rounded;
    return block + kAlignment;
  }
  void* block = s.base + s.used;
  s.used += rounded;
  return block;
}

void release_scratch(void* block) {
  Stack& s = stack;
  if (owns(s, block)) {
    s.used = static_cast<size_t>(static_cast<char*>(block) - s.base);
    return;
  }
  char* start = static_cast<char*>(block) - kAlignment;
  s.outside -= *reinterpret_cast<size_t*>(start);
  free_block(start);
}

}  // namespace chainrule
