// Groups of elementwise calls: each runs on a tile before any goes on to the next, so that what they hand on stays in
// cache.
#pragma once
#include "core/args/fused.h"

namespace chainrule {

// Adds a flat call to a group; false where it does not fit. `tiles` says of y and of each operand which tile it is, or
// -1.
bool add_to_group(FusedArgs& group, const ElementwiseArgs& call, const int8_t* tiles);

void run_fused(const FusedArgs& group);

}  // namespace chainrule
