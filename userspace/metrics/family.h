// The metric model between probes (which produce families) and export, http and report (which only
// read them). One family is one metric name with its samples.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analysis/histogram.h"

namespace nz::metrics {

enum class Type { counter, gauge, histogram };

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Sample {
  Labels labels;
  double value = 0;  ///< counters and gauges, base units (seconds, bytes)
  std::shared_ptr<const analysis::Histogram>
      histogram;  ///< histograms only: cumulative since attach
};

struct Family {
  std::string name;  ///< full name: nearzero_..., base unit suffix, _total for counters
  std::string help;  ///< one sentence, unit included
  Type type = Type::gauge;
  std::vector<Sample> samples;
};

}  // namespace nz::metrics
