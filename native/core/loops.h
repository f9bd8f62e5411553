// The elementwise driver: dimensions, strides, broadcasting and threads, once for all kernels of the elementwise
// families.
#pragma once
#include "core/args/elementwise.h"

namespace chainrule {

void run_elementwise(const ElementwiseArgs& args);

}  // namespace chainrule
