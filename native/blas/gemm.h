// Matrix products over OpenBLAS, whose one thread per call we run many of.
#pragma once
#include "core/args/gemm.h"

namespace chainrule {

// With a bias every row of c becomes a copy of it, and the product that is left adds to that.
Gemm start_from_bias(Gemm gemm);

// float32, float64 and (alpha 1, beta 0 or 1, wrapping around) int32.
void gemm_serial(const Gemm& gemm);
// The same product on all threads. The result does not depend on how many there are.
void gemm(const Gemm& gemm);
void gemm_batch(const GemmBatchArgs& args);

// gemm_serial for sizes beyond `most`, which is what OpenBLAS counts with; the tests lower it.
void gemm_in_pieces(const Gemm& gemm, int64_t most);

}  // namespace chainrule
