// Reductions against plain loops: random views, every subset of dimensions, threads, NaN.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

int number_of(const std::string& name) {
  const ReduceFamily& family = kernels().reduce;
  for (int i = 0; i < family.count; ++i)
    if (name == family.names[i]) return i;
  FAIL("no reduction " << name);
  return 0;
}

struct View {
  std::vector<int64_t> shape, strides;
  std::vector<char> reduced;
  int64_t offset = 0;
  int64_t size = 1;  // of the buffer

  int64_t product(bool of_reduced) const {
    int64_t n = 1;
    for (size_t d = 0; d < shape.size(); ++d)
      if (static_cast<bool>(reduced[d]) == of_reduced) n *= shape[d];
    return n;
  }
  // Offset of one combination of the kept or of the reduced dimensions.
  int64_t at(int64_t linear, bool of_reduced) const {
    int64_t result = 0;
    for (size_t d = shape.size(); d-- > 0;) {
      if (static_cast<bool>(reduced[d]) != of_reduced) continue;
      result += linear % shape[d] * strides[d];
      linear /= shape[d];
    }
    return result;
  }
};

// A view over a permuted buffer, some strides 0, negative or with gaps.
View random_view(std::mt19937& random, int64_t elements) {
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  View v;
  const int ndim = pick(0, 5);
  v.shape.resize(ndim);
  v.strides.resize(ndim);
  v.reduced.resize(ndim);
  std::vector<int> order;
  for (int d = 0; d < ndim; ++d) {
    v.shape[d] =
        pick(0, 5) == 0 ? 1 : pick(1, static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(elements, 3000))));
    if (pick(0, 30) == 0) v.shape[d] = 0;
    elements /= std::max<int64_t>(1, v.shape[d]);
    v.reduced[d] = static_cast<char>(pick(0, 1));
    order.insert(order.begin() + pick(0, d), d);
  }
  for (int d : order) {
    if (pick(0, 12) == 0) continue;  // stride 0
    const int64_t step = v.size * (pick(0, 5) == 0 ? 2 : 1), extent = step * std::max<int64_t>(1, v.shape[d]);
    v.strides[d] = step;
    if (pick(0, 8) == 0 && v.shape[d] > 0) {
      v.strides[d] = -step;
      v.offset += step * (v.shape[d] - 1);
    }
    v.size = extent;
  }
  return v;
}

template <class T, class Y>
std::vector<Y> run(const char* name, DType dtype, const View& v, const std::vector<T>& x,
                   std::vector<int32_t>* indices = nullptr) {
  const ReduceKernel& kernel = kernels().reduce.kernels[number_of(name)][static_cast<int>(dtype)];
  REQUIRE(size_of(kernel.out) == sizeof(Y));
  std::vector<Y> y(v.product(false) + 1, Y(77));
  ReduceArgs args;
  args.kernel = &kernel;
  args.width = sizeof(T);
  args.x = x.data() + v.offset;
  args.y = y.data();
  args.indices = nullptr;
  if (kernel.finds) {
    args.indices = reinterpret_cast<int32_t*>(y.data());
    args.y = nullptr;
  } else if (indices) {
    indices->assign(y.size(), 77);
    args.kernel = kernel.with_indices;
    args.indices = indices->data();
  }
  bool reduced[kMaxDims];
  for (size_t d = 0; d < v.reduced.size(); ++d) reduced[d] = v.reduced[d] != 0;
  plan_reduce(args, static_cast<int>(v.shape.size()), v.shape.data(), v.strides.data(), reduced);
  run_reduce(args);
  CHECK(y.back() == Y(77));
  y.pop_back();
  return y;
}

template <class T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || a == b || (a != a && b != b);
}

// 1 + eps/8 each: lost one by one by a float32 sum, kept by one in float64.
std::vector<float> hard_to_sum(int64_t n) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> x(n);
  for (float& value : x) value = 100 + uniform(random);
  return x;
}

struct Threads {
  int before = num_threads();
  ~Threads() { set_num_threads(before); }
};

}  // namespace

TEST_CASE("reduce: sums and extremes of random views equal plain loops") {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> value(-4, 4);
  for (int round = 0; round < 600; ++round) {
    View v = random_view(random, round % 20 == 0 ? 200000 : 3000);
    std::vector<float> x(v.size);
    for (float& e : x) e = static_cast<float>(value(random));
    if (round % 3 == 0)
      for (float& e : x)
        if (random() % 500 == 0) e = random() % 2 ? NAN : INFINITY;
    for (int subset = 0; subset<1 << v.shape.size(); subset += v.shape.size()> 3 ? 3 : 1) {
      for (size_t d = 0; d < v.shape.size(); ++d) v.reduced[d] = static_cast<char>(subset >> d & 1);
      const int64_t outputs = v.product(false), count = v.product(true);
      const auto sum = run<float, float>("sum", DType::kFloat32, v, x);
      const auto any = run<float, uint8_t>("any", DType::kFloat32, v, x);
      std::vector<float> most;
      std::vector<int32_t> places, indices;
      if (count > 0) {
        most = run<float, float>("amax", DType::kFloat32, v, x, &indices);
        places = run<float, int32_t>("argmax", DType::kFloat32, v, x);
      }
      bool good = true;
      for (int64_t o = 0; o < outputs && good; ++o) {
        double total = 0;
        bool some = false;
        float best = 0;
        int32_t place = -1;
        for (int64_t r = 0; r < count; ++r) {
          const float e = x[v.offset + v.at(o, false) + v.at(r, true)];
          total += e;
          some |= e != 0;
          if (place < 0 || e > best || (e != e && best == best)) {
            best = e;
            place = static_cast<int32_t>(r);
          }
        }
        good = same(sum[o], static_cast<float>(total)) && any[o] == some;
        if (count > 0) good = good && same(most[o], best) && places[o] == place && indices[o] == place;
      }
      CHECK(good);
    }
  }
}

