// Hours of many series as bytes for the store.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/baseline/hour_points.h"
#include "analysis/regression.h"

namespace nz::baselines {

/// A series and its baseline.
struct KnownSeries {
  analysis::Quantity of;
  double last = 0;    ///< Unix seconds, of its newest value
  std::string hours;  ///< HourOfWeek::blob()
};
std::string blob_of(std::span<const KnownSeries> group);
/// Nothing for what blob_of() did not write.
std::optional<std::vector<KnownSeries>> group_from(std::string_view blob);

/// Hours of a series that are not in its baseline yet.
struct WaitingHours {
  analysis::Quantity of;
  std::vector<analysis::HourSummary> hours;
};
std::string blob_of(std::span<const WaitingHours> waiting);
std::optional<std::vector<WaitingHours>> waiting_from(std::string_view blob);

}  // namespace nz::baselines
