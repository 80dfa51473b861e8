// A JSON schema that is part of the program: whether a file fits it, and what each place may hold.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/config/problems.h"

namespace nz::config {

/// JSON schema of draft-07, as far as valijson and explain() know it.
class Schema {
 public:
  /// `text` is part of the program: what is no schema throws.
  explicit Schema(std::string_view text);
  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  [[nodiscard]] const nlohmann::json& root() const { return root_; }
  /// Follows "$ref" within this schema.
  [[nodiscard]] const nlohmann::json& resolve(const nlohmann::json& node) const;
  /// The schema of the value at a JSON pointer, or null where the schema knows no such place.
  [[nodiscard]] const nlohmann::json* at(const std::string& pointer) const;
  /// Validates with valijson and reports each violation once, at its innermost place.
  void validate(const nlohmann::json& json, const Locate& locate, Problems& problems) const;

 private:
  [[nodiscard]] const nlohmann::json* step(const nlohmann::json& rule,
                                           const std::string& token) const;

  struct Compiled;
  nlohmann::json root_;
  std::unique_ptr<const Compiled> compiled_;
};

/// That of the agent's configuration, and its parts by the names of Schema.
const Schema& configuration_schema();
const nlohmann::json& schema();
const nlohmann::json& resolve(const nlohmann::json& node);
const nlohmann::json* schema_at(const std::string& pointer);
void validate(const nlohmann::json& json, const Locate& locate, Problems& problems);

}  // namespace nz::config
