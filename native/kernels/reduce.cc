// Reductions: one line of CHAINRULE_REDUCTIONS and one Op each; loops in reduce_fold.h and reduce_find.h.
#include "kernels/capability.h"
//
#include "kernels/reduce_find.h"
#include "kernels/reduce_fold.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// An element of a bool tensor; anything but 0 is true.
enum class Bit : uint8_t {};

template <class T>
inline constexpr bool kFloat = __is_same(T, float) || __is_same(T, double);

template <class T>
constexpr DType dtype_of() {
  if constexpr (__is_same(T, float)) return DType::kFloat32;
  if constexpr (__is_same(T, double)) return DType::kFloat64;
  if constexpr (__is_same(T, int32_t)) return DType::kInt32;
  if constexpr (__is_same(T, uint8_t)) return DType::kUint8;
  return DType::kBool;
}

template <bool first, class A, class B>
struct Choose {
  using Type = A;
};
template <class A, class B>
struct Choose<false, A, B> {
  using Type = B;
};
template <bool first, class A, class B>
using choose = typename Choose<first, A, B>::Type;

template <class A, class T>
inline A convert(T x) {
  if constexpr (__is_same(T, Bit))
    return static_cast<A>(x != Bit{});
  else
    return static_cast<A>(x);
}

template <class C, class V>
inline V pick(C c, V a, V b) {
  return c ? a : b;
}
template <class T>
inline Batch<T> pick(xsimd::batch_bool<T> c, Batch<T> a, Batch<T> b) {
  return xsimd::select(c, a, b);
}

template <class V>
inline auto is_nan(V x) {
  return x != x;
}
// xsimd's != is ordered on AVX and later: false for NaN.
template <class T>
inline xsimd::batch_bool<T> is_nan(Batch<T> x) {
  return xsimd::isnan(x);
}

// Sums of floating point are made in float64, of integers modulo 2^32.
template <class Element>
struct Adding {
  using T = Element;
  using Acc = choose<kFloat<T>, double, uint32_t>;
  using Out = choose<kFloat<T>, T, int32_t>;
  static constexpr int kLanes = kFloat<T> ? 16 : 0;
  static constexpr bool kTwoLevels = __is_same(T, double);
  static constexpr bool kTruth = false;
  static constexpr bool kNeedsElements = false;
  static Acc identity() { return 0; }
  static Acc value(T x) { return convert<Acc>(x); }
  template <class V>
  static V combine(V a, V b) {
    return a + b;
  }
  static Acc repeat(Acc a, int64_t n) { return a * static_cast<Acc>(n); }
  static Out finish(Acc a, int64_t) { return static_cast<Out>(a); }
};

template <class T>
struct Sum : Adding<T> {
  template <class V>
  static V step(V a, V x) {
    return a + x;
  }
};

template <class T>
struct SumSquares : Adding<T> {
  template <class V>
  static V step(V a, V x) {
    return a + x * x;
  }
};

template <class Element>
struct Mean : Sum<Element> {
  using T = Element;
  using Acc = choose<kFloat<T>, double, uint64_t>;
  using Out = choose<__is_same(T, double), double, float>;
  static Acc identity() { return 0; }
  static Acc value(T x) {
    if constexpr (__is_same(T, int32_t))
      return static_cast<Acc>(static_cast<int64_t>(x));
    else
      return convert<Acc>(x);
  }
  static Acc repeat(Acc a, int64_t n) { return a * static_cast<Acc>(n); }
  static Out finish(Acc a, int64_t count) {
    if constexpr (kFloat<T>)
      return static_cast<Out>(a / static_cast<double>(count));
    else
      return static_cast<Out>(static_cast<double>(static_cast<int64_t>(a)) / static_cast<double>(count));
  }
};

template <class T>
struct Prod : Adding<T> {
  using Acc = typename Adding<T>::Acc;
  static constexpr bool kTwoLevels = false;
  static Acc identity() { return 1; }
  template <class V>
  static V step(V a, V x) {
    return a * x;
  }
  template <class V>
  static V combine(V a, V b) {
    return a * b;
  }
  static Acc repeat(Acc a, int64_t n) {
    Acc power = 1;
    for (; n > 0; n /= 2, a = a * a)
      if (n % 2) power = power * a;
    return power;
  }
};

template <class Element>
struct Extreme {
  using T = Element;
  using Acc = choose<__is_same(T, Bit), uint8_t, T>;
  using Out = Acc;
  static constexpr int kLanes = __is_same(T, float) ? 32 : __is_same(T, double) ? 16 : 0;
  static constexpr bool kTwoLevels = false;
  static constexpr bool kTruth = false;
  static constexpr bool kNeedsElements = true;
  static Acc value(T x) { return convert<Acc>(x); }
  static Acc repeat(Acc a, int64_t) { return a; }
  static Out finish(Acc a, int64_t) { return a; }
  static constexpr Acc kLowest = kFloat<T>               ? static_cast<Acc>(-__builtin_inf())
                                 : __is_same(T, int32_t) ? static_cast<Acc>(INT32_MIN)
                                                         : static_cast<Acc>(0);
  static constexpr Acc kHighest = kFloat<T>               ? static_cast<Acc>(__builtin_inf())
                                  : __is_same(T, int32_t) ? static_cast<Acc>(INT32_MAX)
                                                          : static_cast<Acc>(255);
};

