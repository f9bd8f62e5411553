// Attention against plain loops in float64, at sizes around those of blocks and panels.
#include "core/args/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

constexpr double kGuard = 7;

enum class Masking { kNone, kCausal, kBool, kAdded, kKeys };

struct Problem {
  int64_t heads, l, s, e, ev;
  Masking masking;
};

// Rows lie `gap` apart from each other, as where heads share a projection.
constexpr int64_t kGap = 3;

template <class T>
struct Run {
  std::vector<T> q, k, v, y, stats, dy, dq, dk, dv, added;
  std::vector<uint8_t> allowed;
};

template <class T>
std::vector<T> drawn(std::mt19937& random, int64_t n) {
  std::uniform_real_distribution<double> uniform(-2, 2);
  std::vector<T> values(static_cast<size_t>(n));
  for (T& value : values) value = static_cast<T>(uniform(random));
  return values;
}

template <class T>
HeadView view(std::vector<T>& data, int64_t rows, int64_t columns) {
  HeadView result{};
  result.data = reinterpret_cast<char*>(data.data());
  result.row = columns + kGap;
  result.batch[0] = rows * result.row;
  return result;
}

template <class T>
AttentionArgs arguments(const Problem& p, Run<T>& r) {
  AttentionArgs args{};
  args.dtype = sizeof(T) == 4 ? DType::kFloat32 : DType::kFloat64;
  args.causal = p.masking == Masking::kCausal;
  args.l = p.l;
  args.s = p.s;
  args.e = p.e;
  args.ev = p.ev;
  args.scale = 0.3;
  args.ndim = 1;
  args.shape[0] = p.heads;
  args.q = view(r.q, p.l, p.e);
  args.k = view(r.k, p.s, p.e);
  args.v = view(r.v, p.s, p.ev);
  args.y = view(r.y, p.l, p.ev);
  args.stats = r.stats.data();
  args.dy = view(r.dy, p.l, p.ev);
  args.dq = view(r.dq, p.l, p.e);
  args.dk = view(r.dk, p.s, p.e);
  args.dv = view(r.dv, p.s, p.ev);
  args.mask_column = 1;
  args.mask.row = p.masking == Masking::kKeys ? 0 : p.s;
  args.mask.batch[0] = p.masking == Masking::kKeys ? p.s : 0;
  if (p.masking == Masking::kBool || p.masking == Masking::kKeys) {
    args.mask_kind = MaskKind::kBool;
    args.mask.data = reinterpret_cast<char*>(r.allowed.data());
  } else if (p.masking == Masking::kAdded) {
    args.mask_kind = MaskKind::kAdded;
    args.mask.data = reinterpret_cast<char*>(r.added.data());
  }
  return args;
}

template <class T>
Run<T> made(const Problem& p) {
  std::mt19937 random(11);
  Run<T> r;
  const auto size = [&](int64_t rows, int64_t columns) { return p.heads * rows * (columns + kGap); };
  r.q = drawn<T>(random, size(p.l, p.e));
  r.k = drawn<T>(random, size(p.s, p.e));
  r.v = drawn<T>(random, size(p.s, p.ev));
  r.dy = drawn<T>(random, size(p.l, p.ev));
  const auto guarded = [&](int64_t n) { return std::vector<T>(static_cast<size_t>(n), static_cast<T>(kGuard)); };
  r.y = guarded(size(p.l, p.ev));
  r.stats = guarded(2 * p.heads * p.l);
  r.dq = guarded(size(p.l, p.e));
  r.dk = guarded(size(p.s, p.e));
  r.dv = guarded(size(p.s, p.ev));
  r.added = drawn<T>(random, p.l * p.s);
  for (int64_t i = 0; i < p.heads * p.l * p.s; ++i) r.allowed.push_back(random() % 3 != 0);
  // Key 0 is seen by all, so that every row has a weight.
  for (size_t i = 0; i < r.allowed.size(); i += static_cast<size_t>(p.s)) r.allowed[i] = 1;
  return r;
}

