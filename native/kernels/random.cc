// Random numbers: uniform, normal, exponential, Gumbel, Poisson, bernoulli, integers, permutations, dropout.
//
// The same bits in every capability and for any number of threads: no fused multiply-add, no libm, the compiler
// vectorises.
#include "kernels/capability.h"
//
#include <stdint.h>

#include "core/parallel.h"
#include "kernels/convert.h"
#include "kernels/philox.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

constexpr int64_t kBlocks = 256;  // a chunk of words is 4 KB of stack
constexpr int64_t kGrain = 4096;  // blocks a thread takes at a time

int64_t blocks_of(int64_t n, int64_t per_block) { return (n + per_block - 1) / per_block; }

// Calls f(words, place, count) for chunks of at most kBlocks blocks: `count` elements from `place` on.
template <class F>
void over_words(uint32_t* state, int64_t n, int64_t per_block, const F& f) {
  const Philox philox(state);
  const int64_t blocks = blocks_of(n, per_block);
  const auto run = [&](int64_t begin, int64_t end) {
    alignas(64) uint32_t words[4 * kBlocks];
    for (int64_t b = begin; b < end; b += kBlocks) {
      const int64_t count = end - b < kBlocks ? end - b : kBlocks;
      philox_blocks(philox, static_cast<uint64_t>(b), count, 0, words);
      const int64_t place = b * per_block, most = count * per_block;
      f(words, place, n - place < most ? n - place : most);
    }
  };
  if (blocks <= kGrain)
    run(0, blocks);
  else
    parallel_for(blocks, kGrain, run);
  advance(state, blocks);
}

