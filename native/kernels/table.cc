// Fills the table of kernels of one CPU capability.
#include "kernels/table.h"

#include "kernels/capability.h"

// A new family is a line here, its fill_<family>(Table&) in namespace chainrule::CHAINRULE_CAPABILITY, its source in
// native/sources.txt.
#define CHAINRULE_FAMILIES(F) \
  F(fill_reduce)              \
  F(fill_softmax)             \
  F(fill_loss)                \
  F(fill_ctc)                 \
  F(fill_index)               \
  F(fill_scan)                \
  F(fill_sort)                \
  F(fill_select)              \
  F(fill_search)              \
  F(fill_optim)               \
  F(fill_random)              \
  F(fill_conv)                \
  F(fill_gemm)                \
  F(fill_gemm_thin)           \
  F(fill_pool)                \
  F(fill_recurrent)           \
  F(fill_resample)            \
  F(fill_sample)              \
  F(fill_norm)                \
  F(fill_attention)           \
  F(fill_unary)               \
  F(fill_binary)              \
  F(fill_compare)             \
  F(fill_copy)                \
  F(fill_where)               \
  F(fill_fill)

namespace chainrule::CHAINRULE_CAPABILITY {

#define CHAINRULE_DECLARE(fill) void fill(Table& table);
CHAINRULE_FAMILIES(CHAINRULE_DECLARE)

void fill_table([[maybe_unused]] Table& table) {
#define CHAINRULE_CALL(fill) fill(table);
  CHAINRULE_FAMILIES(CHAINRULE_CALL)
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
