// Optimizer steps: those of torch.optim, operation by operation in the dtype of the parameters, and Lion.
#include "kernels/capability.h"
//
#include <math.h>

#include "core/args/optim.h"
#include "core/parallel.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

// Elements of a chunk: some 10 us of memory traffic.
constexpr int64_t kGrain = 32 * 1024;
// Parameters and gradients of fewer bytes together lie in the cache of the core that has just worked on them: another
// one would have to fetch them, and give them back for the next forward pass.
constexpr int64_t kCached = 1024 * 1024;

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }
inline float size(float x) { return __builtin_fabsf(x); }
inline double size(double x) { return __builtin_fabs(x); }

// The buffers of one parameter do not overlap; if they do, values are wrong and nothing else is.
#define CHAINRULE_LOOP _Pragma("GCC ivdep") for

// update(parameter, begin, end) over all parameters together, in chunks.
template <class F>
void for_each_chunk(const OptimArgs& args, const F& update) {
  int64_t total = 0;
  for (int k = 0; k < args.count; ++k) total += args.parameters[k].n;
  const int64_t grain = 2 * total * static_cast<int64_t>(size_of(args.dtype)) <= kCached ? total : kGrain;
  parallel_for(total, grain, [&](int64_t begin, int64_t end) {
    for (int k = 0; k < args.count && end > 0; ++k) {
      const int64_t n = args.parameters[k].n;
      if (begin < n) update(args.parameters[k], begin < 0 ? 0 : begin, end < n ? end : n);
      begin -= n;
      end -= n;
    }
  });
}

template <class T>
struct SgdNumbers {
  T sign, decay, keep, take, momentum, rate;
  bool first, nesterov;

  explicit SgdNumbers(const OptimArgs& args)
      : sign(args.maximize ? T(-1) : T(1)),
        decay(static_cast<T>(args.weight_decay)),
        keep(static_cast<T>(args.momentum)),
        take(args.first ? T(1) : static_cast<T>(1 - args.dampening)),
        momentum(static_cast<T>(args.momentum)),
        rate(static_cast<T>(-args.lr)),
        first(args.first),
        nesterov(args.nesterov) {}
};

template <class T, bool kDecay, bool kMomentum>
void sgd_run(const SgdNumbers<T>& number, const OptimParameter& parameter, int64_t begin, int64_t end) {
  const SgdNumbers<T> c = number;
  T* p = static_cast<T*>(parameter.p);
  const T* g = static_cast<const T*>(parameter.g);
  T* momentum = static_cast<T*>(parameter.state[0]);
  CHAINRULE_LOOP(int64_t i = begin; i < end; ++i) {
    T d = g[i] * c.sign;
    if constexpr (kDecay) d = d + c.decay * p[i];
    if constexpr (kMomentum) {
      // What the buffer holds before the first step does not count, not even as NaN.
      const T buffer = (c.first ? T(0) : momentum[i] * c.keep) + d * c.take;
      momentum[i] = buffer;
      d = c.nesterov ? d + c.momentum * buffer : buffer;
    }
    p[i] = p[i] + c.rate * d;
  }
}

template <class T>
void sgd(const OptimArgs& args) {
  const bool decay = args.weight_decay != 0, momentum = args.momentum != 0;
  const auto run = decay ? (momentum ? sgd_run<T, true, true> : sgd_run<T, true, false>)
                         : (momentum ? sgd_run<T, false, true> : sgd_run<T, false, false>);
  const SgdNumbers<T> numbers(args);
  for_each_chunk(args, [&](const OptimParameter& p, int64_t begin, int64_t end) { run(numbers, p, begin, end); });
}

// The corrections of Adam's averages are made in float64.
template <class T>
struct AdamNumbers {
  T sign, decay, shrink, beta1, rest1, beta2, rest2, eps, rate, correction;

