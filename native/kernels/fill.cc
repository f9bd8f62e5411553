// fill and arange.
#include "kernels/capability.h"
//
#include "core/parallel.h"
#include "kernels/convert.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

constexpr int64_t kGrain = 65536;

template <class T, bool kSteps>
void fill_run(const FillArgs& args) {
  const double start = args.start, step = args.step;
  const auto run = [y = static_cast<T*>(args.y), start, step](int64_t begin, int64_t end) {
    const T value = Convert<T, double>::of(start);
    for (int64_t i = begin; i < end; ++i)
      y[i] = kSteps ? Convert<T, double>::of(start + static_cast<double>(i) * step) : value;
  };
  if (args.n <= kGrain)
    run(0, args.n);
  else
    parallel_for(args.n, kGrain, run);
}

template <bool kSteps>
void fill(const FillArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return fill_run<float, kSteps>(args);
    case DType::kFloat64:
      return fill_run<double, kSteps>(args);
    case DType::kInt32:
      return fill_run<int32_t, kSteps>(args);
    case DType::kUint8:
      return fill_run<uint8_t, kSteps>(args);
    case DType::kBool:
      return fill_run<Bool, kSteps>(args);
  }
}

}  // namespace

void fill_fill(Table& table) {
  table.fill = fill<false>;
  table.arange = fill<true>;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
