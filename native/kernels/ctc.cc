// Connectionist temporal classification: the loss of each sample and its derivative, after Graves et al. (2006).
#include "kernels/capability.h"
//
#include <math.h>

#include "core/args/ctc.h"
#include "core/index_check.h"
#include "core/parallel.h"
#include "core/scratch.h"
#include "kernels/table.h"

namespace chainrule::CHAINRULE_CAPABILITY {
namespace {

constexpr double kNever = -static_cast<double>(INFINITY);

struct Sample {
  int64_t steps, labels, start;
};

// The row of the plan, read once: its buffer may be shared with another thread. What leaves the buffers counts as
// empty.
inline Sample sample_at(const CtcArgs& args, int64_t n) {
  const auto at = [&](int64_t i) -> int64_t { return __atomic_load_n(args.plan + 3 * n + i, __ATOMIC_RELAXED); };
  const Sample s{at(0), at(1), at(2)};
  const bool sound = s.steps >= 0 && s.steps <= args.steps && s.labels >= 0 && s.start >= 0 &&
                     s.labels <= args.labels - s.start &&
                     (args.grads == nullptr || s.steps * (2 * s.labels + 1) <= args.room);
  return sound ? s : Sample{0, 0, 0};
}

inline int64_t label_at(const CtcArgs& args, int64_t place) {
  return __atomic_load_n(args.targets + place, __ATOMIC_RELAXED);
}

// log(e^a + e^b + e^c)
inline double add_logs(double a, double b, double c) {
  double most = a > b ? a : b;
  if (c > most) most = c;
  if (!(most > kNever)) return a + b + c;  // all impossible, or NaN
  return most + ::log(::exp(a - most) + ::exp(b - most) + ::exp(c - most));
}

// One sample. Its states are the labels with blanks around each: 2 labels + 1.
template <class T>
struct Lattice {
  const CtcArgs& args;
  const int64_t n, steps, states;
  const int32_t* path;  // class of each state

  double logp(int64_t t, int64_t s) const {
    return static_cast<const T*>(args.logp)[(t * args.batch + n) * args.classes + path[s]];
  }
  // Whether the blank between a label and the one before may be left out.
  bool skips(int64_t s) const { return s >= 2 && path[s] != path[s - 2]; }

  // alpha[s]: of all ways to be in state s at step t, `before` those at t - 1.
  void forward(int64_t t, const double* before, double* alpha) const {
    for (int64_t s = 0; s < states; ++s) {
      if (t == 0) {
        alpha[s] = s < 2 ? logp(0, s) : kNever;
        continue;
      }
      const double one = s >= 1 ? before[s - 1] : kNever, two = skips(s) ? before[s - 2] : kNever;
      alpha[s] = add_logs(before[s], one, two) + logp(t, s);
    }
  }

