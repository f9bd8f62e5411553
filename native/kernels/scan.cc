// Running sums, products, extremes and logarithms of sums, and the linear recurrence that their gradients are made of.
#include "kernels/capability.h"
//
#include <math.h>

#include "core/args/scan.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Elements a thread should have to itself.
constexpr int64_t kGrain = 16 * 1024;
// A long line is cut every so many elements, whatever its length: an element depends on those before it alone.
constexpr int64_t kChunk = 64 * 1024;
// Columns scanned side by side.
constexpr int64_t kTile = 64;

template <class T>
inline constexpr bool kFloat = static_cast<T>(0.5) != 0;

template <bool first, class A, class B>
struct Choose {
  using Type = A;
};
template <class A, class B>
struct Choose<false, A, B> {
  using Type = B;
};

// What an Op is: an accumulator of nothing, one element more, the accumulator of a run, two joined, and the result.
template <class Element>
struct Sum {
  using T = Element;
  using Acc = typename Choose<kFloat<T>, double, uint32_t>::Type;
  static Acc none() { return 0; }
  static void add(Acc& acc, T x, int64_t) { acc += static_cast<Acc>(x); }
  static void join(Acc& acc, Acc later) { acc += later; }
  static T value(Acc acc) { return static_cast<T>(acc); }
  // Several sums side by side: one alone waits for each addition.
  static Acc fold(const T* x, int64_t n, int64_t, bool) {
    constexpr int64_t kSums = 16;
    Acc sums[kSums] = {};
    int64_t i = 0;
    for (; i + kSums <= n; i += kSums)
      for (int64_t j = 0; j < kSums; ++j) sums[j] += static_cast<Acc>(x[i + j]);
    for (int64_t j = 0; i < n; ++i, ++j) sums[j] += static_cast<Acc>(x[i]);
    for (int64_t half = kSums / 2; half > 0; half /= 2)
      for (int64_t j = 0; j < half; ++j) sums[j] += sums[j + half];
    return sums[0];
  }
};

template <class Element>
struct Product {
  using T = Element;
  using Acc = typename Choose<kFloat<T>, double, uint32_t>::Type;
  static Acc none() { return 1; }
  static void add(Acc& acc, T x, int64_t) { acc *= static_cast<Acc>(x); }
  static void join(Acc& acc, Acc later) { acc *= later; }
  static T value(Acc acc) { return static_cast<T>(acc); }
  static Acc fold(const T* x, int64_t n, int64_t, bool) {
    Acc acc = none();
    for (int64_t i = 0; i < n; ++i) add(acc, x[i], i);
    return acc;
  }
};

// Of exponentials: e^most * sum. One exponential an element, and no element waits for the logarithm of the one before.
struct Exponentials {
  double most, sum;
};

template <class Element>
struct LogSum {
  using T = Element;
  using Acc = Exponentials;
  static Acc none() { return {-__builtin_inf(), 0}; }
  static void join(Acc& acc, Acc later) {
    if (later.most > acc.most)
      acc = {later.most, later.sum + acc.sum * ::exp(acc.most - later.most)};
    else if (later.most == acc.most)  // infinities too
      acc.sum += later.sum;
    else if (later.most < acc.most)
      acc.sum += later.sum * ::exp(later.most - acc.most);
    else
      acc.most = __builtin_nan("");
  }
  static void add(Acc& acc, T x, int64_t) { join(acc, {static_cast<double>(x), 1}); }
  static T value(Acc acc) { return static_cast<T>(acc.most + ::log(acc.sum)); }
  static Acc fold(const T* x, int64_t n, int64_t, bool) {
    Acc acc = none();
    for (int64_t i = 0; i < n; ++i) add(acc, x[i], i);
    return acc;
  }
};

template <class T>
struct Found {
  T value;
  int32_t place;  // -1 before the first element
};

// The last of equal ones; NaN wins over all, the last of them.
template <class Element, bool kMax>
struct Extreme {
  using T = Element;
  using Acc = Found<T>;
  static bool beats(T x, T best) {
    if constexpr (kFloat<T>) {
      if (x != x) return true;
      if (best != best) return false;
    }
    return kMax ? x >= best : x <= best;
  }
  static Acc none() { return {T(0), -1}; }
  static void add(Acc& acc, T x, int64_t place) {
    if (acc.place < 0 || beats(x, acc.value)) acc = {x, static_cast<int32_t>(place)};
  }
  static void join(Acc& acc, Acc later) {
    if (later.place >= 0) add(acc, later.value, later.place);
  }
  static T value(const Acc& acc) { return acc.value; }
  static Acc fold(const T* x, int64_t n, int64_t place, bool reverse) {
    Acc acc = none();
    for (int64_t k = 0; k < n; ++k) {
      const int64_t i = reverse ? n - 1 - k : k;  // the last to be scanned wins
      add(acc, x[i], place + i);
    }
    return acc;
  }
};

template <class Element>
using Most = Extreme<Element, true>;
template <class Element>
using Least = Extreme<Element, false>;

template <class Op>
struct Scan {
  using T = typename Op::T;
  using Acc = typename Op::Acc;
  static constexpr bool kFinds = sizeof(Acc) > sizeof(T) && __is_same(Acc, Found<T>);

  const ScanArgs& args;
  T* y = static_cast<T*>(args.y);
  const T* x = static_cast<const T*>(args.x);

  // The element that is k-th to be scanned.
  int64_t row(int64_t k) const { return args.reverse ? args.n - 1 - k : k; }

  void line(int64_t base, int64_t begin, int64_t end, Acc acc) const {
    const int64_t step = args.reverse ? -1 : 1;
    int64_t place = row(begin);
    for (int64_t k = begin; k < end; ++k, place += step) {
      Op::add(acc, x[base + place], place);
      y[base + place] = Op::value(acc);
      if constexpr (kFinds) args.places[base + place] = acc.place;
    }
  }

