#include "analysis/regression.h"

#include "analysis/text.h"

namespace nz::analysis {

std::string text_of(const Quantity& quantity) {
  const std::string series = selector(quantity.name, quantity.labels);
  return quantity.statistic.empty() ? series : series + ' ' + quantity.statistic;
}

}  // namespace nz::analysis