  // beta[s]: of all ways from state s at step t to the end, without step t itself; `after` those at t + 1.
  void backward(int64_t t, const double* after, double* beta) const {
    for (int64_t s = 0; s < states; ++s) {
      if (t == steps - 1) {
        beta[s] = s >= states - 2 ? 0 : kNever;
        continue;
      }
      const auto from = [&](int64_t next) { return after[next] + logp(t + 1, next); };
      const double one = s + 1 < states ? from(s + 1) : kNever;
      const double two = s + 2 < states && skips(s + 2) ? from(s + 2) : kNever;
      beta[s] = add_logs(from(s), one, two);
    }
  }
};

inline double* rows_of(int64_t rows, int64_t states) {
  return static_cast<double*>(acquire_scratch(static_cast<size_t>(rows * states) * sizeof(double)));
}

// log of the probability of the labels; alpha has a row for each step, or two that take turns.
template <class T>
double likelihood(const Lattice<T>& lattice, double* alpha, bool all) {
  const int64_t states = lattice.states;
  // No steps spell no labels, and nothing else.
  if (lattice.steps == 0) return states == 1 ? 0 : kNever;
  const auto row = [&](int64_t t) { return alpha + (all ? t : t % 2) * states; };
  for (int64_t t = 0; t < lattice.steps; ++t) lattice.forward(t, t > 0 ? row(t - 1) : nullptr, row(t));
  const double* last = row(lattice.steps - 1);
  return add_logs(last[states - 1], states > 1 ? last[states - 2] : kNever, kNever);
}

// d loss / d logp: less the probability of being in the class at the step, given the labels.
template <class T>
void differentiate(const Lattice<T>& lattice, const double* alpha, double total) {
  const CtcArgs& args = lattice.args;
  const int64_t states = lattice.states, steps = lattice.steps;
  T* grads = static_cast<T*>(args.grads) + lattice.n * args.classes;
  const int64_t stride = args.batch * args.classes;
  double* beta = rows_of(2, states);
  double* shares = rows_of(1, args.classes);
  for (int64_t t = steps; t-- > 0;) {
    double* here = beta + t % 2 * states;
    lattice.backward(t, beta + (t + 1) % 2 * states, here);
    for (int64_t c = 0; c < args.classes; ++c) shares[c] = 0;
    for (int64_t s = 0; s < states; ++s) shares[lattice.path[s]] += ::exp(alpha[t * states + s] + here[s] - total);
    for (int64_t c = 0; c < args.classes; ++c) grads[t * stride + c] = static_cast<T>(-shares[c]);
  }
  release_scratch(shares);
  release_scratch(beta);
}

template <class T>
void fill_steps(const CtcArgs& args, int64_t n, int64_t from, int64_t to, T value) {
  T* grads = static_cast<T*>(args.grads) + n * args.classes;
  for (int64_t t = from; t < to; ++t)
    for (int64_t c = 0; c < args.classes; ++c) grads[t * args.batch * args.classes + c] = value;
}

template <class T>
void one_sample(const CtcArgs& args, int64_t n, double* work) {
  const Sample sample = sample_at(args, n);
  const int64_t states = 2 * sample.labels + 1;
  int32_t* path = static_cast<int32_t*>(acquire_scratch(static_cast<size_t>(states) * sizeof(int32_t)));
  for (int64_t s = 0; s < states; ++s) {
    const int64_t c = s % 2 == 0 ? args.blank : label_at(args, sample.start + s / 2);
    path[s] = static_cast<int32_t>(c >= 0 && c < args.classes ? c : args.blank);
  }
  const bool wanted = args.grads != nullptr;
  const Lattice<T> lattice{args, n, sample.steps, states, path};
  double* two = wanted ? nullptr : rows_of(2, states);
  double* alpha = wanted ? work : two;
  const double total = likelihood(lattice, alpha, wanted);
  const bool impossible = total == kNever;
  static_cast<T*>(args.losses)[n] = impossible && args.zero_infinity ? T(0) : static_cast<T>(-total);
  if (wanted) {
    if (impossible)
      fill_steps<T>(args, n, 0, sample.steps, args.zero_infinity ? T(0) : static_cast<T>(NAN));
    else
      differentiate(lattice, alpha, total);
    fill_steps<T>(args, n, sample.steps, args.steps, T(0));
  }
  if (!wanted) release_scratch(two);
  release_scratch(path);
}

// Keeps the place of the first label that is no class.
bool labels_are_classes(const CtcArgs& args) {
  for (int64_t n = 0; n < args.batch; ++n) {
    const Sample sample = sample_at(args, n);
    for (int64_t i = 0; i < sample.labels; ++i) {
      const int64_t c = label_at(args, sample.start + i);
      if (c >= 0 && c < args.classes) continue;
      keep_bad_index(sample.start + i);
      return false;
    }
  }
  return true;
}

void ctc(const CtcArgs& args) {
  if (args.batch == 0 || !labels_are_classes(args)) return;
  // Samples do not meet, so that it does not matter how many share a slot of the work memory.
  const int64_t grain = (args.batch + args.slots - 1) / args.slots;
  parallel_for(args.batch, grain, [&](int64_t begin, int64_t end) {
    double* work = args.grads == nullptr ? nullptr : args.work + begin / grain * args.room;
    for (int64_t n = begin; n < end; ++n) {
      if (args.dtype == DType::kFloat64)
        one_sample<double>(args, n, work);
      else
        one_sample<float>(args, n, work);
    }
  });
}

}  // namespace

void fill_ctc(Table& table) { table.ctc = ctc; }

}  // namespace chainrule::CHAINRULE_CAPABILITY
