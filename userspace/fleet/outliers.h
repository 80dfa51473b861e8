// Which of many hosts is not like the others.
#pragma once

#include <cstddef>
#include <vector>

namespace nz::fleet {

struct Outlier {
  std::size_t index = 0;  ///< in the values that were given
  double z = 0;           ///< robust deviations from the median; above it positive
};

struct Comparison {
  double median = 0;              ///< NaN: no value is a number
  bool enough = false;            ///< there are kLeastHosts: fewer cannot say who is odd
  std::vector<Outlier> outliers;  ///< the farthest first
};

inline constexpr std::size_t kLeastHosts = 3;

struct OutlierOptions {
  /// Latencies: a factor counts, not a difference. Values of 0 and below are then no outliers.
  bool log = false;
  /// The least spread that hosts are taken to have, in the value's unit, or where `log` as a
  /// natural logarithm: where all are nearly equal, a trifle would be far from the median.
  double least_spread = 0;
  /// The modified z-score from which a value is an outlier: Iglewicz and Hoaglin, "How to Detect
  /// and Handle Outliers" (1993), recommend 3.5.
  double z = 3.5;
};

/// By the median and the median absolute deviation (times 1.4826: as a standard deviation where
/// values are normal), which up to half of the hosts cannot move. NaN: a host without the figure.
Comparison compare_hosts(const std::vector<double>& values, const OutlierOptions& options);

/// Of the values that are numbers; NaN where there is none.
double median_of(std::vector<double> values);

}  // namespace nz::fleet
