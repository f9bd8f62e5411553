// Arguments of matrix products.
#pragma once
#include "core/dtype.h"

namespace chainrule {

// c [m,n] = alpha * op(a) [m,k] op(b) [k,n] + beta * c, row-major, leading dimensions in elements; beta 0 never reads
// c.
struct Gemm {
  DType dtype;
  bool trans_a, trans_b;
  int64_t m, n, k;
  const void* a;
  int64_t lda;
  const void* b;
  int64_t ldb;
  void* c;
  int64_t ldc;
  double alpha, beta;
  const void* bias = nullptr;  // [n], added to every row where beta is 0
};

// The product on the calling thread alone, for kernels that are parallel outside of it.
using GemmFunction = void (*)(const Gemm&);

// A batch of products over broadcast batch dimensions.
struct GemmBatchArgs {
  Gemm gemm;  // pointers of batch element 0; the bias is that of all
  int32_t ndim;
  int64_t shape[kMaxDims];     // batch sizes; c is contiguous over them
  int64_t stride_a[kMaxDims];  // in elements, 0 where broadcast
  int64_t stride_b[kMaxDims];
};

}  // namespace chainrule
