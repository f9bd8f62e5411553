// The elementwise driver over random views, casts, and integers at the edges.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/loops.h"
#include "core/parallel.h"
#include "kernels/table.h"

using namespace chainrule;

namespace {

struct Random {
  uint64_t state = 88172645463325252;
  int64_t below(int64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<int64_t>(state % static_cast<uint64_t>(n));
  }
  bool one_in(int64_t n) { return below(n) == 0; }
};

// A view of memory of its own: dimensions permuted, padded, reversed, and repeated if `repeats`.
struct View {
  std::vector<float> memory;
  int64_t offset = 0, stride[kMaxDims] = {};

  View(Random& random, int ndim, const int64_t* shape, bool repeats) {
    int order[kMaxDims];
    for (int d = 0; d < ndim; ++d) order[d] = d;
    for (int d = ndim - 1; d > 0 && random.one_in(2); --d) std::swap(order[d], order[random.below(d + 1)]);
    int64_t reach = 1;
    for (int j = ndim - 1; j >= 0; --j) {
      const int d = order[j];
      if (repeats && random.one_in(5)) continue;
      const int64_t step = reach * (random.one_in(6) ? 2 : 1);
      const bool reversed = random.one_in(8);
      stride[d] = reversed ? -step : step;
      if (reversed) offset += (shape[d] - 1) * step;
      reach = step * shape[d];
    }
    memory.resize(reach + 1);
    for (float& v : memory) v = static_cast<float>(random.below(1000)) / 4;
  }
  float* data() { return memory.data() + offset; }
};

int64_t place(const int64_t* stride, int ndim, const int64_t* index) {
  int64_t sum = 0;
  for (int d = 0; d < ndim; ++d) sum += index[d] * stride[d];
  return sum;
}

int find(const RowFamily& family, const std::string& name) {
  for (int k = 0; k < family.count; ++k)
    if (name == family.names[k]) return k;
  FAIL(name);
  return 0;
}

template <class From, class To>
std::vector<To> cast(DType from, DType to, const std::vector<From>& x) {
  std::vector<To> y(x.size());
  const void* operand[1] = {x.data()};
  const int64_t step[1] = {1};
  kernels().copy[static_cast<int>(from)][static_cast<int>(to)](y.data(), operand, step, static_cast<int64_t>(x.size()),
                                                               nullptr);
  return y;
}

std::vector<int32_t> integers(const char* name, std::vector<int32_t> a, std::vector<int32_t> b) {
  std::vector<int32_t> y(a.size());
  const void* operands[2] = {a.data(), b.data()};
  const int64_t step[2] = {1, 1};
  kernels().binary.rows[find(kernels().binary, name)][2](y.data(), operands, step, static_cast<int64_t>(a.size()),
                                                         nullptr);
  return y;
}

}  // namespace

TEST_CASE("the driver walks views as indices say") {
  Random random;
  const int before = num_threads();
  set_num_threads(2);
  for (int round = 0; round < 1500; ++round) {
    const int ndim = static_cast<int>(random.below(6));
    int64_t shape[kMaxDims], n = 1;
    for (int d = 0; d < ndim; ++d) {
      shape[d] = random.one_in(12) ? random.below(2) : 1 + random.below(random.one_in(7) ? 200 : 6);
      n *= shape[d];
    }
    if (n > 100000) continue;
    const bool copies = random.one_in(3), immediate = !copies && random.one_in(4);
    View y(random, ndim, shape, false), a(random, ndim, shape, true), b(random, ndim, shape, true);
    const std::vector<float> old = y.memory;
    ElementwiseArgs args{};
    args.row = copies ? kernels().copy[0][0] : kernels().binary.rows[find(kernels().binary, "sub")][0];
    args.operands = copies ? 1 : 2;
    args.same = copies;
    args.ndim = ndim;
    args.n = n;
    args.y = y.data();
    args.x[0] = a.data();
    args.x[1] = immediate ? nullptr : b.data();
    const float value = 3;
    std::memcpy(&args.immediate[1], &value, sizeof value);
    for (uint8_t& width : args.width) width = 4;
    for (int d = 0; d < ndim; ++d) {
      args.shape[d] = shape[d];
      args.stride[0][d] = y.stride[d];
      args.stride[1][d] = a.stride[d];
      args.stride[2][d] = b.stride[d];
    }
    run_elementwise(args);
    std::vector<bool> written(y.memory.size());
    int wrong = 0;
    for (int64_t i = 0; i < n; ++i) {
      int64_t index[kMaxDims], rest = i;
      for (int d = ndim - 1; d >= 0; --d) {
        index[d] = rest % shape[d];
        rest /= shape[d];
      }
      const float u = a.data()[place(a.stride, ndim, index)];
      const float v = copies ? 0 : immediate ? 3 : b.data()[place(b.stride, ndim, index)];
      const int64_t at = place(y.stride, ndim, index);
      wrong += y.data()[at] != u - v;
      written[at + y.offset] = true;
    }
    for (size_t i = 0; i < old.size(); ++i) wrong += !written[i] && y.memory[i] != old[i];
    REQUIRE(wrong == 0);
  }
  set_num_threads(before);
}

