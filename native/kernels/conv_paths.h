// The three directions of 2-d convolution, each in its own file, and those of depthwise convolution.
#pragma once
#include "core/args/conv.h"
#include "kernels/capability.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void conv2d_forward(const Conv2dArgs& args);
void conv2d_backward_input(const Conv2dArgs& args);
void conv2d_backward_weight(const Conv2dArgs& args);

bool is_depthwise(const Conv2dGeometry& g);
void depthwise_forward(const Conv2dArgs& args);
void depthwise_backward_input(const Conv2dArgs& args);
void depthwise_backward_weight(const Conv2dArgs& args);

}  // namespace chainrule::CHAINRULE_CAPABILITY
