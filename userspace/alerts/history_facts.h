// Facts from a history in memory, and from lists that somebody else keeps.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/alerts/facts.h"
#include "userspace/history/history.h"

namespace nz::alerts {

class HistoryFacts : public Facts {
 public:
  using Baseline = std::function<std::optional<BaselineValue>(const analysis::Quantity& of,
                                                              const std::string& name, double at)>;

  /// `history` outlives it.
  explicit HistoryFacts(const history::History& history) : history_(history) {}

  [[nodiscard]] analysis::Window window(double from, double to,
                                        const std::set<std::string>& families) const override {
    return history_.window(from, to, [&families](const std::string& name, const auto&) {
      return families.contains(name);
    });
  }
  [[nodiscard]] const std::vector<analysis::Finding>* findings() const override {
    return findings_;
  }
  [[nodiscard]] const std::vector<analysis::Regression>* regressions() const override {
    return regressions_;
  }
  [[nodiscard]] const std::vector<analysis::Incident>* incidents() const override {
    return incidents_;
  }
  [[nodiscard]] const Gaps& gaps() const override { return gaps_; }
  [[nodiscard]] const std::vector<analysis::LimitForecast>* forecasts() const override {
    return forecasts_;
  }
  [[nodiscard]] std::optional<BaselineValue> baseline(const analysis::Quantity& of,
                                                      const std::string& name,
                                                      double at) const override {
    return baseline_ ? baseline_(of, name, at) : std::nullopt;
  }

  /// Lists that outlive it; null: nobody looks for such things.
  void set_findings(const std::vector<analysis::Finding>* findings) { findings_ = findings; }
  void set_regressions(const std::vector<analysis::Regression>* all) { regressions_ = all; }
  void set_incidents(const std::vector<analysis::Incident>* incidents) { incidents_ = incidents; }
  void set_gaps(Gaps gaps) { gaps_ = std::move(gaps); }
  void set_forecasts(const std::vector<analysis::LimitForecast>* all) { forecasts_ = all; }
  void set_baseline(Baseline baseline) { baseline_ = std::move(baseline); }

 private:
  const history::History& history_;
  const std::vector<analysis::Finding>* findings_ = nullptr;
  const std::vector<analysis::Regression>* regressions_ = nullptr;
  const std::vector<analysis::Incident>* incidents_ = nullptr;
  const std::vector<analysis::LimitForecast>* forecasts_ = nullptr;
  Gaps gaps_;
  Baseline baseline_;
};

}  // namespace nz::alerts
