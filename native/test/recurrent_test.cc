// Recurrent layers against plain loops in float64, at sizes around those of panels and blocks.
#include "core/args/recurrent.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

using Cell = RecurrentCell;
constexpr double kGuard = 7;

struct Problem {
  Cell cell;
  bool reverse;
  int64_t batch, hidden;
  std::vector<int32_t> sizes;

  int64_t steps() const { return static_cast<int64_t>(sizes.size()); }
  int64_t rows() const { return std::accumulate(sizes.begin(), sizes.end(), int64_t{0}); }
  int64_t gates() const { return gates_of(cell); }
};

// Everything a run reads and writes, each with a guard behind it.
template <class T>
struct Run {
  std::vector<T> w, bias, h0, c0, products, gates, kept, y, hn, cn;
  std::vector<T> dy, dhn, dcn, dh0, dc0, dgates, dhidden;
};

template <class T>
Run<T> run(const Problem& p, bool keep = true) {
  std::mt19937 random(static_cast<unsigned>(p.hidden * 31 + p.batch));
  std::normal_distribution<float> normal(0, 1);
  const auto drawn = [&](int64_t n, float scale) {
    std::vector<T> v(n + 1, T(kGuard));
    for (int64_t i = 0; i < n; ++i) v[i] = static_cast<T>(normal(random) * scale);
    return v;
  };
  const auto empty = [](int64_t n) { return std::vector<T>(n + 1, T(kGuard)); };
  const int64_t h = p.hidden, state = p.batch * h, all = p.rows() * h, gates = p.gates();
  Run<T> r;
  r.w = drawn(gates * h * h, 1 / std::sqrt(static_cast<float>(h)));
  r.bias = drawn(gates * h, 1);
  r.h0 = drawn(state, 1);
  r.c0 = drawn(state, 1);
  r.products = drawn(all * gates, 1);
  r.gates = r.products;
  r.dy = drawn(all, 1);
  r.dhn = drawn(state, 1);
  r.dcn = drawn(state, 1);
  for (auto* v : {&r.kept, &r.y}) *v = empty(all);
  for (auto* v : {&r.hn, &r.cn, &r.dh0, &r.dc0}) *v = empty(state);
  for (auto* v : {&r.dgates, &r.dhidden}) *v = empty(all * gates);
  RecurrentArgs args{};
  args.dtype = sizeof(T) == 8 ? DType::kFloat64 : DType::kFloat32;
  args.cell = p.cell;
  args.reverse = p.reverse;
  args.keep = keep;
  args.steps = p.steps();
  args.batch = p.batch;
  args.hidden = h;
  args.rows = p.rows();
  args.sizes = p.sizes.data();
  args.w = r.w.data();
  args.bias = r.bias.data();
  args.y = r.y.data();
  args.h0 = r.h0.data();
  args.c0 = r.c0.data();
  args.hn = r.hn.data();
  args.cn = r.cn.data();
  args.gates = r.gates.data();
  args.kept = keep ? r.kept.data() : nullptr;
  kernels().recurrent_forward(args);
  if (keep) {
    args.dy = r.dy.data();
    args.dhn = r.dhn.data();
    args.dcn = r.dcn.data();
    args.dh0 = r.dh0.data();
    args.dc0 = r.dc0.data();
    args.dgates = r.dgates.data();
    args.dhidden = p.cell == Cell::kGru ? r.dhidden.data() : r.dgates.data();
    kernels().recurrent_backward(args);
  }
  for (auto* v : {&r.kept, &r.y, &r.hn, &r.cn, &r.gates, &r.dh0, &r.dc0, &r.dgates, &r.dhidden})
    CHECK(v->back() == T(kGuard));
  return r;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The sum that backward differentiates, from given start, weights and products: outputs and last states times dy, dhn,
// dcn.
struct Answer {
  std::vector<double> y, hn, cn;
  double loss = 0;
};

template <class T>
Answer plain(const Problem& p, const Run<T>& r, const std::vector<double>& products, const std::vector<double>& h0,
             const std::vector<double>& c0) {
  const int64_t h = p.hidden, gates = p.gates();
  Answer a{std::vector<double>(p.rows() * h), h0, c0};
  std::vector<int64_t> first(p.steps() + 1, 0);
  for (int64_t t = 0; t < p.steps(); ++t) first[t + 1] = first[t] + p.sizes[t];
  for (int64_t s = 0; s < p.steps(); ++s) {
    const int64_t t = p.reverse ? p.steps() - 1 - s : s;
    const std::vector<double> before = a.hn;
    for (int64_t row = 0; row < p.sizes[t]; ++row) {
      for (int64_t u = 0; u < h; ++u) {
        double x[4], q[4];
        for (int64_t g = 0; g < gates; ++g) {
          x[g] = products[((first[t] + row) * gates + g) * h + u];
          q[g] = r.bias[g * h + u];
          for (int64_t k = 0; k < h; ++k) q[g] += double(r.w[(g * h + u) * h + k]) * before[row * h + k];
        }
        double &c = a.cn[row * h + u], &state = a.hn[row * h + u];
        if (p.cell == Cell::kTanh) state = std::tanh(x[0] + q[0]);
        if (p.cell == Cell::kRelu) state = std::fmax(0, x[0] + q[0]);
        if (p.cell == Cell::kLstm) {
          c = sigmoid(x[1] + q[1]) * c + sigmoid(x[0] + q[0]) * std::tanh(x[2] + q[2]);
          state = sigmoid(x[3] + q[3]) * std::tanh(c);
        }
        if (p.cell == Cell::kGru) {
          const double z = sigmoid(x[1] + q[1]), n = std::tanh(x[2] + sigmoid(x[0] + q[0]) * q[2]);
          state = n + z * (state - n);
        }
        a.y[(first[t] + row) * h + u] = state;
        a.loss += state * r.dy[(first[t] + row) * h + u];
      }
    }
  }
  for (size_t i = 0; i < a.hn.size(); ++i) {
    a.loss += a.hn[i] * r.dhn[i];
    if (p.cell == Cell::kLstm) a.loss += a.cn[i] * r.dcn[i];
  }
  return a;
}

template <class T>
std::vector<double> doubles(const std::vector<T>& v) {
  return std::vector<double>(v.begin(), v.end() - 1);
}

template <class T>
double worst(const std::vector<T>& got, const std::vector<double>& want) {
  double most = 0;
  for (size_t i = 0; i < want.size(); ++i) most = std::fmax(most, std::abs(got[i] - want[i]) / (1 + std::abs(want[i])));
  return most;
}

constexpr Cell kCells[] = {Cell::kTanh, Cell::kRelu, Cell::kLstm, Cell::kGru};

// Falling from `batch`, some steps alike.
std::vector<int32_t> falling(int64_t batch, int64_t steps) {
  std::vector<int32_t> sizes;
  for (int64_t t = 0; t < steps; ++t)
    sizes.push_back(static_cast<int32_t>(std::max<int64_t>(1, batch - t * batch / 5)));
  return sizes;
}

}  // namespace

