// The kernels of pooling, maximum and average each in its own file.
#pragma once
#include "core/args/conv.h"
#include "kernels/capability.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void max_pool2d_forward(const Pool2dArgs& args);
void max_pool2d_backward(const Pool2dArgs& args);
void avg_pool2d_forward(const Pool2dArgs& args);
void avg_pool2d_backward(const Pool2dArgs& args);

}  // namespace chainrule::CHAINRULE_CAPABILITY