// NaN is what it is compared with: once met it stays.
template <class T>
struct Max : Extreme<T> {
  using Acc = typename Extreme<T>::Acc;
  static Acc identity() { return Extreme<T>::kLowest; }
  template <class V>
  static V step(V a, V x) {
    if constexpr (kFloat<T>)
      return pick((x > a) | is_nan(x), x, a);
    else
      return x > a ? x : a;
  }
  template <class V>
  static V combine(V a, V b) {
    return step(a, b);
  }
  static bool beats(Acc x, Acc best) {
    if constexpr (kFloat<T>)
      return (x > best) | ((x != x) & (best == best));
    else
      return x > best;
  }
};

template <class T>
struct Min : Extreme<T> {
  using Acc = typename Extreme<T>::Acc;
  static Acc identity() { return Extreme<T>::kHighest; }
  template <class V>
  static V step(V a, V x) {
    if constexpr (kFloat<T>)
      return pick((x < a) | is_nan(x), x, a);
    else
      return x < a ? x : a;
  }
  template <class V>
  static V combine(V a, V b) {
    return step(a, b);
  }
  static bool beats(Acc x, Acc best) {
    if constexpr (kFloat<T>)
      return (x < best) | ((x != x) & (best == best));
    else
      return x < best;
  }
};

// Truth in a word as wide as an element, so that comparisons need no narrowing. NaN is true.
template <class Element>
struct Truth {
  using T = Element;
  using Acc = choose<sizeof(T) == 8, uint64_t, choose<sizeof(T) == 4, uint32_t, uint8_t>>;
  using Out = uint8_t;
  static constexpr int kLanes = 0;
  static constexpr bool kTwoLevels = false;
  static constexpr bool kTruth = true;
  static constexpr bool kNeedsElements = false;
  static Acc value(T x) { return x != T{}; }
  static Acc repeat(Acc a, int64_t) { return a; }
  static Out finish(Acc a, int64_t) { return static_cast<Out>(a); }
};

template <class T>
struct All : Truth<T> {
  using Acc = typename Truth<T>::Acc;
  static Acc identity() { return 1; }
  static Acc step(Acc a, Acc x) { return a & x; }
  static Acc combine(Acc a, Acc b) { return a & b; }
};

template <class T>
struct Any : Truth<T> {
  using Acc = typename Truth<T>::Acc;
  static Acc identity() { return 0; }
  static Acc step(Acc a, Acc x) { return a | x; }
  static Acc combine(Acc a, Acc b) { return a | b; }
};

template <class Element>
struct CountNonzero : Adding<Element> {
  using T = Element;
  using Acc = uint32_t;
  using Out = int32_t;
  static constexpr int kLanes = 0;
  static constexpr bool kTwoLevels = false;
  static Acc identity() { return 0; }
  static Acc value(T x) { return x != T{}; }
  static Acc step(Acc a, Acc x) { return a + x; }
  static Acc combine(Acc a, Acc b) { return a + b; }
  static Acc repeat(Acc a, int64_t n) { return a * static_cast<Acc>(n); }
  static Out finish(Acc a, int64_t) { return static_cast<Out>(a); }
};

// The three kinds of kernels: what is folded, an extreme (with its place if asked for), the place of an extreme.
template <template <class> class Op, class T>
constexpr ReduceKernel folded() {
  using Kernel = Fold<Op<T>>;
  return Kernel::kernel(Op<T>::kTruth ? DType::kBool : dtype_of<typename Kernel::Out>());
}

template <class Op, class T>
constexpr ReduceKernel kFinder = Find<Op>::kernel(dtype_of<T>(), false);

template <template <class> class Op, class T>
constexpr ReduceKernel extreme() {
  return Fold<Op<T>>::kernel(dtype_of<T>(), &kFinder<Op<T>, T>);
}

template <template <class> class Op, class T>
constexpr ReduceKernel place() {
  return Find<Op<T>>::kernel(DType::kInt32, true);
}

#define CHAINRULE_REDUCTIONS(F)          \
  F(sum, folded, Sum)                    \
  F(mean, folded, Mean)                  \
  F(prod, folded, Prod)                  \
  F(sum_squares, folded, SumSquares)     \
  F(count_nonzero, folded, CountNonzero) \
  F(all, folded, All)                    \
  F(any, folded, Any)                    \
  F(amax, extreme, Max)                  \
  F(amin, extreme, Min)                  \
  F(argmax, place, Max)                  \
  F(argmin, place, Min)

#define CHAINRULE_NAME(name, kind, Op) #name,
constexpr const char* kNames[] = {CHAINRULE_REDUCTIONS(CHAINRULE_NAME)};

#define CHAINRULE_ROW(name, kind, Op) \
  {kind<Op, float>(), kind<Op, double>(), kind<Op, int32_t>(), kind<Op, uint8_t>(), kind<Op, Bit>()},
constexpr ReduceKernel kKernels[][kDTypes] = {CHAINRULE_REDUCTIONS(CHAINRULE_ROW)};

}  // namespace

void fill_reduce(Table& table) { table.reduce = {kNames, sizeof kNames / sizeof *kNames, kKernels}; }

}  // namespace chainrule::CHAINRULE_CAPABILITY
