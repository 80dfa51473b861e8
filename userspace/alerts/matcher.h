// Which series, as PromQL selects them: nearzero_x{target="demo",stage=~"risk|persist"}.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/window.h"
#include "userspace/base/result.h"

namespace re2 {
class RE2;
}

namespace nz::alerts {

/// One condition on a label; a label that is not there has the value "".
struct Matcher {
  enum class Kind { equal, unequal, like, unlike };
  std::string label;
  Kind kind = Kind::equal;
  std::string value;  ///< `like`, `unlike`: a regular expression (RE2) for the whole value
  std::shared_ptr<const re2::RE2> expression;

  [[nodiscard]] bool matches(std::string_view label_value) const;
  [[nodiscard]] std::string text() const;  ///< label=~"value"
  [[nodiscard]] bool operator==(const Matcher& other) const {
    return label == other.label && kind == other.kind && value == other.value;
  }
};
using Matchers = std::vector<Matcher>;

/// The value of a label; "" where it is not there.
std::string_view value_of(const analysis::Labels& labels, std::string_view label);
bool matches(const Matchers& matchers, const analysis::Labels& labels);

struct Selector {
  std::string name;  ///< metric family; empty: any
  Matchers matchers;

  [[nodiscard]] bool matches(std::string_view series, const analysis::Labels& labels) const;
  [[nodiscard]] std::string text() const;
  bool operator==(const Selector&) const = default;
};

/// name, name{...} or {...}. Errors say at which character, and what would be right there.
Result<Selector> parse_selector(std::string_view text);

/// The inside of the braces alone: target="demo",stage!="risk". An empty text: no condition.
Result<Matchers> parse_matchers(std::string_view text);

}  // namespace nz::alerts
