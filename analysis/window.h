// What every series did between two points in time: what rules and reports look at. No probe, no
// store and no clock is known here, so a window from hand is as good as one from the agent.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/histogram.h"

namespace nz::analysis {

using Labels = std::vector<std::pair<std::string, std::string>>;

/// One series during a window.
struct WindowSeries {
  std::string name;  ///< the metric family: nearzero_...
  Labels labels;
  double change = 0;  ///< counters: growth in the window, never negative (a restart begins at 0)
  double value = 0;   ///< counters and gauges: at the window's end
  double least = 0, most = 0;                  ///< gauges: over the window's points
  std::shared_ptr<const Histogram> histogram;  ///< histograms: the values of the window alone
};

/// `labels` has every pair of `wanted`.
bool has_labels(const Labels& labels, const Labels& wanted);

struct Window {
  double from = 0, to = 0;  ///< Unix seconds
  std::vector<WindowSeries> series;

  [[nodiscard]] double seconds() const { return to - from; }
  /// Every series of this family whose labels include `labels`.
  [[nodiscard]] std::vector<const WindowSeries*> find(std::string_view name,
                                                      const Labels& labels = {}) const;
  /// Sum of `change` over find(); 0 where there is none.
  [[nodiscard]] double change(std::string_view name, const Labels& labels = {}) const;
  /// Sum of `value` over find(); nothing where there is none.
  [[nodiscard]] std::optional<double> value(std::string_view name, const Labels& labels = {}) const;
  /// find() merged; empty where there is none.
  [[nodiscard]] Histogram histogram(std::string_view name, const Labels& labels = {}) const;
  /// The different values that label `key` has in this family, sorted.
  [[nodiscard]] std::vector<std::string> values_of(std::string_view name,
                                                   std::string_view key) const;
};

}  // namespace nz::analysis
