#include "userspace/alerts/rule.h"

#include <algorithm>
#include <array>

#include "userspace/alerts/catalog.h"

namespace nz::alerts {

const char* word(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
  }
  return "";
}

std::optional<Severity> parse_severity(std::string_view text) {
  for (const Severity severity : {Severity::info, Severity::warning, Severity::critical}) {
    if (text == word(severity)) return severity;
  }
  return std::nullopt;
}

const char* kind_of(const Condition& condition) {
  static constexpr std::array<const char*, std::variant_size_v<Condition>> kNames = {
      "threshold",  "ratio",   "degradation", "regression", "anomaly",
      "bottleneck", "absence", "burn_rate",   "forecast"};
  return kNames.at(condition.index());
}

std::string Ratio::unit() const {
  const std::string above = of.unit(), below = to.unit();
  return complement || above == below || !below.empty() ? "ratio" : above;
}

std::string ForecastFound::subject() const {
  if (!resource.empty()) return resource;
  return of.text() + (bound.above ? " above " : " below ") + std::to_string(bound.value);
}

bool Absence::of_gauge() const {
  const CatalogEntry* family = find_family(series.name);
  return family != nullptr && family->type == metrics::Type::gauge;
}

double Rule::wait() const {
  const auto* absence = std::get_if<Absence>(&condition);
  return for_seconds + (absence != nullptr && absence->of_gauge() ? absence->window : 0);
}

std::vector<Severity> Rule::severities() const {
  if (const auto* found = std::get_if<BottleneckFound>(&condition);
      found != nullptr && found->severity_as_found) {
    return {Severity::info, Severity::warning, Severity::critical};
  }
  const auto* burn = std::get_if<BurnRate>(&condition);
  if (burn == nullptr) return {severity};
  std::vector<Severity> all;
  for (const auto& window : burn->windows) {
    if (std::find(all.begin(), all.end(), window.severity) == all.end())
      all.push_back(window.severity);
  }
  return all;
}

}  // namespace nz::alerts
