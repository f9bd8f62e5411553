// Normalisation against plain loops in float64, in every form and at lengths around a vector's.
#include "core/args/norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

template <class T>
struct Case {
  NormArgs args{};
  std::vector<T> x, dy, w, b, y, dx, dw, db, running_mean, running_variance;
  std::vector<double> stats;

  Case(bool batch, bool centered, bool given, int64_t outer, int64_t groups, int64_t channels, int64_t inner,
       double mean = 2) {
    std::mt19937 random(static_cast<unsigned>(outer * 31 + groups * 7 + channels * 3 + inner));
    std::normal_distribution<double> normal;
    args.dtype = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;
    args.batch = batch;
    args.centered = centered;
    args.given = given;
    args.outer = outer;
    args.groups = groups;
    args.channels = channels;
    args.inner = inner;
    args.eps = 1e-5;
    args.momentum = 0.25;
    const auto fill = [&](std::vector<T>& v, int64_t n, double from) {
      v.resize(n);
      for (T& e : v) e = static_cast<T>(from + normal(random));
    };
    const int64_t all = outer * groups * channels * inner;
    fill(x, all, mean);
    fill(dy, all, 0);
    fill(w, groups * channels, 1);
    fill(b, groups * channels, 0);
    running_mean.assign(groups, 1);
    running_variance.assign(groups, 3);
    stats.assign(2 * sites_of(args), 1.5);
    y.assign(all + 1, 7);
    dx = y;
    dw.assign(w.size() + 1, 7);
    db = dw;
  }

  void run(bool weights = true) {
    args.mean = stats.data();
    args.variance = stats.data() + sites_of(args);
    args.x = x.data();
    args.dy = dy.data();
    args.weight = weights ? w.data() : nullptr;
    args.bias = weights ? b.data() : nullptr;
    args.y = y.data();
    args.dx = dx.data();
    args.dweight = dw.data();
    args.dbias = db.data();
    args.running_mean = args.channels == 1 && !args.given ? running_mean.data() : nullptr;
    args.running_variance = args.channels == 1 && !args.given ? running_variance.data() : nullptr;
    kernels().norm_forward(args);
    kernels().norm_backward(args);
    for (const auto* v : {&y, &dx, &dw, &db}) CHECK(v->back() == 7);
  }

  // The elements of a site, each with its weight.
  template <class F>
  void over(int64_t site, const F& f) const {
    const NormArgs& a = args;
    for (int64_t o = 0; o < (a.batch ? a.outer : 1); ++o) {
      const int64_t row = a.batch ? o * a.groups + site : site;
      for (int64_t k = 0; k < a.channels; ++k)
        for (int64_t i = 0; i < a.inner; ++i) f((row * a.channels + k) * a.inner + i, row % a.groups * a.channels + k);
    }
  }

  void check(bool weights = true, double scale = 1) {
    run(weights);
    const double eps = (sizeof(T) == 8 ? 1e-13 : 1e-6) * scale;
    const int64_t sites = sites_of(args), n = count_of(args);
    std::vector<double> dweight(w.size()), dbias(w.size()), means(args.groups), variances(args.groups);
    double worst = 0;
    const auto compare = [&](double got, double want) {
      const double error = std::abs(got - want) / (1 + std::abs(want));
      if (!(error <= worst)) worst = error;
    };
    for (int64_t site = 0; site < sites; ++site) {
      double mean = 0, variance = 0, sum = 0, along = 0;
      // Far from 0 the mean would lose digits in a sum of the values themselves.
      const double first = x[0];
      over(site, [&](int64_t at, int64_t) { mean += (double(x[at]) - first) / double(n); });
      mean += first;
      if (!args.centered) mean = 0;
      over(site, [&](int64_t at, int64_t) { variance += (double(x[at]) - mean) * (double(x[at]) - mean) / double(n); });
      if (args.given) mean = variance = 1.5;
      compare(stats[site], mean);
      compare(stats[sites + site], variance);
      const double rstd = 1 / std::sqrt(variance + args.eps);
      over(site, [&](int64_t at, int64_t p) {
        const double factor = weights ? double(w[p]) : 1, hat = (double(x[at]) - mean) * rstd;
        compare(y[at], hat * factor + (weights ? double(b[p]) : 0));
        sum += dy[at] * factor;
        along += dy[at] * factor * hat;
        dweight[p] += dy[at] * hat;
        dbias[p] += dy[at];
      });
      over(site, [&](int64_t at, int64_t p) {
        const double factor = weights ? double(w[p]) : 1, hat = (double(x[at]) - mean) * rstd;
        double dx_want = dy[at] * factor;
        if (!args.given) dx_want -= (args.centered ? sum / double(n) : 0) + hat * along / double(n);
        compare(dx[at], dx_want * rstd);
      });
      const double share = 0.25 / (args.batch ? 1.0 : double(args.outer));
      means[site % args.groups] += share * mean;
      variances[site % args.groups] += share * variance * double(n) / double(n - 1);
    }
    for (size_t p = 0; p < w.size(); ++p) {
      compare(dw[p] / std::sqrt(double(args.outer * args.inner)),
              dweight[p] / std::sqrt(double(args.outer * args.inner)));
      compare(db[p] / std::sqrt(double(args.outer * args.inner)),
              dbias[p] / std::sqrt(double(args.outer * args.inner)));
    }
    if (args.running_mean && n > 1) {
      for (int64_t c = 0; c < args.groups; ++c) {
        compare(running_mean[c], 0.75 + means[c]);
        compare(running_variance[c], 2.25 + variances[c]);
      }
    }
    INFO("batch " << args.batch << " centered " << args.centered << " given " << args.given << " [" << args.outer
                  << ", " << args.groups << ", " << args.channels << ", " << args.inner << "]");
    CHECK(worst < eps);
  }
};

