// Arguments of joining rows of a table in bags.
#pragma once
#include "core/args/reduce.h"

namespace chainrule {

// y [bags, columns] = the rows of x [rows, columns] that index[starts[b]] .. index[starts[b + 1] - 1] name, joined by a
// reduction: one that folds, or one that looks for an element and writes the row where it stands, -1 for an empty bag.
struct BagArgs {
  const ReduceKernel* kernel;
  uint8_t width;  // of an element of x
  int64_t rows, columns;
  int64_t bags, count;  // of indices
  int64_t padding;      // a row that does not count, or -1
  const int32_t* index;
  const int32_t* starts;  // bags + 1
  const void* x;
  void* y;
};

void run_bag(const BagArgs& args);

}  // namespace chainrule
