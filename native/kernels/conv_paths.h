// The three directions of convolution, each in its own file, and those of depthwise convolution.
#pragma once
#include "core/args/conv.h"
#include "kernels/capability.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void conv_forward(const ConvArgs& args);
void conv_backward_input(const ConvArgs& args);
void conv_backward_weight(const ConvArgs& args);

bool is_depthwise(const ConvGeometry& g);
void depthwise_forward(const ConvArgs& args);
void depthwise_backward_input(const ConvArgs& args);
void depthwise_backward_weight(const ConvArgs& args);

}  // namespace chainrule::CHAINRULE_CAPABILITY