  void columns(int64_t base, int64_t width) const {
    Acc acc[kTile];
    for (int64_t j = 0; j < width; ++j) acc[j] = Op::none();
    for (int64_t k = 0; k < args.n; ++k) {
      const int64_t place = row(k), at = base + place * args.inner;
      for (int64_t j = 0; j < width; ++j) {
        Op::add(acc[j], x[at + j], place);
        y[at + j] = Op::value(acc[j]);
        if constexpr (kFinds) args.places[at + j] = acc[j].place;
      }
    }
  }

  // Every chunk of every line is folded, then scanned from what those before it come to.
  void chunks(int64_t count) const {
    Acc* carry = static_cast<Acc*>(acquire_scratch(static_cast<size_t>(args.outer * count) * sizeof(Acc)));
    const auto range = [&](int64_t t, int64_t* begin, int64_t* end) {
      *begin = t % count * kChunk;
      *end = args.n - *begin < kChunk ? args.n : *begin + kChunk;
    };
    parallel_for(args.outer * count, 1, [&](int64_t first, int64_t last) {
      for (int64_t t = first; t < last; ++t) {
        int64_t begin, end;
        range(t, &begin, &end);
        const int64_t place = args.reverse ? args.n - end : begin;
        if (end < args.n) carry[t] = Op::fold(x + t / count * args.n + place, end - begin, place, args.reverse);
      }
    });
    for (int64_t o = 0; o < args.outer; ++o) {
      Acc sum = Op::none();
      for (int64_t c = 0; c < count; ++c) {
        const Acc own = carry[o * count + c];
        carry[o * count + c] = sum;
        if (c + 1 < count) Op::join(sum, own);
      }
    }
    parallel_for(args.outer * count, 1, [&](int64_t first, int64_t last) {
      for (int64_t t = first; t < last; ++t) {
        int64_t begin, end;
        range(t, &begin, &end);
        line(t / count * args.n, begin, end, carry[t]);
      }
    });
    release_scratch(carry);
  }
};

// Calls line(base) for contiguous lines, columns(base, width) for tiles of others.
template <class Line, class Columns>
void for_each_line(const ScanArgs& args, const Line& line, const Columns& columns) {
  if (args.inner == 1)
    return parallel_for(args.outer, kGrain / args.n + 1, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) line(o * args.n);
    });
  const int64_t tiles = (args.inner + kTile - 1) / kTile, width = args.inner < kTile ? args.inner : kTile;
  parallel_for(args.outer * tiles, kGrain / (args.n * width) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t j = t % tiles * kTile;
      columns(t / tiles * args.n * args.inner + j, args.inner - j < kTile ? args.inner - j : kTile);
    }
  });
}

template <class Op>
void scan(const ScanArgs& args) {
  if (args.outer == 0 || args.n == 0 || args.inner == 0) return;
  const Scan<Op> scan{args};
  if (args.inner == 1 && args.n > kChunk) return scan.chunks((args.n + kChunk - 1) / kChunk);
  for_each_line(
      args, [&](int64_t base) { scan.line(base, 0, args.n, Op::none()); },
      [&](int64_t base, int64_t width) { scan.columns(base, width); });
}

// Of columns side by side; a line is one column with the rows one element apart.
template <class T>
void recur(const ScanArgs& args, int64_t base, int64_t width) {
  T* y = static_cast<T*>(args.y) + base;
  const T* x = static_cast<const T*>(args.x) + base;
  const T* a = static_cast<const T*>(args.a) + base;
  double state[kTile] = {};
  for (int64_t k = 0; k < args.n; ++k) {
    const int64_t at = (args.reverse ? args.n - 1 - k : k) * args.inner;
    const int64_t factor = args.reverse ? at + args.inner : at;
    for (int64_t j = 0; j < width; ++j) {
      state[j] = k == 0 ? static_cast<double>(x[at + j])
                        : static_cast<double>(x[at + j]) + static_cast<double>(a[factor + j]) * state[j];
      y[at + j] = static_cast<T>(state[j]);
    }
  }
}

template <class T>
void recurrence(const ScanArgs& args) {
  if (args.outer == 0 || args.n == 0 || args.inner == 0) return;
  for_each_line(
      args, [&](int64_t base) { recur<T>(args, base, 1); },
      [&](int64_t base, int64_t width) { recur<T>(args, base, width); });
}

void run_recurrence(const ScanArgs& args) {
  return args.dtype == DType::kFloat32 ? recurrence<float>(args) : recurrence<double>(args);
}

// float32, float64 and int32.
template <template <class> class Op>
void run_numbers(const ScanArgs& args) {
  switch (args.dtype) {
    case DType::kFloat32:
      return scan<Op<float>>(args);
    case DType::kFloat64:
      return scan<Op<double>>(args);
    default:
      return scan<Op<int32_t>>(args);
  }
}

template <template <class> class Op>
void run_all(const ScanArgs& args) {
  if (size_of(args.dtype) == 1) return scan<Op<uint8_t>>(args);
  run_numbers<Op>(args);
}

void run_log_sum(const ScanArgs& args) {
  return args.dtype == DType::kFloat32 ? scan<LogSum<float>>(args) : scan<LogSum<double>>(args);
}

}  // namespace

void fill_scan(Table& table) {
  table.cumsum = run_numbers<Sum>;
  table.cumprod = run_numbers<Product>;
  table.cummax = run_all<Most>;
  table.cummin = run_all<Least>;
  table.logcumsumexp = run_log_sum;
  table.recurrence = run_recurrence;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
