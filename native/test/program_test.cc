// Programs: calls recorded, replaced, run in parts and by other threads.
#include "core/program.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "core/index_check.h"
#include "core/launch.h"
#include "core/loops.h"

using namespace chainrule;

namespace {

struct AddArgs {
  double* y;
  double x;
};
void add(const AddArgs& args) { *args.y += args.x; }

struct PickArgs {
  const int32_t* index;
  double* y;
};
void pick(const PickArgs& args) {
  if (check_indices(args.index, 2, 0, 10, kNoneIgnored)) *args.y += args.index[0];
}

struct LargeArgs {
  double* y;
  double room[10000];
};
void large(const LargeArgs& args) { *args.y += args.room[9999]; }

}  // namespace

TEST_CASE("a recorded call runs when the program does, and not before") {
  Program program;
  double y = 0;
  start_recording(&program);
  CHECK(recording());
  for (int i = 1; i <= 1000; ++i) launch(add, AddArgs{&y, static_cast<double>(i)});
  auto* args = new LargeArgs{};
  args->y = &y;
  args->room[9999] = 0.5;
  launch(large, *args);
  delete args;
  const Recorded recorded = stop_recording();
  CHECK(recorded.calls == 1001);
  CHECK(recorded.fits);
  CHECK(!recording());
  CHECK(y == 0);
  CHECK(program.size() == 1001);
  CHECK(program.run(0, program.size(), nullptr, nullptr).next == 1001);
  CHECK(y == 500500.5);
  CHECK(program.run(0, 3, nullptr, nullptr).next == 3);
  CHECK(y == 500506.5);
  launch(add, AddArgs{&y, -y});
  CHECK(y == 0);
}

TEST_CASE("a call takes the place of one of its own kind only") {
  Program program;
  double y = 0;
  start_recording(&program);
  for (double x : {1, 2, 3}) launch(add, AddArgs{&y, x});
  stop_recording();
  start_recording(&program, 1);
  launch(add, AddArgs{&y, 20});
  Recorded recorded = stop_recording();
  CHECK(recorded.calls == 1);
  CHECK(recorded.fits);
  program.run(0, 3, nullptr, nullptr);
  CHECK(y == 24);
  start_recording(&program, 2);
  launch(add, AddArgs{&y, 30});
  launch(add, AddArgs{&y, 40});
  CHECK(!stop_recording().fits);
  CHECK(program.size() == 3);
}

TEST_CASE("a run stops at a bad index, and between calls when cancelled") {
  Program program;
  double y = 0;
  int32_t index[] = {4, 5};
  start_recording(&program);
  CHECK(launch_checked(pick, PickArgs{index, &y}) == -1);
  launch(add, AddArgs{&y, 100});
  stop_recording();
  CHECK(program.run(0, 2, nullptr, nullptr).next == 2);
  CHECK(y == 104);
  index[1] = 10;
  const Program::Outcome outcome = program.run(0, 2, nullptr, nullptr);
  CHECK(outcome.next == 0);
  CHECK(outcome.place == 1);
  CHECK(y == 104);
  const std::atomic<bool> cancelled{true};
  CHECK(program.run(1, 2, &cancelled, nullptr).next == 1);
  CHECK(y == 104);
}

namespace {

void twice_row(void* y, const void* const* x, const int64_t* step, int64_t n, const double* p) {
  for (int64_t i = 0; i < n; ++i)
    static_cast<float*>(y)[i] = static_cast<float>(p[0]) * static_cast<const float*>(x[0])[i * step[0]];
}
void sum_row(void* y, const void* const* x, const int64_t* step, int64_t n, const double*) {
  for (int64_t i = 0; i < n; ++i)
    static_cast<float*>(y)[i] =
        static_cast<const float*>(x[0])[i * step[0]] + static_cast<const float*>(x[1])[i * step[1]];
}

ElementwiseArgs flat(RowFunction row, int64_t n, float* y, const float* a, const float* b = nullptr) {
  ElementwiseArgs args{};
  args.row = row;
  args.operands = row == twice_row ? 1 : 2;
  args.flat = true;
  for (uint8_t& width : args.width) width = sizeof(float);
  args.n = n;
  args.p[0] = 2;
  args.y = y;
  args.x[0] = a;
  args.x[1] = b;
  args.step[0] = 1;
  args.step[1] = b == nullptr ? 0 : 1;
  return args;
}

}  // namespace

TEST_CASE("a group runs by tiles: what stays inside is never stored, immediates and single values repeat") {
  for (int64_t n : {1, 7, 1024, 1025, 100000}) {
    std::vector<float> x(static_cast<size_t>(n)), inside(x.size(), -1), y(x.size(), -1);
    for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(i)] = static_cast<float>(i % 251);
    Program program;
    start_recording(&program);
    open_group();
    const int8_t first[] = {0, -1, -1, -1}, second[] = {-1, 0, -1, -1}, third[] = {-1, -1, -1, -1};
    set_tiles(first);
    launch(run_elementwise, flat(twice_row, n, inside.data(), x.data()));
    set_tiles(second);
    launch(run_elementwise, flat(sum_row, n, y.data(), inside.data(), x.data()));
    set_tiles(third);
    ElementwiseArgs add_one = flat(sum_row, n, y.data(), y.data());
    const float one = 1;
    std::memcpy(&add_one.immediate[1], &one, sizeof one);
    launch(run_elementwise, add_one);
    close_group();
    const Recorded recorded = stop_recording();
    CHECK(recorded.fits);
    CHECK(recorded.calls == 3);
    CHECK(program.size() == 1);
    program.run(0, 1, nullptr, nullptr);
    bool right = true;
    for (size_t i = 0; i < x.size(); ++i) right = right && y[i] == 3 * x[i] + 1 && inside[i] == -1;
    CHECK(right);
  }
}

TEST_CASE("a group takes flat calls of one size, and says what does not fit") {
  float x[8] = {}, y[8] = {};
  Program program;
  start_recording(&program);
  open_group();
  launch(run_elementwise, flat(twice_row, 8, y, x));
  launch(run_elementwise, flat(twice_row, 7, y, x));
  close_group();
  CHECK(!stop_recording().fits);
  start_recording(&program);
  open_group();
  launch(add, AddArgs{nullptr, 0});
  close_group();
  CHECK(!stop_recording().fits);
  CHECK(program.size() == 1);
}

TEST_CASE("threads record and run programs of their own at the same time") {
  std::vector<std::thread> threads;
  std::vector<double> sums(4);
  for (double& sum : sums)
    threads.emplace_back([&sum] {
      for (int round = 0; round < 50; ++round) {
        Program program;
        start_recording(&program);
        for (int i = 0; i < 20; ++i) launch(add, AddArgs{&sum, 1});
        stop_recording();
        launch(add, AddArgs{&sum, 0.5});
        program.run(0, program.size(), nullptr, nullptr);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (double sum : sums) CHECK(sum == 50 * 20.5);
}

TEST_CASE("a program serves one user at a time, on any thread") {
  Program program;
  double y = 0;
  start_recording(&program);
  launch(add, AddArgs{&y, 1});
  stop_recording();
  std::vector<std::thread> threads;
  std::atomic<int> runs{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        if (!program.start()) continue;
        program.run(0, 1, nullptr, nullptr);
        program.stop();
        ++runs;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(!program.busy());
  CHECK(y == runs);
}