template <class T>
void check_forms(int64_t n) {
  for (bool weights : {true, false}) {
    Case<T>(false, true, false, 7, 1, n, 1).check(weights);      // layers
    Case<T>(false, false, false, 7, 1, n, 1).check(weights);     // root mean squares
    Case<T>(false, true, false, 5, 3, n, 1).check(weights);      // groups of single elements
    Case<T>(false, true, false, 3, 2, 4, n).check(weights);      // groups
    Case<T>(false, true, false, 3, 5, 1, n + 1).check(weights);  // instances
    for (bool given : {false, true}) {
      Case<T>(true, true, given, 3, 5, 1, n).check(weights);   // batches of planes
      Case<T>(true, true, given, 50, n, 1, 1).check(weights);  // batches of columns
    }
  }
}

}  // namespace

TEST_CASE("normalisation equals plain loops") {
  // Two elements are so near each other at times that the deviation means little.
  for (int64_t n : {3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129}) {
    check_forms<float>(n);
    check_forms<double>(n);
  }
  Case<float>(false, true, false, 700, 1, 1000, 1).check();
  Case<float>(false, true, false, 2, 1, 20000, 1).check();
  Case<float>(true, true, false, 9000, 20, 1, 1).check();
  Case<double>(true, true, false, 4, 2, 1, 5000).check();
}

TEST_CASE("normalisation keeps its digits far from 0") {
  // float32 has steps of 1e-3 at 1e4; what is made of those values is exact to its own last digits.
  Case<float>(false, true, false, 3, 1, 10000, 1, 1e4).check();
  Case<float>(true, true, false, 8, 3, 1, 1024, 1e4).check();
  Case<float>(true, true, false, 5000, 40, 1, 1, 1e4).check();
  // A mean of 1e8 has its last digit at 1.5e-8.
  Case<double>(false, true, false, 3, 1, 10000, 1, 1e8).check(true, 1e5);
  // The first element, which distances are measured from, lies far from all others.
  Case<float> outlier(false, true, false, 1, 1, 100000, 1);
  outlier.x[0] = 1e6f;
  outlier.check();
}

TEST_CASE("normalisation of infinities and NaN, and constant rows") {
  Case<float> row(false, true, false, 3, 1, 40, 1);
  row.x[5] = INFINITY;
  row.x[45] = NAN;
  for (int64_t i = 80; i < 120; ++i) row.x[i] = 3;
  row.run();
  CHECK(row.stats[0] == INFINITY);
  CHECK(std::isnan(row.y[0]));
  CHECK(std::isnan(row.y[40]));
  CHECK(row.stats[5] == 0);
  CHECK(row.y[80] == row.b[0]);
  CHECK(std::isnan(row.dw[0]));
}

TEST_CASE("normalisation does not depend on threads") {
  const int before = num_threads();
  for (int form = 0; form < 4; ++form) {
    const auto make = [&] {
      return form == 0   ? Case<float>(false, true, false, 600, 1, 333, 1)
             : form == 1 ? Case<float>(false, true, false, 20, 4, 8, 99)
             : form == 2 ? Case<float>(true, true, false, 20, 16, 1, 500)
                         : Case<float>(true, true, false, 300, 500, 1, 1);
    };
    Case<float> one = make(), more = make();
    set_num_threads(1);
    one.run();
    set_num_threads(3);
    more.run();
    CHECK(one.y == more.y);
    CHECK(one.dx == more.dx);
    CHECK(one.dw == more.dw);
    CHECK(one.db == more.db);
    CHECK(one.stats == more.stats);
    CHECK(one.running_variance == more.running_variance);
  }
  set_num_threads(before);
}

TEST_CASE("normalisation makes only the gradients asked for") {
  for (int form = 0; form < 4; ++form) {
    Case<float> all(form > 1, true, false, 9, 4, form > 1 ? 1 : 5, form % 2 ? 20 : 1);
    all.run();
    const std::vector<float> dx = all.dx, dw = all.dw;
    all.dx.assign(dx.size(), 7);
    all.dw.assign(dw.size(), 7);
    NormArgs args = all.args;
    args.dweight = args.dbias = nullptr;
    kernels().norm_backward(args);
    CHECK(all.dx == dx);
    args = all.args;
    args.dx = args.dbias = nullptr;
    kernels().norm_backward(args);
    CHECK(all.dw == dw);
  }
}
