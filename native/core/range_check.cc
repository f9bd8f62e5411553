// Checking values: whether all of a run of numbers lie in a range.
#include "core/range_check.h"

#include "core/first_place.h"
#include "core/index_check.h"

namespace chainrule {
namespace {

template <class T>
void check(const RangeArgs& args) {
  constexpr int64_t kGrain = 32 * 1024;
  const T* x = static_cast<const T*>(args.x);
  const double low = args.low, high = args.high;
  const int64_t place = first_place_of_all(args.n, kGrain, [x, low, high](int64_t j) {
    const double value = static_cast<double>(x[j]);
    return (value < low) | (value > high);
  });
  if (place != args.n) keep_bad_index(place);
}

}  // namespace

void check_range(const RangeArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return check<float>(args);
    case DType::kFloat64:
      return check<double>(args);
    case DType::kInt32:
      return check<int32_t>(args);
    default:
      return check<uint8_t>(args);
  }
}

}  // namespace chainrule
