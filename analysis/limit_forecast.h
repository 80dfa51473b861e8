// When something reaches its limit, as reports and alert rules want to know it.
#pragma once

#include <optional>
#include <string>

#include "analysis/regression.h"

namespace nz::analysis {

/// When something reaches its limit if it goes on as it does.
struct LimitForecast {
  Quantity of;
  std::string what;             ///< "space of /var"
  double value = 0, limit = 0;  ///< in the quantity's unit
  double per_day = 0;           ///< how it moves, in that unit
  /// Unix seconds; nothing: not in sight. All three empty: no trend that is significant.
  std::optional<double> earliest, likeliest, latest;
  std::string subject;  ///< whom it is for: "disk_space", or the series and limit of a rule
};

}  // namespace nz::analysis
