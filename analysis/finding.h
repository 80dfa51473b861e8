// A bottleneck: what limits the service, where, how much it costs the order path, and what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/window.h"

namespace nz::analysis {

enum class Severity { info, warning, critical };
enum class FindingState { open, ongoing, resolved };

/// A figure that a finding rests on.
struct Evidence {
  std::string series;  ///< as PromQL selects it: nearzero_runqueue_latency_seconds{target="demo"}
  std::string text;    ///< "p99 of the run queue: 4.2 ms (before: 60 us)"
  double value = 0;
  std::string unit;  ///< "seconds", "ratio", "bytes", "per second"
};

struct Finding {
  std::string id;      ///< identity over time: kind and place, "cpu_saturation/demo"
  std::string kind;    ///< docs/bottlenecks.md lists them
  std::string target;  ///< the service that suffers; "host" where none does
  std::string where;   ///< resource, stage, statement, function, process
  std::string title;   ///< one line in plain words
  Severity severity = Severity::info;
  double impact = 0;          ///< share of the order path's time that it costs, 0..1
  double impact_seconds = 0;  ///< of one order, on average
  double confidence = 0;      ///< 0..1: how sure that this is a cause
  std::vector<Evidence> evidence;
  std::string recommendation;  ///< what an operator can do now
  FindingState state = FindingState::open;
  double since = 0, until = 0;  ///< Unix seconds; until: 0 while it is not resolved
  double from = 0, to = 0;      ///< the window of the evidence
};

/// What of a single slow or frequent thing no metric tells; each may be empty.
struct SlowStatement {
  double at = 0;  ///< Unix seconds, its end
  std::string target, database, digest, sql, stage, plan;
  int pid = 0, tid = 0, result = 0;
  double inside = 0, open = 0, busy = 0, sync = 0, checkpoint = 0;  ///< seconds
  unsigned long rows = 0;
  std::vector<std::string> advice;    ///< "CREATE INDEX ... ON ...", with why
  std::vector<std::string> settings;  ///< "PRAGMA ...", with why: what its waits speak for
};
struct HotFunction {
  std::string target, function, module;
  double share = 0;              ///< of the target's samples in the window
  std::optional<double> before;  ///< in ten windows before; nothing: too few samples to tell
  unsigned long samples = 0;
};

/// What of the agent's findings goes to the interface besides metrics.
struct Details {
  std::vector<SlowStatement> slow_statements;  ///< newest first, bounded
  double profile_seconds = 0;  ///< the window that hot functions and folded stacks are of
  std::vector<HotFunction> hot_functions;                   ///< by target, hottest first
  std::vector<std::pair<std::string, std::string>> folded;  ///< target, folded stacks (a line each)
};

}  // namespace nz::analysis
