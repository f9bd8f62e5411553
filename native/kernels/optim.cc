// Optimizer steps: torch.optim's SGD, Adam and AdamW, operation by operation in the dtype of the parameters.
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

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

// The buffers of one parameter do not overlap; if they do, values are wrong and nothing else is.
#define CHAINRULE_LOOP _Pragma("GCC ivdep") for

// update(parameter, begin, end) over all parameters together, in chunks.
template <class F>
void for_each_chunk(const OptimArgs& args, const F& update) {
  int64_t total = 0;
  for (int k = 0; k < args.count; ++k) total += args.parameters[k].n;
  parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
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

}  // namespace

void fill_optim(Table& table) {
  table.sgd[0] = sgd<float>;
  table.sgd[1] = sgd<double>;
  table.adam[0] = adam<float>;
  table.adam[1] = adam<double>;
}

}  // namespace chainrule::CHAINRULE_CAPABILITY