TEST_CASE("recurrent layers equal plain loops") {
  for (const Cell cell : kCells) {
    for (const bool reverse : {false, true}) {
      for (const int64_t hidden : {1, 3, 8, 16, 17, 31, 32, 33, 65, 260}) {
        for (const int64_t batch : {1, 2, 5, 12, 13, 25, 61}) {
          if (hidden * batch > 5000) continue;
          const Problem p{cell, reverse, batch, hidden, falling(batch, 4)};
          const auto single = run<float>(p);
          const auto twice = run<double>(p);
          INFO("cell " << int(cell) << " hidden " << hidden << " batch " << batch << " reverse " << reverse);
          const Answer a = plain(p, single, doubles(single.products), doubles(single.h0), doubles(single.c0));
          CHECK(worst(single.y, a.y) < 2e-5);
          CHECK(worst(single.hn, a.hn) < 2e-5);
          const Answer b = plain(p, twice, doubles(twice.products), doubles(twice.h0), doubles(twice.c0));
          CHECK(worst(twice.y, b.y) < 1e-13);
          CHECK(worst(twice.hn, b.hn) < 1e-13);
          if (cell == Cell::kLstm) CHECK(worst(twice.cn, b.cn) < 1e-13);
          CHECK(run<float>(p, false).y == single.y);
        }
      }
    }
  }
}

TEST_CASE("recurrent gradients are those of differences") {
  for (const Cell cell : kCells) {
    for (const bool reverse : {false, true}) {
      const Problem p{cell, reverse, 5, 19, falling(5, 4)};
      const auto r = run<double>(p);
      const auto loss = [&](std::vector<double> products, std::vector<double> h0, std::vector<double> c0) {
        return plain(p, r, products, h0, c0).loss;
      };
      const auto products = doubles(r.products), h0 = doubles(r.h0), c0 = doubles(r.c0);
      const double step = 1e-6;
      const auto slope = [&](int which, size_t i) {
        auto up = which == 0 ? products : which == 1 ? h0 : c0, down = up;
        up[i] += step;
        down[i] -= step;
        const auto at = [&](const std::vector<double>& v) {
          return loss(which == 0 ? v : products, which == 1 ? v : h0, which == 2 ? v : c0);
        };
        return (at(up) - at(down)) / (2 * step);
      };
      for (size_t i = 0; i < products.size(); i += 7) CHECK(r.dgates[i] == doctest::Approx(slope(0, i)).epsilon(1e-5));
      for (size_t i = 0; i < h0.size(); i += 3) CHECK(r.dh0[i] == doctest::Approx(slope(1, i)).epsilon(1e-5));
      if (cell != Cell::kLstm) continue;
      for (size_t i = 0; i < c0.size(); i += 3) CHECK(r.dc0[i] == doctest::Approx(slope(2, i)).epsilon(1e-5));
    }
  }
}

TEST_CASE("recurrent layers give the same bits on any number of threads and for a sequence alone") {
  const int before = num_threads();
  for (const Cell cell : kCells) {
    const Problem p{cell, false, 40, 200, std::vector<int32_t>(3, 40)};
    set_num_threads(1);
    const auto one = run<float>(p);
    set_num_threads(3);
    const auto three = run<float>(p);
    CHECK(one.y == three.y);
    CHECK(one.dgates == three.dgates);
    CHECK(one.dh0 == three.dh0);
  }
  set_num_threads(before);
}

TEST_CASE("recurrent layers carry NaN") {
  for (const Cell cell : kCells) {
    const Problem p{cell, false, 2, 5, {2, 2}};
    auto products = run<float>(p).products;
    Run<float> r = run<float>(p);
    products[0] = NAN;
    RecurrentArgs args{};
    args.cell = cell;
    args.steps = args.batch = 2;
    args.hidden = 5;
    args.rows = 4;
    args.w = r.w.data();
    args.y = r.y.data();
    args.h0 = r.h0.data();
    args.hn = r.hn.data();
    args.cn = r.cn.data();
    args.gates = products.data();
    kernels().recurrent_forward(args);
    CHECK(std::isnan(r.y[0]));
    CHECK(std::isnan(r.hn[0]));
    CHECK_FALSE(std::isnan(r.hn[5]));
  }
}
