// Optimizer steps against torch.optim's formulas written out in float64; threads and splitting change nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

template <class T>
struct Model {
  std::vector<std::vector<T>> p, g, a, b, c;

  explicit Model(const std::vector<int64_t>& sizes) {
    std::mt19937 random(9);
    std::normal_distribution<T> normal;
    for (int64_t n : sizes) {
      for (auto* list : {&p, &g}) {
        list->emplace_back(n);
        for (T& e : list->back()) e = normal(random);
      }
      for (auto* list : {&a, &b, &c}) list->emplace_back(n);
    }
  }

  void step(bool adam, const OptimArgs& args) { step(adam ? kernels().adam : kernels().sgd, args); }

  void step(const Kernel<OptimArgs> (&kernel)[2], OptimArgs args) {
    args.dtype = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;
    args.count = static_cast<int32_t>(p.size());
    for (size_t k = 0; k < p.size(); ++k)
      args.parameters[k] = {
          static_cast<int64_t>(p[k].size()), p[k].data(), g[k].data(), {a[k].data(), b[k].data(), c[k].data()}};
    kernel[sizeof(T) == 8](args);
  }
};

OptimArgs options(unsigned bits) {
  OptimArgs args{};
  args.lr = 0.1;
  args.weight_decay = bits & 1 ? 0.05 : 0;
  args.maximize = bits & 2;
  args.momentum = bits & 4 ? 0.9 : 0;
  args.dampening = bits & 8 ? 0.2 : 0;
  args.nesterov = bits & 16;
  args.beta1 = 0.8;
  args.beta2 = 0.95;
  args.eps = 1e-8;
  args.decoupled = bits & 8;
  args.amsgrad = bits & 4;
  return args;
}

// One element, one step, straight from the documentation.
void sgd_by_hand(const OptimArgs& o, double g, double& p, double& buffer) {
  double d = o.maximize ? -g : g;
  d += o.weight_decay * p;
  if (o.momentum != 0) {
    buffer = o.first ? d : o.momentum * buffer + (1 - o.dampening) * d;
    d = o.nesterov ? d + o.momentum * buffer : buffer;
  }
  p -= o.lr * d;
}

void adam_by_hand(const OptimArgs& o, double g, double& p, double& m, double& v, double& most) {
  double d = o.maximize ? -g : g;
  if (o.decoupled)
    p -= o.lr * o.weight_decay * p;
  else
    d += o.weight_decay * p;
  m = o.beta1 * m + (1 - o.beta1) * d;
  v = o.beta2 * v + (1 - o.beta2) * d * d;
  most = std::fmax(most, v);
  const double m_hat = m / (1 - std::pow(o.beta1, o.step)),
               v_hat = (o.amsgrad ? most : v) / (1 - std::pow(o.beta2, o.step));
  p -= o.lr * m_hat / (std::sqrt(v_hat) + o.eps);
}

}  // namespace

TEST_CASE("optimizers follow their formulas") {
  for (unsigned bits = 0; bits < 32; ++bits) {
    for (bool adam : {false, true}) {
      Model<double> model({3, 100, 0, 17});
      Model<float> narrow({3, 100, 0, 17});
      for (size_t k = 0; k < model.p.size(); ++k) {
        for (size_t i = 0; i < model.p[k].size(); ++i) {
          narrow.p[k][i] = static_cast<float>(model.p[k][i]);
          narrow.g[k][i] = static_cast<float>(model.g[k][i]);
        }
      }
      if (!adam)
        for (auto& momentum : model.a) momentum.assign(momentum.size(), NAN);  // does not count at first
      Model<double> want = model;
      for (int step = 1; step <= 4; ++step) {
        OptimArgs o = options(bits);
        o.first = step == 1;
        o.step = step;
        model.step(adam, o);
        narrow.step(adam, o);
        double worst = 0, worst_narrow = 0;
        for (size_t k = 0; k < want.p.size(); ++k) {
          for (size_t i = 0; i < want.p[k].size(); ++i) {
            double& p = want.p[k][i];
            if (adam)
              adam_by_hand(o, want.g[k][i], p, want.a[k][i], want.b[k][i], want.c[k][i]);
            else
              sgd_by_hand(o, want.g[k][i], p, want.a[k][i]);
            worst = std::fmax(worst, std::abs(model.p[k][i] - p));
            worst_narrow = std::fmax(worst_narrow, std::abs(narrow.p[k][i] - p));
          }
        }
        INFO((adam ? "adam " : "sgd ") << bits);
        CHECK(worst < 1e-13);
        CHECK(worst_narrow < 2e-5);
      }
    }
  }
}

TEST_CASE("an optimizer step does not depend on threads or on how parameters are split") {
  const int before = num_threads();
  for (bool adam : {false, true}) {
    OptimArgs o = options(1 | 4);
    o.step = 3;
    Model<float> one({200001});
    Model<float> parts({1, 65536, 100000, 34464});
    size_t at = 0;
    for (size_t k = 0; k < parts.p.size(); ++k) {
      for (size_t i = 0; i < parts.p[k].size(); ++i, ++at) {
        parts.p[k][i] = one.p[0][at];
        parts.g[k][i] = one.g[0][at];
      }
    }
    set_num_threads(1);
    one.step(adam, o);
    set_num_threads(3);
    parts.step(adam, o);
    at = 0;
    bool same = true;
    for (const auto& p : parts.p)
      for (float e : p) same = same && e == one.p[0][at++];
    CHECK(same);
  }
  set_num_threads(before);
}

TEST_CASE("every update does not depend on threads or on how parameters are split") {
  const int before = num_threads();
  const UpdateFamily& family = kernels().update;
  for (int rule = 0; rule < family.count; ++rule) {
    OptimArgs o = options(1 | 2);
    for (int k = 0; k < kMaxNumbers; ++k) o.numbers[k] = 0.3 + 0.1 * k;
    Model<float> one({70001});
    Model<float> parts({1, 33000, 0, 37000});
    size_t at = 0;
    for (size_t k = 0; k < parts.p.size(); ++k) {
      for (size_t i = 0; i < parts.p[k].size(); ++i, ++at) {
        parts.p[k][i] = one.p[0][at];
        parts.g[k][i] = one.g[0][at];
      }
    }
    set_num_threads(1);
    for (int step = 0; step < 2; ++step) one.step(family.kernels[rule].run, o);
    set_num_threads(3);
    for (int step = 0; step < 2; ++step) parts.step(family.kernels[rule].run, o);
    at = 0;
    bool same = true, moved = false;
    for (const auto& p : parts.p) {
      for (float e : p) {
        same = same && (e == one.p[0][at] || (e != e && one.p[0][at] != one.p[0][at]));
        moved = moved || e == e;
        ++at;
      }
    }
    INFO(family.names[rule]);
    CHECK(same);
    CHECK(moved);
  }
  set_num_threads(before);
}

TEST_CASE("an update that keeps one or two tensors leaves the others alone") {
  const UpdateFamily& family = kernels().update;
  for (int rule = 0; rule < family.count; ++rule) {
    Model<double> model({100});
    for (auto* state : {&model.a, &model.b, &model.c}) (*state)[0].assign(100, 0.25);
    OptimArgs o = options(0);
    for (int k = 0; k < kMaxNumbers; ++k) o.numbers[k] = 0.5;
    model.step(family.kernels[rule].run, o);
    const std::vector<double> still(100, 0.25);
    INFO(family.names[rule]);
    CHECK((family.kernels[rule].states > 1 || model.b[0] == still));
    CHECK((family.kernels[rule].states > 2 || model.c[0] == still));
    CHECK(model.a[0] != still);
  }
}
