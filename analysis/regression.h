// A series that changed and stayed so, and one that left its usual range for a while.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analysis/event.h"
#include "analysis/finding.h"
#include "analysis/window.h"

namespace nz::analysis {

/// Which quantity of which series.
struct Quantity {
  std::string name;  ///< metric family
  Labels labels;
  std::string statistic;  ///< "p50", "p99", "mean", "rate" or "value"
  std::string unit;       ///< "seconds", "per second", "bytes", "ratio"
};
/// `nearzero_...{target="demo"} p99`: its identity in texts, rules and files.
std::string text_of(const Quantity& quantity);

/// A lasting change. For latencies, pressure and errors more is worse; for rates it is only told.
struct Regression {
  std::string id;  ///< identity over time
  Quantity of;
  bool worse = true;
  double before = 0, after = 0;     ///< medians on both sides, in the quantity's unit
  double since = 0;                 ///< Unix seconds: the likeliest moment ...
  double earliest = 0, latest = 0;  ///< ... and the interval that it lies in
  double confidence = 0;            ///< 0..1
  /// Histograms: quantile -> after / before, which part of the distribution moved.
  std::vector<std::pair<double, double>> moved;
  std::vector<Event> events;  ///< what changed at that time, nearest first
  FindingState state = FindingState::open;
  double until = 0;  ///< Unix seconds; 0 while it lasts
};

/// One value that its past did not let expect.
struct Anomaly {
  Quantity of;
  double at = 0;  ///< Unix seconds
  double value = 0, expected = 0;
  double score = 0;  ///< 0..1
};

/// Anomalies that belong together, the likely root first.
struct Incident {
  std::string id;
  double since = 0, until = 0;  ///< Unix seconds; until: 0 while it lasts
  std::vector<Anomaly> members;
  std::vector<Event> events;
};

}  // namespace nz::analysis
