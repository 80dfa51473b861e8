// One line of OpenMetrics text (openmetrics.io, version 1.0), or of the older text format of
// Prometheus. Debian has no library of C or C++ that reads it: prometheus-cpp only writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "userspace/base/result.h"
#include "userspace/metrics/family.h"

namespace nz::store {

/// What `# TYPE` says a family is; unknown stands for `untyped` of the older format too.
enum class OpenMetricsKind : std::uint8_t {
  unknown,
  counter,
  gauge,
  histogram,
  gaugehistogram,
  summary,
  info,
  stateset
};

/// A line that holds no sample: empty, HELP, UNIT, a comment of the older format.
struct OpenMetricsRemark {};
struct OpenMetricsType {
  std::string family;
  OpenMetricsKind kind = OpenMetricsKind::unknown;
};
/// `# EOF`
struct OpenMetricsEnd {};
struct OpenMetricsSample {
  std::string name;
  metrics::Labels labels;  ///< in the order of the line, none twice
  double value = 0;
  std::int64_t at = 0;    ///< Unix milliseconds
  bool exemplar = false;  ///< one followed, and was not read
};
using OpenMetricsLine =
    std::variant<OpenMetricsRemark, OpenMetricsType, OpenMetricsEnd, OpenMetricsSample>;

/// A number as the format has it: of decimal digits, Inf or NaN.
std::optional<double> openmetrics_number(std::string_view word);

/// A line without its end. Names may be quoted, as Prometheus 3 writes those that are no plain
/// ones. Error: its code is the column, from 1.
Result<OpenMetricsLine> read_openmetrics(std::string_view line);

}  // namespace nz::store
