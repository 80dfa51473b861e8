// What hosts are compared by: recording rules of configs/prometheus/nearzero.rules.yml, or where a
// Prometheus has not loaded them, the same from the families themselves.
#pragma once

#include <string>
#include <vector>

#include "userspace/fleet/outliers.h"
#include "userspace/report/document/words.h"

namespace nz::fleet {

struct FigureKind {
  std::string id;     ///< "order_p99"
  std::string title;  ///< "p99 of an order"
  std::string unit;   ///< as analysis::figure_text() knows it
  report::Worse worse = report::Worse::more;
  OutlierOptions outlier;
  bool of_orders = false;   ///< the traders feel it; the others are causes and costs
  bool per_target = false;  ///< labels job, instance and target; else job and instance
  std::string rule;         ///< PromQL on recording rules ...
  std::string raw;          ///< ... and without them
};

/// In the order in which they are told.
const std::vector<FigureKind>& figure_kinds();

}  // namespace nz::fleet
