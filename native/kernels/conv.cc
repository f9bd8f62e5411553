// The convolution kernels' place in the table.
#include "kernels/capability.h"
//
#include "kernels/conv_paths.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void fill_conv(Table& table) {
  table.conv_forward = conv_forward;
  table.conv_backward_input = conv_backward_input;
  table.conv_backward_weight = conv_backward_weight;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
