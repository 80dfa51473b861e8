// Environment variables are a second source for the same keys: their names follow from the schema,
// so that a new scalar in the schema has its variable without another line of code.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

#include "userspace/config/config.h"
#include "userspace/config/model.h"
#include "userspace/config/pointer.h"
#include "userspace/config/problems.h"
#include "userspace/config/scalar.h"
#include "userspace/config/schema.h"
#include "userspace/config/semantics.h"

namespace nz::config {
namespace {

std::string variable_name(const std::string& key) {
  std::string name = "NEARZERO_" + key;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '.' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

/// Pointers of all scalars outside lists.
void collect(const std::string& pointer, const nlohmann::json& rule,
             std::vector<std::string>& out) {
  if (rule.contains("properties")) {
    for (const auto& [key, value] : rule.at("properties").items()) {
      collect(child(pointer, key), resolve(value), out);
    }
  } else if (!rule.contains("items")) {
    out.push_back(pointer);
  }
}

const std::map<std::string, std::string>& pointers_by_variable() {
  static const auto* const result = [] {
    std::vector<std::string> pointers;
    collect("", schema(), pointers);
    auto* out = new std::map<std::string, std::string>;
    for (const auto& pointer : pointers) out->emplace(variable_name(display(pointer)), pointer);
    return out;
  }();
  return *result;
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<EnvironmentVariable> environment_variables() {
  std::vector<EnvironmentVariable> out;
  for (const auto& [name, pointer] : pointers_by_variable())
    out.push_back({name, display(pointer)});
  return out;
}

Result<void> apply_environment(Config& config, const Environment& environment) {
  nlohmann::json given = nlohmann::json::object();
  std::map<std::string, std::string> origin;  // pointer -> variable
  for (const auto& [name, pointer] : pointers_by_variable()) {
    const auto text = environment(name);
    if (!text || text->empty()) continue;
    // A text is taken as it is: NEARZERO_LOG_FILE=true names a file.
    const bool is_text = schema_at(pointer)->value("type", nlohmann::json()) == "string";
    given[nlohmann::json::json_pointer(pointer)] =
        is_text ? nlohmann::json(*text) : resolve_plain(*text);
    origin[pointer] = name;
  }
  if (given.empty()) return {};

  Problems problems;
  const Locate locate = [&](const std::string& pointer, Part) {
    const auto found = origin.find(pointer);
    return Place{found == origin.end() ? display(pointer) : found->second};
  };
  validate(given, locate, problems);
  Config changed = config;
  from_json(given, changed);
  check_semantics(changed, locate, problems);
  if (!problems.empty()) return tl::unexpected(problems.error());
  config = std::move(changed);
  return {};
}

}  // namespace nz::config
