// Batches of matrix products over broadcast batch dimensions.
#include <algorithm>

#include "blas/gemm.h"
#include "core/parallel.h"

namespace chainrule {
namespace {

char* at(const void* p, int64_t elements, DType dtype) {
  return const_cast<char*>(static_cast<const char*>(p)) + elements * static_cast<int64_t>(size_of(dtype));
}

int64_t batch_size(const GemmBatchArgs& args) {
  int64_t size = 1;
  for (int i = 0; i < args.ndim; ++i) size *= args.shape[i];
  return size;
}

// The product of batch element `index`.
Gemm element(const GemmBatchArgs& args, int64_t index) {
  Gemm g = args.gemm;
  int64_t a = 0, b = 0, rest = index;
  for (int i = args.ndim - 1; i >= 0; --i) {
    const int64_t place = rest % args.shape[i];
    rest /= args.shape[i];
    a += place * args.stride_a[i];
    b += place * args.stride_b[i];
  }
  g.a = at(g.a, a, g.dtype);
  g.b = at(g.b, b, g.dtype);
  g.c = at(g.c, index * g.m * g.ldc, g.dtype);
  return g;
}

// One b for the whole batch and rows of a that follow each other from element to element: one tall product.
bool is_tall(const GemmBatchArgs& args) {
  const Gemm& g = args.gemm;
  if (g.trans_a || g.ldc != g.n) return false;
  int64_t next = g.m * g.lda;
  for (int i = args.ndim - 1; i >= 0; --i) {
    if (args.shape[i] != 1 && (args.stride_b[i] != 0 || args.stride_a[i] != next)) return false;
    next *= args.shape[i];
  }
  return true;
}

}  // namespace

void gemm_batch(const GemmBatchArgs& args) {
  const Gemm& g = args.gemm;
  const int64_t batch = batch_size(args);
  if (batch <= 0 || g.m <= 0 || g.n <= 0) return;
  if (batch > 1 && is_tall(args)) {
    GemmBatchArgs tall = args;
    tall.gemm.m *= batch;
    tall.ndim = 0;
    return gemm_batch(tall);
  }
  if (batch == 1) return gemm(element(args, 0));
  // About 0.5 M multiply-adds, some 5 us, per piece of the batch.
  const double each =
      static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(std::max<int64_t>(g.k, 1));
  const int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(524288 / each));
  if (batch < 4 && each > 4e6) {
    for (int64_t i = 0; i < batch; ++i) gemm(element(args, i));
    return;
  }
  parallel_for(batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) gemm_serial(element(args, i));
  });
}

}  // namespace chainrule
