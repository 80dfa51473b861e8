// Texts with places to fill: "p99 is {{ value }}". Text alone: what is filled in is never read as a
// template again, and nothing can be computed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/plain_text.h"
#include "userspace/base/result.h"

namespace nz::alerts {

/// What a template's names stand for: "value" -> "7.2 ms", "labels.target" -> "demo".
using Fields = std::map<std::string, std::string>;

class Template {
 public:
  /// `names` are known, and "labels.X" for every X of `labels`. Errors name the place and what was
  /// probably meant.
  static Result<Template> parse(std::string_view text, const std::vector<std::string>& names,
                                const std::vector<std::string>& labels);

  /// At most kMostBytes, cut with an ellipsis. A name that has no value here is "-"; control
  /// characters of values become '?'.
  [[nodiscard]] std::string fill(const Fields& fields) const;

  struct Part {
    bool is_name = false;
    std::string text;  ///< as it stands, or the name
  };
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

  static constexpr std::size_t kMostBytes = 2048;

 private:
  std::vector<Part> parts_;
};

}  // namespace nz::alerts
