// A thread that leaves the pool to the others.
#pragma once

namespace chainrule {

// From now on everything the calling thread computes runs on it alone, and num_threads() is 1 there: for threads that
// make data beside one that trains, which would find the pool busy and its helpers away.
void compute_alone();

}  // namespace chainrule
