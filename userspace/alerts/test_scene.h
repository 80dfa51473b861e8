// Facts by hand for tests: what a window holds is what the test says.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "userspace/alerts/engine.h"
#include "userspace/alerts/facts.h"
#include "userspace/alerts/rule_file.h"

namespace nz::alerts::testing {

class Scene : public Facts {
 public:
  std::vector<analysis::WindowSeries> series;
  std::vector<analysis::Finding> open;
  std::vector<analysis::Regression> changed;
  std::vector<analysis::Incident> strange;
  std::vector<analysis::LimitForecast> ahead;
  std::map<std::string, BaselineValue> usual;  // by baseline name
  bool judged = true;             // somebody looks for findings, regressions, incidents
  double covered = 1e9;           // seconds of history that there are
  mutable std::size_t asked = 0;  // windows

  void gauge(const std::string& name, analysis::Labels labels, double value) {
    analysis::WindowSeries s;
    s.name = name;
    s.labels = std::move(labels);
    s.value = s.least = s.most = value;
    series.push_back(std::move(s));
  }
  void counter(const std::string& name, analysis::Labels labels, double growth) {
    gauge(name, std::move(labels), 1000 + growth);
    series.back().change = growth;
  }
  void histogram(const std::string& name, analysis::Labels labels, std::uint64_t count,
                 std::uint64_t ns, std::uint64_t slow = 0, std::uint64_t slow_ns = 0) {
    auto h = std::make_shared<analysis::Histogram>();
    for (std::uint64_t i = 0; i < count; i++) h->record(ns);
    for (std::uint64_t i = 0; i < slow; i++) h->record(slow_ns);
    gauge(name, std::move(labels), 0);
    series.back().histogram = std::move(h);
  }

  [[nodiscard]] analysis::Window window(double from, double to,
                                        const std::set<std::string>& families) const override {
    asked++;
    analysis::Window window;
    window.to = to;
    window.from = std::max(from, to - covered);
    for (const auto& s : series) {
      if (families.contains(s.name)) window.series.push_back(s);
    }
    return window;
  }
  [[nodiscard]] const std::vector<analysis::Finding>* findings() const override {
    return judged ? &open : nullptr;
  }
  [[nodiscard]] const std::vector<analysis::Regression>* regressions() const override {
    return judged ? &changed : nullptr;
  }
  [[nodiscard]] const std::vector<analysis::Incident>* incidents() const override {
    return judged ? &strange : nullptr;
  }
  [[nodiscard]] const std::vector<analysis::LimitForecast>* forecasts() const override {
    return judged ? &ahead : nullptr;
  }
  [[nodiscard]] std::optional<BaselineValue> baseline(const analysis::Quantity&,
                                                      const std::string& name,
                                                      double) const override {
    const auto found = usual.find(name);
    return found == usual.end() ? std::nullopt : std::optional(found->second);
  }
};

/// Rules of a text that has no mistake; an exception names those that it has.
inline std::vector<Rule> rules_of(const std::string& yaml) {
  RuleFile file = parse_rules(yaml, "f");
  if (!file.problems.empty()) throw std::invalid_argument(file.problems.front());
  return std::move(file.rules);
}

inline std::string annotation(const Alert& alert, const std::string& name) {
  for (const auto& [key, text] : alert.annotations) {
    if (key == name) return text;
  }
  return "none";
}

inline std::string label(const Alert& alert, const std::string& name) {
  return std::string(value_of(alert.labels, name));
}

constexpr double kNow = 1'764'255'600;  // 2025-11-27 15:00:00 UTC

}  // namespace nz::alerts::testing
