// Comparisons and logic: y (bool) = a < b and so on; one line here is the whole of a kernel.
#include "kernels/capability.h"
//
#include "kernels/rows.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// bool comes as its byte: any value but 0 is true, so it is made 0 or 1 before it is compared.
#define CHAINRULE_COMPARE(K)          \
  K(eq, a == b)                       \
  K(ne, a != b)                       \
  K(lt, a < b)                        \
  K(le, a <= b)                       \
  K(gt, a > b)                        \
  K(ge, a >= b)                       \
  K(logical_and, (a != 0) & (b != 0)) \
  K(logical_or, (a != 0) | (b != 0))  \
  K(logical_xor, (a != 0) ^ (b != 0))

namespace functors {
#define CHAINRULE_FUNCTOR(name, expression)   \
  struct name {                               \
    template <class T>                        \
    static uint8_t of(T a, T b) {             \
      return expression;                      \
    }                                         \
  };                                          \
  struct name##_bool {                        \
    static uint8_t of(uint8_t x, uint8_t y) { \
      const uint8_t a = x != 0, b = y != 0;   \
      return expression;                      \
    }                                         \
  };
CHAINRULE_COMPARE(CHAINRULE_FUNCTOR)
}  // namespace functors

#define CHAINRULE_NAME(name, ...) #name,
const char* const kNames[] = {CHAINRULE_COMPARE(CHAINRULE_NAME)};

#define CHAINRULE_ROW(name, ...)                                                                     \
  {binary_values<functors::name, float, uint8_t>, binary_values<functors::name, double, uint8_t>,    \
   binary_values<functors::name, int32_t, uint8_t>, binary_values<functors::name, uint8_t, uint8_t>, \
   binary_values<functors::name##_bool, uint8_t, uint8_t>},
constexpr RowFunction kRows[][kDTypes] = {CHAINRULE_COMPARE(CHAINRULE_ROW)};

}  // namespace

void fill_compare(Table& table) { table.compare = {kNames, sizeof kRows / sizeof *kRows, kRows}; }

}  // namespace chainrule::CHAINRULE_CAPABILITY