template <class T>
Run<T> run(const Problem& p) {
  Run<T> r = made<T>(p);
  const AttentionArgs args = arguments(p, r);
  kernels().attention_forward(args);
  kernels().attention_backward(args);
  return r;
}

// The same by definition.
template <class T>
Run<double> expected(const Problem& p, const Run<T>& r) {
  Run<double> x;
  const auto wide = [](const std::vector<T>& from) { return std::vector<double>(from.begin(), from.end()); };
  x.q = wide(r.q), x.k = wide(r.k), x.v = wide(r.v), x.dy = wide(r.dy);
  x.y.assign(r.y.size(), kGuard), x.dq.assign(r.dq.size(), kGuard);
  x.dk.assign(r.dk.size(), kGuard), x.dv.assign(r.dv.size(), kGuard);
  const auto at = [](int64_t rows, int64_t columns) {
    return [=](int64_t head, int64_t i, int64_t j) {
      return static_cast<size_t>((head * rows + i) * (columns + kGap) + j);
    };
  };
  const auto q = at(p.l, p.e), k = at(p.s, p.e), v = at(p.s, p.ev), y = at(p.l, p.ev);
  const auto added = [&](int64_t head, int64_t i, int64_t j) {
    const double never = -INFINITY;
    if (p.masking == Masking::kCausal) return j > i ? never : 0.0;
    if (p.masking == Masking::kBool) return r.allowed[static_cast<size_t>(i * p.s + j)] ? 0.0 : never;
    if (p.masking == Masking::kKeys) return r.allowed[static_cast<size_t>(head * p.s + j)] ? 0.0 : never;
    return p.masking == Masking::kAdded ? static_cast<double>(r.added[static_cast<size_t>(i * p.s + j)]) : 0.0;
  };
  for (int64_t h = 0; h < p.heads; ++h) {
    for (int64_t j = 0; j < p.s; ++j) {
      for (int64_t c = 0; c < p.e; ++c) x.dk[k(h, j, c)] = 0;
      for (int64_t c = 0; c < p.ev; ++c) x.dv[v(h, j, c)] = 0;
    }
    for (int64_t i = 0; i < p.l; ++i) {
      std::vector<double> weights(static_cast<size_t>(p.s)), gradients(static_cast<size_t>(p.s));
      double sum = 0, dot = 0;
      for (int64_t j = 0; j < p.s; ++j) {
        double score = 0;
        for (int64_t c = 0; c < p.e; ++c) score += 0.3 * x.q[q(h, i, c)] * x.k[k(h, j, c)];
        weights[static_cast<size_t>(j)] = std::exp(score + added(h, i, j));
        sum += weights[static_cast<size_t>(j)];
      }
      for (double& weight : weights) weight /= sum;
      for (int64_t c = 0; c < p.ev; ++c) x.y[y(h, i, c)] = 0;
      for (int64_t j = 0; j < p.s; ++j) {
        double& g = gradients[static_cast<size_t>(j)];
        const double weight = weights[static_cast<size_t>(j)];
        for (int64_t c = 0; c < p.ev; ++c) {
          x.y[y(h, i, c)] += weight * x.v[v(h, j, c)];
          x.dv[v(h, j, c)] += weight * x.dy[y(h, i, c)];
          g += x.dy[y(h, i, c)] * x.v[v(h, j, c)];
        }
        dot += g * weight;
      }
      for (int64_t c = 0; c < p.e; ++c) x.dq[q(h, i, c)] = 0;
      for (int64_t j = 0; j < p.s; ++j) {
        const double d = 0.3 * weights[static_cast<size_t>(j)] * (gradients[static_cast<size_t>(j)] - dot);
        for (int64_t c = 0; c < p.e; ++c) {
          x.dq[q(h, i, c)] += d * x.k[k(h, j, c)];
          x.dk[k(h, j, c)] += d * x.q[q(h, i, c)];
        }
      }
    }
  }
  return x;
}

