// One quantity over time, as detection sees it: from a histogram's quantile, a rate, a gauge or a
// file.
#pragma once

#include <vector>

namespace nz::analysis {

struct Series {
  std::vector<double> at;     ///< Unix seconds, ascending; as many as values
  std::vector<double> value;  ///< NaN: nothing was measured then
};

}  // namespace nz::analysis
