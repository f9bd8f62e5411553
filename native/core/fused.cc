// Groups of elementwise calls: each runs on a tile before any goes on to the next, so that what they hand on stays in
// cache.
#include "core/fused.h"

#include <algorithm>

#include "core/parallel.h"

namespace chainrule {
namespace {

constexpr int64_t kGrain = 32768;  // elements a thread takes at a time, as for single calls
constexpr int64_t kTile = 1024;    // elements: 4 KB of float32 for each operand

}  // namespace

bool add_to_group(FusedArgs& group, const ElementwiseArgs& call, const int8_t* tiles) {
  if (!call.flat || group.count == kMaxFused || (group.count > 0 && call.n != group.n)) return false;
  for (int k = 0; k <= call.operands; ++k)
    if (tiles[k] < -1 || tiles[k] >= kMaxTiles || (tiles[k] >= 0 && k > 0 && call.step[k - 1] != 1)) return false;
  group.n = call.n;
  FusedCall& fused = group.calls[group.count++];
  fused.row = call.row;
  fused.p[0] = call.p[0];
  fused.p[1] = call.p[1];
  fused.operands = call.operands;
  fused.y = call.y;
  for (int k = 0; k <= call.operands; ++k) {
    fused.tile[k] = tiles[k];
    fused.width[k] = call.width[k];
    group.tiles = std::max(group.tiles, tiles[k] + 1);
    if (k == 0) continue;
    fused.x[k - 1] = call.x[k - 1];
    fused.immediate[k - 1] = call.x[k - 1] == nullptr ? call.immediate[k - 1] : 0;
    fused.step[k - 1] = call.x[k - 1] == nullptr ? 0 : call.step[k - 1];
  }
  return true;
}

void run_fused(const FusedArgs& group) {
  parallel_for(group.n, kGrain, [&group](int64_t begin, int64_t end) {
    alignas(64) char tiles[kMaxTiles][kTile * 8];
    for (int64_t at = begin; at < end; at += kTile) {
      const int64_t n = std::min(kTile, end - at);
      for (int c = 0; c < group.count; ++c) {
        const FusedCall& call = group.calls[c];
        const void* x[kMaxOperands];
        for (int k = 0; k < call.operands; ++k) {
          const int tile = call.tile[k + 1];
          if (tile >= 0)
            x[k] = tiles[tile];
          else if (call.x[k] == nullptr)
            x[k] = &call.immediate[k];
          else
            x[k] = static_cast<const char*>(call.x[k]) + call.step[k] * at * call.width[k + 1];
        }
        void* y = call.tile[0] >= 0 ? static_cast<void*>(tiles[call.tile[0]])
                                    : static_cast<void*>(static_cast<char*>(call.y) + at * call.width[0]);
        call.row(y, x, call.step, n, call.p);
      }
    }
  });
}

}  // namespace chainrule