template <class T>
double distance(const std::vector<T>& a, const std::vector<double>& b) {
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(static_cast<double>(a[i]) - b[i]) / (1 + std::abs(b[i]));
    most = error > most ? error : most;
    if (std::isnan(error)) return INFINITY;
  }
  return most;
}

template <class T>
void check(const Problem& p, double tolerance) {
  const Run<T> r = run<T>(p);
  const Run<double> x = expected(p, r);
  const int masking = static_cast<int>(p.masking);
  CAPTURE(p.l);
  CAPTURE(p.s);
  CAPTURE(p.e);
  CAPTURE(p.ev);
  CAPTURE(masking);
  CHECK(distance(r.y, x.y) < tolerance);
  CHECK(distance(r.dq, x.dq) < tolerance);
  CHECK(distance(r.dk, x.dk) < tolerance);
  CHECK(distance(r.dv, x.dv) < tolerance);
}

const Problem kProblems[] = {
    {2, 1, 1, 1, 1, Masking::kNone},        {3, 5, 7, 4, 2, Masking::kNone},
    {1, 128, 128, 32, 32, Masking::kNone},  {2, 131, 300, 17, 33, Masking::kNone},
    {2, 40, 40, 5, 13, Masking::kCausal},   {1, 140, 140, 16, 16, Masking::kCausal},
    {2, 37, 70, 8, 24, Masking::kBool},     {9, 33, 270, 12, 12, Masking::kAdded},
    {3, 130, 261, 7, 9, Masking::kKeys},    {1, 300, 33, 3, 40, Masking::kBool},
    {1, 260, 520, 24, 11, Masking::kAdded},
};

}  // namespace

TEST_CASE("attention equals plain loops") {
  for (const Problem& p : kProblems) {
    check<double>(p, 1e-12);
    check<float>(p, 3e-5);
  }
}

TEST_CASE("attention gives the same bits on any number of threads") {
  const int before = num_threads();
  for (const Problem& p : kProblems) {
    set_num_threads(1);
    const Run<float> one = run<float>(p);
    set_num_threads(4);
    const Run<float> four = run<float>(p);
    CHECK(one.y == four.y);
    CHECK(one.stats == four.stats);
    CHECK(one.dq == four.dq);
    CHECK(one.dk == four.dk);
    CHECK(one.dv == four.dv);
  }
  set_num_threads(before);
}

TEST_CASE("attention computes the gradients that are wanted") {
  const Problem p{2, 200, 150, 10, 20, Masking::kCausal};
  const Run<float> all = run<float>(p);
  for (int wanted = 0; wanted < 8; ++wanted) {
    Run<float> r = made<float>(p);
    AttentionArgs args = arguments(p, r);
    kernels().attention_forward(args);
    if (!(wanted & 1)) args.dq.data = nullptr;
    if (!(wanted & 2)) args.dk.data = nullptr;
    if (!(wanted & 4)) args.dv.data = nullptr;
    kernels().attention_backward(args);
    if (wanted & 1) CHECK(r.dq == all.dq);
    if (wanted & 2) CHECK(r.dk == all.dk);
    if (wanted & 4) CHECK(r.dv == all.dv);
  }
}

TEST_CASE("attention rows that see nothing are NaN, and NaN stays in its row") {
  const Problem p{1, 40, 300, 8, 8, Masking::kAdded};
  Run<float> r = made<float>(p);
  for (int64_t j = 0; j < p.s; ++j) r.added[static_cast<size_t>(2 * p.s + j)] = -INFINITY;
  // The first block of keys alone is hidden from query 3.
  for (int64_t j = 0; j < 256; ++j) r.added[static_cast<size_t>(3 * p.s + j)] = -INFINITY;
  r.q[static_cast<size_t>(5 * (p.e + kGap))] = NAN;
  kernels().attention_forward(arguments(p, r));
  for (int64_t i = 0; i < p.l; ++i) {
    CAPTURE(i);
    CHECK(std::isnan(r.y[static_cast<size_t>(i * (p.ev + kGap))]) == (i == 2 || i == 5));
  }
}
