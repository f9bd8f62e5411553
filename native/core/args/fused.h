// Arguments of a group of elementwise calls that run together, tile by tile.
#pragma once
#include "core/args/elementwise.h"

namespace chainrule {

inline constexpr int kMaxFused = 16;  // calls of a group
inline constexpr int kMaxTiles = 8;   // results at a time that no memory outside of the group ever sees

// One call: y and its operands are runs of memory, one repeated value, or a tile that an earlier call of the group
// left.
struct FusedCall {
  RowFunction row;
  double p[2];
  int32_t operands;
  int8_t tile[kMaxOperands + 1];    // y first; -1: memory
  uint8_t width[kMaxOperands + 1];  // bytes an element, y first
  void* y;
  const void* x[kMaxOperands];  // null: the immediate below
  uint64_t immediate[kMaxOperands];
  int64_t step[kMaxOperands];
};

struct FusedArgs {
  int64_t n;  // elements of every call
  int32_t count, tiles;
  FusedCall calls[kMaxFused];
};

}  // namespace chainrule
