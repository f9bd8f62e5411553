// Bindings of Programs: recording calls, copying in and out, running. Slots are listed in lib/native.ts.
#include "bind/program.h"

#include <cstring>

#include "bind/call.h"
#include "core/args/fused.h"
#include "core/launch.h"

namespace chainrule {
namespace {

constexpr int kMostPrograms = 1 << 20;
constexpr int kFirstCopy = 5;
constexpr int kMostCopies = (kGeometry - kFirstCopy) / 2;

// What the calling thread records into, for the memory it has to keep.
thread_local BoundProgram* target = nullptr;

void keep(napi_env env, BoundProgram& bound, napi_value array, const char* data, int64_t length) {
  if (data == nullptr || length == 0) return;
  const auto found = bound.kept.find(data);
  if (found != bound.kept.end() && found->second.length >= length) return;
  napi_ref reference = nullptr;
  if (napi_create_reference(env, array, 1, &reference) != napi_ok) return;
  if (found != bound.kept.end()) napi_delete_reference(env, found->second.array);
  bound.kept[data] = {reference, length};
}

napi_value make(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (!call.ok()) return nullptr;
  Programs& programs = *call.instance()->programs;
  size_t id = 0;
  while (id < programs.size() && programs[id] != nullptr) ++id;
  if (id == kMostPrograms) {
    call.fail("fewer programs");
    return nullptr;
  }
  if (id == programs.size()) programs.emplace_back();
  programs[id] = std::make_unique<BoundProgram>();
  return number(env, static_cast<double>(id));
}

void release(napi_env env, BoundProgram& bound) {
  for (const auto& [data, kept] : bound.kept) napi_delete_reference(env, kept.array);
  bound.kept.clear();
}

napi_value free_program(napi_env env, napi_callback_info info) {
  Call call(env, info);
  BoundProgram* bound = program_of(call);
  if (bound == nullptr) return nullptr;
  if (bound == target || bound->program->busy()) {
    call.fail("a program that nobody uses");
    return nullptr;
  }
  release(env, *bound);
  (*call.instance()->programs)[static_cast<size_t>(call.real(0))].reset();
  return nullptr;
}

napi_value record(napi_env env, napi_callback_info info) {
  Call call(env, info);
  BoundProgram* bound = program_of(call);
  if (bound == nullptr) return nullptr;
  const int64_t index = call.integer(1, -1, bound->program->size());
  if (call.ok() && recording()) call.fail("one recording at a time");
  if (call.ok() && !bound->program->start()) call.fail("a program that is not running");
  if (!call.ok()) return nullptr;
  target = bound;
  start_recording(bound->program.get(), index);
  return nullptr;
}

napi_value stop(napi_env env, napi_callback_info) {
  if (target == nullptr) return number(env, 0);
  const Recorded recorded = stop_recording();
  target->program->stop();
  target = nullptr;
  return number(env, recorded.fits ? static_cast<double>(recorded.calls) : -1);
}

napi_value group(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const int64_t what = call.integer(0, 0, 2);
  int8_t tiles[kMaxOperands + 1];
  for (int k = 0; k <= kMaxOperands; ++k)
    tiles[k] = static_cast<int8_t>(what == 2 ? call.integer(1 + k, -1, kMaxTiles - 1) : -1);
  if (call.ok() && target == nullptr) call.fail("a recording under way");
  if (!call.ok()) return nullptr;
  if (what == 0)
    close_group();
  else if (what == 1)
    open_group();
  else
    set_tiles(tiles);
  return nullptr;
}

napi_value size(napi_env env, napi_callback_info info) {
  Call call(env, info);
  const BoundProgram* bound = program_of(call);
  return bound == nullptr ? nullptr : number(env, static_cast<double>(bound->program->size()));
}

napi_value port(napi_env env, napi_callback_info info) {
  Call call(env, info);
  BoundProgram* bound = program_of(call);
  if (bound == nullptr) return nullptr;
  const int64_t length = call.size(2);
  char* data = call.run(0, 1, length, DType::kUint8);
  if (call.ok() && bound->program->busy()) call.fail("a program that is not running");
  if (!call.ok()) return nullptr;
  const Bytes whole = call.bytes(0);
  keep(env, *bound, call.argument(0), whole.data, whole.length);
  bound->program->ports.push_back({data, length});
  return number(env, static_cast<double>(bound->program->ports.size() - 1));
}

struct Copy {
  char* inside;
  char* outside;
  int64_t length;
};

napi_value run(napi_env env, napi_callback_info info) {
  napi_value values[1 + kMostCopies];
  Call call(env, info, values, 1 + kMostCopies);
  BoundProgram* bound = program_of(call);
  if (bound == nullptr) return nullptr;
  Program& program = *bound->program;
  const int64_t end = call.integer(2, 0, program.size());
  const int64_t begin = call.integer(1, 0, end);
  const int64_t in = call.integer(3, 0, kMostCopies);
  const int64_t out = call.integer(4, 0, kMostCopies - in);
  Copy copies[kMostCopies];
  for (int i = 0; i < in + out && call.ok(); ++i) {
    const int slot = kFirstCopy + 2 * i;
    const int64_t number = call.integer(slot, 0, static_cast<int64_t>(program.ports.size()) - 1);
    if (!call.ok()) return nullptr;
    const Program::Port& port = program.ports[static_cast<size_t>(number)];
    copies[i] = {port.data, call.run(1 + i, slot + 1, port.length, DType::kUint8), port.length};
  }
  const Bytes times = call.bytes(0);
  const bool timed = times.data != nullptr;
  if (timed && (times.length < end * 8 || reinterpret_cast<uintptr_t>(times.data) % 8 != 0))
    call.fail("room for the time of each call");
  if (call.ok() && recording()) call.fail("no recording under way");
  if (call.ok() && !program.start()) call.fail("a program that is not running");
  if (!call.ok()) return nullptr;
  for (int i = 0; i < in; ++i) std::memmove(copies[i].inside, copies[i].outside, static_cast<size_t>(copies[i].length));
  const Program::Outcome outcome =
      program.run(begin, end, nullptr, timed ? reinterpret_cast<double*>(times.data) : nullptr);
  if (outcome.next == end)
    for (int64_t i = in; i < in + out; ++i)
      std::memmove(copies[i].outside, copies[i].inside, static_cast<size_t>(copies[i].length));
  program.stop();
  call.instance()->geometry[0] = static_cast<double>(outcome.place);
  return number(env, static_cast<double>(outcome.next));
}

}  // namespace

BoundProgram* program_of(Call& call) {
  Programs& programs = *call.instance()->programs;
  const int64_t id = call.integer(0, 0, static_cast<int64_t>(programs.size()) - 1);
  BoundProgram* found = call.ok() ? programs[id].get() : nullptr;
  if (call.ok() && found == nullptr) call.fail("a program that was not freed");
  return found;
}

void keep_argument(napi_env env, napi_value array, const char* data, int64_t length) {
  if (target != nullptr) keep(env, *target, array, data, length);
}

void free_programs(napi_env env, Programs& programs) {
  for (auto& bound : programs) {
    if (bound == nullptr) continue;
    if (bound.get() == target) {
      stop_recording();
      target = nullptr;
    }
    release(env, *bound);
  }
  programs.clear();
}

void register_program(napi_env env, napi_value exports) {
  export_function(env, exports, "programMake", make);
  export_function(env, exports, "programFree", free_program);
  export_function(env, exports, "programRecord", record);
  export_function(env, exports, "programStop", stop);
  export_function(env, exports, "programGroup", group);
  export_function(env, exports, "programSize", size);
  export_function(env, exports, "programPort", port);
  export_function(env, exports, "programRun", run);
}

}  // namespace chainrule
