// Watches every quantity for lasting changes (regressions) and for values that its past did not let
// expect (anomalies, joined to incidents).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "analysis/detect/anomaly.h"
#include "analysis/detect/incident.h"
#include "analysis/regression/watch.h"
#include "analysis/watch/quantities.h"
#include "analysis/window.h"

namespace nz::analysis {

class Watch {
 public:
  struct Options {
    double every = 10;               ///< seconds between two looks, and the window that one is of
    double unusual = 0.99;           ///< score from which a value is an anomaly
    std::size_t most_series = 8192;  ///< 5 KB each
    double forget_seconds = 3600;    ///< series that gave no value for so long
    RegressionWatch::Options regressions = {};
    IncidentOptions incidents = {};
  };
  struct Changes {
    RegressionTracker::Changes regressions;
    IncidentGrouper::Changes incidents;
  };

  Watch() : Watch(Options{}) {}
  explicit Watch(const Options& options);

  /// Whether `every` seconds have passed, or nearly: a timer that fires early must not cost
  /// one drain more. `now`: Unix seconds.
  [[nodiscard]] bool due(double now) const {
    return now - last_ >= 0.99 * options_.every || now < last_;
  }
  [[nodiscard]] double every() const { return options_.every; }

  /// One look: the window of the last `every` seconds. `history` is asked for the histograms around
  /// a step; `events` may explain one.
  Changes look(const Window& window, const RegressionWatch::History& history,
               std::span<const Event> events);

  /// Open ones first; then the resolved ones, newest first.
  [[nodiscard]] std::vector<Regression> regressions() const;
  [[nodiscard]] std::vector<Incident> incidents() const { return incidents_.incidents(); }

  /// After a restart: what regressions() told before it.
  void restore(const std::vector<Regression>& known) { regressions_.tracker().restore(known); }

  /// The same of incidents: what open_incidents() gave, and the Unix seconds of the start. Returns
  /// what has ended meanwhile (IncidentGrouper::restore()).
  [[nodiscard]] std::vector<IncidentGrouper::Open> open_incidents() const {
    return incidents_.open();
  }
  IncidentGrouper::Changes restore_incidents(const std::vector<IncidentGrouper::Open>& known,
                                             double now) {
    return incidents_.restore(known, now);
  }

  [[nodiscard]] std::size_t series() const { return detectors_.size(); }
  /// Series, regressions and incidents that did not fit.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct Watched {
    AnomalyDetector detector;
    double last = 0;
  };

  void score(const Measured& measured, double at, std::vector<Anomaly>& anomalies);

  Options options_;
  RegressionWatch regressions_;
  IncidentGrouper incidents_;
  std::map<std::string, Watched> detectors_;  // by text_of(quantity)
  std::uint64_t dropped_ = 0;
  double last_ = 0;
};

}  // namespace nz::analysis
