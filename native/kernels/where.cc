// where: y = condition ? a : b, by the size of the elements.
#include "kernels/capability.h"
//
#include "kernels/rows.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Both sides are loaded before one is chosen, so that the loop vectorises.
template <class T, int kStepA, int kStepB>
void choose(T* y, const uint8_t* condition, const T* a, const T* b, int64_t n) {
  const T a0 = *a, b0 = *b;
  for (int64_t i = 0; i < n; ++i) {
    const T u = kStepA ? a[i] : a0, v = kStepB ? b[i] : b0;
    y[i] = condition[i] != 0 ? u : v;
  }
}

template <class T>
void where_row(void* y, const void* const* x, const int64_t* step, int64_t n, const double*) {
  T* out = static_cast<T*>(y);
  const uint8_t* condition = static_cast<const uint8_t*>(x[0]);
  const T* a = static_cast<const T*>(x[1]);
  const T* b = static_cast<const T*>(x[2]);
  if (step[0] == 0) {
    const T* from = *condition != 0 ? a : b;
    if (step[*condition != 0 ? 1 : 2] == 0)
      repeat(out, *from, n);
    else
      __builtin_memmove(out, from, n * sizeof(T));
  } else if (step[1] != 0) {
    (step[2] != 0 ? choose<T, 1, 1> : choose<T, 1, 0>)(out, condition, a, b, n);
  } else {
    (step[2] != 0 ? choose<T, 0, 1> : choose<T, 0, 0>)(out, condition, a, b, n);
  }
}

}  // namespace

void fill_where(Table& table) {
  table.where[0] = where_row<uint8_t>;
  table.where[1] = where_row<uint32_t>;
  table.where[2] = where_row<uint64_t>;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
