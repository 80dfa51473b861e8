// Alert rules on a thread of their own: some of them look further back than memory does, and a
// drain waits for no disk. What the agent has found is handed over as of one moment.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "analysis/finding.h"
#include "analysis/limit_forecast.h"
#include "analysis/regression.h"
#include "userspace/agent/ended_alerts.h"
#include "userspace/agent/kept_state.h"
#include "userspace/agent/long_windows.h"
#include "userspace/alerts/facts.h"
#include "userspace/alerts/service.h"
#include "userspace/base/guard.h"
#include "userspace/rest/source.h"
#include "userspace/store/store.h"

namespace nz::agent {

class Alerting {
 public:
  static constexpr double kEvery = 10;  ///< seconds between two looks of the rules

  /// What rules look at besides figures.
  struct Moment {
    double at = 0;  ///< Unix seconds
    std::vector<analysis::Finding> findings;
    std::vector<analysis::Regression> regressions;
    std::vector<analysis::Incident> incidents;
    std::shared_ptr<const std::vector<analysis::LimitForecast>> forecasts;  ///< may be null
  };
  /// Of any thread.
  using Baseline = std::function<std::optional<alerts::BaselineValue>(
      const analysis::Quantity& of, const std::string& name, double at)>;

  /// `source` and `store` (null: none) outlive it.
  Alerting(alerts::Service::Options options, const rest::Source& source, store::Store* store,
           Baseline baseline = {});
  /// Waits for the look in progress, a disk, and a second for receivers.
  ~Alerting();
  /// Ends it without waiting for that; the thread does.
  static std::jthread retire(std::unique_ptr<Alerting> alerting);
  Alerting(const Alerting&) = delete;
  Alerting& operator=(const Alerting&) = delete;

  /// Whether a moment is worth making. From the thread that calls look().
  [[nodiscard]] bool due(double now) const { return now - last_ >= kEvery || now < last_; }
  /// Hands it over; of those that wait only the newest is looked at.
  void look(Moment moment);

  /// The files once more, or others, for the next look; waits for none.
  void reload(const std::vector<std::string>& rule_files);
  /// As alerts::Service::command(): of what the last look left; waits for none.
  std::optional<std::string> command(const std::string& line);

  /// Those that are in force.
  [[nodiscard]] std::vector<alerts::Rule> rules() const;
  /// As of the last look: nearzero_alert*. Never waits for one.
  void collect(std::vector<metrics::Family>& out) const;
  /// Those that fire and those that have ended, for reports; never null.
  [[nodiscard]] std::shared_ptr<const std::vector<report::Alert>> alerts() const;

 private:
  class Facts;

  void run();
  void step(const Moment& moment);
  void note_ended(double now, const std::vector<alerts::Alert>& ended);
  void publish();

  KeptState kept_ended_;  // of the thread, once it runs
  Baseline baseline_;
  LongWindows windows_;
  double last_ = 0;  // of the thread that calls look()

  std::unique_ptr<alerts::Service> service_;

  std::mutex publish_mutex_;  // the newest is published last; guards this one
  EndedAlerts ended_;         // changed by the thread alone

  mutable std::mutex mutex_;  // never held for long; guards what follows
  std::condition_variable wake_;
  std::optional<Moment> waiting_;
  bool stopping_ = false;
  std::vector<metrics::Family> families_;
  std::shared_ptr<const std::vector<report::Alert>> alerts_ =
      std::make_shared<std::vector<report::Alert>>();
  Guard guard_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace nz::agent
