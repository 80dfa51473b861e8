// Everything that a report is made of. Who has the data (the agent's memory, the store, a test)
// fills it in; what is made of it is pure, and the same for the same input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/baseline/against_usual.h"
#include "analysis/event.h"
#include "analysis/finding.h"
#include "analysis/limit_forecast.h"
#include "analysis/regression.h"
#include "analysis/window.h"
#include "userspace/history/history.h"

namespace nz::report {

/// One alert, from the moment it fired.
struct Alert {
  std::string rule, severity, target, text;
  double since = 0, until = 0;  ///< Unix seconds; until: 0 while it fires
};

using Forecast = analysis::LimitForecast;

struct Host {
  std::string name, kernel, version;  ///< version of nearzero
  int cpus = 0;                       ///< 0: unknown
  double memory_bytes = 0;            ///< 0: unknown
};

/// What is known besides windows and findings. What is nothing is not looked after by whoever
/// filled it in, which the report says; what is empty did not happen.
struct Extras {
  Host host;
  std::optional<std::vector<analysis::Regression>> regressions;
  std::optional<std::vector<analysis::Incident>> incidents;
  std::optional<std::vector<analysis::Event>> events;
  std::optional<std::vector<Alert>> alerts;
  std::optional<std::vector<Forecast>> forecasts;
  /// The present hour against what is usual for it; those that are farthest off.
  std::optional<std::vector<analysis::AgainstUsual>> usual;
};

/// A probe that does not observe what it should.
struct UnattachedProbe {
  std::string probe, target, reason;
};

/// One quantity over the range, and over the time that it is compared with.
struct TrendLine {
  analysis::Quantity of;
  std::vector<history::Point> now;
  std::vector<history::Point> before;  ///< moved forward in time, to lie behind `now`
};

struct Input {
  std::string title;        ///< empty: the report finds one
  double created = 0;       ///< Unix seconds
  double from = 0, to = 0;  ///< Unix seconds, as asked
  analysis::Window now;
  analysis::Window before;  ///< empty: there is nothing to compare with ...
  std::string before_name;  ///< "the 15 min before"; empty: no comparison was asked for
  std::string no_before;    ///< ... and why
  std::vector<TrendLine> trends;
  std::vector<analysis::Finding> findings;  ///< of any time; those of the range are taken
  analysis::Details details;
  std::vector<UnattachedProbe> unattached;
  bool range_covered = true;  ///< history has the whole range
  double history_from = 0;    ///< Unix seconds; 0: there is none
  std::uint64_t points_evicted = 0;
  Extras extras;
};

}  // namespace nz::report