TEST_CASE("reduce: the same bits for any number of threads") {
  const Threads restore;
  const int64_t n = 1 << 20;
  const std::vector<float> x = hard_to_sum(n);
  std::vector<double> wide(x.begin(), x.end());
  for (double& e : wide) e = std::sqrt(e);
  struct Case {
    std::vector<int64_t> shape;
    std::vector<char> reduced;
  };
  for (const Case& c :
       {Case{{n}, {1}}, Case{{1024, 1024}, {1, 0}}, Case{{1024, 1024}, {0, 1}}, Case{{n / 8, 8}, {1, 0}},
        Case{{8, n / 8}, {0, 1}}, Case{{16, 256, 256}, {1, 0, 1}}, Case{{64, 64, 256}, {0, 1, 0}}}) {
    View v;
    v.shape = c.shape;
    v.reduced = c.reduced;
    v.strides.resize(c.shape.size());
    for (size_t d = c.shape.size(); d-- > 0; v.size *= c.shape[d]) v.strides[d] = v.size;
    set_num_threads(1);
    const auto one = run<float, float>("sum", DType::kFloat32, v, x);
    const auto wide_one = run<double, double>("sum", DType::kFloat64, v, wide);
    const auto places_one = run<float, int32_t>("argmax", DType::kFloat32, v, x);
    for (int threads : {2, 3}) {
      set_num_threads(threads);
      const auto more = run<float, float>("sum", DType::kFloat32, v, x);
      const auto wide_more = run<double, double>("sum", DType::kFloat64, v, wide);
      CHECK(std::memcmp(one.data(), more.data(), one.size() * sizeof(float)) == 0);
      CHECK(std::memcmp(wide_one.data(), wide_more.data(), wide_one.size() * sizeof(double)) == 0);
      CHECK(places_one == run<float, int32_t>("argmax", DType::kFloat32, v, x));
    }
  }
}

TEST_CASE("reduce: float32 sums are right to the last bit, float64 sums nearly") {
  for (int64_t n : {1, 15, 16, 17, 1000, 4097, 65537, 3000000}) {
    const std::vector<float> x = hard_to_sum(n);
    long double exact = 0;
    for (float e : x) exact += e;
    View v;
    v.shape = {n};
    v.strides = {1};
    v.reduced = {1};
    CHECK(run<float, float>("sum", DType::kFloat32, v, x)[0] == static_cast<float>(exact));
    CHECK(run<float, float>("mean", DType::kFloat32, v, x)[0] == static_cast<float>(exact / n));
    std::vector<double> wide(n);
    long double exact_wide = 0;
    for (int64_t i = 0; i < n; ++i) exact_wide += wide[i] = std::sqrt(static_cast<double>(x[i]));
    const double sum = run<double, double>("sum", DType::kFloat64, v, wide)[0];
    CHECK(std::abs(static_cast<double>((sum - exact_wide) / exact_wide)) < 1e-15);
    // The same as columns: [n, 2] with both columns equal.
    View columns;
    columns.shape = {n, 2};
    columns.strides = {2, 1};
    columns.reduced = {1, 0};
    std::vector<double> twice(2 * n);
    for (int64_t i = 0; i < n; ++i) twice[2 * i] = twice[2 * i + 1] = wide[i];
    const auto both = run<double, double>("sum", DType::kFloat64, columns, twice);
    CHECK(both[0] == both[1]);
    CHECK(std::abs(static_cast<double>((both[0] - exact_wide) / exact_wide)) < 1e-15);
  }
}

TEST_CASE("reduce: nothing to reduce, one element, repeated elements") {
  View empty;
  empty.shape = {0, 3};
  empty.strides = {3, 1};
  empty.reduced = {1, 0};
  const std::vector<float> none(1);
  CHECK(run<float, float>("sum", DType::kFloat32, empty, none) == std::vector<float>{0, 0, 0});
  CHECK(run<float, float>("prod", DType::kFloat32, empty, none) == std::vector<float>{1, 1, 1});
  CHECK(run<float, uint8_t>("all", DType::kFloat32, empty, none) == std::vector<uint8_t>{1, 1, 1});
  CHECK(std::isnan(run<float, float>("mean", DType::kFloat32, empty, none)[0]));
  View scalar;
  const std::vector<int32_t> seven{7};
  CHECK(run<int32_t, int32_t>("prod", DType::kInt32, scalar, seven)[0] == 7);
  CHECK(run<int32_t, int32_t>("argmin", DType::kInt32, scalar, seven)[0] == 0);
  View repeated;
  repeated.shape = {3, 5};
  repeated.strides = {0, 1};
  repeated.reduced = {1, 1};
  const std::vector<int32_t> x{1, 2, 3, -4, 9};
  CHECK(run<int32_t, int32_t>("sum", DType::kInt32, repeated, x)[0] == 33);
  CHECK(run<int32_t, int32_t>("prod", DType::kInt32, repeated, x)[0] == -216 * 216 * 216);
  CHECK(run<int32_t, float>("mean", DType::kInt32, repeated, x)[0] == 2.2f);
  CHECK(run<int32_t, int32_t>("argmax", DType::kInt32, repeated, x)[0] == 4);
}
