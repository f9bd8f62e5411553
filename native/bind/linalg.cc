// Bindings of linear algebra: one a family of factors. Slots are listed in lib/native.ts.
#include "blas/linalg.h"

#include <algorithm>

#include "bind/call.h"
#include "core/launch.h"

namespace chainrule {
namespace {

constexpr int kOffsets = 10;
// LAPACK counts rows and columns in 32 bits, and sizes of rows must not wrap around in sums of two.
constexpr int64_t kMostRows = int64_t{1} << 30;

// Reads the slots that all share and hands out runs of matrices, argument after argument.
class Matrices {
 public:
  Matrices(napi_env env, napi_callback_info info) : call(env, info) {
    args.dtype = static_cast<DType>(call.integer(0, 0, 1));
    args.batch = call.size(1);
    args.m = call.integer(2, 0, kMostRows);
    args.n = call.integer(3, 0, kMostRows);
    args.k = call.integer(4, 0, kMostRows);
    args.mode = static_cast<int32_t>(call.integer(5, 0, 3));
    args.upper = call.flag(6);
    args.transposed = call.flag(7);
    args.unit = call.flag(8);
    args.rcond = call.real(9);
  }

  // The next argument: `batch` matrices of rows x columns.
  void* next(int64_t rows, int64_t columns) { return next(rows, columns, args.dtype); }
  int32_t* integers(int64_t n) { return static_cast<int32_t*>(next(n, 1, DType::kInt32)); }
  // An argument that is not there this time.
  void skip() { ++index_; }

  // Runs the function unless there is nothing in a matrix or something was wrong.
  napi_value run(Kernel<LinalgArgs> kernel, bool something) {
    if (call.ok() && something && args.batch > 0) launch(kernel, args);
    return nullptr;
  }

  Call call;
  LinalgArgs args{};

 private:
  void* next(int64_t rows, int64_t columns, DType dtype) {
    int64_t elements = 0;
    const int index = index_++;
    if (!call.ok()) return nullptr;
    if (__builtin_mul_overflow(rows, columns, &elements) || __builtin_mul_overflow(elements, args.batch, &elements)) {
      call.fail("matrices with fewer than 2^63 elements");
      return nullptr;
    }
    return call.run(index, kOffsets + index, elements, dtype);
  }

  int index_ = 0;
};

napi_value inverse(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.n, args.n);
  args.info = in.integers(1);
  args.a = in.next(args.n, args.n);
  return in.run(linalg_inverse, args.n > 0);
}

napi_value solve(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.n, args.k);
  args.info = in.integers(1);
  args.a = in.next(args.n, args.n);
  args.b = in.next(args.n, args.k);
  return in.run(linalg_solve, args.n > 0 && args.k > 0);
}

napi_value lu(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.m, args.n);
  args.pivots = in.integers(std::min(args.m, args.n));
  args.y = in.next(1, 1);
  args.info = in.integers(1);
  args.a = in.next(args.m, args.n);
  return in.run(linalg_lu, args.m > 0 && args.n > 0);
}

napi_value lu_solve(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.n, args.k);
  args.info = in.integers(1);
  args.a = in.next(args.n, args.n);
  args.pivots = in.integers(args.n);
  args.b = in.next(args.n, args.k);
  return in.run(linalg_lu_solve, args.n > 0 && args.k > 0);
}

napi_value cholesky(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.n, args.n);
  args.info = in.integers(1);
  args.a = in.next(args.n, args.n);
  return in.run(linalg_cholesky, args.n > 0);
}

napi_value triangular(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.n, args.k);
  args.a = in.next(args.n, args.n);
  args.b = in.next(args.n, args.k);
  return in.run(linalg_triangular, args.n > 0 && args.k > 0);
}

napi_value qr(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  const int64_t columns = args.mode == 1 ? args.m : std::min(args.m, args.n);
  if (args.mode == 2) {
    in.skip();
  } else {
    args.x = in.next(args.m, columns);
  }
  args.y = in.next(columns, args.n);
  args.info = in.integers(1);
  args.a = in.next(args.m, args.n);
  if (args.mode > 2) in.call.fail("a mode from 0 to 2");
  return in.run(linalg_qr, args.m > 0 && args.n > 0);
}

napi_value svd(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  const int64_t few = std::min(args.m, args.n);
  if (args.mode == 0) {
    in.skip();
  } else {
    args.x = in.next(args.m, args.mode == 2 ? args.m : few);
  }
  args.y = in.next(few, 1);
  if (args.mode == 0) {
    in.skip();
  } else {
    args.z = in.next(args.mode == 2 ? args.n : few, args.n);
  }
  args.info = in.integers(1);
  args.a = in.next(args.m, args.n);
  if (args.mode > 2) in.call.fail("a mode from 0 to 2");
  return in.run(linalg_svd, few > 0);
}

napi_value eigh(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.n, 1);
  if (args.mode == 0) {
    in.skip();
  } else {
    args.y = in.next(args.n, args.n);
  }
  args.info = in.integers(1);
  args.a = in.next(args.n, args.n);
  if (args.mode > 1) in.call.fail("a mode from 0 to 1");
  return in.run(linalg_eigh, args.n > 0);
}

napi_value lstsq(napi_env env, napi_callback_info info) {
  Matrices in(env, info);
  LinalgArgs& args = in.args;
  args.x = in.next(args.n, args.k);
  args.y = in.next(args.k, 1);
  if (args.mode < 2) {
    in.skip();
  } else {
    args.z = in.next(std::min(args.m, args.n), 1);
  }
  args.pivots = in.integers(1);
  args.info = in.integers(1);
  args.a = in.next(args.m, args.n);
  args.b = in.next(args.m, args.k);
  return in.run(linalg_lstsq, args.m > 0 && args.n > 0 && args.k > 0);
}

}  // namespace

void register_linalg(napi_env env, napi_value exports) {
  export_function(env, exports, "inverse", inverse);
  export_function(env, exports, "linearSolve", solve);
  export_function(env, exports, "lu", lu);
  export_function(env, exports, "luSolve", lu_solve);
  export_function(env, exports, "cholesky", cholesky);
  export_function(env, exports, "triangularSolve", triangular);
  export_function(env, exports, "qr", qr);
  export_function(env, exports, "svd", svd);
  export_function(env, exports, "eigh", eigh);
  export_function(env, exports, "leastSquares", lstsq);
}

}  // namespace chainrule
