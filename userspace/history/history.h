// What every series was over the last hour, in memory: windows for the rules, trends for the
// interface. The store of the disk will answer the same questions over longer times.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/window.h"
#include "userspace/metrics/family.h"

namespace nz::history {

/// What of a series a trend shows.
struct Selector {
  std::string name;         ///< metric family
  analysis::Labels labels;  ///< those that must be there
  std::optional<double>
      quantile;  ///< of a histogram; none: its rate of values, a counter's rate, a gauge's value
  bool mean = false;  ///< of a histogram: the mean in place of a quantile
};

struct Point {
  double at = 0;     ///< Unix seconds, end of the step
  double value = 0;  ///< NaN: nothing was recorded in the step
};

/// "seconds", "per second", ...: of what `selector` shows of this family.
std::string unit_of(const std::string& name, metrics::Type type, const Selector& selector);

struct Trend {
  analysis::Labels labels;
  std::string unit;  ///< "seconds", "per second", ...
  std::vector<Point> points;
};

/// The values of a histogram between two times, those of them alone.
struct Interval {
  double from = 0, to = 0;  ///< Unix seconds
  std::shared_ptr<const analysis::Histogram> histogram;
};

class History {
 public:
  struct Options {
    double resolution = 10;                          ///< seconds between two points that are kept
    double length = 3600;                            ///< seconds
    std::size_t most_bytes = std::size_t{64} << 20;  ///< then the oldest points go
  };
  explicit History(const Options& options);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// The families as of now (cumulative). More often than `resolution` replaces the newest point,
  /// so that a window always ends now. From one thread; the rest from any. A time before the newest
  /// is a clock that was set back: all earlier points move with it, and their distances stay. The
  /// same time replaces the newest point; a time that is no number is left out.
  void add(double unix_seconds, const std::vector<metrics::Family>& families);

  /// Which series a window is to have; nothing: all.
  using Filter = std::function<bool(const std::string& name, const analysis::Labels& labels)>;

  /// Between the points nearest to `from` and `to` (Unix seconds); empty where there are not two.
  /// A series that appears inside the window begins at 0; one that is back after more than `length`
  /// begins with what it has, unless that is less than before. Gauges are those that are there at
  /// its end; counters and histograms those that were there at any point after its beginning.
  [[nodiscard]] analysis::Window window(double from, double to, const Filter& filter = {}) const;
  /// One trend for each series that matches, step by step: from + step, ..., to, each between the
  /// points nearest to its two ends. Steps shorter than `resolution` leave holes. Nothing where
  /// `to` is not later than `from`, `step` is not above 0, or there are more than a million steps.
  [[nodiscard]] std::vector<Trend> trends(const Selector& selector, double from, double to,
                                          double step) const;
  /// The histogram of exactly these labels, between points that are `step` apart or, where there is
  /// a gap, more: both times are those of points. What is left at the end is an interval of its own
  /// from half a step on. Nothing where `to` is not later than `from` or `step` is not above 0.
  [[nodiscard]] std::vector<Interval> intervals(const std::string& name,
                                                const analysis::Labels& labels, double from,
                                                double to, double step) const;
  /// Type and labels of the series that were there in the last `length`; nothing: none was.
  [[nodiscard]] std::optional<metrics::Family> family(const std::string& name) const;
  [[nodiscard]] double oldest() const;  ///< Unix seconds; 0 where there is nothing
  [[nodiscard]] double newest() const;
  [[nodiscard]] double resolution() const;  ///< seconds, as in the options
  [[nodiscard]] std::size_t bytes() const;
  /// Points that went before their time because of most_bytes.
  [[nodiscard]] std::uint64_t evicted() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nz::history
