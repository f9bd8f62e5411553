// The ways to multiply matrices that gemm.cc chooses among.
#pragma once
#include "core/args/gemm.h"
#include "kernels/capability.h"

namespace chainrule::CHAINRULE_CAPABILITY {

// Few rows of a against many of b, beta 0 or 1: false for any other product.
bool gemm_turned(const Gemm& gemm);

}  // namespace chainrule::CHAINRULE_CAPABILITY
