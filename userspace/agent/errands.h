// What the agent does when it has time: reports by schedule, forecasts of limits. One thread at
// nice 19 does it; a drain never waits for it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "userspace/agent/background.h"
#include "userspace/agent/forecasts.h"
#include "userspace/agent/reports.h"
#include "userspace/agent/stored_reports.h"

namespace nz::agent {

class Errands {
 public:
  /// `source` outlives it.
  explicit Errands(const rest::Source& source);
  /// Waits for what is being done.
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  /// All reports, for the interface (rest::routes); while this lives, those of `store` too.
  [[nodiscard]] std::shared_ptr<rest::ReportStore> kept() const { return kept_; }

  /// Once. `store`: null where nothing is kept on disk; outlives it.
  void start(store::Store* store);
  /// Schedules, as of the next look; of any thread.
  void configure(const config::Reports& config) { reports_.configure(config); }
  /// Rules that may ask for forecasts.
  void want(const std::vector<alerts::Rule>& rules) { forecasts_.want(rules); }

  /// Null before the first look.
  [[nodiscard]] std::shared_ptr<const Forecasts::List> forecasts() const {
    return forecasts_.list();
  }
  void collect(std::vector<metrics::Family>& out) const;

 private:
  std::shared_ptr<rest::ReportStore> kept_ = std::make_shared<rest::ReportStore>();
  std::optional<StoredReports> archive_;
  Reports reports_;
  Forecasts forecasts_;
  Background background_;  // last: its thread uses the rest
};

}  // namespace nz::agent
