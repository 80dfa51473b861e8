// The kernel programs alone, loaded into the test's own process: for what the agent's presence
// would blur, such as exact equations between what happened and what was recorded or dropped.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <initializer_list>
#include <memory>
#include <vector>

#include "userspace/drain/drain.h"
#include "userspace/loader/object.h"

namespace nz::live {

inline uint64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

class KernelSide {
 public:
  static loader::Object::Options options() {
    loader::Object::Options o;
    o.layout.cpus = loader::possible_cpus();
    o.layout.task_entries = loader::task_entries();
    // Loading only what these tests attach saves the verifier's time.
    o.without = {"nz_sqlite_step", "nz_sqlite_step_return", "nz_sqlite_begin", "nz_sqlite_halt",
                 "nz_sqlite_wait", "nz_sqlite_open",        "nz_stage_hit",    "nz_stage_return",
                 "nz_thread_fork", "nz_thread_exec",        "nz_thread_exit",  "nz_forget_threads",
                 "nz_cut_stages",  "nz_cut_statements"};
    return o;
  }

  explicit KernelSide(const loader::Object::Options& o = options()) {
    auto loaded = loader::Object::load(o);
    if (!loaded) {
      ADD_FAILURE() << loaded.error().text();
      return;
    }
    object = std::move(*loaded);
    drain = std::make_unique<drain::Drain>(*object);
    object->control().next_syscall_series = 1;  // 0 is "other", as the agent sets it
  }

  void attach(std::initializer_list<const char*> programs) {
    for (const char* program : programs) {
      auto link = object->attach_tracing(program);
      ASSERT_TRUE(link.has_value()) << link.error().text();
      links.push_back(std::move(*link));
    }
  }
  /// Detaches; what runs on another CPU at this moment has ended when it returns.
  void detach() {
    links.clear();
    usleep(20'000);
  }

  [[nodiscard]] analysis::Histogram sched(uint32_t slot, uint32_t kind) const {
    const auto h = drain->histogram(object->layout().sched(slot, kind));
    return h ? *h : analysis::Histogram{};
  }
  [[nodiscard]] uint64_t dropped(nz_drop cause) const { return drain->counters().drops[cause]; }
  [[nodiscard]] nz_task task(pid_t tid) const {
    const auto tasks = object->array<nz_task>("nz_tasks");
    return tasks[static_cast<size_t>(tid) & (tasks.size() - 1)];
  }

  std::unique_ptr<loader::Object> object;
  std::unique_ptr<drain::Drain> drain;
  std::vector<Fd> links;
};

}  // namespace nz::live
