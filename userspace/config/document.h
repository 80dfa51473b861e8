// YAML text as JSON plus the place of every key and value, so that a schema made for JSON can
// complain about lines of YAML.
//
// Built from the parser's events rather than from YAML::Node: duplicate keys are seen, and depth
// and alias expansion are bounded before they cost anything ("billion laughs").
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "userspace/config/problems.h"

namespace nz::config {

struct Mark {
  int line = 1, column = 1;  ///< from 1; the column in bytes
};

struct Document {
  struct Marks {
    Mark key, value;
  };
  nlohmann::json json;                 ///< null for an empty file
  std::map<std::string, Marks> marks;  ///< by JSON pointer
  std::string name;                    ///< of the file

  static constexpr int kMostDepth = 32;             ///< nested maps and lists
  static constexpr std::size_t kMostNodes = 50000;  ///< values, aliases expanded
  static constexpr std::size_t kMostScalar = 4096;  ///< bytes of one key or value
  static constexpr std::size_t kMostBytes = 1 << 20;

  [[nodiscard]] Place place(Mark mark) const;
  /// Place of a value or key; of the nearest enclosing one that exists where it does not.
  [[nodiscard]] Place place(const std::string& pointer, Part part) const;
};

/// Never throws. What could not be read is reported and left out; after a syntax error, or beyond a
/// bound, `json` is not to be used: returns false.
bool read_document(std::string_view yaml, const std::string& name, Document& document,
                   Problems& problems);

}  // namespace nz::config
