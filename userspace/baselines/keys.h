// Under which names the store keeps baselines.
#pragma once

#include <cstddef>
#include <string>

namespace nz::baselines {

/// Hours of the week, in groups of series: a row for each would be thousands, one for all of them
/// megabytes that change with every hour.
inline std::string group_key(std::size_t group) {
  return "baseline/hours/" + std::to_string(group);
}
/// Hours that are not in their group's row yet.
inline constexpr const char* kWaitingKey = "baseline/hours/waiting";

/// Of a named one: what it is, and all of it.
inline constexpr const char* kHeadPrefix = "baseline/head/";
inline std::string head_key(const std::string& name) { return kHeadPrefix + name; }
inline std::string body_key(const std::string& name) { return "baseline/named/" + name; }

}  // namespace nz::baselines
