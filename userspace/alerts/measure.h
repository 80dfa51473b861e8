// A figure of a rule: which series, which statistic of them, over how long, kept apart by what.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/window.h"
#include "userspace/alerts/matcher.h"
#include "userspace/metrics/family.h"

namespace nz::alerts {

struct Statistic {
  enum class Kind {
    value,     ///< gauges, counters: at the window's end
    least,     ///< gauges: smallest in the window; histograms: smallest value
    most,      ///< gauges: largest in the window; histograms: largest value
    rate,      ///< counters: growth by seconds; histograms: values recorded by seconds
    increase,  ///< counters: growth; histograms: values recorded
    mean,      ///< histograms
    quantile,  ///< histograms
  };
  Kind kind = Kind::value;
  double quantile = 0;  ///< 0..1

  bool operator==(const Statistic&) const = default;
};

/// "value", "min", "max", "rate", "increase", "mean", "p99", "p99.9".
std::optional<Statistic> parse_statistic(std::string_view text);
std::string text_of(const Statistic& statistic);
/// Why a family of this type has no such statistic, and which it has; nothing where it does.
std::optional<std::string> misfit(const Statistic& statistic, metrics::Type type);

struct Measure {
  Selector series;
  Statistic statistic;
  double window = 60;           ///< seconds
  std::vector<std::string> by;  ///< labels that figures are kept apart by
  bool each = true;             ///< no `by` is given: every series by itself

  /// "seconds", "per second", "bytes", "" ...
  [[nodiscard]] std::string unit() const;
  /// `p99 of nearzero_x{stage="order"} over 1m`
  [[nodiscard]] std::string text() const;
  bool operator==(const Measure&) const = default;
};

struct Figure {
  analysis::Labels labels;
  double value = 0;   ///< NaN: the series is there, nothing was recorded
  double weight = 0;  ///< what was recorded: values of a histogram, growth of a counter
};

/// One figure for each group of series, ordered by labels.
std::vector<Figure> measure(const Measure& what, const analysis::Window& window);

/// The series of a window that a selector takes.
std::vector<const analysis::WindowSeries*> select(const Selector& selector,
                                                  const analysis::Window& window);

/// The labels of a group: those of `by` that the series has, or all of them.
analysis::Labels group_labels(const analysis::Labels& labels, const std::vector<std::string>& by,
                              bool each);

}  // namespace nz::alerts
