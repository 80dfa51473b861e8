// A quantity of the present hour beside what is usual for that hour.
#pragma once

#include "analysis/baseline/hour_of_week.h"
#include "analysis/regression.h"

namespace nz::analysis {

struct AgainstUsual {
  Quantity of;
  double at = 0;     ///< Unix seconds, of the newest value
  double value = 0;  ///< median of the hour's minutes so far, in the quantity's unit
  Expected usual;
};

}  // namespace nz::analysis
