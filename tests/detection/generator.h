// Labelled series, the same for the same seed on every machine that rounds alike: what detection is
// measured with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nz::test {

/// A latency over time: level x day x week x drift x step x noise, then outliers and gaps.
struct SeriesSpec {
  std::uint64_t seed = 1;
  std::size_t points = 40'320;  ///< 28 days of minutes
  double seconds = 60;          ///< between points
  double cv = 0.2;              ///< of the log-normal noise
  double phi = 0.3;             ///< its AR(1) coefficient
  double day = 0.2;             ///< amplitude of the daily shape, of the level
  double week = 0.1;            ///< how much lower weekends are
  double drift = 0.0;           ///< growth of the level over the whole series
  double outliers = 0.002;  ///< share of points that an outlier begins at: x3 to x10, 1 to 3 points
  double missing = 0.01;    ///< share of points that are not there; two gaps of an hour as well
  double step = 0;          ///< 0.1: 10 % more from `step_at` on
  std::size_t step_at = 0;  ///< 0: none
  /// The series is the p99 of 500 values a point, taken from histogram buckets of 9 %, and only the
  /// tail steps; otherwise a median.
  bool p99 = false;
};

struct LabelledSeries {
  SeriesSpec spec;
  std::vector<double> at;     ///< Unix seconds; the first is a Monday, 00:00
  std::vector<double> value;  ///< NaN: missing
};

LabelledSeries make_series(const SeriesSpec& spec);

/// `count` specifications: in turn steps of 5, 10, 20 and 50 % in the median and in the p99 only,
/// and two in ten without a step; CV 0.1 to 0.5, phi 0, 0.3 and 0.6, day 0 to 30 %, week 0 to 20 %,
/// drift -10 to 10 %. A step lies in the middle half, one in three goes down by as much.
std::vector<SeriesSpec> step_specs(std::size_t count, std::size_t points, double seconds,
                                   std::uint64_t seed);

/// A series with labelled anomalies.
struct AnomalySeries {
  std::string kind;
  std::vector<double> at, value;
  std::vector<int> label;  ///< 1: anomalous
};

/// The kinds of anomaly that public benchmarks have: "spike", "dip", "level", "contextual",
/// "variance", "flat", "shape", "trend"; and "none".
const std::vector<std::string>& anomaly_kinds();
AnomalySeries make_anomaly_series(const std::string& kind, std::size_t points, std::uint64_t seed);

}  // namespace nz::test
