// launch(): the single point through which every kernel runs.
#pragma once
#include <type_traits>

namespace chainrule {

template <class Args>
using Kernel = void (*)(const Args&);

// A call is a function and a plain struct of pointers and sizes, so that it can be copied, kept and run again.
template <class Args>
inline void launch(Kernel<Args> kernel, const Args& args) {
  static_assert(std::is_trivially_copyable_v<Args>, "kernel arguments are plain data");
  kernel(args);
}

}  // namespace chainrule
