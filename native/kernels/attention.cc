// The attention kernels' place in the table.
#include "kernels/attention.h"

#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {

void fill_attention(Table& table) {
  table.attention_forward = attention_forward;
  table.attention_backward = attention_backward;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
