// Members of a JSON object by type. What is missing or of another type leaves the value as it is:
// the schema has reported it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace nz::alerts {

/// Null where there is no such member.
inline const nlohmann::json& member(const nlohmann::json& map, const char* key) {
  static const nlohmann::json none;
  if (!map.is_object()) return none;
  const auto found = map.find(key);
  return found == map.end() ? none : *found;
}
inline void set(const nlohmann::json& value, std::string& out) {
  if (value.is_string()) out = value.get<std::string>();
}
inline void set(const nlohmann::json& value, bool& out) {
  if (value.is_boolean()) out = value.get<bool>();
}
inline void set(const nlohmann::json& value, double& out) {
  if (value.is_number()) out = value.get<double>();
}
inline void set(const nlohmann::json& value, std::vector<std::string>& out) {
  if (!value.is_array()) return;
  out.clear();
  for (const nlohmann::json& element : value) {
    if (element.is_string()) out.push_back(element.get<std::string>());
  }
}

}  // namespace nz::alerts
