// Rules against recorded history: what would have fired, and when.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "userspace/alerts/alert.h"
#include "userspace/alerts/engine.h"
#include "userspace/alerts/history_facts.h"
#include "userspace/alerts/limits.h"
#include "userspace/alerts/recording.h"

namespace nz::alerts {

/// A rule on what detection or the search for bottlenecks found, which at some moments could not be
/// judged.
struct JudgedInPart {
  std::string rule, why;  ///< why: at the first of them
  double first = 0;       ///< Unix seconds
  std::size_t steps = 0;  ///< so many of Replayed::steps
};

struct Replayed {
  std::vector<Alert> alerts;  ///< in the order in which they fired; those that fire at the end have
                              ///< no resolved_at
  std::vector<Engine::Unknown> unknown;  ///< rules that could never be judged
  std::vector<JudgedInPart> in_part;     ///< others, by name
  double from = 0, to = 0;               ///< Unix seconds, of what was replayed
  std::size_t moments = 0, steps = 0;
  std::vector<std::string> problems;  ///< lines that could not be read, at most 20
  std::size_t bad_lines = 0;
};

struct ReplayOptions {
  double from = 0,
         to = 0;         ///< Unix seconds; 0: all of it. History before `from` is read all the same
  double interval = 10;  ///< seconds between two steps; moments further apart are steps themselves
  std::function<void(std::size_t done)> progress = {};  ///< as Moments::done()
  /// Trends of that history, up to any moment: forecasts are made from them, as the agent does.
  /// Empty: those that the recording has.
  Limits::Trends trends = {};
  /// Asked where the recording itself has no such baseline.
  HistoryFacts::Baseline baseline = {};
};

/// Reads the moments to their end. Memory: the longest window that a rule looks at.
Replayed replay(const std::vector<Rule>& rules, Moments& moments, const ReplayOptions& options);

/// Of which families rules look at windows.
std::set<std::string> families_of(const std::vector<Rule>& rules);
/// The longest of these windows, seconds; at least a minute.
double longest_window(const std::vector<Rule>& rules);

}  // namespace nz::alerts
