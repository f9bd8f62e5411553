// Binding of matrix products. Slots are listed in lib/native.ts.
#include "blas/gemm.h"

#include "bind/call.h"
#include "core/launch.h"

namespace chainrule {
namespace {

// Checks one operand of the batch: the view [batch..., rows, columns] with the leading dimension as row step.
char* operand(Call& call, int index, int slot, int ndim, const int64_t* batch, const int64_t* batch_strides,
              int64_t rows, int64_t columns, int64_t ld, DType dtype) {
  if (!call.ok()) return nullptr;
  int64_t shape[kMaxDims], strides[kMaxDims];
  for (int d = 0; d < ndim; ++d) {
    shape[d] = batch[d];
    strides[d] = batch_strides[d];
  }
  shape[ndim] = rows;
  strides[ndim] = ld;
  shape[ndim + 1] = columns;
  strides[ndim + 1] = 1;
  return call.view(index, slot, ndim + 2, shape, strides, dtype);
}

napi_value gemm_binding(napi_env env, napi_callback_info info) {
  Call call(env, info);
  GemmBatchArgs args{};
  Gemm& g = args.gemm;
  g.dtype = static_cast<DType>(call.integer(0, 0, 2));
  g.trans_a = call.flag(1);
  g.trans_b = call.flag(2);
  int64_t sizes[3];
  call.shape(3, 3, sizes);
  g.m = sizes[0];
  g.n = sizes[1];
  g.k = sizes[2];
  g.lda = call.size(6);
  g.ldb = call.size(7);
  g.ldc = g.n;
  g.alpha = call.real(8);
  g.beta = call.real(9);
  args.ndim = static_cast<int32_t>(call.integer(14, 0, kMaxDims - 2));
  int64_t c_shape[kMaxDims];
  call.shape(15, args.ndim, args.shape);
  call.strides(15 + args.ndim, args.ndim, args.stride_a);
  call.strides(15 + 2 * args.ndim, args.ndim, args.stride_b);
  for (int d = 0; d < args.ndim; ++d) c_shape[d] = args.shape[d];
  c_shape[args.ndim] = g.m;
  c_shape[args.ndim + 1] = g.n;
  const int64_t a_rows = g.trans_a ? g.k : g.m, a_columns = g.trans_a ? g.m : g.k;
  const int64_t b_rows = g.trans_b ? g.n : g.k, b_columns = g.trans_b ? g.k : g.n;
  if (call.ok() && (g.lda < a_columns || g.ldb < b_columns)) call.fail("leading dimensions of at least a row");
  // Integers have no other factors (blas/gemm.h), and a bias takes the place of what c held.
  const bool bias = call.real(13) != -1, plain = g.alpha == 1 && (g.beta == 0 || g.beta == 1);
  if (call.ok() && ((g.dtype == DType::kInt32 && !plain) || (bias && g.beta != 0)))
    call.fail("alpha 1 and beta 0 or 1 for integers, and beta 0 with a bias");
  if (!call.ok()) return nullptr;
  // The step between rows of one row means nothing; it must not exceed what OpenBLAS counts with.
  if (a_rows <= 1) g.lda = a_columns;
  if (b_rows <= 1) g.ldb = b_columns;
  int64_t elements = 1;
  for (int d = 0; d < args.ndim + 2; ++d) {
    if (__builtin_mul_overflow(elements, c_shape[d], &elements)) {
      call.fail("a result with fewer than 2^63 elements");
      return nullptr;
    }
  }
  g.c = call.run(0, 10, elements, g.dtype);
  g.a = operand(call, 1, 11, args.ndim, args.shape, args.stride_a, a_rows, a_columns, g.lda, g.dtype);
  g.b = operand(call, 2, 12, args.ndim, args.shape, args.stride_b, b_rows, b_columns, g.ldb, g.dtype);
  if (bias) g.bias = call.run(3, 13, g.n, g.dtype);
  if (call.ok() && elements > 0) launch(gemm_batch, args);
  return nullptr;
}

}  // namespace

void register_gemm(napi_env env, napi_value exports) { export_function(env, exports, "gemm", gemm_binding); }

}  // namespace chainrule
