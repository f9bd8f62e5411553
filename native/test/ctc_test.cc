// Connectionist temporal classification: slots and threads change nothing, lies in the plan stay harmless.
#include "core/args/ctc.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/index_check.h"
#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

struct Problem {
  int64_t steps = 9, batch = 5, classes = 4;
  std::vector<double> logp, losses, grads, work;
  std::vector<int32_t> targets, plan;
  CtcArgs args{};

  explicit Problem(int64_t slots) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-3, -0.1);
    for (int64_t i = 0; i < steps * batch * classes; ++i) logp.push_back(uniform(random));
    for (int32_t n = 0; n < batch; ++n) {
      const int32_t start = static_cast<int32_t>(targets.size());
      for (int32_t i = 0; i < n; ++i) targets.push_back(1 + static_cast<int32_t>(random() % 3));
      for (int32_t value : {9 - n, n, start}) plan.push_back(value);
    }
    losses.assign(batch, 7);
    grads.assign(logp.size(), 7);
    args.room = steps * (2 * batch + 1);
    args.slots = slots;
    work.assign(args.room * slots, 7);
    args.dtype = DType::kFloat64;
    args.steps = steps;
    args.batch = batch;
    args.classes = classes;
    args.labels = static_cast<int64_t>(targets.size());
    args.losses = losses.data();
    args.grads = grads.data();
    args.logp = logp.data();
    args.targets = targets.data();
    args.plan = plan.data();
    args.work = work.data();
  }
};

}  // namespace

TEST_CASE("ctc: a sample without labels is its blanks, whatever the slots and threads") {
  const int before = num_threads();
  Problem one(1);
  set_num_threads(1);
  kernels().ctc(one.args);
  CHECK(take_bad_index() == -1);
  double blanks = 0;
  for (int64_t t = 0; t < one.steps; ++t) blanks -= one.logp[t * one.batch * one.classes];
  CHECK(std::abs(one.losses[0] - blanks) < 1e-12);
  set_num_threads(3);
  for (int64_t slots : {1, 2, 3, 5}) {
    Problem other(slots);
    kernels().ctc(other.args);
    CHECK(other.losses == one.losses);
    CHECK(other.grads == one.grads);
    Problem without(slots);
    without.args.grads = nullptr;
    kernels().ctc(without.args);
    CHECK(without.losses == one.losses);
  }
  set_num_threads(before);
}

TEST_CASE("ctc: gradients are probabilities, 0 behind the last step") {
  Problem p(2);
  kernels().ctc(p.args);
  bool good = true;
  for (int64_t t = 0; t < p.steps; ++t) {
    for (int64_t n = 0; n < p.batch; ++n) {
      double sum = 0;
      for (int64_t c = 0; c < p.classes; ++c) sum += p.grads[(t * p.batch + n) * p.classes + c];
      good = good && std::abs(sum - (t < 9 - n ? -1 : 0)) < 1e-12;
    }
  }
  CHECK(good);
}

TEST_CASE("ctc: a bad label is told, a plan that lies is harmless") {
  Problem p(2);
  p.targets[4] = 4;
  kernels().ctc(p.args);
  CHECK(take_bad_index() == 4);
  CHECK(p.losses[0] == 7);
  for (int32_t lie : {-1, 10, 1000, INT32_MAX, INT32_MIN}) {
    for (int64_t place = 0; place < 15; ++place) {
      Problem q(2);
      q.plan[place] = lie;
      kernels().ctc(q.args);
      take_bad_index();
    }
  }
  Problem narrow(1);
  narrow.args.room = 3;
  kernels().ctc(narrow.args);
}
