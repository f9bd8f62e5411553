// Conversion between element types, defined for every value.
#pragma once
#include "kernels/capability.h"
//
#include <stdint.h>

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// An element of bool: its own type, for it is stored as a byte like uint8.
struct Bool {
  uint8_t byte;
};

// From floats to integers: truncated, NaN gives 0, what is out of range the nearest end. Selections only, so that loops
// over it vectorise. Integers wrap, as they do in C, NumPy and PyTorch.
template <class To, class From>
struct Convert {
  static To of(From x) { return static_cast<To>(x); }
};

template <class From>
struct Convert<int32_t, From> {
  static int32_t of(From x) {
    if constexpr (static_cast<From>(0.5) == 0) {
      return static_cast<int32_t>(x);
    } else {
      constexpr From kLow = static_cast<From>(-2147483648.0);
      constexpr From kHigh = sizeof(From) == 4 ? static_cast<From>(2147483520.0) : static_cast<From>(2147483647.0);
      From inside = x == x ? x : From(0);
      inside = inside < kLow ? kLow : inside;
      inside = inside > kHigh ? kHigh : inside;
      const int32_t whole = static_cast<int32_t>(inside);
      return x > kHigh ? INT32_MAX : whole;
    }
  }
};

template <class From>
struct Convert<uint8_t, From> {
  static uint8_t of(From x) {
    if constexpr (static_cast<From>(0.5) == 0) {
      return static_cast<uint8_t>(x);
    } else {
      From inside = x > From(0) ? x : From(0);
      inside = inside > From(255) ? From(255) : inside;
      return static_cast<uint8_t>(static_cast<int32_t>(inside));
    }
  }
};

template <class From>
struct Convert<Bool, From> {
  static Bool of(From x) { return {static_cast<uint8_t>(x != 0)}; }
};

template <class To>
struct Convert<To, Bool> {
  static To of(Bool x) { return static_cast<To>(x.byte != 0); }
};

template <>
struct Convert<int32_t, Bool> {
  static int32_t of(Bool x) { return x.byte != 0; }
};

template <>
struct Convert<uint8_t, Bool> {
  static uint8_t of(Bool x) { return x.byte != 0; }
};

template <>
struct Convert<Bool, Bool> {
  static Bool of(Bool x) { return {static_cast<uint8_t>(x.byte != 0)}; }
};

}  // namespace
}  // namespace chainrule::CHAINRULE_CAPABILITY
