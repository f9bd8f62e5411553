// copy: y = x between any two dtypes.
#include "kernels/capability.h"
//
#include "kernels/convert.h"
#include "kernels/rows.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

template <class From, class To>
void convert_row(void* y, const void* const* x, const int64_t* step, int64_t n, const double*) {
  To* out = static_cast<To*>(y);
  const From* a = static_cast<const From*>(x[0]);
  if (step[0] == 0) return repeat(out, Convert<To, From>::of(*a), n);
  for (int64_t i = 0; i < n; ++i) out[i] = Convert<To, From>::of(a[i]);
}

// Bits are kept: a signalling NaN would not survive a float register everywhere.
template <class Bits>
void same_row(void* y, const void* const* x, const int64_t* step, int64_t n, const double*) {
  const Bits* a = static_cast<const Bits*>(x[0]);
  if (step[0] == 0) return repeat(static_cast<Bits*>(y), *a, n);
  __builtin_memmove(y, a, n * sizeof(Bits));
}

}  // namespace

void fill_copy(Table& table) {
  const RowFunction rows[kDTypes][kDTypes] = {
      {same_row<uint32_t>, convert_row<float, double>, convert_row<float, int32_t>, convert_row<float, uint8_t>,
       convert_row<float, Bool>},
      {convert_row<double, float>, same_row<uint64_t>, convert_row<double, int32_t>, convert_row<double, uint8_t>,
       convert_row<double, Bool>},
      {convert_row<int32_t, float>, convert_row<int32_t, double>, same_row<uint32_t>, convert_row<int32_t, uint8_t>,
       convert_row<int32_t, Bool>},
      {convert_row<uint8_t, float>, convert_row<uint8_t, double>, convert_row<uint8_t, int32_t>, same_row<uint8_t>,
       convert_row<uint8_t, Bool>},
      {convert_row<Bool, float>, convert_row<Bool, double>, convert_row<Bool, int32_t>, convert_row<Bool, uint8_t>,
       same_row<uint8_t>},
  };
  __builtin_memcpy(table.copy, rows, sizeof rows);
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
