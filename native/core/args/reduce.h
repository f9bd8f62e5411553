// Arguments of reductions: a strided x folded over some of its dimensions into a contiguous y.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// What a kernel of this family is: functions over accumulators, 8 bytes each at most. Those that look for an element
// keep its place beside each accumulator and get the place of the first element and the step to the next; for the
// others `places` is null. All else, dimensions, strides, chunks and threads, is the driver's business
// (core/reduce.cc).
struct ReduceKernel {
  DType out;            // of y
  bool needs_elements;  // there is no value for an empty set
  bool finds;           // y is the places
  bool two_levels;      // error grows with the elements in one accumulator: the driver keeps two
  uint8_t width;        // of an accumulator

  // n accumulators of nothing; what they find first is at `place`.
  void (*start)(void* acc, int32_t* places, int64_t n, int64_t place);
  // One row of n elements into each of `rows` accumulators; rows are `stride` elements apart.
  void (*rows)(void* acc, int32_t* places, const void* x, int64_t n, int64_t rows, int64_t stride, int64_t place,
               int64_t step);
  // Rows of n elements into n accumulators; `step` leads from row to row.
  void (*down)(void* acc, int32_t* places, const void* x, int64_t n, int64_t rows, int64_t stride, int64_t place,
               int64_t step);
  // Accumulators of later elements into those of earlier ones.
  void (*combine)(void* acc, int32_t* places, const void* later, const int32_t* later_places, int64_t n);
  // Results `step` elements apart, of `count` elements each of which was met once instead of `repeat` times. y or
  // `indices` may be null.
  void (*finish)(void* y, int32_t* indices, const void* acc, const int32_t* places, int64_t n, int64_t step,
                 int64_t repeat, int64_t count);
  // The kernel that writes `indices` beside y; null where there is none.
  const ReduceKernel* with_indices;
};

struct ReduceFamily {
  const char* const* names;
  int count;
  const ReduceKernel (*kernels)[kDTypes];
};

// One dimension of x: its stride and that of what is written, the result (kept) or the place of an element (reduced).
struct ReduceDim {
  int64_t size;
  int64_t stride;
  int64_t out;
};

struct ReduceArgs {
  const ReduceKernel* kernel;
  uint8_t width;                    // of an element of x
  bool columns;                     // the dimension of the smallest stride is kept
  int32_t kept_dims, reduced_dims;  // at least 1 each, the fastest last
  ReduceDim kept[kMaxDims], reduced[kMaxDims];
  int64_t outputs;  // product of the kept sizes
  int64_t count;    // elements folded into one output, repetitions included
  int64_t repeat;   // how often each of them counts: the product of the reduced dimensions of stride 0
  const void* x;
  void* y;           // null: only the places are wanted
  int32_t* indices;  // or null
};

// Sets the geometry, dimensions sorted by stride and merged; needs indices. The sizes have passed Call::shape.
void plan_reduce(ReduceArgs& args, int ndim, const int64_t* shape, const int64_t* strides, const bool* reduced);

void run_reduce(const ReduceArgs& args);

}  // namespace chainrule