// The next number below x, so that rounding never reaches the open end of a range.
float next_below(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  bits = x == 0 ? 0x80000001u : x > 0 ? bits - 1 : bits + 1;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

double next_below(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  bits = x == 0 ? 0x8000000000000001u : x > 0 ? bits - 1 : bits + 1;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// 24 bits of a word, or 53 of two, in [0, 1).
struct Unit {
  static float of(const uint32_t* words, int64_t i, float) { return static_cast<float>(words[i] >> 8) * 0x1p-24f; }
  static double of(const uint32_t* words, int64_t i, double) {
    return (static_cast<double>(words[2 * i] >> 5) * 0x1p26 + static_cast<double>(words[2 * i + 1] >> 6)) * 0x1p-53;
  }
};

template <class T>
void uniform(const RandomArgs& args) {
  const T low = static_cast<T>(args.p0), high = static_cast<T>(args.p1), width = high - low;
  const T most = high > low ? next_below(high) : low;
  over_words(args.state, args.n, 16 / sizeof(T), [&](const uint32_t* words, int64_t place, int64_t count) {
    T* y = static_cast<T*>(args.y) + place;
    for (int64_t i = 0; i < count; ++i) {
      const T value = low + Unit::of(words, i, T(0)) * width;
      y[i] = value > most ? most : value;
    }
  });
}

// Natural logarithm of a positive normal number (fdlibm's e_log.c, without its special cases).
[[gnu::always_inline]] inline double log_of(double x) {
  uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  bits += 0x3ff0000000000000 - 0x3fe6a09e667f3bcd;  // mantissa into [sqrt(1/2), sqrt(2))
  const double k = static_cast<double>(static_cast<int32_t>(bits >> 52) - 1023);
  bits = (bits & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd;
  double m;
  __builtin_memcpy(&m, &bits, sizeof m);
  const double f = m - 1, s = f / (2 + f), z = s * s;
  const double r = z * (6.666666666666735130e-01 +
                        z * (3.999999999940941908e-01 +
                             z * (2.857142874366239149e-01 +
                                  z * (2.222219843214978396e-01 +
                                       z * (1.818357216161805012e-01 +
                                            z * (1.531383769920937332e-01 + z * 1.479819860511658591e-01))))));
  const double half = 0.5 * f * f;
  return k * 6.93147180369123816490e-01 - ((half - (s * (half + r) + k * 1.90821492927058770002e-10)) - f);
}

// Cosine and sine of 2 pi u for u in [0, 1) (the polynomials of fdlibm's k_cos.c and k_sin.c).
[[gnu::always_inline]] inline void turn(double u, double* cosine, double* sine) {
  const double quarters = u * 4;
  const int32_t quadrant = static_cast<int32_t>(quarters + 0.5);
  const double x = (quarters - static_cast<double>(quadrant)) * 1.57079632679489661923, z = x * x;
  const double s = x + x * z *
                           (-1.66666666666666324348e-01 +
                            z * (8.33333333332248946124e-03 +
                                 z * (-1.98412698298579493134e-04 +
                                      z * (2.75573137070700676789e-06 +
                                           z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
  const double c = 1 - 0.5 * z +
                   z * z *
                       (4.16666666666666019037e-02 +
                        z * (-1.38888888888741095749e-03 +
                             z * (2.48015872894767294178e-05 +
                                  z * (-2.75573143513906633035e-07 +
                                       z * (2.08757232129817482790e-09 - z * 1.13596475577881948265e-11)))));
  const double a = quadrant & 1 ? s : c, b = quadrant & 1 ? c : s;
  *cosine = (quadrant + 1) & 2 ? -a : a;
  *sine = quadrant & 2 ? -b : b;
}

// Box and Muller 1958, in double: pairs of words (or of pairs of them) make pairs of numbers. The radius takes u in (0,
// 1].
template <class T>
void normal(const RandomArgs& args) {
  const double mean = args.p0, deviation = args.p1;
  over_words(args.state, args.n, 16 / sizeof(T), [&](const uint32_t* words, int64_t place, int64_t count) {
    alignas(64) T values[16 / sizeof(T) * kBlocks];
    const int64_t pairs = (count + 1) / 2;
    for (int64_t i = 0; i < pairs; ++i) {
      double u, v;
      if constexpr (sizeof(T) == 4) {
        u = (static_cast<double>(words[2 * i]) + 1) * 0x1p-32;
        v = static_cast<double>(words[2 * i + 1]) * 0x1p-32;
      } else {
        u = Unit::of(words, 2 * i, double{}) + 0x1p-53;
        v = Unit::of(words, 2 * i + 1, double{});
      }
      const double radius = __builtin_sqrt(-2 * log_of(u)) * deviation;
      double cosine, sine;
      turn(v, &cosine, &sine);
      values[2 * i] = static_cast<T>(mean + radius * cosine);
      values[2 * i + 1] = static_cast<T>(mean + radius * sine);
    }
    __builtin_memcpy(static_cast<T*>(args.y) + place, values, count * sizeof(T));
  });
}

// Inverse distribution functions of u in (0, 1), ends excluded, in double: 32 bits of a word, or 52 of two.
struct OpenUnit {
  static double of(const uint32_t* words, int64_t i, float) { return (static_cast<double>(words[i]) + 0.5) * 0x1p-32; }
  static double of(const uint32_t* words, int64_t i, double) {
    const double high = static_cast<double>(words[2 * i] >> 6) * 0x1p26;
    return (high + static_cast<double>(words[2 * i + 1] >> 6) + 0.5) * 0x1p-52;
  }
};

template <class T, class F>
void invert(const RandomArgs& args, const F& f) {
  over_words(args.state, args.n, 16 / sizeof(T), [&](const uint32_t* words, int64_t place, int64_t count) {
    T* y = static_cast<T*>(args.y) + place;
    for (int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(f(OpenUnit::of(words, i, T(0))));
  });
}

template <class T>
void exponential(const RandomArgs& args) {
  const double rate = args.p0;
  invert<T>(args, [rate](double u) { return -log_of(u) / rate; });
}

template <class T>
void gumbel(const RandomArgs& args) {
  const double mode = args.p0, scale = args.p1;
  invert<T>(args, [mode, scale](double u) { return mode - scale * log_of(-log_of(u)); });
}

// Numbers in (0, 1) of one place, as many as it asks for: block `place` at the attempts 0, 1, ...
struct Stream {
  const Philox& philox;
  const uint64_t place;
  uint32_t attempt = 0, used = 4;
  uint32_t words[4];

  double next() {
    if (used == 4) {
      philox_blocks(philox, place, 1, attempt++, words);
      used = 0;
    }
    return OpenUnit::of(words, used++, 0.0f);
  }
};

// log(k!), by Stirling's series from 10 on, where what it leaves out is below 1e-10.
double log_factorial(double k) {
  if (k < 10) {
    double product = 1;
    for (double i = 2; i <= k; ++i) product *= i;
    return log_of(product);
  }
  const double r = 1 / (k * k);
  return (k + 0.5) * log_of(k) - k + 0.918938533204672741780 + (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260))) / k;
}

// Events before `rate` of a process of one a unit of time; from 10 on the transformed rejection of Hormann 1993 (PTRS).
double poisson_of(double rate, Stream& u) {
  // Beyond 2^53 there are no neighbouring whole numbers to choose from.
  if (!(rate > 0 && rate < 0x1p53)) return rate;
  if (rate < 10) {
    double events = 0;
    for (double time = -log_of(u.next()); time < rate; time -= log_of(u.next())) ++events;
    return events;
  }
  const double log_rate = log_of(rate), b = 0.931 + 2.53 * __builtin_sqrt(rate), a = -0.059 + 0.02483 * b;
  const double log_inverse_alpha = log_of(1.1239 + 1.1328 / (b - 3.4)), bound = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double x = u.next() - 0.5, y = u.next(), left = 0.5 - __builtin_fabs(x);
    const double k = __builtin_floor((2 * a / left + b) * x + rate + 0.43);
    if (left >= 0.07 && y <= bound) return k;
    if (k < 0 || (left < 0.013 && y > left)) continue;
    const double density = k * log_rate - rate - log_factorial(k);
    if (log_of(y) + log_inverse_alpha - log_of(a / (left * left) + b) <= density) return k;
  }
}

// y holds the rates.
template <class T>
void poisson(const RandomArgs& args) {
  T* y = static_cast<T*>(args.y);
  const Philox philox(args.state);
  parallel_for(args.n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Stream stream{philox, static_cast<uint64_t>(i)};
      y[i] = static_cast<T>(poisson_of(static_cast<double>(y[i]), stream));
    }
  });
  advance(args.state, args.n);
}

template <class T>
void bernoulli(const RandomArgs& args) {
  const double p = args.p0;
  over_words(args.state, args.n, 4, [&](const uint32_t* words, int64_t place, int64_t count) {
    T* y = static_cast<T*>(args.y) + place;
    for (int64_t i = 0; i < count; ++i)
      y[i] = Convert<T, int32_t>::of(static_cast<double>(words[i]) * 0x1p-32 < p ? 1 : 0);
  });
}

template <class T>
void integers(const RandomArgs& args) {
  const uint64_t n = static_cast<uint64_t>(args.p1 - args.p0);
  const uint32_t leftover = leftover_of(n);
  const Philox philox(args.state);
  over_words(args.state, args.n, 4, [&](const uint32_t* words, int64_t place, int64_t count) {
    T* y = static_cast<T*>(args.y) + place;
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t drawn = below(n, leftover, words[i], philox, static_cast<uint64_t>(place + i));
      y[i] = Convert<T, double>::of(args.p0 + static_cast<double>(drawn));
    }
  });
}

// Fisher and Yates, from the end: place i is swapped with one of the places up to i, drawn from word i.
void randperm(const RandomArgs& args) {
  int32_t* y = static_cast<int32_t*>(args.y);
  const Philox philox(args.state);
  for (int64_t i = 0; i < args.n; ++i) y[i] = static_cast<int32_t>(i);
  alignas(64) uint32_t words[4 * kBlocks];
  int64_t have = -1;  // the chunk of words at hand
  for (int64_t i = args.n - 1; i > 0; --i) {
    const int64_t chunk = i / (4 * kBlocks);
    if (chunk != have) philox_blocks(philox, static_cast<uint64_t>(chunk * kBlocks), kBlocks, 0, words);
    have = chunk;
    const uint64_t n = static_cast<uint64_t>(i) + 1;
    const int64_t j =
        static_cast<int64_t>(below(n, leftover_of(n), words[i % (4 * kBlocks)], philox, static_cast<uint64_t>(i)));
    const int32_t swapped = y[i];
    y[i] = y[j];
    y[j] = swapped;
  }
  advance(args.state, blocks_of(args.n, 4));
}

template <class T>
void drop(const DropoutArgs& args, int64_t begin, int64_t end) {
  const T scale = static_cast<T>(1 / (1 - args.p));
  const T* x = static_cast<const T*>(args.x);
  T* y = static_cast<T*>(args.y);
  for (int64_t i = begin; i < end; ++i) {
    const T kept = x[i] * scale;
    y[i] = args.mask[i] != 0 ? kept : T(0);
  }
}

template <class T>
void dropout_of(const DropoutArgs& args) {
  if (args.state == nullptr) {
    parallel_for(args.n, 4 * kGrain, [&](int64_t begin, int64_t end) { drop<T>(args, begin, end); });
    return;
  }
  over_words(args.state, args.n, 4, [&](const uint32_t* words, int64_t place, int64_t count) {
    for (int64_t i = 0; i < count; ++i) args.mask[place + i] = static_cast<double>(words[i]) * 0x1p-32 >= args.p;
    drop<T>(args, place, place + count);
  });
}

void dropout(const DropoutArgs& args) {
  args.dtype == DType::kFloat64 ? dropout_of<double>(args) : dropout_of<float>(args);
}

// Dtypes in their order; null where there is no such distribution.
#define CHAINRULE_RANDOM(K)                                                                                  \
  K(uniform, uniform<float>, uniform<double>, nullptr, nullptr, nullptr)                                     \
  K(normal, normal<float>, normal<double>, nullptr, nullptr, nullptr)                                        \
  K(bernoulli, bernoulli<float>, bernoulli<double>, bernoulli<int32_t>, bernoulli<uint8_t>, bernoulli<Bool>) \
  K(integers, integers<float>, integers<double>, integers<int32_t>, integers<uint8_t>, integers<Bool>)       \
  K(exponential, exponential<float>, exponential<double>, nullptr, nullptr, nullptr)                         \
  K(gumbel, gumbel<float>, gumbel<double>, nullptr, nullptr, nullptr)                                        \
  K(poisson, poisson<float>, poisson<double>, nullptr, nullptr, nullptr)

#define CHAINRULE_NAME(name, ...) #name,
const char* const kNames[] = {CHAINRULE_RANDOM(CHAINRULE_NAME)};

#define CHAINRULE_ROW(name, ...) {__VA_ARGS__},
constexpr Kernel<RandomArgs> kKernels[][kDTypes] = {CHAINRULE_RANDOM(CHAINRULE_ROW)};

}  // namespace

void fill_random(Table& table) {
  table.random = {kNames, sizeof kKernels / sizeof *kKernels, kKernels};
  table.randperm = randperm;
  table.dropout = dropout;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
