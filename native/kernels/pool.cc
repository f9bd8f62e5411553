// The pooling kernels' place in the table.
#include "kernels/capability.h"
//
#include "kernels/pool_paths.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void fill_pool(Table& table) {
  table.max_pool2d_forward = max_pool2d_forward;
  table.max_pool2d_backward = max_pool2d_backward;
  table.avg_pool2d_forward = avg_pool2d_forward;
  table.avg_pool2d_backward = avg_pool2d_backward;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
