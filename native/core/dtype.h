// Element types; the numbers are those of lib/core/dtype.ts.
#pragma once
#include <cstddef>
#include <cstdint>

namespace chainrule {

enum class DType : int32_t { kFloat32 = 0, kFloat64 = 1, kInt32 = 2, kUint8 = 3, kBool = 4 };
inline constexpr int kDTypes = 5;
inline constexpr int kMaxDims = 8;

inline constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return 8;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    default:
      return 1;
  }
}

}  // namespace chainrule
