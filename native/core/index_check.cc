// Checking indices before anything is read or written with them.
#include "core/index_check.h"

#include <algorithm>

#include "core/first_place.h"

namespace chainrule {
namespace {

thread_local int64_t bad_index = -1;

}  // namespace

bool check_indices(const int32_t* index, int64_t count, int64_t low, int64_t n, int64_t ignored) {
  constexpr int64_t kGrain = 64 * 1024;
  // Bounds as indices have them, so that a vector holds as many as fit.
  const auto least = static_cast<int32_t>(std::max<int64_t>(low, INT32_MIN));
  const auto most = static_cast<int32_t>(std::min<int64_t>(n - 1, INT32_MAX));
  const auto outside = [=](int64_t j) { return (index[j] < least) | (index[j] > most); };
  const int64_t place =
      ignored == kNoneIgnored
          ? first_place_of_all(count, kGrain, outside)
          : first_place_of_all(count, kGrain, [=, skipped = static_cast<int32_t>(ignored)](int64_t j) {
              return outside(j) & (index[j] != skipped);
            });
  if (place == count) return true;
  keep_bad_index(place);
  return false;
}

void keep_bad_index(int64_t place) {
  if (bad_index < 0) bad_index = place;
}

int64_t take_bad_index() {
  const int64_t place = bad_index;
  bad_index = -1;
  return place;
}

}  // namespace chainrule
