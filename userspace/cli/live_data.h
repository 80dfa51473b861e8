// The agent's /live.json, parsed: cumulative histograms and values by family and labels.
#pragma once

#include <map>
#include <string>

#include "analysis/histogram.h"
#include "userspace/base/result.h"

namespace nz::cli {

using Labels = std::map<std::string, std::string>;

struct LiveData {
  struct Key {
    std::string family;
    Labels labels;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, analysis::Histogram> histograms;
  std::map<Key, double> values;

  /// What came after `earlier`.
  [[nodiscard]] LiveData since(const LiveData& earlier) const;
  /// The agent tells the smallest and the largest value of its last interval only: a longer window
  /// takes those of all that were read in it.
  void take_extremes_of(const LiveData& moment);
};

Result<LiveData> parse_live(const std::string& json);
Result<LiveData> fetch_live(const std::string& url);

}  // namespace nz::cli
