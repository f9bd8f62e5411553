// The convolution kernels' place in the table.
#include "kernels/capability.h"
//
#include "kernels/conv_paths.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void fill_conv(Table& table) {
  table.conv2d_forward = conv2d_forward;
  table.conv2d_backward_input = conv2d_backward_input;
  table.conv2d_backward_weight = conv2d_backward_weight;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
