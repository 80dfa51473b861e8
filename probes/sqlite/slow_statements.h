// The slow statements of all targets: thresholds for the kernel, its events, plans by opt-in.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "probes/probe.h"
#include "probes/sqlite/database_watch.h"
#include "probes/sqlite/slow_log.h"
#include "probes/sqlite/slow_threshold.h"
#include "userspace/advice/explainer.h"

namespace nz::probes {

class SlowStatements {
 public:
  SlowStatements(const Env& env, const StatementTexts& texts);

  /// Thresholds as the configuration says, adaptive ones once in kThresholdEvery.
  void tick();
  void on_event(std::span<const std::byte> bytes);
  /// With what plans advise, and what waits do, by the journals that `databases` knows.
  void details(const DatabaseWatch& databases, analysis::Details& out) const;
  /// nearzero_sqlite_slow_statements_total, _slow_dropped_total, _slow_threshold_seconds.
  void collect(std::vector<metrics::Family>& out) const;
  /// Nothing is told any more.
  void stop();

 private:
  void announce();
  [[nodiscard]] analysis::Histogram durations_of(uint32_t slot) const;
  [[nodiscard]] const config::Target* target(uint32_t slot) const;

  const Env& env_;
  const StatementTexts& texts_;
  std::span<nz_slow_target> kernel_;
  std::map<uint32_t, AdaptiveThreshold> adaptive_;                        // by slot
  std::map<std::pair<std::string, std::string>, std::string> announced_;  // target, digest: advice
  SlowLog log_;
  advice::Explainer explainer_;
};

}  // namespace nz::probes
