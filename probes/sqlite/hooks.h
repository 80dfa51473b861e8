// Attaches the programs of SQLite in one process: which goes where, and with which cookie.
#pragma once

#include <span>
#include <vector>

#include "probes/probe.h"
#include "probes/sqlite/attached.h"

namespace nz::probes {

class SqliteHooks {
 public:
  explicit SqliteHooks(const Env& env) : env_(env) {}

  /// The step plan, or its sampling window by `flags`. In the order in which they are to be closed:
  /// an entry without its return is half a step.
  Result<std::vector<Fd>> step(pid_t pid, const SqliteAttached& a, uint32_t flags);
  /// The boundary plan.
  Result<std::vector<Fd>> boundary(pid_t pid, const SqliteAttached& a);
  /// What every plan has besides: compile and waits; opens and closes. What cannot be attached is
  /// named in the binary's `missing`.
  void waits(pid_t pid, SqliteAttached& a);
  void connections(pid_t pid, SqliteAttached& a);

 private:
  bool attach_besides(const char* program, pid_t pid, SqliteAttached& a,
                      std::span<const loader::UprobeSite> sites, std::vector<Fd>& links);
  // Never 0, which means none. Wraps after 65,535 attaches: a thread that slept through all of them
  // could take one old statement for a current one.
  uint32_t next_attach() {
    attach_number_ = attach_number_ % 0xffffU + 1;
    return attach_number_;
  }

  const Env& env_;
  uint32_t attach_number_ = 0;
};

}  // namespace nz::probes
