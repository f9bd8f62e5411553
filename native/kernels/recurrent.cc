// The recurrent kernels' place in the table.
#include "kernels/recurrent.h"

#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void fill_recurrent(Table& table) {
  table.recurrent_forward = recurrent_forward;
  table.recurrent_backward = recurrent_backward;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
