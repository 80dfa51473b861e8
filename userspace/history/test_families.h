// Families by hand for tests: one sample each.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "userspace/metrics/family.h"

namespace nz::history::testing {

using metrics::Family;
using metrics::Labels;
using metrics::Type;
using Families = std::vector<Family>;

inline Family counter(const std::string& name, double value, Labels labels = {}) {
  return {name, "", Type::counter, {{std::move(labels), value, nullptr}}};
}
inline Family gauge(const std::string& name, double value, Labels labels = {}) {
  return {name, "", Type::gauge, {{std::move(labels), value, nullptr}}};
}
inline Family histogram(const std::string& name, const analysis::Histogram& h, Labels labels = {}) {
  return {name,
          "",
          Type::histogram,
          {{std::move(labels), 0, std::make_shared<const analysis::Histogram>(h)}}};
}
/// As the drain gives it: counts of all, extremes of `fresh` alone.
inline analysis::Histogram after(analysis::Histogram before,
                                 std::initializer_list<std::uint64_t> fresh) {
  analysis::Histogram added;
  for (const std::uint64_t ns : fresh) added.record(ns);
  before.merge(added);
  before.min_ns = added.min_ns;
  before.max_ns = added.max_ns;
  return before;
}

}  // namespace nz::history::testing
