// Bindings of background runs: programListen, programSubmit, programCancel. Slots are listed in lib/native.ts.
#include "bind/jobs.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "bind/call.h"
#include "core/launch.h"

namespace chainrule {
namespace {

// On a background thread.
void run_job(BackgroundTask* task) {
  Job& job = *static_cast<Job*>(task);
  const auto start = std::chrono::steady_clock::now();
  job.outcome = job.program->run(job.begin, job.end, &job.cancelled, nullptr);
  job.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  job.program->stop();
  Jobs& home = *job.home;
  // Inside the lock, for the isolate ends only when nobody runs; the call does not wait.
  const std::lock_guard lock(home.mutex);
  napi_call_threadsafe_function(home.done, &job, napi_tsfn_nonblocking);
  --home.running;
  home.idle.notify_all();
}

// On the isolate's thread; without an env where it is about to end, and then end_jobs() has freed the job.
void tell(napi_env env, napi_value callback, void* context, void* data) {
  if (env == nullptr) return;
  Jobs& jobs = *static_cast<Jobs*>(context);
  Job* job = static_cast<Job*>(data);
  jobs.open.erase(std::find(jobs.open.begin(), jobs.open.end(), job));
  if (jobs.open.empty()) napi_unref_threadsafe_function(env, jobs.done);
  napi_value self = nullptr;
  napi_value arguments[] = {number(env, static_cast<double>(job->id)),
                            number(env, static_cast<double>(job->outcome.next)),
                            number(env, static_cast<double>(job->outcome.place)), number(env, job->milliseconds)};
  delete job;
  if (napi_get_undefined(env, &self) == napi_ok) napi_call_function(env, self, callback, 4, arguments, nullptr);
}

// The isolate ends: what runs stops behind its kernel, and nobody comes back here.
void end_jobs(void* data) {
  Jobs& jobs = *static_cast<Jobs*>(data);
  for (Job* job : jobs.open) job->cancelled.store(true, std::memory_order_relaxed);
  std::unique_lock lock(jobs.mutex);
  jobs.idle.wait(lock, [&] { return jobs.running == 0; });
  for (Job* job : jobs.open) delete job;
  jobs.open.clear();
}

napi_value listen(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (!call.ok()) return nullptr;
  Jobs& jobs = *call.instance()->jobs;
  napi_valuetype type = napi_undefined;
  if (call.count() < 1 || napi_typeof(env, call.argument(0), &type) != napi_ok || type != napi_function ||
      jobs.done != nullptr) {
    call.fail("a function, once");
    return nullptr;
  }
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "chainrule:program", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, call.argument(0), nullptr, name, 0, 1, nullptr, nullptr, &jobs, tell,
                                      &jobs.done) != napi_ok) {
    jobs.done = nullptr;
    call.fail("the system to grant a queue for background runs");
    return nullptr;
  }
  napi_unref_threadsafe_function(env, jobs.done);
  // Hooks run in the reverse of their order: this one before the function's own.
  napi_add_env_cleanup_hook(env, end_jobs, &jobs);
  return nullptr;
}

napi_value submit(napi_env env, napi_callback_info info) {
  Call call(env, info);
  BoundProgram* bound = program_of(call);
  if (bound == nullptr) return nullptr;
  Jobs& jobs = *call.instance()->jobs;
  Program& program = *bound->program;
  const int64_t end = call.integer(2, 0, program.size());
  const int64_t begin = call.integer(1, 0, end);
  if (call.ok() && jobs.done == nullptr) call.fail("programListen before programSubmit");
  if (call.ok() && recording()) call.fail("no recording under way");
  if (call.ok() && !program.start()) call.fail("a program that is not running");
  if (!call.ok()) return nullptr;
  Job* job = new (std::nothrow) Job;
  if (job == nullptr) {
    program.stop();
    call.fail("memory for a background run");
    return nullptr;
  }
  job->run = run_job;
  job->home = &jobs;
  job->program = bound->program;
  job->id = static_cast<int64_t>(call.real(0));
  job->begin = begin;
  job->end = end;
  {
    const std::lock_guard lock(jobs.mutex);
    ++jobs.running;
  }
  if (!run_in_background(job)) {
    program.stop();
    delete job;
    const std::lock_guard lock(jobs.mutex);
    --jobs.running;
    call.fail("the system to grant a thread");
    return nullptr;
  }
  if (jobs.open.empty()) napi_ref_threadsafe_function(env, jobs.done);
  jobs.open.push_back(job);
  return nullptr;
}

napi_value cancel(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (program_of(call) == nullptr) return nullptr;
  const int64_t id = static_cast<int64_t>(call.real(0));
  for (Job* job : call.instance()->jobs->open)
    if (job->id == id) job->cancelled.store(true, std::memory_order_relaxed);
  return nullptr;
}

}  // namespace

void register_jobs(napi_env env, napi_value exports) {
  export_function(env, exports, "programListen", listen);
  export_function(env, exports, "programSubmit", submit);
  export_function(env, exports, "programCancel", cancel);
}

}  // namespace chainrule
