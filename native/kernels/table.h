// The table of kernels: one instance per CPU capability, chosen once at load.
#pragma once
#include "core/args/conv.h"
#include "core/args/elementwise.h"
#include "core/args/fill.h"
#include "core/args/gemm.h"
#include "core/args/index.h"
#include "core/args/loss.h"
#include "core/args/optim.h"
#include "core/args/random.h"
#include "core/args/reduce.h"
#include "core/args/softmax.h"
#include "core/launch.h"

namespace chainrule {

struct RecurrentArgs;
struct CtcArgs;
struct ScanArgs;
struct SortArgs;
struct SelectArgs;
struct RowOrderArgs;
struct SearchArgs;
struct NonzeroArgs;
struct ResampleArgs;
struct SampleArgs;
struct NormArgs;
struct AttentionArgs;

struct Table {
  RowFamily unary, test, binary, compare;
  RowFunction where[3];                // of elements of 1, 4 and 8 bytes
  RowFunction copy[kDTypes][kDTypes];  // from, to
  Kernel<FillArgs> fill, arange;
  ReduceFamily reduce;
  SoftmaxFamily softmax;
  Kernel<LossArgs> nll, nll_backward, cross_entropy_backward;
  Kernel<CtcArgs> ctc;
  Kernel<ScanArgs> cumsum, cumprod, cummax, cummin, logcumsumexp, recurrence;
  Kernel<SortArgs> sort;
  Kernel<SelectArgs> topk, kth;
  Kernel<RowOrderArgs> row_order;
  Kernel<SearchArgs> searchsorted;
  Kernel<NonzeroArgs> nonzero;
  Kernel<IndexArgs> gather, scatter_add, index_select, index_add, index_copy;
  Kernel<IndexArgs> scatter[kScatters];
  Kernel<OptimArgs> sgd[2], adam[2];  // float32, float64
  UpdateFamily update;
  RandomFamily random;
  Kernel<RandomArgs> randperm;
  Kernel<DropoutArgs> dropout;  // forward and backward
  Kernel<Gemm> gemm;            // parallel, for products with no short side; null where OpenBLAS serves better
  bool (*gemm_thin)(
      const Gemm&);  // parallel, for float products with a short side and k > 0; false: it is none of them
  Kernel<ConvArgs> conv_forward;
  Kernel<ConvArgs> conv_backward_input;
  Kernel<ConvArgs> conv_backward_weight;
  Kernel<Pool2dArgs> max_pool2d_forward;
  Kernel<Pool2dArgs> max_pool2d_backward;
  Kernel<Pool2dArgs> avg_pool2d_forward;
  Kernel<Pool2dArgs> avg_pool2d_backward;
  Kernel<RecurrentArgs> recurrent_forward, recurrent_backward;
  Kernel<ResampleArgs> resample;
  Kernel<SampleArgs> sample, sample_scatter, sample_dot;
  Kernel<NormArgs> norm_forward, norm_backward;
  Kernel<AttentionArgs> attention_forward, attention_backward;
};

// The kernels of the chosen capability, and its name: baseline, avx2, avx512 or neon.
const Table& kernels();
const char* capability();

}  // namespace chainrule
