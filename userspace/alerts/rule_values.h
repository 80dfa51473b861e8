// Values of a rule by what they mean: times, amounts in a unit, shares, series. What does not fit
// is reported at its place.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "userspace/alerts/catalog.h"
#include "userspace/alerts/rule.h"
#include "userspace/config/problems.h"

namespace nz::alerts {

using Strings = std::vector<std::string>;
bool contains(const Strings& all, const std::string& one);
void add_once(Strings& all, const Strings& more);

/// Reads from `in`, the map at the JSON pointer `at`, the value of a key. What is missing or of a
/// wrong form gives the default: the schema has reported it.
class RuleValues {
 public:
  RuleValues(const config::Locate& locate, config::Problems& problems)
      : locate_(locate), problems_(problems) {}

  /// Unless something is known about this place already: one mistake, one message.
  void report(const std::string& pointer, const std::string& what, std::string remedy);

  double time(const nlohmann::json& in, const char* key, const std::string& at, double otherwise,
              double least, double most);
  double window(const nlohmann::json& in, const char* key, const std::string& at, double otherwise);
  std::optional<double> amount(const nlohmann::json& in, const char* key, const std::string& at,
                               const std::string& unit);
  /// 0 where there is none.
  double share(const nlohmann::json& in, const char* key, const std::string& at, double most = 1);
  /// `above` or `below`, and `clear`.
  void bound(const nlohmann::json& in, const std::string& at, const std::string& unit, Bound& out);

  /// The family of a selector; null where no family of this name is known.
  const CatalogEntry* selector(const nlohmann::json& in, const char* key, const std::string& at,
                               Selector& out);
  /// `series` and `statistic`.
  const CatalogEntry* measure(const nlohmann::json& in, const std::string& at, Measure& out);
  /// `by`; `each`: it is not given.
  void by(const nlohmann::json& in, const std::string& at, const CatalogEntry* family, Strings& out,
          bool& each);
  /// `where`: conditions on these labels alone.
  std::optional<Matchers> where(const nlohmann::json& in, const std::string& at,
                                const Strings& known);
  void known_label(const CatalogEntry& family, const std::string& label, const std::string& place);

  [[nodiscard]] std::string place(const std::string& pointer) const {
    return locate_(pointer, config::Part::kValue).text;
  }

 private:
  const config::Locate& locate_;
  config::Problems& problems_;
};

Severity severity_of(const nlohmann::json& in, const char* key, Severity otherwise);

}  // namespace nz::alerts
