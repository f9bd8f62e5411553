// `npm run precision [-- NAME...]`: float32 kernels on every one of the 2^32 patterns, against libm in double
// precision.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/cpu.h"
#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

struct Function {
  const char* name;
  double most;  // units in the last place
  double (*exact)(double);
  float exponent = 0;  // of a power, a kernel of two operands
};

constexpr double kMost = 4;
// The first seven are what runs without names.
constexpr int kDefault = 7;
const Function kFunctions[] = {
    {"exp", kMost, [](double x) { return std::exp(x); }},
    {"log", kMost, [](double x) { return std::log(x); }},
    {"tanh", kMost, [](double x) { return std::tanh(x); }},
    {"sigmoid", kMost, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"erf", kMost, [](double x) { return std::erf(x); }},
    {"sin", kMost, [](double x) { return std::sin(x); }},
    {"cos", kMost, [](double x) { return std::cos(x); }},
    {"exp2", kMost, [](double x) { return std::exp2(x); }},
    {"expm1", kMost, [](double x) { return std::expm1(x); }},
    {"log1p", kMost, [](double x) { return std::log1p(x); }},
    {"log2", kMost, [](double x) { return std::log2(x); }},
    {"log10", kMost, [](double x) { return std::log10(x); }},
    {"sqrt", 0.5, [](double x) { return std::sqrt(x); }},
    {"rsqrt", kMost, [](double x) { return 1 / std::sqrt(x); }},
    {"tan", kMost, [](double x) { return std::tan(x); }},
    {"asin", kMost, [](double x) { return std::asin(x); }},
    {"acos", kMost, [](double x) { return std::acos(x); }},
    {"atan", kMost, [](double x) { return std::atan(x); }},
    {"sinh", kMost, [](double x) { return std::sinh(x); }},
    {"cosh", kMost, [](double x) { return std::cosh(x); }},
    {"asinh", kMost, [](double x) { return std::asinh(x); }},
    {"acosh", kMost, [](double x) { return std::acosh(x); }},
    {"atanh", kMost, [](double x) { return std::atanh(x); }},
    {"erfc", kMost, [](double x) { return std::erfc(x); }},
    {"pow2.5", 0.51, [](double x) { return std::pow(x, 2.5); }, 2.5},
    {"pow-1.75", 0.51, [](double x) { return std::pow(x, -1.75); }, -1.75},
    {"pow5", 0.51, [](double x) { return std::pow(x, 5); }, 5},
    {"pow3", 0.51, [](double x) { return std::pow(x, 3); }, 3},
    {"pow0.5", 0.51, [](double x) { return std::pow(x, 0.5); }, 0.5},
    {"pow-0.5", 0.51, [](double x) { return std::pow(x, -0.5); }, -0.5},
    {"pow-1", 0.51, [](double x) { return 1 / x; }, -1},
    {"pow-2", 0.51, [](double x) { return 1 / (x * x); }, -2},
};

// The worst of a chunk of patterns.
struct Worst {
  double units = 0;
  uint32_t at = 0;
  int64_t wrong = 0;  // NaN, infinity or the sign of zero not as they should be
  uint32_t wrong_at = 0;
};

// A unit in the last place of the float next to a value; 2^-149 among the subnormal ones.
double unit_of(double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::ldexp(1.0, (exact == 0 || exponent < -125 ? -125 : exponent) - 24);
}

void judge(float x, float got, double exact, Worst& worst) {
  const float want = static_cast<float>(exact);
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bool special = false, right = true;
  if (std::isnan(want) || std::isnan(got)) {
    special = true;
    right = std::isnan(want) && std::isnan(got);
  } else if (std::isinf(want) || std::isinf(got)) {
    special = true;
    right = want == got;
  } else if (exact == 0) {
    special = true;
    right = got == 0 && std::signbit(got) == std::signbit(exact);
  }
  if (!right) {
    if (worst.wrong++ == 0) worst.wrong_at = bits;
  }
  if (special) return;
  const double units = std::fabs(static_cast<double>(got) - exact) / unit_of(exact);
  if (units > worst.units) {
    worst.units = units;
    worst.at = bits;
  }
}

float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

Worst run(const Function& function, RowFunction row) {
  constexpr int kRow = 4096;
  constexpr int64_t kChunks = 1 << 10, kPerChunk = (int64_t{1} << 32) / kChunks;
  std::vector<Worst> found(kChunks);
  parallel_for(kChunks, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> x(kRow), y(kRow);
    const void* from[2] = {x.data(), &function.exponent};
    const int64_t step[2] = {1, 0};
    const double p[2] = {1, 20};
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      for (int64_t first = chunk * kPerChunk; first < (chunk + 1) * kPerChunk; first += kRow) {
        for (int i = 0; i < kRow; ++i) x[i] = float_of(static_cast<uint32_t>(first + i));
        row(y.data(), from, step, kRow, p);
        for (int i = 0; i < kRow; ++i) judge(x[i], y[i], function.exact(x[i]), found[chunk]);
      }
    }
  });
  Worst all;
  for (const Worst& w : found) {
    if (w.units > all.units) {
      all.units = w.units;
      all.at = w.at;
    }
    if (all.wrong == 0) all.wrong_at = w.wrong_at;
    all.wrong += w.wrong;
  }
  return all;
}

RowFunction kernel_of(const Function& function) {
  const bool power = function.exponent != 0;
  const RowFamily& family = power ? kernels().binary : kernels().unary;
  for (int k = 0; k < family.count; ++k)
    if (std::strcmp(family.names[k], power ? "pow" : function.name) == 0) return family.rows[k][0];
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* error = capability_error()) {
    std::fprintf(stderr, "%s\n", error);
    return 1;
  }
  std::printf("float32 kernels of %s on all 2^32 patterns, %d threads\n", capability(), num_threads());
  std::printf("%-9s %10s %16s %14s %8s\n", "function", "max ULP", "at", "special wrong", "seconds");
  bool good = true;
  int ran = 0;
  for (int f = 0; f < static_cast<int>(sizeof kFunctions / sizeof *kFunctions); ++f) {
    const Function& function = kFunctions[f];
    bool wanted = argc == 1 && f < kDefault;
    for (int a = 1; a < argc; ++a)
      wanted = wanted || std::strcmp(argv[a], function.name) == 0 || std::strcmp(argv[a], "all") == 0;
    if (!wanted) continue;
    ++ran;
    const auto start = std::chrono::steady_clock::now();
    const Worst worst = run(function, kernel_of(function));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%-9s %10.3f %16.9g %14lld %8.1f\n", function.name, worst.units, float_of(worst.at),
                static_cast<long long>(worst.wrong), seconds);
    if (worst.wrong > 0) std::printf("  the first special value that is wrong is f(%.9g)\n", float_of(worst.wrong_at));
    std::fflush(stdout);
    good = good && worst.units <= function.most && worst.wrong == 0;
  }
  if (ran == 0) {
    std::fprintf(stderr, "[precision] expected names of functions or 'all', got none that is known\n");
    return 1;
  }
  return good ? 0 : 1;
}