  explicit AdamNumbers(const OptimArgs& args)
      : sign(args.maximize ? T(-1) : T(1)),
        decay(args.decoupled ? T(0) : static_cast<T>(args.weight_decay)),
        shrink(args.decoupled ? static_cast<T>(1 - args.lr * args.weight_decay) : T(1)),
        beta1(static_cast<T>(args.beta1)),
        rest1(static_cast<T>(1 - args.beta1)),
        beta2(static_cast<T>(args.beta2)),
        rest2(static_cast<T>(1 - args.beta2)),
        eps(static_cast<T>(args.eps)),
        rate(static_cast<T>(-args.lr / (1 - ::pow(args.beta1, args.step)))),
        correction(static_cast<T>(::sqrt(1 - ::pow(args.beta2, args.step)))) {}
};

template <class T, bool kDecay, bool kAmsgrad>
void adam_run(const AdamNumbers<T>& number, const OptimParameter& parameter, int64_t begin, int64_t end) {
  const AdamNumbers<T> c = number;
  T* p = static_cast<T*>(parameter.p);
  const T* g = static_cast<const T*>(parameter.g);
  T* m = static_cast<T*>(parameter.state[0]);
  T* v = static_cast<T*>(parameter.state[1]);
  T* most = static_cast<T*>(parameter.state[2]);
  CHAINRULE_LOOP(int64_t i = begin; i < end; ++i) {
    T d = g[i] * c.sign, x = p[i];
    if constexpr (kDecay) {
      d = d + c.decay * x;
      x = x * c.shrink;
    }
    const T mean = m[i] * c.beta1 + d * c.rest1;
    T square = v[i] * c.beta2 + c.rest2 * d * d;
    m[i] = mean;
    v[i] = square;
    if constexpr (kAmsgrad) {
      const T before = most[i];
      square = (square > before) | (square != square) ? square : before;
      most[i] = square;
    }
    p[i] = x + c.rate * mean / (root(square) / c.correction + c.eps);
  }
}

template <class T>
void adam(const OptimArgs& args) {
  const bool decay = args.weight_decay != 0;
  const auto run = decay ? (args.amsgrad ? adam_run<T, true, true> : adam_run<T, true, false>)
                         : (args.amsgrad ? adam_run<T, false, true> : adam_run<T, false, false>);
  const AdamNumbers<T> numbers(args);
  for_each_chunk(args, [&](const OptimParameter& p, int64_t begin, int64_t end) { run(numbers, p, begin, end); });
}

template <class T>
inline T sign(T x) {
  return x > 0 ? T(1) : x < 0 ? T(-1) : T(0);
}

// NaN if one of them is.
template <class T>
inline T most(T x, T y) {
  return (x >= y) | (x != x) ? x : y;
}

template <class T>
inline T clamp(T x, T low, T high) {
  return x < low ? low : x > high ? high : x;
}

// The other rules, a line each: x is the parameter, d its gradient (with sign and decay), a, b and m are what the rule
// keeps of it (as many as the number says), c the numbers that lib/optim works out in float64 for every step.
#define CHAINRULE_UPDATES(U)                                                                                        \
  U(adagrad, 1, a = a + d * d; x = x - c[0] * d / (root(a) + c[1]))                                                 \
  U(adadelta, 2, a = a * c[0] + c[1] * d * d; d = root(b + c[2]) / root(a + c[2]) * d; b = b * c[0] + c[1] * d * d; \
    x = x - c[3] * d)                                                                                               \
  U(rmsprop, 1, a = a * c[0] + c[1] * d * d; x = x - c[2] * d / (root(a) + c[3]))                                   \
  U(rmsprop_momentum, 2, a = a * c[0] + c[1] * d * d; b = b * c[4] + d / (root(a) + c[3]); x = x - c[2] * b)        \
  U(rmsprop_centered, 2, a = a * c[0] + c[1] * d * d; b = b * c[0] + c[1] * d;                                      \
    x = x - c[2] * d / (root(a - b * b) + c[3]))                                                                    \
  U(rmsprop_centered_momentum, 3, a = a * c[0] + c[1] * d * d; b = b * c[0] + c[1] * d;                             \
    m = m * c[4] + d / (root(a - b * b) + c[3]); x = x - c[2] * m)                                                  \
  U(adamax, 2, a = a * c[0] + c[1] * d; b = most(b * c[2], size(d) + c[3]); x = x - c[4] * a / b)                   \
  U(nadam, 2, a = a * c[0] + c[1] * d; b = b * c[2] + c[3] * d * d; const T s = root(b / c[4]) + c[5];              \
    x = x - c[6] * d / s; x = x - c[7] * a / s)                                                                     \
  U(radam_begin, 2, a = a * c[0] + c[1] * d; b = b * c[2] + c[3] * d * d; x = x - a / c[4] * c[5])                  \
  U(radam, 2, a = a * c[0] + c[1] * d; b = b * c[2] + c[3] * d * d;                                                 \
    x = x - a / c[4] * c[5] * (c[6] / (root(b) + c[7])) * c[8])                                                     \
  U(asgd, 1, x = x * c[0] - c[1] * d; a = c[2] == 1 ? x : a + (x - a) * c[2])                                       \
  U(rprop, 2, const T s = a * d; b = clamp(b * (s > 0   ? c[0]                                                      \
                                                : s < 0 ? c[1]                                                      \
                                                        : T(1)),                                                    \
                                           c[2], c[3]);                                                             \
    d = s < 0 ? T(0) : d; x = x - sign(d) * b; a = d)                                                               \
  U(lion, 1, const T s = a * c[0] + c[1] * d; x = x * c[2] - c[3] * sign(s); a = a * c[4] + c[5] * d)

