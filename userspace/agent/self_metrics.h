// Families about nearzero itself: what is attached, what it costs, what was lost.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "probes/probe.h"
#include "userspace/agent/duty_cycle.h"
#include "userspace/agent/ledger.h"
#include "userspace/drain/drain.h"
#include "userspace/http/server.h"
#include "userspace/metrics/family.h"

namespace nz::agent {

struct SelfState {
  const std::vector<std::unique_ptr<probes::Probe>>& probes;
  const probes::Env& env;
  const Ledger& ledger;
  std::map<uint32_t, DutyState> duty;                 ///< by slot
  const std::map<std::string, std::string>& refused;  ///< program -> why the kernel refused it
  std::map<std::string, uint64_t> missed;             ///< program -> hits in which it did not run
  std::string kernel;                                 ///< its release
  uint64_t map_bytes = 0;                             ///< kernel memory of all maps
  http::Stats http;
  double certificate_expires = 0;  ///< seconds since 1970; 0: no TLS
  double drain_seconds = 0;        ///< duration of the last drain
  uint64_t execs_skipped = 0;
  uint64_t errors = 0;  ///< steps of the agent, on any thread, that failed and were left out
  bool off = false;
};

void collect_self(const SelfState& state, std::vector<metrics::Family>& out);

/// JSON of /healthz: status, each probe with its plan or reason, refused programs, drops.
std::string health_json(const SelfState& state, bool& healthy);

}  // namespace nz::agent
