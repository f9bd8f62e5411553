// The normalisation kernels' place in the table.
#include "kernels/norm.h"

#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void fill_norm(Table& table) {
  table.norm_forward = norm_forward;
  table.norm_backward = norm_backward;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
