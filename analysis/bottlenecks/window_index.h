// A window by family: rules ask hundreds of times, windows have thousands of series.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/window.h"

namespace nz::analysis {

/// Answers what Window answers, without walking all series. The window must outlive it.
class WindowIndex {
 public:
  explicit WindowIndex(const Window& window);

  [[nodiscard]] double seconds() const { return window_.seconds(); }
  [[nodiscard]] const Window& window() const { return window_; }
  [[nodiscard]] bool has(std::string_view name, const Labels& labels = {}) const;
  [[nodiscard]] std::vector<const WindowSeries*> find(std::string_view name,
                                                      const Labels& labels = {}) const;
  /// Growth of counters; 0 where there are none.
  [[nodiscard]] double change(std::string_view name, const Labels& labels = {}) const;
  /// Growth per second of the window; 0 where there is none.
  [[nodiscard]] double rate(std::string_view name, const Labels& labels = {}) const;
  /// Sum of gauges at the window's end.
  [[nodiscard]] std::optional<double> value(std::string_view name, const Labels& labels = {}) const;
  [[nodiscard]] Histogram histogram(std::string_view name, const Labels& labels = {}) const;
  /// Sum of all values of histograms in seconds, without merging their buckets.
  [[nodiscard]] double sum_seconds(std::string_view name, const Labels& labels = {}) const;
  /// Number of values of histograms.
  [[nodiscard]] double count(std::string_view name, const Labels& labels = {}) const;
  /// Different values of a label, sorted.
  [[nodiscard]] std::vector<std::string> values_of(std::string_view name,
                                                   std::string_view key) const;

  /// Seconds in which a probe observed a target: less than the window under a duty cycle.
  [[nodiscard]] double observed(std::string_view probe, std::string_view target) const;

 private:
  const Window& window_;
  using List = std::vector<const WindowSeries*>;
  /// The shortest list that has every series of this family with these labels.
  [[nodiscard]] const List& candidates(std::string_view name, const Labels& labels) const;

  std::unordered_map<std::string_view, List> families_;
  std::unordered_map<std::string_view, std::unordered_map<std::string_view, List>> by_target_;
};

/// Value of a label; empty where it is not there.
std::string label_of(const WindowSeries& series, std::string_view key);

}  // namespace nz::analysis