TEST_CASE("casts are defined for every value") {
  const std::vector<float> x = {1.9f, -1.9f,    -0.0f,     255.5f, 300,   -1,
                                NAN,  INFINITY, -INFINITY, 3e9f,   -3e9f, 2147483520.0f};
  CHECK(cast<float, int32_t>(DType::kFloat32, DType::kInt32, x) ==
        std::vector<int32_t>{1, -1, 0, 255, 300, -1, 0, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 2147483520});
  CHECK(cast<float, uint8_t>(DType::kFloat32, DType::kUint8, x) ==
        std::vector<uint8_t>{1, 0, 0, 255, 255, 0, 0, 255, 0, 255, 0, 255});
  CHECK(cast<float, uint8_t>(DType::kFloat32, DType::kBool, x) ==
        std::vector<uint8_t>{1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  CHECK(cast<double, int32_t>(DType::kFloat64, DType::kInt32, {2147483647.5, -2147483648.9, 1e300, NAN}) ==
        std::vector<int32_t>{INT32_MAX, INT32_MIN, INT32_MAX, 0});
  CHECK(cast<int32_t, uint8_t>(DType::kInt32, DType::kUint8, {-1, 256, 257}) == std::vector<uint8_t>{255, 0, 1});
  CHECK(cast<uint8_t, int32_t>(DType::kBool, DType::kInt32, {0, 1, 7}) == std::vector<int32_t>{0, 1, 1});
}

TEST_CASE("integers wrap and their division never traps") {
  const std::vector<int32_t> a = {7, -7, 7, -7, INT32_MIN, 5, INT32_MAX}, b = {2, 2, -2, -2, -1, 0, INT32_MAX};
  CHECK(integers("floor_divide", a, b) == std::vector<int32_t>{3, -4, -4, 3, INT32_MIN, 0, 1});
  CHECK(integers("remainder", a, b) == std::vector<int32_t>{1, 1, -1, -1, 0, 0, 0});
  CHECK(integers("fmod", a, b) == std::vector<int32_t>{1, -1, 1, -1, 0, 0, 0});
  CHECK(integers("add", {INT32_MAX}, {1}) == std::vector<int32_t>{INT32_MIN});
  CHECK(integers("mul", {INT32_MIN}, {-1}) == std::vector<int32_t>{INT32_MIN});
  CHECK(integers("pow", {3, -1, -1, 2, 0, 5}, {4, -3, -2, -1, 0, 14}) ==
        std::vector<int32_t>{81, -1, 1, 0, 1, static_cast<int32_t>(1808548329)});
}

TEST_CASE("names are unique and every kernel is there for both floats, or for integers alone") {
  for (const RowFamily* family : {&kernels().unary, &kernels().test, &kernels().binary, &kernels().compare}) {
    for (int k = 0; k < family->count; ++k) {
      const bool single = family->rows[k][0] != nullptr, twice = family->rows[k][1] != nullptr;
      const bool whole = family->rows[k][static_cast<int>(DType::kInt32)] != nullptr;
      CAPTURE(std::string(family->names[k]));
      CHECK(single == twice);
      CHECK((single || whole));
      for (int j = 0; j < k; ++j) CHECK(std::string(family->names[j]) != family->names[k]);
    }
  }
}