#define CHAINRULE_RULE(name, states, ...)                       \
  struct rule_##name {                                          \
    static constexpr int kStates = states;                      \
    template <class T>                                          \
    static void step(T& x, T d, T& a, T& b, T& m, const T* c) { \
      __VA_ARGS__;                                              \
      static_cast<void>(b), static_cast<void>(m);               \
    }                                                           \
  };
CHAINRULE_UPDATES(CHAINRULE_RULE)

template <class Rule, bool kDecay, class T>
void update_run(const OptimArgs& args, const OptimParameter& parameter, int64_t begin, int64_t end) {
  T c[kMaxNumbers];
  for (int k = 0; k < kMaxNumbers; ++k) c[k] = static_cast<T>(args.numbers[k]);
  const T sign = args.maximize ? T(-1) : T(1), decay = static_cast<T>(args.weight_decay);
  T* p = static_cast<T*>(parameter.p);
  const T* g = static_cast<const T*>(parameter.g);
  T* first = static_cast<T*>(parameter.state[0]);
  T* second = static_cast<T*>(parameter.state[1]);
  T* third = static_cast<T*>(parameter.state[2]);
  CHAINRULE_LOOP(int64_t i = begin; i < end; ++i) {
    T x = p[i], d = g[i] * sign, a = first[i], b{}, m{};
    if constexpr (kDecay) d = d + decay * x;
    if constexpr (Rule::kStates > 1) b = second[i];
    if constexpr (Rule::kStates > 2) m = third[i];
    Rule::step(x, d, a, b, m, c);
    p[i] = x;
    first[i] = a;
    if constexpr (Rule::kStates > 1) second[i] = b;
    if constexpr (Rule::kStates > 2) third[i] = m;
  }
}

template <class Rule, class T>
void update(const OptimArgs& args) {
  const auto run = args.weight_decay != 0 ? update_run<Rule, true, T> : update_run<Rule, false, T>;
  for_each_chunk(args, [&](const OptimParameter& p, int64_t begin, int64_t end) { run(args, p, begin, end); });
}

#define CHAINRULE_NAME(name, ...) #name,
constexpr const char* kNames[] = {CHAINRULE_UPDATES(CHAINRULE_NAME)};

#define CHAINRULE_ROW(name, states, ...) {states, {update<rule_##name, float>, update<rule_##name, double>}},
constexpr UpdateKernel kKernels[] = {CHAINRULE_UPDATES(CHAINRULE_ROW)};

}  // namespace

void fill_optim(Table& table) {
  table.sgd[0] = sgd<float>;
  table.sgd[1] = sgd<double>;
  table.adam[0] = adam<float>;
  table.adam[1] = adam<double>;
  table.update = {kNames, sizeof kNames / sizeof *kNames, kKernels};
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
