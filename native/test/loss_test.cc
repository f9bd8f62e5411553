// Losses of class targets against plain loops: ignored and bad targets, weights, columns.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/index_check.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

struct Problem {
  int64_t outer, n, inner;
  std::vector<float> logp, w, dloss;
  std::vector<int32_t> target;
  LossArgs args{};

  Problem(int64_t outer, int64_t n, int64_t inner, bool weighted) : outer(outer), n(n), inner(inner) {
    std::mt19937 random(static_cast<unsigned>(n + inner));
    std::uniform_real_distribution<float> uniform(0.1f, 5);
    for (int64_t i = 0; i < outer * n * inner; ++i) logp.push_back(-uniform(random));
    for (int64_t i = 0; i < n; ++i) w.push_back(weighted ? uniform(random) : 1);
    for (int64_t i = 0; i < outer * inner; ++i) {
      dloss.push_back(uniform(random));
      target.push_back(random() % 4 == 0 ? -100 : static_cast<int32_t>(random() % n));
    }
    args.outer = outer;
    args.n = n;
    args.inner = inner;
    args.ignored = -100;
    args.logp = logp.data();
    args.dloss = dloss.data();
    args.target = target.data();
    args.w = weighted ? w.data() : nullptr;
  }
};

}  // namespace

TEST_CASE("nll and cross entropy equal plain loops") {
  for (bool weighted : {false, true}) {
    for (int64_t n : {1, 3, 10, 40}) {
      for (int64_t inner : {1, 5, 300}) {
        Problem p(9, n, inner, weighted);
        std::vector<float> losses(p.target.size()), weights(p.target.size()), dlogp(p.logp.size(), 7),
            dx(p.logp.size(), 7);
        p.args.losses = losses.data();
        p.args.weights = weights.data();
        take_bad_index();
        kernels().nll(p.args);
        CHECK(take_bad_index() == -1);
        p.args.dx = dlogp.data();
        kernels().nll_backward(p.args);
        p.args.dx = dx.data();
        kernels().cross_entropy_backward(p.args);
        bool good = true;
        for (int64_t place = 0; place < p.outer * inner; ++place) {
          const int32_t t = p.target[place];
          const int64_t first = place / inner * n * inner + place % inner;
          const float weight = t < 0 ? 0 : p.w[t];
          good = good && weights[place] == weight;
          good = good && losses[place] == (t < 0 ? 0 : -weight * p.logp[first + t * inner]);
          for (int64_t k = 0; k < n; ++k) {
            const int64_t at = first + k * inner;
            const float onehot = k == t;
            good = good && dlogp[at] == (k == t ? -weight * p.dloss[place] : 0);
            const float want = (std::exp(p.logp[at]) - onehot) * weight * p.dloss[place];
            good = good && (t < 0 ? dx[at] == 0 : std::abs(dx[at] - want) < 1e-5f);
          }
        }
        CHECK(good);
      }
    }
  }
}

TEST_CASE("a bad target is told and harmless") {
  for (int64_t inner : {1, 7}) {
    Problem p(4, 5, inner, false);
    p.target[2] = 5;
    p.target[3] = -1;
    std::vector<float> losses(p.target.size(), 7), weights(losses), dx(p.logp.size(), 7);
    p.args.losses = losses.data();
    p.args.weights = weights.data();
    kernels().nll(p.args);
    CHECK(take_bad_index() == 2);
    CHECK(take_bad_index() == -1);
    CHECK(losses[0] == 7);
    p.args.dx = dx.data();
    kernels().cross_entropy_backward(p.args);
    kernels().nll_backward(p.args);
  }
}
