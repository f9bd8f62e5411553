// Programs: calls recorded, replaced, run in parts and by other threads.
#include "core/program.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "core/index_check.h"
#include "core/launch.h"

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
