// Which metric families there are, so that a rule that names another one is told when it is read
// and not by its silence. docs/metrics.md describes them; catalog_test.cpp holds both together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/metrics/family.h"

namespace nz::alerts {

struct CatalogEntry {
  std::string_view name;  ///< without the prefix nearzero_
  metrics::Type type;
  std::string_view labels;  ///< "target,stage"

  [[nodiscard]] std::string full_name() const { return "nearzero_" + std::string(name); }
  [[nodiscard]] bool has_label(std::string_view label) const;
  [[nodiscard]] std::vector<std::string> label_names() const;
};

const std::vector<CatalogEntry>& catalog();

/// Null where there is none of this full name.
const CatalogEntry* find_family(std::string_view full_name);

/// The nearest of the full names; "" where none is near.
std::string nearest_family(std::string_view full_name);

}  // namespace nz::alerts
